"""Carries desired state to one server: read, compile, send, record, until no intent is left. Called by tasks only."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db.models.functions import Now

from panel.core.failures import Temporary
from panel.core.scoping import everything
from provisioning import transport
from provisioning.compile import Compiled, compile_slices
from provisioning.desired import snapshot, target
from provisioning.models import Intent, Run, Server, Slice, Tombstone
from provisioning.planning.bundle import bundle
from provisioning.services import leases, runs
from provisioning.services.leases import Held
from provisioning.services.runs import Outcome, Taken

MOST_INTENTS = 2_000
MOST_SLICES = 500

log = structlog.get_logger(__name__)


def reconcile(server_id: str) -> timedelta | None:
    """Bring a server to its desired state; returns after how long to try again when it can't be reached, else None.

    While another worker holds the server's lease this returns at once: that worker reads whatever was committed
    before it ends.
    """
    with everything("reconcile"):
        while _pending(server_id):
            with leases.hold(server_id) as held:
                if held is None:
                    return None
                try:
                    while (work := _read(held)) is not None:
                        delay = _carry(held, work)
                        if delay is not None:
                            return delay
                except runs.LeaseLost:
                    log.warning("reconcile.lease_lost", server=server_id, epoch=held.epoch)
                    return None
    return None


@dataclass(frozen=True)
class _Work:
    """What one run carries: read in one snapshot."""

    server: Server
    taken: list[Taken]
    slices: list[Slice]
    compiled: Compiled
    tombstones: dict[str, list[str]]
    verify: bool
    ms: float


def _pending(server_id: str) -> bool:
    ready = Server.objects.filter(pk=server_id, state__in=[Server.State.READY, Server.State.PREPARING])
    return ready.exists() and Intent.objects.filter(slice__server=server_id).exists()


def _read(held: Held) -> _Work | None:
    began = time.monotonic()
    with snapshot() as using:
        rows = list(
            Intent.objects.using(using)
            .filter(slice__server=held.server_id)
            .order_by("id")
            .values_list("id", "slice_id", "operation_id", "verify")[:MOST_INTENTS]
        )
        wanted = set(list(dict.fromkeys(row[1] for row in rows))[:MOST_SLICES])
        if not wanted:
            return None
        server = Server.objects.using(using).select_related("organization").get(pk=held.server_id)
        slices = list(Slice.objects.using(using).filter(pk__in=wanted).order_by("id"))
        due: dict[str, list[str]] = defaultdict(list)
        tombstones = Tombstone.objects.using(using).filter(
            slice__in=wanted, destroyed_at__isnull=True, due_at__lte=Now()
        )
        for slice_id, key in tombstones.order_by("id").values_list("slice_id", "key"):
            due[slice_id].append(key)
        compiled = compile_slices(server, slices, using)
    return _Work(
        server=server,
        taken=[Taken(*row[:3]) for row in rows if row[1] in wanted],
        slices=slices,
        compiled=compiled,
        tombstones=due,
        verify=any(row[3] for row in rows),
        ms=(time.monotonic() - began) * 1000,
    )


def _carry(held: Held, work: _Work) -> timedelta | None:
    generations = runs.give_generations(held, [part.id for part in work.slices])
    run = runs.begin(held, work.taken, len(work.slices))
    steps = runs.Steps(run)
    steps.set("read desired state", "ok", work.ms)
    try:
        report = _send(held, work, generations, steps) if work.compiled.resources else {}
    except Temporary as error:
        steps.flush()
        return runs.postpone(held, run, work.taken, str(error))
    except transport.NodeError as error:
        steps.flush()
        if error.code == "stale_epoch":
            raise runs.LeaseLost(held.server_id) from error
        return runs.postpone(held, run, work.taken, error.message)
    steps.flush()
    return _record(held, run, work, generations, report)


def _send(held: Held, work: _Work, generations: dict[str, int], steps: runs.Steps) -> dict[str, Any]:
    """One round trip; a second one only when the server turns out not to hold bodies that it was known to hold."""
    whole: set[str] = set()
    by_name = {part.name: part.id for part in work.slices}
    where = target(work.server)
    for _attempt in range(2):
        payload = bundle(
            server=held.server_id,
            epoch=held.epoch,
            slices=work.compiled.bundles(work.slices, generations, work.tombstones, whole=whole),
            verify=work.verify,
        )
        report = transport.call(where, "apply", payload, steps.on_event)
        whole = {by_name[name] for name, part in report["slices"].items() if part["status"] == "need"}
        if not whole:
            break
    return report


def _record(
    held: Held, run: Run, work: _Work, generations: dict[str, int], report: Mapping[str, Any]
) -> timedelta | None:
    outcomes = {
        part.id: _outcome(part, work.compiled, generations[part.id], report.get("slices", {}).get(part.name))
        for part in work.slices
    }
    runs.finish(held, run, work.taken, outcomes, report)
    unsettled = {"held", "stale", "need"}
    return runs.LONGEST_RETRY if all(item.status in unsettled for item in outcomes.values()) else None


def _outcome(part: Slice, compiled: Compiled, generation: int, reported: Mapping[str, Any] | None) -> Outcome:
    if part.id in compiled.refused:
        return Outcome("rejected", "invalid", compiled.refused[part.id])
    if reported is None:
        return Outcome("rejected", "failed", "The server's report does not mention this slice.")
    return Outcome(
        status=str(reported["status"]),
        code=str(reported.get("code") or ""),
        detail=str(reported.get("reason") or ""),
        manifest={key: resource.hash for key, resource in compiled.resources[part.id].items()},
        generation=generation,
        served=reported.get("served"),
        destroyed=[item["key"] for item in reported.get("changes", ()) if item["change"] == "destroy"],
    )
