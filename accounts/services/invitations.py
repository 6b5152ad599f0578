"""Invitations: a mail in the brand's name with a link, good once and for a week, by which a person joins.

Whether the address is known already makes no difference to who invites: only who holds the link sees what it asks for.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Brand, Invitation, Membership, Organization, User
from accounts.selectors import brands
from accounts.selectors import invitations as selectors
from accounts.services import memberships, outgoing_mails, users
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, NotFound, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything, tenant

LIFETIME = timedelta(days=7)


def create(
    *, actor: Actor, organization: Organization, email: str, role: str, name: str = "", locale: str = "en"
) -> Invitation:
    """Invite somebody to an organization; the mail leaves once the current transaction commits.

    Raises Conflict when the person is a member or was invited already, Forbidden for a role above the actor's own.
    """
    policy.require(actor, "membership.add", organization)
    with transaction.atomic():
        memberships.may_give(actor, organization, role)
        invitation = Invitation(
            organization=organization,
            email=email,
            name=name,
            role=role,
            locale=locale,
            invited_by_id=actor.user_id,
            **_validity(),
        )
        token = _new_token(invitation)
        clean_or_invalid(invitation, exclude=["invited_by", "accepted_by"])
        _not_a_member(invitation)
        with integrity_as_conflict(
            _("This person has been invited already; send that invitation again."), field="email"
        ):
            invitation.save(force_insert=True)
        audit.record(actor, "invitation.create", invitation, {"role": ("", role)})
        _send(invitation, token)
    return invitation


def resend(*, actor: Actor, invitation: Invitation) -> Invitation:
    """Send an invitation again with a new link, good for another week; the link before it is dead."""
    policy.require(actor, "membership.add", invitation)
    with transaction.atomic():
        invitation = _open(invitation)
        memberships.may_give(actor, invitation.organization, invitation.role)
        for field, value in _validity().items():
            setattr(invitation, field, value)
        token = _new_token(invitation)
        invitation.save(update_fields=["digest", "sent_at", "expires_at"])
        audit.record(actor, "invitation.resend", invitation)
        _send(invitation, token)
    return invitation


def revoke(*, actor: Actor, invitation: Invitation) -> None:
    """Take an invitation back; its link is dead at once."""
    policy.require(actor, "membership.add", invitation)
    with transaction.atomic():
        invitation = _open(invitation)
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        audit.record(actor, "invitation.revoke", invitation)


def accept(
    *,
    token: str,
    brand: Brand | None,
    user: User | None,
    name: str = "",
    password: str = "",
    address: str | None = None,
) -> User:
    """Join by the link of an invitation at the brand's panel, once; returns who has joined.

    Somebody who is registered there already has to be signed in as `user`; anybody else is registered with name and
    password. Raises NotFound for a link that opens nothing, Forbidden for the wrong person.
    """
    with transaction.atomic(), everything("whoever accepts has no place in the tree yet"):
        found = selectors.by_token(token, brand)
        if found is None:
            raise NotFound(_("This link has been used or is not valid any more. Ask for another invitation."))
        invitation = Invitation.objects.select_for_update(of=("self",)).select_related("organization").get(pk=found.pk)
        if invitation.status != "open" or invitation.digest != selectors.digest(token):
            raise NotFound(_("This link has been used or is not valid any more. Ask for another invitation."))
        known = selectors.known_person(invitation)
        system = Actor.system("invitation")
        if known is None:
            joined = users.create(
                actor=system,
                organization=invitation.organization,
                email=invitation.email,
                name=name,
                role=invitation.role,
                password=password,
                locale=invitation.locale,
            )
        elif user is None or user.pk != known.pk or not known.is_active:
            raise Forbidden(_("Sign in with the invited address to accept."), code="wrong_person")
        else:
            joined = known
            memberships.add(actor=system, organization=invitation.organization, user=known, role=invitation.role)
        invitation.accepted_at, invitation.accepted_by = timezone.now(), joined
        invitation.save(update_fields=["accepted_at", "accepted_by"])
        audit.record(_joined_actor(joined, invitation, address), "invitation.accept", invitation)
    return joined


def revoke_all(*, organization: Organization) -> None:
    """Take back whatever invitations to an organization are open, because it closes; audited with the closing."""
    with everything("the closing organization's own"):
        rows = Invitation.objects.filter(organization=organization, accepted_at__isnull=True, revoked_at__isnull=True)
        rows.update(revoked_at=timezone.now())


def _joined_actor(user: User, invitation: Invitation, address: str | None) -> Actor:
    place = invitation.organization
    label = user.name or user.email
    return Actor(user.id, place.id, place.path, place.kind, invitation.role, label, address=address)


def _validity() -> dict[str, object]:
    now = timezone.now()
    return {"sent_at": now, "expires_at": now + LIFETIME}


def _new_token(invitation: Invitation) -> str:
    token = secrets.token_urlsafe(32)
    invitation.digest = selectors.digest(token)
    return token


def _open(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    found = rows.filter(pk=invitation.pk).first()
    if found is None:
        raise NotFound()
    if found.accepted_at is not None or found.revoked_at is not None:
        raise Conflict(_("This invitation has been accepted or taken back already."), code="not_open")
    return found


def _not_a_member(invitation: Invitation) -> None:
    with tenant(invitation.organization.path):
        rows = Membership.objects.filter(organization=invitation.organization, user__email__iexact=invitation.email)
        if rows.exists():
            raise Conflict(_("This person is a member already."), field="email", code="member")


def _send(invitation: Invitation, token: str) -> None:
    with everything("a brand may belong to an ancestor"):
        brand = brands.for_organization(brands.root_for_member(invitation.organization))
    link = brands.base_url(brand) + reverse("accounts:invitation_accept", args=[token])
    outgoing_mails.send(
        brand=brand,
        to=invitation.email,
        template="invitation",
        context={
            "name": invitation.name or invitation.email,
            "email": invitation.email,
            "organization": invitation.organization.name,
            "link": link,
        },
        locale=invitation.locale,
    )
