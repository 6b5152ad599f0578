"""Checks for drift: asked for by a person or the schedule, carried out by a worker, and what a report comes to."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from panel.core import audit, policy, queue
from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning.models import DriftCheck, DriftItem, Intent, Operation, OperationEvent, Pin, Run, Server, Slice
from provisioning.services import events, leases, operations, runs
from provisioning.services.leases import Held

CHECK = "provisioning.tasks.check_drift"
ASK = "drift.check"
RESTORE = "drift.restore"
JITTER = 0.1
KEEP_CHECKS = timedelta(days=30)
KEEP_ITEMS = timedelta(days=90)
LONGEST_KEY = 1000
LONGEST_DIFF = 50_000
NOTHING: Mapping[str, str] = {}

REASON_TOO_OLD = gettext_noop(
    "The node program on this server is too old to look for drift. Set the server up again to renew it."
)
REASON_PART = gettext_noop("Not everything could be looked at: a service on the server does not answer.")
REASON_FAILED = gettext_noop("The server could not be compared. This is tried again by itself.")


def request(*, actor: Actor, server: Server) -> Operation:
    """Ask for a check now; one that waits or runs already is the answer to a second asking."""
    policy.require(actor, ASK, server)
    with transaction.atomic():
        server = Server.objects.select_for_update(no_key=True).get(pk=server.pk)
        if server.state != Server.State.READY:
            raise Conflict(_("This server is not set up yet. Set it up first."), code="not_ready")
        operation = asked(server.id).first()
        if operation is None:
            operation = operations.start(
                actor=actor, verb=ASK, subject=server.name, organization=server.organization, server=server
            )
            audit.record(actor, ASK, server)
        queue.ring(CHECK, server.id)
    return operation


def asked(server_id: str) -> QuerySet[Operation]:
    """The checks of a server that people wait for."""
    return Operation._base_manager.filter(verb=ASK, server_id=server_id, status__in=Operation.OPEN).order_by("id")


def due() -> QuerySet[Server, str]:
    """Servers whose time has come, that somebody asked about, or where something was restored and is to be seen."""
    checks = DriftCheck.objects.filter(server=OuterRef("pk"))
    waiting = Operation._base_manager.filter(server=OuterRef("pk"), verb=ASK, status__in=Operation.OPEN)
    restored = DriftItem.objects.filter(
        server=OuterRef("pk"),
        state=DriftItem.State.OPEN,
        operation__status=Operation.Status.APPLIED,
        operation__finished_at__gt=OuterRef("last_check"),
    )
    known = checks.filter(Q(next_at__gt=Now()) | Q(status=DriftCheck.Status.RUNNING, started_at__gt=_patience()))
    wanted = Exists(waiting) | Exists(restored) | ~Exists(known)
    last = Subquery(checks.order_by("-id").values("started_at")[:1])
    ready = Server.objects.annotate(last_check=last).filter(
        wanted, state=Server.State.READY, unreachable_since__isnull=True
    )
    return ready.order_by("id").values_list("id", flat=True)


def _patience() -> datetime:
    return timezone.now() - timedelta(minutes=10)


class Unwatched(runs.Steps):
    """Steps of a check that nobody asked for: not kept."""

    def __init__(self) -> None:
        super().__init__(Run())

    def flush(self) -> None:
        """Write nothing."""


@dataclass
class Begun:
    """A check on its way with its steps, and the operation and run of whoever asked for it."""

    check: DriftCheck
    steps: runs.Steps
    operation: Operation | None = None
    run: Run | None = None


def begin(held: Held) -> Begun:
    """Open a check under the server's lease; one that a dead worker left is closed."""
    now = timezone.now()
    minutes = settings.DRIFT_CHECK_MINUTES * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- spreads load
    with transaction.atomic():
        left = DriftCheck.objects.filter(server_id=held.server_id, status=DriftCheck.Status.RUNNING)
        left.update(status=DriftCheck.Status.FAILED, reason=runs.REASON_LEFT, finished_at=now)
        operation = asked(held.server_id).first()
        check = DriftCheck.objects.create(
            server_id=held.server_id, operation=operation, next_at=now + timedelta(minutes=minutes)
        )
    if operation is None:
        return Begun(check, Unwatched())
    run = runs.begin_alone(held, operation)
    return Begun(check, runs.Steps(run), operation, run)


def fail(begun: Begun, reason: str, detail: str) -> None:
    """End a check that could not be made. `detail` is for the provider only."""
    _end(begun, DriftCheck.Status.FAILED, reason, detail)


def finish(held: Held, begun: Begun, report: Mapping[str, Any]) -> None:
    """Record what a server reported (docs/protocol.md, `drift`). Raises LeaseLost.

    Findings that were open and are no longer there are closed, when the server could look at everything. Slices with a
    change on their way are left as they were: what differs there may be that change.
    """
    now = timezone.now()
    unseen = [f"{step['name']}: {step['detail']}" for step in report["steps"] if step["status"] == "failed"]
    truncated = bool(report.get("truncated"))
    with transaction.atomic():
        if not leases.renew(held):
            raise runs.LeaseLost(held.server_id)
        slices = {part.name: part for part in Slice.objects.filter(server_id=held.server_id)}
        coming = Intent.objects.filter(slice__server_id=held.server_id, retry_at__isnull=True)
        busy = set(coming.values_list("slice_id", flat=True))
        found = {item.key: item for item in _found(held, slices, report, now) if item.slice_id not in busy}
        _without_pinned(found, held)
        _merge(held, found, busy, now, whole=not (truncated or unseen))
        check = begun.check
        check.checked = int(report.get("checked") or 0)
        check.truncated = truncated
        check.found = DriftItem.objects.filter(server_id=held.server_id, state=DriftItem.State.OPEN).count()
        if unseen:
            _end(begun, DriftCheck.Status.FAILED, REASON_PART, "\n".join(unseen))
        else:
            _end(begun, DriftCheck.Status.DRIFTED if check.found else DriftCheck.Status.CLEAN)
        Server.objects.filter(pk=held.server_id).update(
            seen_at=now, unreachable_since=None, unreachable_reason="", attempts=0, retry_at=None
        )
        _forget_old(held.server_id, now)


