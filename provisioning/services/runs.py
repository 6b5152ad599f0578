"""The record of runs: what a server reported becomes slices, operations and steps. For the worker only."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from panel.core.failpoints import failpoint
from provisioning.models import (
    Intent,
    Lease,
    Move,
    Operation,
    OperationEvent,
    OperationTarget,
    Run,
    Server,
    Slice,
    Tombstone,
    Zone,
)
from provisioning.services import events, hosting_accounts, notices
from provisioning.services.leases import Held
from provisioning.services.reasons import REASON_BUSY as REASON_BUSY
from provisioning.services.reasons import REASON_LEFT as REASON_LEFT
from provisioning.services.reasons import REASON_OTHER as REASON_OTHER
from provisioning.services.reasons import REASON_UNREACHABLE as REASON_UNREACHABLE
from provisioning.services.reasons import REASONS as REASONS
from provisioning.services.steps import Steps as Steps

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)
LEAST_OF_DELAY = 0.8
BATCH = 200
MOST_DETAILS = 50
PASSING = frozenset({"disk_full"})
"""Codes of refusals whose cause goes by itself."""


@dataclass(frozen=True)
class Taken:
    """An intent that a run has read."""

    id: str
    slice_id: str
    operation_id: str


@dataclass(frozen=True)
class Outcome:
    """How one slice fared: `status` and `code` as in docs/protocol.md, `detail` for the provider only.

    `destroyed` are the keys of data that the run was to destroy, `moved` the ids of the moves that it was to make.
    """

    status: str
    code: str = ""
    detail: str = ""
    manifest: Mapping[str, str] | None = None
    served: Mapping[str, Any] | None = None
    destroyed: Sequence[str] = ()
    moved: Sequence[str] = ()

    @property
    def good(self) -> bool:
        return self.status in ("applied", "unchanged")

    @property
    def settled(self) -> bool:
        """Whether that is the end of it; else the slice waits, for a person or for room on a disk: its intents stay."""
        return self.good or (self.status == "rejected" and self.code not in PASSING)


class Verdict(NamedTuple):
    """What an operation is told of one of its targets; `detail` for the provider only."""

    status: str
    reason: str = ""
    detail: str = ""


class LeaseLost(Exception):
    """Another worker holds the server's lease by now; whatever this one has must not be recorded."""


def give_generations(held: Held, slice_ids: Collection[str]) -> dict[str, int]:
    """Raise the generations of the slices of a run that is about to be sent; raises LeaseLost."""
    with transaction.atomic():
        _still_held(held)
        wanted = Slice.objects.filter(pk__in=list(slice_ids))
        wanted.update(generation=F("generation") + 1)
        return dict(wanted.values_list("id", "generation"))


def begin(held: Held, taken: Sequence[Taken], slices: int) -> Run:
    """Open a run, and show the operations that it serves as running; runs of workers that died are closed.

    Raises LeaseLost. What was cancelled since the intents were read is carried all the same, but shown as cancelled.
    """
    now = timezone.now()
    with transaction.atomic():
        _still_held(held)
        operations = [item.id for item in _locked_operations(taken) if item.is_open]
        left = Run.objects.filter(server_id=held.server_id, status=Run.Status.RUNNING, epoch__lt=held.epoch)
        left.update(status=Run.Status.FAILED, reason=REASON_LEFT, finished_at=now)
        run = Run.objects.create(server_id=held.server_id, epoch=held.epoch, slices=slices)
        Operation._base_manager.filter(pk__in=operations).exclude(status=Operation.Status.RUNNING).update(
            status=Operation.Status.RUNNING, started_at=Coalesce("started_at", now), reason="", detail=""
        )
        targets = OperationTarget.objects.filter(operation__in=operations, status__in=OperationTarget.OPEN)
        targets.filter(slice__in={item.slice_id for item in taken}).update(run=run)
        events.note(OperationEvent.Kind.TAKEN, operations, run=run)
    return run


