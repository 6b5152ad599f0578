"""Rebuilds: all that a dead server carried is ordered from another one, in one transaction; the worker makes it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Invalid, integrity_as_conflict
from panel.core.failpoints import failpoint
from provisioning.models import (
    Address,
    DriftItem,
    HostingAccount,
    Intent,
    Lease,
    Move,
    Operation,
    OperationEvent,
    OperationTarget,
    Pin,
    Placement,
    Rebuild,
    Record,
    Run,
    Server,
    Slice,
    Zone,
)
from provisioning.selectors import rebuilds as selectors
from provisioning.selectors.rebuilds import Loss
from provisioning.services import events, intents, operations, renumbering, servers
from provisioning.services.renumbering import Match

VERB = "server.rebuild"
APACHE = frozenset({Server.Stack.NGINX_APACHE, Server.Stack.APACHE})


@dataclass(frozen=True)
class Plan:
    """What a rebuild would do: how much comes back, which address follows which, and what does not come back."""

    old: Server
    new: Server
    counts: Mapping[str, int]
    addresses: list[Match]
    records: int
    losses: list[Loss]
    notes: list[str]
    is_bare: bool


def plan(*, actor: Actor, old: Server, new: Server, addresses: Mapping[str, str] | None = None) -> Plan:
    """Return what `start` would do; refuses what it would refuse. `addresses` maps old addresses to new ones."""
    policy.require(actor, VERB, old)
    policy.require(actor, VERB, new)
    _check(old, new)
    return _plan(old, new, addresses or {})


def start(
    *,
    actor: Actor,
    old: Server,
    new: Server,
    confirm: str,
    addresses: Mapping[str, str] | None = None,
    password: str = "",
) -> Operation:
    """Let `new` take the place of `old`, which is closed at once and gets nothing any more from the switch on.

    `new` carries no account; it is set up first when it is bare, with root's `password` if the panel's key is not there
    yet. `confirm` must be the name of `old`. Once the switch is made the operation goes on by itself until all is live.
    """
    policy.require(actor, VERB, old)
    policy.require(actor, VERB, new)
    if confirm != old.name:
        raise Invalid("confirm", _("Type the name of the server that is replaced to confirm."), "confirm")
    with transaction.atomic():
        _check(old, new)
        made = _plan(old, new, addresses or {})
        operation = operations.start(
            actor=actor, verb=VERB, subject=f"{old} → {new}", organization=new.organization, server=new
        )
        rebuild = Rebuild(
            old=old, new=new, operation=operation, mapping=dict(addresses or {}), accounts=made.counts["accounts"]
        )
        with integrity_as_conflict(_("One of the two servers takes part in a rebuild already."), field="old"):
            rebuild.save(force_insert=True)
        Server.objects.filter(pk=old.pk).update(closed=True)
        audit.record(actor, VERB, new, {"old": [None, old.name], "accounts": [None, rebuild.accounts]})
        if new.state == Server.State.READY:
            _switch(rebuild)
        else:
            servers.bootstrap(actor=actor, server=new, password=password)
    return operation


def go_on() -> None:
    """Switch over every rebuild whose new server has been set up meanwhile; end those whose set-up failed, or that its
    outcome forbids. For the worker; safe to call at any time.
    """
    settled = [Server.State.READY, Server.State.FAILED]
    waiting = Rebuild.objects.filter(state=Rebuild.State.WAITING, new__state__in=settled)
    for rebuild_id in list(waiting.values_list("id", flat=True)):
        try:
            with transaction.atomic():
                locked = Rebuild.objects.select_for_update(of=("self",)).select_related("new", "old", "operation")
                rebuild = locked.get(pk=rebuild_id)
                if rebuild.state != Rebuild.State.WAITING:
                    continue
                if rebuild.new.state == Server.State.FAILED:
                    raise Conflict(_("The new server's set-up failed. Look at it, then start the rebuild again."))
                _check(rebuild.old, rebuild.new)
                _switch(rebuild)
        except DomainError as refusal:
            _fail(rebuild_id, refusal.message)


def _fail(rebuild_id: str, reason: str) -> None:
    with transaction.atomic():
        Rebuild.objects.filter(pk=rebuild_id, state=Rebuild.State.WAITING).update(state=Rebuild.State.FAILED)
        asked = Operation._base_manager.filter(rebuild=rebuild_id, status__in=Operation.OPEN)
        events.note(OperationEvent.Kind.REJECTED, asked.values_list("id", flat=True), reason=reason)
        asked.update(status=Operation.Status.REJECTED, reason=reason, finished_at=timezone.now())


def _check(old: Server, new: Server) -> None:
    """Refuse what can't take the place of `old`: its state, roles, web stack or PHP does not fit, or it is in use."""
    if old.pk == new.pk:
        raise Invalid("same", _("A server can't take its own place. Add another one."), "old")
    if old.state == Server.State.RETIRED:
        raise Conflict(_("Another server has taken this server's place already."), field="old", code="retired")
    needed = selectors.services(old)
    if not needed:
        raise Conflict(_("This server carries no accounts, so there is nothing to bring back."), field="old")
    if new.state not in (Server.State.CONFIRMED, Server.State.READY, Server.State.FAILED):
        raise Conflict(
            _("Confirm the new server's host key first, and let a running set-up end."), field="new", code="not_ready"
        )
    if new.placements.exists() or new.slices.exclude(hosting=None).exists():
        raise Conflict(_("The new server carries accounts. Choose one that carries none."), field="new", code="in_use")
    missing = sorted(needed - new.roles)
    if missing:
        raise Conflict(
            _("Accounts need these roles, which the new server does not have: %(roles)s. Give it these roles first.")
            % {"roles": ", ".join(missing)},
            field="roles",
            code="roles",
        )
    if "web" in needed and (old.stack in APACHE) != (new.stack in APACHE):
        raise Conflict(
            _("Sites were made for %(old)s and would not work on %(new)s. Change the new server's web stack first.")
            % {"old": old.get_stack_display(), "new": new.get_stack_display()},
            field="stack",
            code="stack",
        )
    lacking = sorted(set(selectors.php_versions(old)) - set(new.php_versions))
    if lacking and new.php_versions:
        raise Conflict(
            _("Sites use PHP %(versions)s, which the new server does not have. Take one with the same Debian release.")
            % {"versions": ", ".join(lacking)},
            field="php_versions",
            code="php_versions",
        )


