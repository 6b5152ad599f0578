"""Organizations: made, renamed, suspended, closed."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import LimitUse, Organization
from accounts.services import brands, invitations
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything

CHANGEABLE = {
    "name": "organization.change",
    "resellers_allowed": "organization.allow_resellers",
    "mail_vouched": "organization.vouch_mail",
}


def create_provider(*, actor: Actor, name: str, panel_host: str = "") -> Organization:
    """Create the provider, the root of the tree, and its brand; raises Conflict when there is one already."""
    policy.require(actor, "organization.create_reseller")
    with transaction.atomic():
        provider = _create(actor, Organization(kind=Organization.Kind.PROVIDER, name=name))
        brands.set(actor=actor, organization=provider, name=name, panel_host=panel_host)
    return provider


def create_reseller(*, actor: Actor, parent: Organization, name: str, resellers_allowed: bool = False) -> Organization:
    """Create a reseller under the provider, or under a reseller who is allowed to have resellers.

    With a neutral domain it has a brand of its name from the start, and with that a panel that names nobody above.
    """
    policy.require(actor, "organization.create_reseller", parent)
    must_sell(parent)
    if parent.kind == Organization.Kind.RESELLER and not parent.resellers_allowed:
        raise Forbidden(_("This reseller's plan has no resellers of its own."), code="resellers_not_allowed")
    with transaction.atomic():
        reseller = Organization(
            kind=Organization.Kind.RESELLER, name=name, parent=parent, resellers_allowed=resellers_allowed
        )
        _create(actor, reseller)
        if settings.NEUTRAL_PANEL_DOMAIN:
            brands.take_neutral_host(actor=actor, organization=reseller)
    return reseller


def create_client(*, actor: Actor, parent: Organization, name: str) -> Organization:
    """Create a client of a reseller or of the provider itself."""
    policy.require(actor, "organization.create_client", parent)
    must_sell(parent)
    with transaction.atomic():
        return _create(actor, Organization(kind=Organization.Kind.CLIENT, name=name, parent=parent))


def change(*, actor: Actor, organization: Organization, **values: object) -> Organization:
    """Change name, `resellers_allowed` or `mail_vouched`; the last two are the provider's to change."""
    policy.require(actor, "organization.view", organization)
    for field in values:
        if field not in CHANGEABLE:
            raise Invalid("unknown", _("An organization has no such field."), field)
        policy.require(actor, CHANGEABLE[field], organization)
    with transaction.atomic():
        organization = locked(organization)
        before = {field: getattr(organization, field) for field in values}
        for field, value in values.items():
            setattr(organization, field, value)
        clean_or_invalid(organization)
        organization.save()
        after = {field: getattr(organization, field) for field in values}
        audit.record(actor, "organization.change", organization, audit.difference(before, after))
    return organization


def suspend(
    *,
    actor: Actor,
    organization: Organization,
    reason: str = "",
    accounts: bool = False,
    alone: bool = False,
    cause: str = "",
) -> Organization:
    """Suspend an organization with everything below it, or `alone`; its people are shown the reason and may pay.

    `accounts` notes that its hosting accounts are suspended along with it, which is provisioning's to do. Who stands
    above the one that suspended it may do so again, and then only they can release it; so may the system for the same
    `cause`, the id of a row, to go further.
    """
    policy.require(actor, "organization.suspend", organization)
    with transaction.atomic():
        organization = locked(organization)
        by = organization.suspended_by
        again = by is not None and by.path != actor.path and by.path.startswith(actor.path)
        again = again or bool(cause and organization.suspended_for == cause)
        if organization.status == Organization.Status.CLOSED or (by is not None and not again):
            raise Conflict(_("Only an active organization can be suspended."), code="not_active")
        organization.status = Organization.Status.SUSPENDED
        organization.suspended_by_id = actor.organization_id or organization.lineage[0]
        organization.suspended_reason = reason
        organization.accounts_suspended = accounts or organization.accounts_suspended
        organization.suspended_alone = alone
        organization.suspended_for = cause
        clean_or_invalid(organization)
        organization.save()
        audit.record(
            actor, "organization.suspend", organization, {"reason": ("", reason), "accounts": (False, accounts)}
        )
    return organization


def unsuspend(*, actor: Actor, organization: Organization) -> Organization:
    """Lift a suspension; only who imposed it, or somebody above, can."""
    policy.require(actor, "organization.unsuspend", organization)
    with transaction.atomic():
        organization = locked(organization)
        by = organization.suspended_by
        if organization.status != Organization.Status.SUSPENDED or by is None:
            raise Conflict(_("Only a suspended organization can be unsuspended."), code="not_suspended")
        if not by.path.startswith(actor.path):
            raise Forbidden(
                _("This suspension was imposed from above; ask your provider."), code="suspended_from_above"
            )
        organization.status = Organization.Status.ACTIVE
        organization.suspended_by = None
        organization.suspended_reason = ""
        organization.accounts_suspended = organization.suspended_alone = False
        organization.suspended_for = ""
        organization.save()
        audit.record(actor, "organization.unsuspend", organization)
    return organization


