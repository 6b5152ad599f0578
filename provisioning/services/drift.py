"""What people decide about drift: put it back, take it over into the panel, or leave it as an exception."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, NotFound
from provisioning.models import DriftItem, Operation, Pin, Server, Slice
from provisioning.services import adoptions, intents, operations
from provisioning.services.drift_checks import RESTORE
from provisioning.services.inputs import normal

#: What is removed when nobody made it here; anything else may hold somebody's data.
DISCARDABLE = ("file", "link", "zone", "row", "user")


def obstacle(item: DriftItem) -> Conflict | None:
    """Return why a finding can't be restored; None when it can."""
    if item.slice is None:
        return Conflict(
            _("%s: the panel does not know this account. Restore the panel's newest database first.") % item.key,
            code="unknown_slice",
        )
    if item.kind == DriftItem.Kind.EXTRA and item.key.partition(":")[0] not in DISCARDABLE:
        return Conflict(
            _(
                "%s may hold data that the panel did not make, so it is not removed. Adopt it, make it an exception, "
                "or remove it by hand."
            )
            % item.key,
            code="data",
        )
    return None


def restore(*, actor: Actor, server: Server, items: Sequence[DriftItem] | None = None) -> Operation:
    """Put back what `items` say, or without them all that can be on this server; an exception on them ends.

    What is not ours is removed if it is still what was found; the slices concerned are compared whole. The next check
    closes the findings. Raises Conflict when there is nothing to restore or something can't be.
    """
    policy.require(actor, RESTORE, server)
    with transaction.atomic():
        found = _locked(server, items)
        operation = operations.start(
            actor=actor, verb=RESTORE, subject=_subject(server, found), organization=server.organization, server=server
        )
        DriftItem.objects.filter(pk__in=[item.pk for item in found]).update(operation=operation)
        for item in found:
            Pin.objects.filter(slice=item.slice_id, key=item.key).delete()
            audit.record(actor, RESTORE, item)
        slices = Slice.objects.filter(pk__in={item.slice_id for item in found}).order_by("id")
        intents.again(slices, operation=operation, verify=True)
    return operation


def adopt(*, actor: Actor, item: DriftItem) -> Operation:
    """Make what was found the desired state, by the services that a person would use for it.

    Raises Invalid with field, rule and remedy for what can't be adopted.
    """
    policy.require(actor, "drift.adopt", item)
    with transaction.atomic():
        item = _open(item)
        operation = adoptions.adopt(actor=actor, item=item)
        Pin.objects.filter(slice=item.slice_id, key=item.key).delete()
        _close(item, DriftItem.State.ADOPTED, actor, operation)
        audit.record(actor, "drift.adopt", item)
    return operation


def pin(*, actor: Actor, item: DriftItem, note: str = "") -> Pin:
    """Leave what was found as it is: no apply touches it, and it is drift again only when it changes once more.

    `note` says why, on one line of at most 100 characters.
    """
    policy.require(actor, "drift.pin", item)
    note = normal("note", names.label, note) if note.strip() else ""
    with transaction.atomic():
        item = _open(item)
        if item.slice is None or item.key.startswith("slice:"):
            raise Conflict(
                _("This concerns a whole account, not one thing, so it can't be an exception."), code="slice"
            )
        made, _created = Pin.objects.update_or_create(
            slice=item.slice,
            key=item.key,
            defaults={
                "digest": item.digest,
                "note": note,
                "actor_id": actor.user_id or "",
                "actor_label": actor.label,
            },
        )
        _close(item, DriftItem.State.PINNED, actor, None)
        audit.record(actor, "drift.pin", item, {"note": [None, made.note]})
    return made


def unpin(*, actor: Actor, pin: Pin) -> None:
    """End an exception: what it covered is drift again."""
    policy.require(actor, "drift.pin", pin)
    with transaction.atomic():
        current = Pin.objects.select_for_update(of=("self",)).filter(pk=pin.pk).first()
        if current is None:
            raise NotFound
        part = current.slice
        there = DriftItem.objects.filter(server=part.server_id, key=current.key)
        if not there.filter(state=DriftItem.State.OPEN).exists():
            covered = there.filter(state=DriftItem.State.PINNED, digest=current.digest).order_by("-id").first()
            if covered is not None:
                covered.state, covered.closed_at, covered.closed_by = DriftItem.State.OPEN, None, ""
                covered.save(update_fields=["state", "closed_at", "closed_by"])
        audit.record(actor, "drift.unpin", current)
        current.delete()


def _locked(server: Server, items: Sequence[DriftItem] | None) -> list[DriftItem]:
    there = DriftItem.objects.filter(server=server, state=DriftItem.State.OPEN)
    if items is not None:
        there = there.filter(pk__in=[item.pk for item in items])
    found = list(there.select_for_update(of=("self",), no_key=True).select_related("slice", "server").order_by("id"))
    if items is None:
        found = [item for item in found if obstacle(item) is None]
    elif len(found) != len({item.pk for item in items}):
        raise Conflict(_("Somebody has dealt with this already. Look at the list again."), code="not_open")
    for item in found:
        if (reason := obstacle(item)) is not None:
            raise reason
    if not found:
        raise Conflict(_("There is nothing to restore on this server."), code="nothing")
    return found


def _open(item: DriftItem) -> DriftItem:
    """Return the finding as it is now, locked; raises Conflict when somebody has dealt with it."""
    current = DriftItem.objects.select_for_update(of=("self",), no_key=True).filter(pk=item.pk).first()
    if current is None or not current.is_open or (current.operation is not None and current.operation.is_open):
        raise Conflict(_("Somebody has dealt with this already. Look at the list again."), code="not_open")
    if current.digest != item.digest:
        raise Conflict(_("It has changed since you saw it. Look at it again."), code="changed")
    return current


def _close(item: DriftItem, state: str, actor: Actor, operation: Operation | None) -> None:
    item.state, item.closed_at, item.closed_by, item.operation = state, timezone.now(), actor.label, operation
    item.save(update_fields=["state", "closed_at", "closed_by", "operation"])


def _subject(server: Server, items: Sequence[DriftItem]) -> str:
    if len(items) == 1:
        return f"{items[0].key} ({server.name})"
    return _("%(count)d differences on %(server)s") % {"count": len(items), "server": server.name}