def _plan(old: Server, new: Server, wanted: Mapping[str, str]) -> Plan:
    is_bare = new.state != Server.State.READY
    theirs = list(new.addresses.order_by("family", "id"))
    matches = [] if is_bare and not theirs else renumbering.match(_addresses(old), theirs, wanted)
    shared = {item.family for item in theirs if item.kind == Address.Kind.SHARED}
    needed = {item.family for item in _addresses(old) if item.kind == Address.Kind.SHARED}
    if not is_bare and needed and not shared & needed:
        raise Conflict(
            _("The new server has no shared address like those that the old one had. Add one first."),
            field="addresses",
            code="no_address",
        )
    return Plan(
        old=old,
        new=new,
        counts=selectors.counts(old),
        addresses=matches,
        records=Record._base_manager.filter(renumbering.naming(matches)).count(),
        losses=selectors.losses(old),
        notes=_notes(old, new, matches, is_bare),
        is_bare=is_bare,
    )


def _addresses(old: Server) -> list[Address]:
    return list(old.addresses.select_related("hosting", "brand").order_by("kind", "family", "id"))


def _notes(old: Server, new: Server, matches: list[Match], is_bare: bool) -> list[str]:
    """What a person should know that no refusal says."""
    notes = []
    if is_bare:
        notes.append(_("The new server is set up first. Its addresses and PHP versions are known, and checked, then."))
    if is_bare and new.debian is None and old.debian is not None:
        notes.append(_("Give it the same release as the old one: Debian %(release)s.") % {"release": old.debian})
    for item in matches:
        if item.new is None:
            notes.append(
                _("The new server has no IPv%(family)s address: records that name %(ip)s stay as they are.")
                % {"family": item.old.family, "ip": item.old.public}
            )
        elif item.is_degraded:
            notes.append(
                _("%(account)s had %(old)s to itself and will share %(new)s.")
                % {"account": item.old.hosting or item.old.brand, "old": item.old.public, "new": item.new.public}
            )
    zones = selectors.mentions(item.old.public for item in matches if item.changes_records)
    if zones:
        notes.append(_("Texts in these zones name an old address; change them by hand: %s") % ", ".join(zones[:20]))
    return notes


