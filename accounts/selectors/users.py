"""Who may sign in where, and what people are in organizations."""

from django.db.models import Q, QuerySet

from accounts.models import Brand, Membership, Organization, User
from panel.core.scoping import everything


def at_brand(brand: Brand, email: str) -> list[User]:
    """Return the active users who sign in at `brand`'s panel with `email`: those of its root, and its own staff."""
    at_home = Q(brand_root_id=brand.organization_id)
    staff = Q(memberships__organization_id=brand.organization_id)
    people = User.objects.filter(at_home | staff, email__iexact=email, is_active=True)
    return list(people.select_related("brand_root").distinct().order_by("id"))


def memberships_at(user: User, brand: Brand) -> list[Membership]:
    """Return what `user` is in the organizations that `brand`'s panel shows, oldest first.

    Closed organizations are left out; for strangers to the brand it is empty.
    """
    with everything("signing in comes before the scope"):
        rows = Membership.objects.filter(user=user, organization__path__startswith=brand.organization.path)
        rows = rows.exclude(organization__status=Organization.Status.CLOSED)
        found = list(rows.select_related("organization", "user").order_by("id"))
    if user.brand_root_id == brand.organization_id:
        return found
    return found if any(row.organization_id == brand.organization_id for row in found) else []


def members(organization_path: str) -> QuerySet[Membership]:
    """Return the memberships in scope of the organization at the path."""
    return memberships().filter(organization__path=organization_path)


def memberships() -> QuerySet[Membership]:
    """Return the memberships in scope."""
    return Membership.objects.select_related("user", "organization")


def one(user_id: str | None) -> User:
    """Return a person by id; raises User.DoesNotExist."""
    return User.objects.get(pk=user_id)
