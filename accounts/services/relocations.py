"""Clients that get another seller: their place in the tree, what is counted above them, and their people's panel."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Brand, Invitation, LimitUse, Membership, Organization, User
from accounts.selectors import brands
from accounts.services import invitations, limits, organizations
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.scoping import everything


@dataclass(frozen=True)
class People:
    """What a move means for a client's people, by their mail addresses: who goes along to another panel, and who has to
    join it anew, because the address is known there already or the person stays somebody else's, too.
    """

    along: list[str] = field(default_factory=list)
    anew: list[str] = field(default_factory=list)


def check(*, actor: Actor, organization: Organization, parent: Organization) -> None:
    """Return when the actor may move a client to another seller; both have to lie below the actor."""
    policy.require(actor, "organization.move", organization)
    policy.require(actor, "organization.create_client", parent)
    if organization.kind != Organization.Kind.CLIENT:
        raise Invalid("kind", _("Only a client can be moved. Move the reseller's clients one by one."), "organization")
    if organization.status == Organization.Status.CLOSED:
        raise Conflict(_("This client is closed; open it first."), code="closed")
    organizations.must_sell(parent)
    if organization.parent_id == parent.id:
        raise Conflict(_("The client belongs there already."), field="parent", code="same")


def brands_of(organization: Organization, parent: Organization) -> tuple[Brand, Brand]:
    """Return the brand that a client's people see now, and the one that they would see below `parent`."""
    return brands.for_organization(organization), brands.for_organization(parent)


def people(*, organization: Organization, parent: Organization) -> People:
    """Return what moving a client means for its people; nothing where both live under the same brand."""
    before = brands.root_for_member(organization)
    after = brands.root_for_member(_placed(organization, parent))
    found = People()
    if before.pk == after.pk:
        return found
    for membership in _memberships(organization):
        (found.along if _can_go(membership, after) else found.anew).append(membership.user.email)
    return found


def move(
    *,
    actor: Actor,
    organization: Organization,
    parent: Organization,
    grown: Mapping[str, int] | None = None,
    boundless: Collection[str] = (),
) -> Organization:
    """Move a client with all it holds to another seller below the actor. What it uses is given back above the old one
    and counted above the new one, by resource `grown` more; `boundless` names those of which it holds an unlimited
    amount.

    Its people go along to the new brand. Who can't (see `People`) is invited anew, to the same role. Passkeys of the
    others end, since they are bound to the host of the old panel. Raises LimitReached.
    """
    check(actor=actor, organization=organization, parent=parent)
    with transaction.atomic(), everything("a move concerns two sellers and what is above them"):
        organization, parent = (organizations.locked(row) for row in (organization, parent))
        check(actor=actor, organization=organization, parent=parent)
        before = brands.root_for_member(organization)
        old, left = organization.parent, organization.path
        uses = LimitUse.objects.select_for_update().filter(organization=organization, amount__gt=0)
        held = dict(uses.order_by("resource").values_list("resource", "amount"))
        limits.move({organization: {resource: -amount for resource, amount in held.items()}})
        organization.parent, organization.path = parent, f"{parent.path}{organization.id}/"
        organization.suspended_by = follow_suspender(organization.suspended_by, parent)
        organization.save(update_fields=["parent", "path", "suspended_by"])
        more = grown or {}
        taken = {name: held.get(name, 0) + more.get(name, 0) for name in {*held, *more}}
        limits.move({organization: taken}, boundless=boundless)
        after = brands.root_for_member(organization)
        if before.pk != after.pk:
            _take_people_along(organization, after)
        audit.record(actor, "organization.move", organization, {"parent": (str(old), parent.name)})
        if old is not None:
            audit.record(actor, "organization.moved_away", old, {"client": (organization.name, ""), "path": (left, "")})
    return organization


def follow_suspender(by: Organization | None, parent: Organization) -> Organization | None:
    """Return who answers for a suspension below `parent` from now on: whoever imposed it, unless that is not above."""
    return by if by is None or parent.path.startswith(by.path) else parent


def _memberships(organization: Organization) -> list[Membership]:
    return list(Membership.objects.select_related("user").filter(organization=organization).order_by("id"))


def _placed(organization: Organization, parent: Organization) -> Organization:
    """Return the client as it would stand below `parent`; not to be saved."""
    kind, path = organization.kind, f"{parent.path}{organization.id}/"
    return Organization(id=organization.id, kind=kind, name=organization.name, parent=parent, path=path)


def _can_go(membership: Membership, root: Organization) -> bool:
    user = membership.user
    elsewhere = Membership.objects.filter(user=user).exclude(organization_id=membership.organization_id).exists()
    known = User.objects.filter(brand_root=root, email__iexact=user.email).exists()
    return not elsewhere and not known


def _take_people_along(organization: Organization, root: Organization) -> None:
    system = Actor.system("move to another seller")
    along = []
    for membership in _memberships(organization):
        if _can_go(membership, root):
            along.append(membership.user_id)
            continue
        user, role = membership.user, membership.role
        audit.record(system, "membership.remove", membership, {"role": (role, "")})
        membership.delete()
        invitations.create(
            actor=system, organization=organization, email=user.email, role=role, name=user.name, locale=user.locale
        )
    User.objects.filter(pk__in=along).update(brand_root=root)
    Authenticator.objects.filter(user__in=along, type=Authenticator.Type.WEBAUTHN).delete()
    waiting = Invitation.objects.filter(organization=organization, accepted_at__isnull=True, revoked_at__isnull=True)
    for invitation in waiting.exclude(invited_by=None):
        invitations.resend(actor=system, invitation=invitation)
