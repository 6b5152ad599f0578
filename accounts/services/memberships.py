"""Memberships: who is what in an organization. Nobody changes their own, nobody touches a rank above their own."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Organization, User
from accounts.selectors import brands
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound, clean_or_invalid, integrity_as_conflict

_RANKS = {Membership.Role.OWNER: 2, Membership.Role.ADMIN: 1}


def add(*, actor: Actor, organization: Organization, user: User, role: str) -> Membership:
    """Make a registered person a member; the person has to belong to the brand that the organization lives under."""
    policy.require(actor, "membership.add", organization)
    if user.brand_root_id != brands.root_for_member(organization).id:
        raise NotFound()
    with transaction.atomic():
        membership = Membership(user=user, organization=organization, role=role)
        clean_or_invalid(membership)
        may_give(actor, organization, role)
        with integrity_as_conflict(_("This person is a member already."), field="user"):
            membership.save(force_insert=True)
        audit.record(actor, "membership.add", membership, {"role": ("", role)})
    return membership


def change(*, actor: Actor, membership: Membership, role: str) -> Membership:
    """Give a member another role."""
    policy.require(actor, "membership.change", membership)
    with transaction.atomic():
        membership = _touchable(actor, membership)
        before = membership.role
        membership.role = role
        clean_or_invalid(membership)
        may_give(actor, membership.organization, role)
        _keep_an_owner(membership, before)
        membership.save(update_fields=["role"])
        audit.record(actor, "membership.change", membership, {"role": (before, role)})
    return membership


def remove(*, actor: Actor, membership: Membership) -> None:
    """End a membership; the person stays registered and cannot sign in unless they are something elsewhere."""
    policy.require(actor, "membership.remove", membership)
    with transaction.atomic():
        membership = _touchable(actor, membership)
        before = membership.role
        membership.role = ""
        _keep_an_owner(membership, before)
        audit.record(actor, "membership.remove", membership, {"role": (before, "")})
        membership.delete()


def transfer(*, actor: Actor, membership: Membership, confirm: str) -> Membership:
    """Make another member owner in one's own place; the giver stays as administrator. For owners only.

    `confirm` must be the other's mail address: the giver can't take it back.
    """
    policy.require(actor, "membership.change", membership)
    if actor.organization_id != membership.organization_id or actor.role != Membership.Role.OWNER:
        raise Forbidden(_("Only an owner hands over the ownership, and only their own."), code="not_owner")
    if confirm != membership.user.email:
        raise Invalid("confirm", _("Type the person's mail address to confirm."), "confirm")
    with transaction.atomic():
        heir = _touchable(actor, membership)
        before = heir.role
        giver = Membership.objects.get(organization_id=heir.organization_id, user_id=actor.user_id)
        heir.role, giver.role = Membership.Role.OWNER, Membership.Role.ADMIN
        for row in (heir, giver):
            row.save(update_fields=["role"])
        audit.record(actor, "membership.transfer", heir, {"role": (before, heir.role)})
        audit.record(actor, "membership.change", giver, {"role": (Membership.Role.OWNER, giver.role)})
    return heir


def _touchable(actor: Actor, membership: Membership) -> Membership:
    locked = Membership.objects.select_for_update().filter(organization_id=membership.organization_id).order_by("id")
    found = next((row for row in locked if row.pk == membership.pk), None)
    if found is None:
        raise NotFound()
    if actor.user_id == found.user_id:
        raise Forbidden(_("Nobody changes their own membership; ask another owner."), code="own_membership")
    if actor.organization_id == found.organization_id and _rank(found.role) > _rank(actor.role):
        raise Forbidden(_("An owner's membership is changed by an owner."), code="higher_role")
    return found


def may_give(actor: Actor, organization: Organization, role: str) -> None:
    """Return when the actor may make somebody `role` in an organization; raises Forbidden above their own rank."""
    if actor.organization_id == organization.id and _rank(role) > _rank(actor.role):
        raise Forbidden(_("Only an owner makes an owner."), code="higher_role")


def _keep_an_owner(membership: Membership, before: str) -> None:
    if before != Membership.Role.OWNER or membership.role == Membership.Role.OWNER:
        return
    owners = Membership.objects.filter(organization_id=membership.organization_id, role=Membership.Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise Conflict(
            _("An organization keeps at least one owner; make somebody else owner first."), code="last_owner"
        )


def _rank(role: str) -> int:
    return next((rank for known, rank in _RANKS.items() if known == role), 0)
