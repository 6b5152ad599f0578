"""Impersonation: somebody who sells acts as one of the people below, for an hour at most; both identities are kept."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Impersonation, Membership, Organization
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, clean_or_invalid
from panel.core.scoping import everything

LONGEST = timedelta(hours=1)


def start(*, actor: Actor, membership: Membership, reason: str) -> Impersonation:
    """Begin to act as the person of `membership`: the provider as anybody below, a reseller as the people of its own
    clients. From a page only, and not from within another impersonation.
    """
    policy.require(actor, "impersonation.start", membership)
    if actor.via != "web" or actor.user_id is None or actor.organization_id is None:
        raise Forbidden(_("Only a person who is signed in to the panel can act as another."), code="not_by_api")
    if not can_be_acted_for(actor, membership.organization):
        raise Forbidden(_("You can act as people of your own clients only."), code="not_your_client")
    if not reason.strip():
        raise Invalid("required", _("Say why; the reason is kept and shown to the person's organization."), "reason")
    if not membership.user.is_active or membership.organization.status == Organization.Status.CLOSED:
        raise Conflict(_("This person can't sign in."), code="inactive")
    with transaction.atomic():
        begun = Impersonation(
            organization=membership.organization,
            user=membership.user,
            by_id=actor.user_id,
            by_organization_id=actor.organization_id,
            reason=reason,
            address=actor.address,
            ends_at=timezone.now() + LONGEST,
        )
        clean_or_invalid(begun, exclude=["user", "organization", "by", "by_organization"])
        begun.save(force_insert=True)
        audit.record(actor, "impersonation.start", begun, {"reason": ("", begun.reason)})
    return begun


def end(*, impersonation: Impersonation) -> None:
    """Note that an impersonation is over, whoever or whatever ended it; again is the same."""
    with everything("whoever acted may have lost the place meanwhile"), transaction.atomic():
        rows = Impersonation.objects.filter(pk=impersonation.pk, ended_at__isnull=True)
        rows.update(ended_at=min(timezone.now(), impersonation.ends_at))


def can_be_acted_for(actor: Actor, organization: Organization) -> bool:
    """Tell whether the actor's organization may act for people of `organization` at all."""
    if actor.kind == "provider":
        return organization.id != actor.organization_id
    client = organization.kind == Organization.Kind.CLIENT
    return client and organization.parent_id == actor.organization_id
