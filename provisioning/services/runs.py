"""The record of runs: what a server reported becomes slices, operations and steps. For the worker only."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from provisioning.models import (
    Intent,
    Lease,
    Operation,
    OperationTarget,
    Run,
    RunStep,
    Server,
    Slice,
    Tombstone,
    Zone,
)
from provisioning.services import hosting_accounts
from provisioning.services.leases import Held

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
FLUSH_SECONDS = 0.2

REASONS = {
    "check": gettext_noop(
        "The server's own check refused this change. Nothing was changed, and no other site is affected."
    ),
    "foreign": gettext_noop("Something on the server that the panel did not make is in the way. Nothing was changed."),
    "invalid": gettext_noop("A stored value is not fit for a server's configuration. Nothing was changed."),
    "disk_full": gettext_noop("The server's disk is full. Nothing was changed."),
    "held": gettext_noop("This would remove unusually much from the server, so it waits for a person to confirm it."),
}
REASON_OTHER = gettext_noop("The server could not make this change, so everything was put back as it was.")


@dataclass(frozen=True)
class Taken:
    """An intent that a run has read."""

    id: str
    slice_id: str
    operation_id: str | None


@dataclass(frozen=True)
class Outcome:
    """How one slice fared: `status` and `code` as in docs/protocol.md, `detail` for the provider only."""

    status: str
    code: str = ""
    detail: str = ""
    manifest: Mapping[str, str] | None = None
    generation: int = 0
    served: Mapping[str, Any] | None = None
    destroyed: Sequence[str] = ()


class LeaseLost(Exception):
    """Another worker holds the server's lease by now; whatever this one has must not be recorded."""


def give_generations(held: Held, slice_ids: Collection[str]) -> dict[str, int]:
    """Raise the generations of the slices of a run that is about to be sent; raises LeaseLost."""
    with transaction.atomic():
        _still_held(held)
        given = {}
        for part in Slice.objects.select_for_update().filter(pk__in=list(slice_ids)):
            part.generation += 1
            given[part.id] = part.generation
            part.save(update_fields=["generation"])
    return given


def begin(held: Held, taken: Sequence[Taken], slices: int) -> Run:
    """Open a run, and show the operations that it serves as running."""
    now = timezone.now()
    with transaction.atomic():
        run = Run.objects.create(server_id=held.server_id, epoch=held.epoch, slices=slices)
        served = {item.operation_id for item in taken if item.operation_id}
        operations = Operation.objects.filter(
            pk__in=served, status__in=[Operation.Status.PENDING, Operation.Status.WAITING]
        )
        operations.filter(started_at__isnull=True).update(started_at=now)
        operations.update(status=Operation.Status.RUNNING, reason="", detail="")
        OperationTarget.objects.filter(operation__in=served, slice__in={item.slice_id for item in taken}).update(
            run=run
        )
    return run


def begin_alone(held: Held, operation: Operation) -> Run:
    """Open a run that serves one operation and carries no slices yet: the set-up of a server."""
    with transaction.atomic():
        run = Run.objects.create(server_id=held.server_id, epoch=held.epoch, operation=operation)
        Operation.objects.filter(pk=operation.pk).update(status=Operation.Status.RUNNING, started_at=timezone.now())
    return run


def end_alone(run: Run, status: str, reason: str = "") -> None:
    """Close a run that `begin_alone` opened."""
    run.status, run.reason, run.finished_at = status, reason, timezone.now()
    run.save(update_fields=["status", "reason", "finished_at"])


def finish(
    held: Held, run: Run, taken: Sequence[Taken], outcomes: Mapping[str, Outcome], report: Mapping[str, Any]
) -> None:
    """Record the report of a run: slices, operations, served serials, destroyed data. Raises LeaseLost."""
    with transaction.atomic():
        _still_held(held)
        for part in Slice.objects.select_for_update().filter(pk__in=list(outcomes)):
            _finish_slice(part, outcomes[part.id])
        settled = [item for item in taken if outcomes[item.slice_id].status in ("applied", "unchanged", "rejected")]
        _finish_targets(settled, outcomes)
        Intent.objects.filter(pk__in=[item.id for item in settled]).delete()
        held_back = [item for item in taken if outcomes[item.slice_id].status == "held"]
        _wait(held_back, REASONS["held"], f"{report.get('removals', 0)} removals")
        if held_back:
            Server.objects.filter(pk=held.server_id).update(retry_at=timezone.now() + LONGEST_RETRY)
        _roll_up({item.operation_id for item in taken if item.operation_id})
        run.status = _run_status(outcomes)
        run.changes = sum(len(item.get("changes", ())) for item in report.get("slices", {}).values())
        run.reloads = dict(report.get("reloads", {}))
        run.finished_at = timezone.now()
        run.save(update_fields=["status", "changes", "reloads", "finished_at"])
        reached = Server.objects.filter(pk=held.server_id)
        reached.update(seen_at=run.finished_at, unreachable_since=None, unreachable_reason="", attempts=0)
        if not held_back:
            reached.update(retry_at=None)


def postpone(held: Held, run: Run | None, taken: Sequence[Taken], reason: str) -> timedelta:
    """Record that the server could not be reached: its operations wait; returns the delay, which doubles up to ten
    minutes.
    """
    now = timezone.now()
    with transaction.atomic():
        _still_held(held)
        server = Server.objects.select_for_update(of=("self",)).get(pk=held.server_id)
        delay: timedelta = min(FIRST_RETRY * 2 ** min(server.attempts, 10), LONGEST_RETRY)
        server.attempts += 1
        server.retry_at = now + delay
        server.unreachable_since = server.unreachable_since or now
        server.unreachable_reason = reason
        server.save(update_fields=["attempts", "retry_at", "unreachable_since", "unreachable_reason"])
        _wait(taken, gettext_noop("The server can't be reached at the moment. This is tried again by itself."), reason)
        _roll_up({item.operation_id for item in taken if item.operation_id})
        if run is not None:
            run.status, run.reason, run.finished_at = Run.Status.FAILED, reason, now
            run.save(update_fields=["status", "reason", "finished_at"])
    return delay


