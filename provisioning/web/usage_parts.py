"""What pages of use draw: resources against their limits, where they are heading, and how a server stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from panel.core.sizes import size
from provisioning.models import Server
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
        ("bandwidth_bytes", _("Traffic this month"), "web_bytes"),
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


def of_server(server: Server) -> dict[str, Any]:
    """Return what a server's page shows of its load: the newest reading, its gauges and the days of its accounts."""
    reading = selectors.server_load(server)
    days = selectors.days_of(server, DAYS)
    gauges: list[tuple[str, int, int]] = []
    if reading is not None:
        memory, free = reading.memory_bytes or 0, reading.memory_free_bytes or 0
        gauges.append((_("Memory"), memory - free, memory))
        for disk in reading.figures.get("disks", []):
            label = _("Disk %(path)s") % {"path": disk["path"]}
            gauges.append((label, disk["bytes"] - disk["free_bytes"], disk["bytes"]))
    return {
        "reading": reading,
        "gauges": gauges,
        "use": selectors.totals(server),
        "storage": selectors.points(days, "storage_bytes"),
        "traffic": selectors.points(days, "web_bytes"),
    }
