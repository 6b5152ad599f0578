"""Reseller plans: on sale, of a reseller, and what a change of one would do to those who have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.models import LimitUse, Organization, ResellerPlan
from accounts.models.plans import FEATURES
from panel.core.scoping import everything


@dataclass(frozen=True)
class Over:
    """A reseller that uses more of a resource than a limit would allow."""

    organization: Organization
    resource: str
    used: int
    limit: int


def listed() -> QuerySet[ResellerPlan]:
    """Plans on sale within the scope, with the number of resellers that have each (`reseller_count`)."""
    live = ~Q(resellers__status=Organization.Status.CLOSED)
    return (
        ResellerPlan.objects.filter(archived_at__isnull=True)
        .select_related("organization")
        .annotate(reseller_count=Count("resellers", filter=live, distinct=True))
    )


def sold_by(organization: Organization) -> QuerySet[ResellerPlan]:
    """Plans on sale of one seller."""
    return listed().filter(organization=organization)


def for_reseller(organization: Organization) -> QuerySet[ResellerPlan]:
    """Plans on sale within the scope that a reseller can have: those of the organizations above it."""
    return listed().filter(organization__in=organization.lineage[:-1])


def of_reseller(organization: Organization) -> ResellerPlan | None:
    """Return the plan that a reseller has, whatever the scope; None for one without."""
    if not organization.plan_id:
        return None
    with everything("a plan belongs to whoever sells it"):
        return ResellerPlan.objects.get(pk=organization.plan_id)


def above(organization: Organization) -> list[ResellerPlan]:
    """Return the plans that an organization lives under, its own and those of its ancestors, root first."""
    with everything("plans of ancestors"):
        rows = Organization.objects.filter(id__in=organization.lineage, plan__isnull=False).select_related("plan")
        return [row.plan for row in sorted(rows, key=lambda row: row.path) if row.plan]


def features(organization: Organization) -> frozenset[str]:
    """Return the features that an organization can sell or have: those that every plan above it has."""
    found = frozenset(FEATURES)
    for plan in above(organization):
        found &= frozenset(plan.features)
    return found


def resellers_on(plan: ResellerPlan) -> list[Organization]:
    """Return the resellers that have a plan and are not closed."""
    with everything("a plan's resellers"):
        return list(plan.resellers.exclude(status=Organization.Status.CLOSED).order_by("path"))


def overs(resellers: list[Organization], limits: Mapping[str, int | None]) -> list[Over]:
    """Return which of `resellers` hold more than `limits` would allow, of what; in one query."""
    wanted = {name: limit for name, limit in limits.items() if limit is not None}
    if not resellers or not wanted:
        return []
    below = Q()
    for row in resellers:
        below |= Q(organization__path__startswith=row.path)
    uses = LimitUse.objects.filter(below, resource__in=wanted, amount__gt=0)
    held: dict[tuple[str, str], int] = {}
    for path, resource, amount in uses.values_list("organization__path", "resource", "amount"):
        for row in resellers:
            if path.startswith(row.path):
                held[row.id, resource] = held.get((row.id, resource), 0) + amount
    return [
        Over(row, name, held[row.id, name], limit)
        for row in resellers
        for name, limit in wanted.items()
        if held.get((row.id, name), 0) > limit
    ]
