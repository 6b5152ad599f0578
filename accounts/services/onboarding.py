"""A new customer in one go: the organization and the person who owns it, both or neither."""

from django.db import transaction

from accounts.models import Membership, Organization, ResellerPlan
from accounts.services import invitations, organizations, plans
from panel.core.actors import Actor


def client(*, actor: Actor, parent: Organization, name: str, email: str = "", person: str = "") -> Organization:
    """Create a client; with a mail address also its owner, who gets an invitation."""
    with transaction.atomic():
        made = organizations.create_client(actor=actor, parent=parent, name=name)
        _own(actor, made, email, person)
    return made


def reseller(
    *,
    actor: Actor,
    parent: Organization,
    name: str,
    resellers_allowed: bool = False,
    plan: ResellerPlan | None = None,
    email: str = "",
    person: str = "",
) -> Organization:
    """Create a reseller; with a plan it has its limits from the start, and with a mail address its owner, who gets an
    invitation.
    """
    with transaction.atomic():
        made = organizations.create_reseller(actor=actor, parent=parent, name=name, resellers_allowed=resellers_allowed)
        if plan is not None:
            made = plans.assign(actor=actor, organization=made, plan=plan)
        _own(actor, made, email, person)
    return made


def _own(actor: Actor, organization: Organization, email: str, person: str) -> None:
    if not email:
        return
    invitations.create(actor=actor, organization=organization, email=email, name=person, role=Membership.Role.OWNER)