def _switch(rebuild: Rebuild) -> None:
    """Order from the new server all that the old one carried, and fence the old one off. One transaction, a number of
    queries that does not depend on how many accounts there are.

    Locks are taken in the usual order: accounts, leases, operations, servers. Until the leases are let go no worker can
    record anything of either server, and the epoch of the old one's is raised: whoever held it must not go on.
    """
    old, new = rebuild.old, rebuild.new
    placed = Placement._base_manager.filter(server=old)
    accounts = HostingAccount._base_manager.filter(pk__in=placed.values("hosting")).order_by("id")
    hosting_ids = list(accounts.select_for_update(no_key=True).values_list("id", flat=True))
    for server in (old, new):
        Lease.objects.get_or_create(server=server)
    list(Lease.objects.select_for_update().filter(server__in=[old, new]).order_by("server_id"))
    Lease.objects.filter(server=old).update(owner="", expires_at=None, epoch=F("epoch") + 1)
    _cancel_what_is_left(old)
    list(Server.objects.select_for_update().filter(pk__in=[old.pk, new.pk]).order_by("id"))
    made = _plan(old, new, rebuild.mapping)
    Server.objects.filter(pk=old.pk).update(
        state=Server.State.RETIRED, closed=True, unreachable_since=None, unreachable_reason="", retry_at=None
    )
    failpoint("rebuild-fenced")
    slices = Slice.objects.filter(server=old, hosting__isnull=False)
    Pin.objects.filter(slice__server=old).delete()
    # Data that was to change its name is gone: there is nothing to move.
    Move.objects.filter(slice__server=old, applied_at=None).update(applied_at=timezone.now())
    Intent.objects.filter(slice__in=slices).update(retry_at=None)
    slices.update(server=new, manifest={}, rejected_reason="")
    placed.update(server=new)
    if not new.reserved_for.exists():
        new.reserved_for.set(old.reserved_for.all())
    renumbering.hand_over(made.addresses)
    renumbered = renumbering.rewrite(made.addresses)
    Zone._base_manager.filter(hosting__in={*hosting_ids, *renumbered}, serial__gt=0).update(serial=F("serial") + 1)
    failpoint("rebuild-moved")
    _order(rebuild, {*hosting_ids, *renumbered})
    Rebuild.objects.filter(pk=rebuild.pk).update(
        state=Rebuild.State.SWITCHED,
        switched_at=timezone.now(),
        accounts=made.counts["accounts"],
        records=made.records,
        lost=[loss.document() for loss in made.losses],
        notes=made.notes,
    )
    audit.record(
        Actor.system("rebuild"),
        "server.retire",
        old,
        {"state": [old.state, Server.State.RETIRED], "new": [None, new.name], "records": [None, made.records]},
    )
    failpoint("before-rebuild-commit")
    transaction.on_commit(lambda: failpoint("after-rebuild-commit"))


def _cancel_what_is_left(old: Server) -> None:
    """End what was asked of the old server itself: operations on its own slice, runs, and what drift was found."""
    now = timezone.now()
    own = OperationTarget.objects.filter(slice__server=old, slice__hosting=None, status__in=OperationTarget.OPEN)
    touched = Operation._base_manager.filter(pk__in=own.values("operation"), status__in=Operation.OPEN).order_by("id")
    ids = list(touched.select_for_update(no_key=True).values_list("id", flat=True))
    own.update(status=OperationTarget.Status.CANCELLED, finished_at=now)
    left = OperationTarget.objects.filter(operation__in=ids, status__in=OperationTarget.OPEN).values("operation")
    ended = Operation._base_manager.filter(pk__in=ids).exclude(pk__in=left)
    events.note(OperationEvent.Kind.CANCELLED, ended.values_list("id", flat=True))
    ended.update(status=Operation.Status.CANCELLED, finished_at=now)
    Intent.objects.filter(slice__server=old, slice__hosting=None).delete()
    Run.objects.filter(server=old, status=Run.Status.RUNNING).update(
        status=Run.Status.FAILED, reason=_("Another server took this server's place."), finished_at=now
    )
    DriftItem.objects.filter(server=old, state=DriftItem.State.OPEN).update(state=DriftItem.State.GONE, closed_at=now)


def _order(rebuild: Rebuild, hosting_ids: Iterable[str]) -> None:
    """Dirty all slices of these accounts, wherever they are, as zones on other servers name the new addresses, and the
    new server's own.
    """
    Slice.objects.get_or_create(server=rebuild.new, hosting=None)
    own = Slice.objects.filter(server=rebuild.new, hosting=None)
    theirs = Slice.objects.filter(hosting__in=list(hosting_ids))
    intents.again([*own, *theirs.order_by("id")], operation=rebuild.operation)
