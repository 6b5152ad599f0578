"""Organizations in scope, and what their limits say."""

from django.db.models import QuerySet

from accounts.models import LimitCounter, Organization
from panel.core.actors import Actor


def listed() -> QuerySet[Organization]:
    """Return the organizations in scope, newest first."""
    return Organization.objects.select_related("parent", "suspended_by")


def clients() -> QuerySet[Organization]:
    """Return the clients in scope that are not closed."""
    return listed().filter(kind=Organization.Kind.CLIENT).exclude(status=Organization.Status.CLOSED)


def resellers(actor: Actor) -> QuerySet[Organization]:
    """Return the resellers below the actor's organization that are not closed."""
    rows = listed().filter(kind=Organization.Kind.RESELLER).exclude(status=Organization.Status.CLOSED)
    return rows.exclude(pk=actor.organization_id or "")


def sellers() -> QuerySet[Organization]:
    """Return the active organizations in scope that can have clients."""
    return listed().exclude(kind=Organization.Kind.CLIENT).filter(status=Organization.Status.ACTIVE)


def of_actor(actor: Actor) -> Organization:
    """Return the actor's own organization."""
    return listed().get(pk=actor.organization_id)


def limits(organization: Organization) -> list[LimitCounter]:
    """Return the limits that are set for an organization, with what is used of them."""
    return list(LimitCounter.objects.filter(subject=organization.id, limit__isnull=False).order_by("resource"))
