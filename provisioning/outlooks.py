"""Resources against their limits, with their days and where they are heading, in words. It draws nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from panel.core.sizes import size
from provisioning.selectors import usage as selectors

DAYS = 30


@dataclass(frozen=True)
class Resource:
    """A resource against its limit, with its days and where it is heading; what the template draws."""

    label: str
    used: int
    limit: int | None
    days: list[selectors.Point]
    outlook: str


def resources(use: selectors.Use, days: list[selectors.Day], limits: dict[str, int | None]) -> list[Resource]:
    """Return disk space and bandwidth as the usage pages draw them."""
    kinds = (
        ("disk_bytes", _("Disk space"), "storage_bytes"),
        ("bandwidth_bytes", _("Bandwidth this month"), "web_bytes"),
    )
    return [
        Resource(label, use.of(name), limits[name], selectors.points(days, figure), outlook(days, name, limits[name]))
        for name, label, figure in kinds
    ]


def outlook(days: list[selectors.Day], name: str, limit: int | None) -> str:
    """Say in a sentence where a resource is heading; empty where nothing is to be said."""
    forecast = selectors.forecast(days, name, limit)
    if forecast is None or forecast.reached_on is None:
        return ""
    if forecast.reached_on <= days[-1].date:
        return _("The limit is reached.")
    when = date_format(forecast.reached_on)
    return _("At the present pace (%(pace)s a day) the limit is reached on %(day)s.") % {
        "pace": size(forecast.per_day),
        "day": when,
    }
