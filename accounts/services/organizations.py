"""Organizations: made, renamed, suspended, closed."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import LimitUse, Organization
from accounts.services import brands
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
    """Create a reseller under the provider, or under a reseller who is allowed to have resellers."""
    policy.require(actor, "organization.create_reseller", parent)
    _must_sell(parent)
    if parent.kind == Organization.Kind.RESELLER and not parent.resellers_allowed:
        raise Forbidden(_("This reseller's plan has no resellers of its own."), code="resellers_not_allowed")
    with transaction.atomic():
        return _create(
            actor,
            Organization(
                kind=Organization.Kind.RESELLER, name=name, parent=parent, resellers_allowed=resellers_allowed
            ),
        )


def create_client(*, actor: Actor, parent: Organization, name: str) -> Organization:
    """Create a client of a reseller or of the provider itself."""
    policy.require(actor, "organization.create_client", parent)
    _must_sell(parent)
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
        organization = _locked(organization)
        before = {field: getattr(organization, field) for field in values}
        for field, value in values.items():
            setattr(organization, field, value)
        clean_or_invalid(organization)
        organization.save()
        after = {field: getattr(organization, field) for field in values}
        audit.record(actor, "organization.change", organization, audit.difference(before, after))
    return organization


def suspend(*, actor: Actor, organization: Organization, reason: str = "") -> Organization:
    """Suspend an organization with everything below it; its people may still see to themselves and pay."""
    policy.require(actor, "organization.suspend", organization)
    with transaction.atomic():
        organization = _locked(organization)
        if organization.status != Organization.Status.ACTIVE:
            raise Conflict(_("Only an active organization can be suspended."), code="not_active")
        organization.status = Organization.Status.SUSPENDED
        organization.suspended_by_id = actor.organization_id or organization.lineage[0]
        organization.suspended_reason = reason
        clean_or_invalid(organization)
        organization.save()
        audit.record(actor, "organization.suspend", organization, {"reason": ("", reason)})
    return organization


def unsuspend(*, actor: Actor, organization: Organization) -> Organization:
    """Lift a suspension; only who imposed it, or somebody above, can."""
    policy.require(actor, "organization.unsuspend", organization)
    with transaction.atomic():
        organization = _locked(organization)
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
        organization.save()
        audit.record(actor, "organization.unsuspend", organization)
    return organization


def close(*, actor: Actor, organization: Organization) -> Organization:
    """Close an organization for good; what is below it and what it holds has to be gone before."""
    policy.require(actor, "organization.close", organization)
    with transaction.atomic():
        organization = _locked(organization)
        with everything("nothing may be left below"):
            below = Organization.objects.filter(parent=organization).exclude(status=Organization.Status.CLOSED).exists()
        if below:
            raise Conflict(_("Close the organizations below this one first."), code="not_empty")
        if LimitUse.objects.filter(organization=organization, resource="accounts", amount__gt=0).exists():
            raise Conflict(_("Terminate its hosting accounts first."), code="not_empty")
        organization.status = Organization.Status.CLOSED
        organization.suspended_by = None
        organization.save()
        audit.record(actor, "organization.close", organization)
    return organization


def _create(actor: Actor, organization: Organization) -> Organization:
    parent = organization.parent
    organization.path = f"{parent.path if parent else '/'}{organization.id}/"
    clean_or_invalid(organization)
    with integrity_as_conflict(_("This installation has a provider already.")):
        organization.save(force_insert=True)
    audit.record(actor, f"organization.create_{organization.kind}", organization, {"name": ("", organization.name)})
    return organization


def _must_sell(parent: Organization) -> None:
    if parent.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client has nobody below; choose a reseller."), "parent")
    if parent.status != Organization.Status.ACTIVE:
        raise Conflict(_("This organization is not active."), field="parent", code="not_active")


def _locked(organization: Organization) -> Organization:
    return Organization.objects.select_for_update().get(pk=organization.pk)
