"""What pages of use draw of a server: how it stands, and the days of its accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from provisioning.models import Server
from provisioning.outlooks import DAYS
from provisioning.selectors import usage as selectors
from provisioning.services import usage as service
from provisioning.web.tables import UsageDayTable


def days_of(server: Server) -> tuple[list[object], Iterator[list[object]]]:
    """Return the head and the lines of a file of all days of a server's accounts, newest first, sizes in bytes."""
    columns = UsageDayTable.base_columns
    return [column.verbose_name for column in columns.values()], _lines(server, list(columns))


def _lines(server: Server, names: list[str]) -> Iterator[list[object]]:
    for day in selectors.history_of(server, service.KEEP_DAYS):
        yield [getattr(day, name) for name in names]


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
