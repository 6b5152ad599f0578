"""Carries desired state to one server: read, compile, send, record, until no intent is left. Called by tasks only."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from panel.core.failpoints import failpoint
from panel.core.failures import Temporary
from panel.core.scoping import everything
from provisioning import transport, upgrade
from provisioning.compile import Compiled, compile_slices
from provisioning.desired import snapshot, target
from provisioning.models import DriftItem, HostingAccount, Intent, Run, Server, Slice, Tombstone
from provisioning.planning.bundle import bundle
from provisioning.services import bursts, leases, runs, standoffs
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
                        if not bursts.gather(server_id):
                            break
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
    emptied: dict[str, str]
    tombstones: dict[str, list[str]]
    discards: dict[str, dict[str, str]]
    verify: bool
    confirmed: bool
    ms: float


def _due() -> Q:
    return Q(retry_at__isnull=True) | Q(retry_at__lte=Now())


def _pending(server_id: str) -> bool:
    states = [Server.State.READY, Server.State.PREPARING, Server.State.FAILED]
    waiting = Intent.objects.filter(_due(), slice__server=OuterRef("pk"))
    return Server.objects.filter(_due(), Exists(waiting), pk=server_id, state__in=states, held_since=None).exists()


def _read(held: Held) -> _Work | None:
    """Read the next run's work; None when nothing is due.

    Slices whose removals a person confirmed make a run of their own, so that no other slice's removals pass with them.
    """
    began = time.monotonic()
    with snapshot() as using:
        there = Intent.objects.using(using).filter(slice__server=held.server_id).order_by("id")
        columns = ("id", "slice_id", "operation_id", "verify", "confirmed")
        rows = list(there.filter(_due()).values_list(*columns)[:MOST_INTENTS])
        confirmed = {row[1] for row in rows if row[4]}
        wanted = set(list(dict.fromkeys(row[1] for row in rows if row[1] not in confirmed))[:MOST_SLICES])
        is_confirmed = not wanted
        wanted = wanted or set(sorted(confirmed)[:MOST_SLICES])
        if not wanted:
            return None
        rows += there.exclude(_due()).filter(slice__in=wanted).values_list(*columns)  # What waited is served as well.
        server = Server.objects.using(using).select_related("organization").get(pk=held.server_id)
        slices = list(Slice.objects.using(using).filter(pk__in=wanted).order_by("id"))
        due: dict[str, list[str]] = defaultdict(list)
        tombstones = Tombstone.objects.using(using).filter(
            slice__in=wanted, destroyed_at__isnull=True, due_at__lte=Now()
        )
        for slice_id, key in tombstones.order_by("id").values_list("slice_id", "key"):
            due[slice_id].append(key)
        verify = any(row[3] for row in rows if row[1] in wanted)
        discards = _discards({row[2] for row in rows}, wanted, using) if verify else {}
        compiled = compile_slices(server, slices, using)
        emptied = {} if is_confirmed else _emptied(slices, compiled, using)
    return _Work(
        server=server,
        taken=[Taken(*row[:3]) for row in rows if row[1] in wanted],
        slices=slices,
        compiled=compiled,
        emptied=emptied,
        tombstones=due,
        discards=discards,
        verify=verify,
        confirmed=is_confirmed,
        ms=(time.monotonic() - began) * 1000,
    )


def _emptied(slices: list[Slice], compiled: Compiled, using: str) -> dict[str, str]:
    """Take slices out of which nothing would be left though their accounts are not terminated, and say what would go:
    rows were lost rather than removed, so a person looks first.
    """
    found = [part for part in slices if part.hosting_id and part.manifest and compiled.resources.get(part.id) == {}]
    if not found:
        return {}
    alive = HostingAccount._base_manager.using(using).filter(pk__in=[part.hosting_id for part in found])
    domains = dict(alive.exclude(status=HostingAccount.Status.TERMINATED).values_list("id", "domain"))
    emptied = {}
    for part in found:
        if part.hosting_id in domains:
            del compiled.resources[part.id]
            count = len(part.manifest)
            emptied[part.id] = f"{domains[part.hosting_id]}: {count} of {count} resources would be removed."
    return emptied


def _discards(operations: set[str], slices: set[str], using: str) -> dict[str, dict[str, str]]:
    """What people asked to be removed by `operations` though no slice has it, as it was when they saw it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    extra = DriftItem.objects.using(using).filter(
        operation__in=operations, slice__in=slices, kind=DriftItem.Kind.EXTRA, state=DriftItem.State.OPEN
    )
    for slice_id, key, digest in extra.order_by("id").values_list("slice_id", "key", "digest"):
        found[slice_id][key] = digest
    return found