def begin_alone(held: Held, operation: Operation) -> Run:
    """Open a run that serves one operation and carries no slices yet: the set-up of a server."""
    with transaction.atomic():
        run = Run.objects.create(server_id=held.server_id, epoch=held.epoch, operation=operation)
        Operation.objects.filter(pk=operation.pk).update(status=Operation.Status.RUNNING, started_at=timezone.now())
        events.note(OperationEvent.Kind.TAKEN, [operation.pk], run=run)
    return run


def end_alone(run: Run, status: str, reason: str = "") -> None:
    """Close a run that `begin_alone` opened."""
    run.status, run.reason, run.finished_at = status, reason, timezone.now()
    run.save(update_fields=["status", "reason", "finished_at"])


def finish(
    held: Held,
    run: Run,
    taken: Sequence[Taken],
    outcomes: Mapping[str, Outcome],
    report: Mapping[str, Any],
    steps: Steps | None = None,
) -> None:
    """Record the report of a run: slices, operations, served serials, destroyed data, the last of its steps.

    Raises LeaseLost.

    The number of queries does not depend on how many slices the run carried. Locks are taken in the order lease,
    operations, slices, server: services that reopen operations follow it too.
    """
    now = timezone.now()
    with transaction.atomic():
        _still_held(held)
        operations = _locked_operations(taken)
        if steps is not None:
            steps.flush()
        parts = _finish_slices(outcomes, now)
        failpoint("slices-recorded")
        _finish_destroyed(outcomes, now)
        moved = [move for outcome in outcomes.values() if outcome.good for move in outcome.moved]
        Move.objects.filter(pk__in=moved).update(applied_at=now)
        failpoint("destroyed-recorded")
        _finish_serials(outcomes)
        failpoint("serials-recorded")
        Intent.objects.filter(pk__in=[item.id for item in taken if outcomes[item.slice_id].settled]).delete()
        parked = [item.id for item in taken if not outcomes[item.slice_id].settled]
        Intent.objects.filter(pk__in=parked).update(retry_at=now + LONGEST_RETRY)
        failpoint("intents-deleted")
        _settle(operations, taken, {key: _verdict(outcome) for key, outcome in outcomes.items()}, now)
        failpoint("operations-settled")
        run.status = _run_status(outcomes)
        run.changes = sum(len(item.get("changes", ())) for item in report.get("slices", {}).values())
        run.reloads = dict(report.get("reloads", {}))
        run.finished_at = now
        run.save(update_fields=["status", "changes", "reloads", "finished_at"])
        failpoint("run-closed")
        if report:
            Server.objects.filter(pk=held.server_id).update(
                seen_at=now, unreachable_since=None, unreachable_reason="", attempts=0, retry_at=None
            )
        failpoint("server-seen")
        _finish_preparation(held, parts, outcomes)
        failpoint("before-record-commit")
    failpoint("after-record-commit")


def postpone(
    held: Held, run: Run, taken: Sequence[Taken], detail: str, *, reached: bool = False, reason: str = ""
) -> timedelta:
    """Record that a run came to nothing: its operations wait; returns the delay, which doubles up to ten minutes.

    A random part of it is taken off, so that servers that went away together are not all asked at once again.
    `reached`: the server answered, but could not do anything, for a `reason` that pages show. `detail` is for the
    provider only.
    """
    now = timezone.now()
    reason = reason or (REASON_BUSY if reached else REASON_UNREACHABLE)
    with transaction.atomic():
        _still_held(held)
        operations = _locked_operations(taken)
        waiting = Verdict(OperationTarget.Status.WAITING, reason, detail)
        _settle(operations, taken, {item.slice_id: waiting for item in taken}, now)
        run.status, run.reason, run.finished_at = Run.Status.FAILED, detail, now
        run.save(update_fields=["status", "reason", "finished_at"])
        server = Server.objects.select_for_update(of=("self",), no_key=True).get(pk=held.server_id)
        longest: timedelta = min(FIRST_RETRY * 2 ** min(server.attempts, 10), LONGEST_RETRY)
        delay = longest * random.uniform(LEAST_OF_DELAY, 1)  # noqa: S311 -- no secret
        server.attempts += 1
        server.retry_at = now + delay
        server.unreachable_since = None if reached else server.unreachable_since or now
        server.unreachable_reason = detail
        server.save(update_fields=["attempts", "retry_at", "unreachable_since", "unreachable_reason"])
        failpoint("before-postpone-commit")
    failpoint("after-postpone-commit")
    return delay


