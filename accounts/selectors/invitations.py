"""Invitations: those of organizations in scope, and the one whose link was opened."""

import hashlib

from django.db.models import QuerySet

from accounts.models import Brand, Invitation, Organization, User
from accounts.selectors import brands
from panel.core.scoping import everything


def listed() -> QuerySet[Invitation]:
    """Return the invitations in scope that were neither accepted nor revoked, newest first; expired ones too."""
    rows = Invitation.objects.select_related("organization", "invited_by")
    return rows.filter(accepted_at__isnull=True, revoked_at__isnull=True).order_by("-id")


def of_organization(organization: Organization) -> QuerySet[Invitation]:
    """Return the open invitations of one organization."""
    return listed().filter(organization=organization)


def by_token(token: str, brand: Brand | None) -> Invitation | None:
    """Return the invitation whose link this is, if it can still be accepted and this is the panel to do so at."""
    if brand is None:
        return None
    with everything("whoever opens an invitation is not signed in"):
        found = Invitation.objects.select_related("organization").filter(digest=digest(token)).first()
        if found is None or found.status != "open" or found.organization.status == Organization.Status.CLOSED:
            return None
        home = brands.root_for_member(found.organization)
    return found if home.id == brand.organization_id else None


def known_person(invitation: Invitation) -> User | None:
    """Return who is registered with the invited address where the organization's people sign in."""
    with everything("an invitation decides before anybody is signed in"):
        home = brands.root_for_member(invitation.organization)
    return User.objects.filter(brand_root=home, email__iexact=invitation.email).first()


def digest(token: str) -> str:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()
