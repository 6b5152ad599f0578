"""Organizations in scope, and what their limits say."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import LimitCounter, Organization
from panel.core.actors import Actor
from panel.core.scoping import everything


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the people of an organization can work. If not, `own` tells whether it is itself suspended, for `reason`,
    rather than something above it, of which its people are told nothing more.
    """

    active: bool
    own: bool = False
    reason: str = ""


def standing(organization: Organization) -> Standing:
    """Return how an organization stands, with all that is above it, save what is suspended alone; one query, whatever
    the tenant scope.
    """
    alone = Q(status=Organization.Status.SUSPENDED, suspended_alone=True) & ~Q(pk=organization.pk)
    with everything("suspension comes from above"):
        inactive = Organization.objects.filter(id__in=organization.lineage).exclude(
            Q(status=Organization.Status.ACTIVE) | alone
        )
        found = {row.id: row for row in inactive.only("id", "status", "suspended_reason")}
    own = found.get(organization.id)
    return Standing(active=not found, own=own is not None, reason=own.suspended_reason if own else "")


def orders_held(organization: Organization) -> Organization | None:
    """Return the organization at or nearest above that has no new accounts for now; one query, whatever the scope."""
    with everything("no new accounts below what is held"):
        held = Organization.objects.filter(id__in=organization.lineage).exclude(orders_held_reason="")
        return held.order_by("-path").first()


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


def of_kind(kind: str, actor: Actor, *, closed: bool = True) -> QuerySet[Organization]:
    """Return the clients or the resellers below the actor's organization, with those that are closed or without."""
    rows = listed().filter(kind=kind)
    if kind != Organization.Kind.CLIENT:
        rows = rows.exclude(pk=actor.organization_id or "")
    return rows if closed else rows.exclude(status=Organization.Status.CLOSED)


def sellers() -> QuerySet[Organization]:
    """Return the active organizations in scope that can have clients."""
    return listed().exclude(kind=Organization.Kind.CLIENT).filter(status=Organization.Status.ACTIVE)


def with_mail_host() -> QuerySet[Organization]:
    """Return the sellers in scope whose own brand has a mail host, by name."""
    return sellers().exclude(brand=None).exclude(brand__mail_host="").order_by("name")


def of_actor(actor: Actor) -> Organization:
    """Return the actor's own organization."""
    return listed().get(pk=actor.organization_id)


def limits(organization: Organization) -> list[LimitCounter]:
    """Return the limits that are set for an organization, with what is used of them."""
    return list(LimitCounter.objects.filter(subject=organization.id, limit__isnull=False).order_by("resource"))