def manifest_sum(manifest: Mapping[str, str]) -> str:
    """Return the sum of a manifest as the node computes it: SHA-256 of its canonical JSON."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _found(held: Held, slices: Mapping[str, Slice], report: Mapping[str, Any], now: datetime) -> Iterable[DriftItem]:
    for told in report["items"]:
        part = slices.get(told["slice"])
        yield DriftItem(
            server_id=held.server_id,
            slice=part,
            key=str(told["key"])[:LONGEST_KEY],
            kind=DriftItem.Kind(told["drift"]),
            service=str(told.get("service") or "")[:60],
            diff=str(told.get("diff") or "")[:LONGEST_DIFF],
            digest=str(told["digest"])[:64],
            actual=told.get("actual"),
            first_seen_at=now,
            last_seen_at=now,
        )
    yield from _disagreements(held, slices, report.get("slices", {}), now)


def _disagreements(
    held: Held, slices: Mapping[str, Slice], told: Mapping[str, Any], now: datetime
) -> Iterable[DriftItem]:
    """Slices of which the server remembers something else than what the panel knows that it was given."""
    nothing = manifest_sum(NOTHING)
    for name in sorted(slices.keys() | told.keys()):
        part = slices.get(name)
        wanted = manifest_sum(part.manifest) if part is not None else nothing
        actual = str(told.get(name, {}).get("manifest") or nothing)
        if wanted == actual:
            continue
        kind = DriftItem.Kind.CHANGED
        if part is None or wanted == nothing:
            kind = DriftItem.Kind.EXTRA
        elif actual == nothing:
            kind = DriftItem.Kind.MISSING
        generation = told.get(name, {}).get("generation", 0)
        yield DriftItem(
            server_id=held.server_id,
            slice=part,
            key=f"slice:{name}",
            kind=kind,
            diff=f"-generation: {part.applied if part else 0}\n+generation: {generation}\n",
            digest=actual if actual != nothing else hashlib.sha256(b"").hexdigest(),
            first_seen_at=now,
            last_seen_at=now,
        )


def _without_pinned(found: dict[str, DriftItem], held: Held) -> None:
    """Leave out what a person decided to be an exception, as long as it is what that person saw."""
    for slice_id, key, digest in Pin.objects.filter(slice__server_id=held.server_id).values_list(
        "slice_id", "key", "digest"
    ):
        item = found.get(key)
        if item is not None and (item.slice_id, item.digest) == (slice_id, digest):
            del found[key]


def _merge(held: Held, found: dict[str, DriftItem], busy: set[str], now: datetime, *, whole: bool) -> None:
    """Bring the open findings up to date with what was found."""
    fields = ["slice", "kind", "service", "diff", "digest", "actual", "last_seen_at", "operation"]
    open_items = DriftItem.objects.filter(server_id=held.server_id, state=DriftItem.State.OPEN)
    seen, gone = [], []
    for item in open_items.select_related("operation").order_by("id"):
        fresh = found.pop(item.key, None)
        if fresh is not None:
            for name in fields[:-1]:
                setattr(item, name, getattr(fresh, name))
            if item.operation is not None and not item.operation.is_open:
                item.operation = item.operation if item.operation.status == Operation.Status.REJECTED else None
            seen.append(item)
        elif whole and item.slice_id not in busy:
            item.state = DriftItem.State.RESTORED if _restored(item) else DriftItem.State.GONE
            item.closed_at = now
            item.closed_by = item.operation.actor_label if item.operation and _restored(item) else ""
            gone.append(item)
    DriftItem.objects.bulk_update(seen, fields, batch_size=runs.BATCH)
    DriftItem.objects.bulk_update(gone, ["state", "closed_at", "closed_by"], batch_size=runs.BATCH)
    DriftItem.objects.bulk_create(found.values(), batch_size=runs.BATCH)


def _restored(item: DriftItem) -> bool:
    operation = item.operation
    return operation is not None and operation.verb == RESTORE and operation.status == Operation.Status.APPLIED


def _end(begun: Begun, status: str, reason: str = "", detail: str = "") -> None:
    now = timezone.now()
    check, good = begun.check, status != DriftCheck.Status.FAILED
    check.status, check.reason, check.detail, check.finished_at = status, reason, detail, now
    check.ms = (now - check.started_at).total_seconds() * 1000
    with transaction.atomic():
        check.save()
        begun.steps.flush()
        if begun.run is not None:
            runs.end_alone(begun.run, Run.Status.APPLIED if good else Run.Status.FAILED, detail)
        if begun.operation is not None:
            ended = Operation.Status.APPLIED if good else Operation.Status.REJECTED
            Operation._base_manager.filter(pk=begun.operation.pk).update(
                status=ended, reason=reason, detail=detail, finished_at=now
            )
            events.note(OperationEvent.Kind(ended), [begun.operation.pk], run=begun.run, reason=reason, detail=detail)


def _forget_old(server_id: str, now: datetime) -> None:
    """History is kept for a while only: a month of checks, three of findings."""
    DriftCheck.objects.filter(server_id=server_id, finished_at__lt=now - KEEP_CHECKS).delete()
    DriftItem.objects.filter(server_id=server_id, closed_at__lt=now - KEEP_ITEMS).delete()
