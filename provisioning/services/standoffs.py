"""Standoffs: a server that holds newer settings than the panel's database, such as one restored from yesterday's copy.
Nothing is sent to it until a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.failpoints import failpoint
from provisioning.models import HostingAccount, Intent, Lease, Operation, Run, Server, Slice
from provisioning.services import counters, intents, operations, runs
from provisioning.services.leases import Held
from provisioning.services.runs import Taken

VERB = "server.overrule"


def begin(held: Held, run: Run, taken: Sequence[Taken], *, detail: str, facts: Mapping[str, Any]) -> timedelta:
    """Hold a server whose epoch is newer than the database's: keep what it holds, and let what was asked of it wait.

    `facts` is the answer of the verb of that name; of a program that does not know it, its greeting. For the worker.
    Returns the delay of the run; raises LeaseLost.
    """
    with transaction.atomic():
        delay = runs.postpone(held, run, taken, detail, reached=True, reason=runs.REASONS["stale"])
        Server.objects.filter(pk=held.server_id).update(held_since=timezone.now(), ahead=_ahead(held.server_id, facts))
    failpoint("standoff-begun")
    return delay


def _ahead(server_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What panel and server disagree on: slices that are newer there, that the panel does not know, that are gone."""
    there: Mapping[str, Any] = facts.get("slices", {})
    known = {part.name: part for part in Slice.objects.filter(server=server_id).order_by("id")}
    newer = {
        name: slice_["generation"]
        for name, slice_ in there.items()
        if name in known and slice_["generation"] > known[name].generation
    }
    return {
        "epoch": int(facts["epoch"]),
        "uid": max(facts.get("users", {}).values(), default=0),
        "newer": newer,
        "unknown": {name: slice_["resources"] for name, slice_ in there.items() if name not in known},
        "missing": [name for name, part in known.items() if there and part.manifest and name not in there],
    }


def overrule(*, actor: Actor, server: Server, confirm: str) -> Operation:
    """Go on with the panel's state on a held server: epoch and generations are raised above the server's, and all it
    carries is ordered again, with the usual limit on removals.

    What belongs to accounts that the panel does not know is left alone. `confirm` must be the server's name.
    """
    policy.require(actor, VERB, server)
    if confirm != server.name:
        raise Invalid("confirm", _("Type the server's name to confirm."), "confirm")
    with transaction.atomic():
        Lease.objects.get_or_create(server=server)
        list(Lease.objects.select_for_update().filter(server=server))
        server = Server.objects.select_for_update(no_key=True).get(pk=server.pk)
        if server.held_since is None:
            raise Conflict(_("This server does not hold newer settings than the panel."), code="not_held")
        ahead = server.ahead
        Lease.objects.filter(server=server).update(epoch=Greatest("epoch", Value(ahead["epoch"])))
        counters.raise_uid(ahead["uid"])
        newer = [part for part in Slice.objects.filter(server=server) if part.name in ahead["newer"]]
        for part in newer:
            part.generation, part.manifest = max(part.generation, ahead["newer"][part.name]), {}
        Slice.objects.bulk_update(newer, ["generation", "manifest"], batch_size=runs.BATCH)
        Server.objects.filter(pk=server.pk).update(held_since=None, ahead={}, retry_at=None, attempts=0)
        Intent.objects.filter(slice__server=server).update(retry_at=None)
        operation = operations.start(
            actor=actor, verb=VERB, subject=server.name, organization=server.organization, server=server
        )
        intents.add_server(server, operation=operation, accounts=True)
        changes: audit.Changes = {"newer": [len(newer), 0], "unknown": [sorted(ahead["unknown"]), None]}
        audit.record(actor, VERB, server, changes)
    return operation


def shown(server: Server) -> dict[str, list[tuple[str, str]]]:
    """Return what a held server and the panel disagree on, as (slice, domain) by `newer`, `unknown` and `missing`; the
    domain is empty for what the panel does not know and for the server's own slice.
    """
    names = {key: sorted(server.ahead.get(key, ())) for key in ("newer", "unknown", "missing")}
    ids = {name for group in names.values() for name in group}
    domains = dict(HostingAccount._base_manager.filter(pk__in=ids).values_list("id", "domain"))
    return {key: [(name, domains.get(name, "")) for name in group] for key, group in names.items()}