class Steps:
    """Writes the steps of a run while it goes on, at most every 0.2 s, so that a page can follow without slowing
    the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._steps: dict[str, RunStep] = {}
        self._dirty: set[str] = set()
        self._flushed = time.monotonic()

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take an event of the node (docs/protocol.md, Framing)."""
        self.set(str(event["step"]), str(event["status"]), event.get("ms"), str(event.get("detail") or ""))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def set(self, name: str, status: str, ms: float | None = None, detail: str = "") -> None:
        """Set a step's state; the first mention of a name gives its place."""
        step = self._steps.get(name)
        if step is None:
            step = RunStep(run=self._run, position=len(self._steps), name=name[:120])
            self._steps[name] = step
        step.status = status if status in RunStep.Status.values else RunStep.Status.STARTED
        step.ms = ms
        step.detail = detail[:2000]
        self._dirty.add(name)

    def flush(self) -> None:
        """Write what has changed."""
        if self._dirty:
            RunStep.objects.bulk_create(
                [self._steps[name] for name in self._steps if name in self._dirty],
                update_conflicts=True,
                unique_fields=["run", "position"],
                update_fields=["status", "ms", "detail"],
            )
        self._dirty.clear()
        self._flushed = time.monotonic()


def _still_held(held: Held) -> None:
    mine = Lease.objects.select_for_update().filter(server_id=held.server_id, owner=held.owner, epoch=held.epoch)
    if not mine.exists():
        raise LeaseLost(held.server_id)


def _finish_slice(part: Slice, outcome: Outcome) -> None:
    if outcome.status in ("applied", "unchanged"):
        part.applied = max(part.applied, outcome.generation)
        part.applied_at = timezone.now()
        part.rejected_reason = ""
        if outcome.manifest is not None:
            part.manifest = dict(outcome.manifest)
        for key, facts in (outcome.served or {}).items():
            Zone._base_manager.filter(name=key.partition(":")[2], serial__lt=facts["serial"]).update(
                serial=facts["serial"]
            )
        if outcome.destroyed:
            Tombstone.objects.filter(slice=part, key__in=outcome.destroyed, destroyed_at__isnull=True).update(
                destroyed_at=timezone.now()
            )
            if part.hosting_id:
                hosting_accounts.purged(hosting_id=part.hosting_id)
    elif outcome.status == "rejected":
        part.rejected_reason = outcome.detail
    part.save(update_fields=["applied", "applied_at", "rejected_reason", "manifest"])


def _finish_targets(settled: Sequence[Taken], outcomes: Mapping[str, Outcome]) -> None:
    now = timezone.now()
    for item in settled:
        if not item.operation_id:
            continue
        outcome = outcomes[item.slice_id]
        target = OperationTarget.objects.filter(operation_id=item.operation_id, slice_id=item.slice_id)
        if outcome.status == "rejected":
            target.update(
                status=OperationTarget.Status.REJECTED, reason=REASONS.get(outcome.code, REASON_OTHER), finished_at=now
            )
            Operation.objects.filter(pk=item.operation_id).update(detail=outcome.detail)
        else:
            target.update(status=OperationTarget.Status.APPLIED, reason="", finished_at=now)


def _wait(taken: Sequence[Taken], reason: str, detail: str) -> None:
    wanted = Q(pk__in=[])
    for item in taken:
        if item.operation_id:
            wanted |= Q(operation_id=item.operation_id, slice_id=item.slice_id)
    OperationTarget.objects.filter(wanted).update(status=OperationTarget.Status.WAITING, reason=reason)
    Operation.objects.filter(pk__in={item.operation_id for item in taken if item.operation_id}).update(detail=detail)


def _roll_up(operation_ids: set[str]) -> None:
    """Set each operation's status from its targets': open ones first, then a rejection, else done."""
    target = OperationTarget.Status
    by_operation: dict[str, list[OperationTarget]] = {}
    for row in OperationTarget.objects.filter(operation__in=operation_ids):
        by_operation.setdefault(row.operation_id, []).append(row)
    cancelled = Operation.Status.CANCELLED
    for operation in Operation._base_manager.filter(pk__in=by_operation).exclude(status=cancelled):
        rows = by_operation[operation.id]
        statuses = {row.status for row in rows}
        operation.reason = next((row.reason for row in rows if row.reason), "")
        if target.WAITING in statuses:
            operation.status = Operation.Status.WAITING
        elif target.PENDING in statuses:
            operation.status = Operation.Status.RUNNING
        elif target.REJECTED in statuses:
            operation.status = Operation.Status.REJECTED
        else:
            operation.status, operation.detail = Operation.Status.APPLIED, ""
        operation.finished_at = None if operation.is_open else timezone.now()
        operation.save(update_fields=["status", "reason", "detail", "finished_at"])


def _run_status(outcomes: Mapping[str, Outcome]) -> str:
    statuses = {outcome.status for outcome in outcomes.values()}
    if statuses <= {"applied", "unchanged"}:
        return Run.Status.APPLIED
    if statuses == {"held"}:
        return Run.Status.HELD
    return Run.Status.PARTIAL if statuses & {"applied", "unchanged"} else Run.Status.REJECTED
