"""What is used of a reseller's plan, as home pages tell it: by day, against the limits, and what is over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from time import time

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import words as amounts
from accounts.models import Organization
from accounts.selectors import limits
from panel.core.actors import Actor
from panel.dashboard import words
from provisioning import outlooks
from provisioning.models import Overuse
from provisioning.selectors import hosting_accounts, overuse, usage

MOST_SHOWN = 8
PACE_DAYS = 30
"""A forecast of accounts goes on as the last so many days went."""
DAYS_KEPT_SECONDS = 600
"""A chart of ten thousand accounts sums up a hundred thousand rows and more: it is kept so long for the same use."""


@dataclass(frozen=True)
class Line:
    """One limit of a plan: use against it, where that is heading, and why one more would be refused.

    Of what may be sold more than once, the use is what is measured.
    """

    label: str
    used: int
    limit: int
    kind: str
    forecast: str = ""
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """A resource of which a reseller really uses more than its plan has, what follows from it, and where it is told."""

    text: str
    consequence: str
    since: datetime
    url: str


def resources(own: Organization) -> list[outlooks.Resource]:
    """Return the disk space and bandwidth of everything below an organization, with their days."""
    use = usage.totals(own)
    days = list(_days(own, use, usage.today(), int(time() // DAYS_KEPT_SECONDS)))
    return outlooks.resources(use, days, usage.limits_of_organization(own))


def lines(own: Organization, measured: list[outlooks.Resource]) -> list[Line]:
    """Return the limits of an organization's plan with their use and forecast; `measured` is what `resources` returns.

    Accounts go on as in the last PACE_DAYS; what is oversold goes on as it was measured.
    """
    real = dict(zip(usage.LIMITED, measured, strict=True))
    found = []
    for line in limits.of_organization(own):
        if line.source == "oversold":
            note = _("Sold more than once: what is really used counts.")
            resource = real[line.resource]
            if resource.limit is not None:
                found.append(Line(line.label, resource.used, resource.limit, line.kind, resource.outlook, note))
        elif line.limit is not None:
            forecast = _forecast(own, line) if line.resource == "accounts" else ""
            found.append(Line(line.label, line.used, line.limit, line.kind, forecast, line.why_not))
    return found


def notices(actor: Actor) -> list[Notice]:
    """Return what is over within the scope, one's own first; one query."""
    found = sorted(overuse.listed(), key=lambda row: (row.organization_id != actor.organization_id, row.created_at))
    return [_notice(row, row.organization_id == actor.organization_id) for row in found[:MOST_SHOWN]]


def days_left(used: int, limit: int | None, gained: int) -> int | None:
    """Return in how many days a limit is full when as much is added each day as in the last PACE_DAYS on average.

    None where it never would be, or only after a year, of which nothing can be said.
    """
    if limit is None or gained <= 0 or used >= limit:
        return None
    days = round((limit - used) * PACE_DAYS / gained)
    return days if days <= 365 else None


def _notice(row: Overuse, own: bool) -> Notice:
    values = {
        "name": row.organization.name,
        "used": amounts.amount(row.resource, row.used),
        "resource": amounts.within(row.resource),
        "limit": amounts.amount(row.resource, row.limit),
    }
    text = (
        _("You use more than your plan has: %(used)s of %(limit)s (%(resource)s).")
        if own
        else _("%(name)s uses more than its plan has: %(used)s of %(limit)s (%(resource)s).")
    )
    url = reverse("accounts:own_limits") if own else reverse("accounts:reseller", args=[row.organization_id])
    plan = row.organization.plan
    return Notice(text % values, words.overuse(plan.overuse, own) if plan else "", row.created_at, url)


def _forecast(own: Organization, line: limits.Line) -> str:
    since = timezone.now() - timedelta(days=PACE_DAYS)
    days = days_left(line.used, line.limit, hosting_accounts.below(own).filter(created_at__gte=since).count())
    if days is None:
        return ""
    text = ngettext("Full in %(count)s day at this pace", "Full in %(count)s days at this pace", days)
    return text % {"count": days}


@lru_cache(maxsize=256)
def _days(own: Organization, use: usage.Use, _day: date, _turn: int) -> tuple[usage.Day, ...]:
    """Sum up the days that lead to `use`. Whatever is measured, made or moved gives another use, and other days; what
    does not, such as late traffic of a month that is over, waits for the next turn.
    """
    return tuple(usage.days_of(own, outlooks.DAYS))