def hold_orders(*, actor: Actor, organization: Organization, reason: str) -> Organization:
    """Let there be no new hosting accounts in an organization and below it; `reason` is for its own people.

    An empty reason lets them be again.
    """
    policy.require(actor, "organization.suspend", organization)
    with transaction.atomic():
        organization = locked(organization)
        before, organization.orders_held_reason = organization.orders_held_reason, reason
        clean_or_invalid(organization)
        organization.save(update_fields=["orders_held_reason"])
        audit.record(actor, "organization.hold_orders", organization, {"reason": (before, reason)})
    return organization


def close(*, actor: Actor, organization: Organization, with_all: bool = False) -> Organization:
    """Close an organization: its people can't sign in any more, and invitations to it are dead.

    What it holds and what is below it has to be gone before, unless it closes `with_all` that is below; its hosting
    accounts are then provisioning's to end.
    """
    policy.require(actor, "organization.close", organization)
    with transaction.atomic(), everything("what is below closes with it, or has to be gone"):
        organization = locked(organization)
        if organization.status == Organization.Status.CLOSED:
            raise Conflict(_("This organization is closed already."), code="closed")
        below = Organization.objects.select_for_update(of=("self",)).filter(path__startswith=organization.path)
        rows = list(below.exclude(status=Organization.Status.CLOSED).order_by("path"))
        if not with_all:
            _empty(organization, rows)
        for row in rows:
            row.status = Organization.Status.CLOSED
            row.closed_at = timezone.now()
            row.closed_by_id = actor.organization_id or organization.lineage[0]
            row.closed_with = organization
            row.save(update_fields=["status", "closed_at", "closed_by", "closed_with"])
            invitations.revoke_all(organization=row)
            audit.record(actor, "organization.close", row)
    return next(row for row in rows if row.pk == organization.pk)


def reopen(*, actor: Actor, organization: Organization) -> Organization:
    """Open a closed organization again, with what was closed along with it; suspensions are as they were.

    Only who closed it, or somebody above, can.
    """
    policy.require(actor, "organization.reopen", organization)
    with transaction.atomic(), everything("what closed with it opens with it"):
        organization = locked(organization)
        if organization.status != Organization.Status.CLOSED:
            raise Conflict(_("Only a closed organization can be opened again."), code="not_closed")
        if organization.closed_with_id not in (None, organization.id):
            raise Conflict(_("This was closed along with an organization above; open that one."), code="closed_above")
        by = organization.closed_by
        if by is not None and not by.path.startswith(actor.path):
            raise Forbidden(_("This was closed from above; ask your provider."), code="closed_from_above")
        if organization.parent is not None and organization.parent.status == Organization.Status.CLOSED:
            raise Conflict(_("The organization above is closed; open that one first."), code="closed_above")
        rows = Organization.objects.select_for_update(of=("self",)).filter(closed_with=organization).order_by("path")
        for row in rows:
            row.status = Organization.Status.SUSPENDED if row.suspended_by_id else Organization.Status.ACTIVE
            row.closed_at = row.closed_by = row.closed_with = None
            row.save(update_fields=["status", "closed_at", "closed_by", "closed_with"])
            audit.record(actor, "organization.reopen", row)
        organization.refresh_from_db()
    return organization


def _empty(organization: Organization, rows: list[Organization]) -> None:
    if len(rows) > 1:
        raise Conflict(_("Close the organizations below this one first, or close it with them."), code="not_empty")
    if LimitUse.objects.filter(organization=organization, resource="accounts", amount__gt=0).exists():
        raise Conflict(_("Terminate its hosting accounts first, or close it with them."), code="not_empty")


def _create(actor: Actor, organization: Organization) -> Organization:
    parent = organization.parent
    organization.path = f"{parent.path if parent else '/'}{organization.id}/"
    clean_or_invalid(organization)
    with integrity_as_conflict(_("This installation has a provider already.")):
        organization.save(force_insert=True)
    audit.record(actor, f"organization.create_{organization.kind}", organization, {"name": ("", organization.name)})
    return organization


def must_sell(parent: Organization) -> None:
    """Return when an organization can have clients; raises Invalid for a client, Conflict when it is not active."""
    if parent.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client has nobody below; choose a reseller."), "parent")
    if parent.status != Organization.Status.ACTIVE:
        raise Conflict(_("This organization is not active."), field="parent", code="not_active")


def locked(organization: Organization) -> Organization:
    """Return the organization as it is now, its row locked until the transaction ends."""
    return (
        Organization.objects.select_for_update(of=("self",))
        .select_related("parent", "suspended_by")
        .get(pk=organization.pk)
    )