def _carry(held: Held, work: _Work) -> timedelta | None:
    failpoint("snapshot-read")
    generations = runs.give_generations(held, [part.id for part in work.slices])
    failpoint("generations-given")
    run = runs.begin(held, work.taken, len(work.slices))
    failpoint("run-begun")
    steps = runs.Steps(run)
    steps.set("read desired state", "ok", work.ms)
    try:
        upgrade.bring(work.server, steps)
        report = _send(held, work, generations, steps) if work.compiled.resources else {}
    except Temporary as error:
        steps.flush()
        return runs.postpone(held, run, work.taken, str(error))
    except transport.NodeError as error:
        steps.flush()
        if error.code == "stale_epoch":
            return _stand_off(held, work, run, error)
        return runs.postpone(held, run, work.taken, error.message, reached=True)
    except Exception as error:  # Whatever it is, the operations have to say that they wait and why.
        log.exception("reconcile.failed", server=held.server_id)
        return runs.postpone(held, run, work.taken, f"{type(error).__name__}: {error}", reached=True)
    failpoint("report-received")
    outcomes = {part.id: _outcome(part, work, report.get("slices", {}).get(part.name)) for part in work.slices}
    _name_held(work, outcomes)
    runs.finish(held, run, work.taken, outcomes, report, steps)
    return None


def _stand_off(held: Held, work: _Work, run: Run, error: transport.NodeError) -> timedelta:
    """The server has seen a newer epoch. Either another worker holds the lease by now (LeaseLost), or this database is
    older than what the server holds: then nothing is sent to it until a person decides.
    """
    if not leases.renew(held):
        raise runs.LeaseLost(held.server_id) from error
    try:
        facts = _facts(work.server)
    except Temporary as broken:
        return runs.postpone(held, run, work.taken, str(broken))
    return standoffs.begin(held, run, work.taken, detail=error.message, facts=facts)


def _facts(server: Server) -> dict[str, Any]:
    try:
        return transport.call(target(server), "facts", {})
    except transport.NodeError:  # An older node program: it says no more than its epoch.
        return transport.call(target(server), "hello", {})


def _send(held: Held, work: _Work, generations: dict[str, int], steps: runs.Steps) -> dict[str, Any]:
    """One round trip; one more for slices of which the server turns out not to hold what it was known to hold, and one
    for slices that remove nothing when others remove so much that all are held.
    """
    report = _apply(held, work, generations, steps, work.slices, whole=False)
    needed = _with_status(work, report, "need")
    if needed:
        report = _merged(report, _apply(held, work, generations, steps, needed, whole=True))
    innocent = [part for part in _with_status(work, report, "held") if not _removes(work, part)]
    if innocent:
        report = _merged(report, _apply(held, work, generations, steps, innocent, whole=False))
    return report


def _with_status(work: _Work, report: Mapping[str, Any], status: str) -> list[Slice]:
    return [part for part in work.slices if report["slices"].get(part.name, {}).get("status") == status]


def _removes(work: _Work, part: Slice) -> bool:
    return not part.manifest.keys() <= work.compiled.resources[part.id].keys()


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **second,
        "slices": {**first["slices"], **second["slices"]},
        "reloads": Counter(first["reloads"]) + Counter(second["reloads"]),
    }


def _apply(
    held: Held, work: _Work, generations: dict[str, int], steps: runs.Steps, slices: list[Slice], *, whole: bool
) -> dict[str, Any]:
    payload = bundle(
        server=held.server_id,
        epoch=held.epoch,
        holder=held.owner,
        slices=work.compiled.bundles(slices, generations, work.tombstones, whole=whole, discards=work.discards),
        verify=work.verify,
        confirmed=work.confirmed,
    )
    failpoint("bundle-made")
    return transport.call(target(work.server), "apply", payload, steps.on_event)


def _manifest(part: Slice, work: _Work) -> dict[str, str]:
    """What the server holds once the slice is applied: of pinned resources what it held before."""
    made = {key: resource.hash for key, resource in work.compiled.resources[part.id].items()}
    for key in work.compiled.pinned.get(part.id, ()):
        if made.pop(key, None) is not None and key in part.manifest:
            made[key] = part.manifest[key]
    return made


def _name_held(work: _Work, outcomes: dict[str, Outcome]) -> None:
    """Let what is held be told by domain, for a person decides on it."""
    held = {part.hosting_id: part.id for part in work.slices if part.hosting_id and outcomes[part.id].status == "held"}
    domains = HostingAccount._base_manager.filter(pk__in=held).values_list("id", "domain") if held else ()
    for hosting_id, domain in domains:
        outcome = outcomes[held[hosting_id]]
        outcomes[held[hosting_id]] = replace(outcome, detail=outcome.detail.replace(hosting_id, domain))


def _outcome(part: Slice, work: _Work, reported: Mapping[str, Any] | None) -> Outcome:
    if part.id in work.emptied:
        return Outcome("held", detail=work.emptied[part.id])
    if part.id in work.compiled.refused:
        return Outcome("rejected", "invalid", work.compiled.refused[part.id])
    if reported is None:
        return Outcome("rejected", "failed", "The server's report does not mention this slice.")
    if reported["status"] == "need":
        return Outcome("rejected", "failed", "The server asks for what it was sent.")
    return Outcome(
        status=str(reported["status"]),
        code=str(reported.get("code") or ""),
        detail=str(reported.get("reason") or ""),
        manifest=_manifest(part, work),
        served=reported.get("served"),
        destroyed=work.tombstones.get(part.id, ()),
        moved=[move.id for move in work.compiled.moves.get(part.id, ())],
    )