def _still_held(held: Held) -> None:
    """Hold the lease's row for the transaction; raises LeaseLost when another worker has the lease."""
    mine = Lease.objects.select_for_update().filter(server_id=held.server_id, owner=held.owner, epoch=held.epoch)
    if mine.first() is None:
        raise LeaseLost(held.server_id)


def _locked_operations(taken: Sequence[Taken]) -> list[Operation]:
    wanted = {item.operation_id for item in taken}
    operations = Operation._base_manager.filter(pk__in=wanted).order_by("id")
    return list(operations.select_for_update(of=("self",), no_key=True))


def _finish_slices(outcomes: Mapping[str, Outcome], now: datetime) -> list[Slice]:
    good = [key for key, outcome in outcomes.items() if outcome.good]
    Slice.objects.filter(pk__in=good).update(applied=F("generation"), applied_at=now, rejected_reason="")
    # What the server refused to take at all was given to nobody: trying again must not creep past what it has.
    refused = [key for key, outcome in outcomes.items() if outcome.status == "stale"]
    Slice.objects.filter(pk__in=refused).update(generation=F("generation") - 1)
    parts = list(Slice.objects.filter(pk__in=list(outcomes)).order_by("id"))
    changed = []
    for part in parts:
        outcome = outcomes[part.id]
        manifest = dict(outcome.manifest) if outcome.good and outcome.manifest is not None else part.manifest
        reason = outcome.detail if outcome.status == "rejected" else part.rejected_reason
        if (part.manifest, part.rejected_reason) != (manifest, reason):
            part.manifest, part.rejected_reason = manifest, reason
            changed.append(part)
    Slice.objects.bulk_update(changed, ["manifest", "rejected_reason"], batch_size=BATCH)
    return parts


def _finish_serials(outcomes: Mapping[str, Outcome]) -> None:
    served: dict[str, int] = {}
    for outcome in outcomes.values():
        for key, facts in (outcome.served or {}).items() if outcome.good else ():
            served[key.partition(":")[2]] = int(facts["serial"])
    zones = [zone for zone in Zone._base_manager.filter(name__in=served) if zone.serial < served[zone.name]]
    for zone in zones:
        zone.serial = served[zone.name]
    Zone._base_manager.bulk_update(zones, ["serial"], batch_size=BATCH)


def _finish_destroyed(outcomes: Mapping[str, Outcome], now: datetime) -> None:
    """What tombstones of a run named is gone, also when it was gone before; accounts that have nothing left let go."""
    slices = [key for key, outcome in outcomes.items() if outcome.good and outcome.destroyed]
    if not slices:
        return
    keys = {key for part in slices for key in outcomes[part].destroyed}
    destroyed = Tombstone.objects.filter(slice__in=slices, key__in=keys, destroyed_at__isnull=True, due_at__lte=now)
    destroyed.update(destroyed_at=now)
    hosting_accounts.purged(hosting_ids=Slice.objects.filter(pk__in=slices).values_list("hosting_id", flat=True))


def _finish_preparation(held: Held, parts: Sequence[Slice], outcomes: Mapping[str, Outcome]) -> None:
    """A server that is being set up is ready once its own slice is applied, and has failed when that is refused."""
    outcome = next((outcomes[part.id] for part in parts if not part.hosting_id), None)
    if outcome is not None and outcome.settled:
        unready = Server.objects.filter(pk=held.server_id, state__in=[Server.State.PREPARING, Server.State.FAILED])
        unready.update(state=Server.State.READY if outcome.good else Server.State.FAILED)


