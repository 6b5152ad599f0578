"""What the limits of organizations say, line by line: use, limit, whose it is, and why one more would be refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import words
from accounts.models import LimitCounter, LimitUse, Organization, ResellerPlan
from accounts.selectors import plans
from panel.core.errors import LimitReached
from panel.core.scoping import everything

#: Where a limit comes from → how that is said.
SOURCES: dict[str, str | Promise] = {
    "plan": gettext_lazy("Plan"),
    "package": gettext_lazy("Package"),
    "override": gettext_lazy("Exception for this account"),
    "oversold": gettext_lazy("What is really used counts, against"),
    "limit": gettext_lazy("Set for this organization"),
    "none": gettext_lazy("No limit"),
}


@dataclass(frozen=True)
class Line:
    """One resource: use and limit (None: unlimited), the limit's source, and the refusal that one more would meet."""

    resource: str
    used: int
    limit: int | None
    source: str
    level: str
    refusal: LimitReached | None
    reason: str = ""

    @property
    def label(self) -> str:
        """The resource in the reader's language."""
        return words.resource(self.resource)

    @property
    def source_words(self) -> str:
        """Where the limit comes from, in the reader's language."""
        return str(SOURCES[self.source])

    @property
    def one_more(self) -> bool:
        """Whether one more would be accepted."""
        return self.refusal is None

    @property
    def why_not(self) -> str:
        """Why one more would be refused, and what would allow it; empty when it would be accepted."""
        return self.refusal.message if self.refusal else ""

    @property
    def kind(self) -> str:
        """How amounts are written: `bytes` or `count`."""
        return "bytes" if self.resource.endswith("_bytes") else "count"


def of_organization(organization: Organization) -> list[Line]:
    """Return a line for each resource that is counted for an organization and everything below it."""
    counters, plan = along(organization), plans.of_reseller(organization)
    with everything("limits are summed over the subtree"):
        below = LimitUse.objects.filter(organization__path__startswith=organization.path)
        held = dict(below.values_list("resource").annotate(total=Sum("amount")))
    lines = []
    for resource in ResellerPlan.TOTALS:
        own = counters.get((organization.id, resource))
        limit = own.limit if own else None
        source = "none" if limit is None else "plan" if organization.plan_id else "limit"
        total = getattr(plan, resource) if plan and resource in plan.oversold else None
        if total is not None:
            source = "oversold"
        way = (counters[key, resource] for key in organization.lineage if (key, resource) in counters)
        lines.append(
            Line(
                resource,
                held.get(resource, 0),
                limit,
                source,
                "organization",
                first_refusal(way, organization),
                "" if total is None else words.amount(resource, total),
            )
        )
    return lines


def along(organization: Organization, *subjects: str) -> dict[tuple[str, str], LimitCounter]:
    """Return the counters with a limit of an organization, its ancestors and `subjects`, by subject and resource."""
    rows = LimitCounter.objects.filter(subject__in=[*organization.lineage, *subjects])
    return {(row.subject, row.resource): row for row in rows if row.limit is not None or row.subject in subjects}


def first_refusal(counters: Iterable[LimitCounter], organization: Organization) -> LimitReached | None:
    """Return the refusal that one more would meet, counters given from the root to the leaf; None if it would pass."""
    found = (refusal(counter, 1, endless=False, organization=organization) for counter in counters)
    return next((item for item in found if item), None)


def refusal(counter: LimitCounter, amount: int, *, endless: bool, organization: Organization) -> LimitReached | None:
    """Return the refusal of `amount` more (`endless`: of an unlimited amount), as `organization` is told it."""
    if counter.limit is None or not (endless or (amount > 0 and counter.used + amount > counter.limit)):
        return None
    whose = level(counter.subject, organization)
    return LimitReached(
        rule=counter.resource,
        level=str(words.LEVELS[whose]),
        used=counter.used,
        limit=counter.limit,
        wanted=None if endless else amount,
        name=words.within(counter.resource),
        remedy=words.remedy(counter.resource, whose),
    )


def level(subject: str, organization: Organization) -> str:
    """Return whose limit a counter of `subject` is, seen from `organization`, as a key of words.LEVELS."""
    if subject not in organization.lineage:
        return "account"
    if subject == organization.id:
        return "organization"
    return "provider" if subject == organization.lineage[0] else "reseller"