def _verdict(outcome: Outcome) -> Verdict:
    if outcome.good:
        return Verdict(OperationTarget.Status.APPLIED)
    if outcome.settled:
        return Verdict(OperationTarget.Status.REJECTED, REASONS.get(outcome.code, REASON_OTHER), outcome.detail)
    cause = outcome.code if outcome.status == "rejected" else outcome.status
    return Verdict(OperationTarget.Status.WAITING, REASONS.get(cause, REASON_OTHER), outcome.detail)


def _settle(
    operations: Sequence[Operation], taken: Sequence[Taken], verdicts: Mapping[str, Verdict], now: datetime
) -> None:
    """Set the targets of `taken` to the verdicts on their slices, and each operation's status from all its targets."""
    pairs = {(item.operation_id, item.slice_id) for item in taken}
    rows: dict[str, list[OperationTarget]] = defaultdict(list)
    details: dict[str, list[str]] = defaultdict(list)
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in OperationTarget.objects.filter(operation__in=operations).order_by("id"):
        rows[row.operation_id].append(row)
        if (row.operation_id, row.slice_id) in pairs and row.status != OperationTarget.Status.CANCELLED:
            verdict = verdicts[row.slice_id]
            row.status, row.reason = verdict.status, verdict.reason
            groups[verdict.status, verdict.reason].append(row.pk)
            told = details[row.operation_id]
            more = verdict.status == OperationTarget.Status.WAITING and len(told) < MOST_DETAILS
            if verdict.detail not in ("", *told) and (more or not told):
                told.append(verdict.detail)
    for (status, reason), keys in groups.items():
        ended = None if status == OperationTarget.Status.WAITING else now
        OperationTarget.objects.filter(pk__in=keys).update(status=status, reason=reason, finished_at=ended)
    _roll_up(
        [item for item in operations if item.id in rows],
        rows,
        {key: "\n".join(told) for key, told in details.items()},
        now,
    )


def _roll_up(
    operations: Sequence[Operation],
    rows: Mapping[str, Sequence[OperationTarget]],
    details: Mapping[str, str],
    now: datetime,
) -> None:
    """Set each operation's status from its targets': open ones first, then a rejection, then a cancellation, else
    done.
    """
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for operation in operations:
        if operation.status == Operation.Status.CANCELLED:
            continue
        status = _status({row.status for row in rows[operation.id]})
        reason = next((row.reason for row in rows[operation.id] if row.reason), "")
        detail = "" if status == Operation.Status.APPLIED else details.get(operation.id) or operation.detail
        groups[status, reason, detail].append(operation.id)
    for (status, reason, detail), keys in groups.items():
        ended = None if status in Operation.OPEN else now
        Operation._base_manager.filter(pk__in=keys).update(
            status=status, reason=reason, detail=detail, finished_at=ended
        )
        if status != Operation.Status.RUNNING:
            events.note(OperationEvent.Kind(status), keys, reason=reason, detail=detail)
        if status == Operation.Status.APPLIED:
            notices.applied(keys)


def _status(targets: Collection[str]) -> str:
    if OperationTarget.Status.WAITING in targets:
        return Operation.Status.WAITING
    if OperationTarget.Status.PENDING in targets:
        return Operation.Status.RUNNING
    if OperationTarget.Status.REJECTED in targets:
        return Operation.Status.REJECTED
    return Operation.Status.CANCELLED if OperationTarget.Status.CANCELLED in targets else Operation.Status.APPLIED


def _run_status(outcomes: Mapping[str, Outcome]) -> str:
    if all(outcome.good for outcome in outcomes.values()):
        return Run.Status.APPLIED
    if any(outcome.good for outcome in outcomes.values()):
        return Run.Status.PARTIAL
    return Run.Status.REJECTED if any(outcome.settled for outcome in outcomes.values()) else Run.Status.HELD
