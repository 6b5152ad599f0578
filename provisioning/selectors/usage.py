"""What is used, as pages, the API and plans read it: now, by day, in sums, and when a limit will be reached."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.models import LimitCounter, Organization
from accounts.selectors import plans
from provisioning.models import HostingAccount, Placement, Server, ServerReading, UsageDay, UsageNow

GAUGES = ("disk_bytes", "inodes", "mail_bytes", "database_bytes")
MAIL = ("mails_sent", "mails_sent_bytes", "mails_received", "mails_received_bytes")
TRAFFIC = ("web_bytes", "web_requests", *MAIL)
LIMITED = ("disk_bytes", "bandwidth_bytes")
"""Resources of which what is measured stands against a limit."""
FORECAST_DAYS = 30
FEWEST_DAYS = 3
"""A trend is told from so many days on."""
FARTHEST = 3650


@dataclass(frozen=True)
class Use:
    """What is used now; sizes in bytes, `mail_bytes` is a part of `disk_bytes`.

    Traffic of the web and mails are those of this month (UTC). `measured_at` is the oldest reading that it rests on,
    None before the first. `accounts` counts those that were measured.
    """

    disk_bytes: int = 0
    inodes: int = 0
    mail_bytes: int = 0
    database_bytes: int = 0
    web_bytes: int = 0
    web_requests: int = 0
    mails_sent: int = 0
    mails_sent_bytes: int = 0
    mails_received: int = 0
    mails_received_bytes: int = 0
    unread: int = 0
    accounts: int = 0
    measured_at: datetime | None = None

    @property
    def storage_bytes(self) -> int:
        """Files, mail and databases together: what a limit of disk space counts."""
        return self.disk_bytes + self.database_bytes

    def of(self, resource: str) -> int:
        """Return what counts against a limit of `disk_bytes` or `bandwidth_bytes`."""
        return self.storage_bytes if resource == "disk_bytes" else self.web_bytes


@dataclass(frozen=True)
class Day:
    """One day (UTC); sizes as they were measured last by its end, None before the first reading."""

    date: date
    disk_bytes: int | None = None
    inodes: int | None = None
    mail_bytes: int | None = None
    database_bytes: int | None = None
    web_bytes: int = 0
    web_requests: int = 0
    mails_sent: int = 0
    mails_sent_bytes: int = 0
    mails_received: int = 0
    mails_received_bytes: int = 0

    @property
    def storage_bytes(self) -> int | None:
        """Files, mail and databases together."""
        return None if self.disk_bytes is None else self.disk_bytes + (self.database_bytes or 0)


@dataclass(frozen=True)
class Point:
    """A day and a figure, as charts draw them."""

    date: date
    value: int


@dataclass(frozen=True)
class Forecast:
    """Where a resource is heading: bytes a day, and the day on which the limit is reached (None: not foreseeable)."""

    per_day: int
    reached_on: date | None


Subject = HostingAccount | Organization | Server


def today() -> date:
    """Return the day that readings are counted for now."""
    return timezone.now().astimezone(UTC).date()


def now_of(hostings: Collection[HostingAccount]) -> dict[str, Use]:
    """Return what each of some accounts uses, by account id; one query. What was never measured is all zero."""
    found = {hosting.pk: Use() for hosting in hostings}
    rows = _summed(UsageNow.objects.filter(hosting__in=list(found)), "hosting")
    found.update({row["hosting"]: _use(row) for row in rows})
    return found


def totals(subject: Organization | Server) -> Use:
    """Return what all accounts of an organization and of all below it use, or those on a server; one query."""
    rows = _summed(_of(UsageNow.objects.all(), subject))
    return _use(rows[0]) if rows else Use()


def totals_of(organizations: Collection[Organization]) -> dict[str, Use]:
    """Return `totals` of several organizations of which none is below another, by id; one query."""
    paths = {organization.path: organization.pk for organization in organizations}
    found = dict.fromkeys(paths.values(), Use())
    under = Q(pk__in=[])
    for path in paths:
        under |= Q(hosting__organization__path__startswith=path)
    for row in _summed(UsageNow.objects.filter(under), "hosting__organization__path"):
        owner = next(pk for path, pk in paths.items() if row["hosting__organization__path"].startswith(path))
        found[owner] = _added(found[owner], _use(row))
    return found


def days_of(subject: Subject, days: int = 30) -> list[Day]:
    """Return the last `days` days of an account, an organization with all below it, or a server, oldest first; two
    queries. A day without a reading has the sizes of the one before.
    """
    last = today()
    first = last - timedelta(days=days - 1)
    rows = _of(UsageDay.objects.all(), subject).filter(date__gte=first - timedelta(days=FORECAST_DAYS), date__lte=last)
    sums = {name: Sum(name) for name in (*GAUGES, *TRAFFIC)}
    by_day: dict[date, dict[str, Any]] = {
        row["date"]: row for row in rows.order_by("date").values("date").annotate(**sums)
    }
    found: list[Day] = []
    sizes = Day(first)
    for offset in range(-FORECAST_DAYS, days):
        day = first + timedelta(days=offset)
        row = by_day.get(day, {})
        if row.get("disk_bytes") is not None:
            sizes = Day(day, *(row[name] for name in GAUGES))
        if offset >= 0:
            found.append(replace(sizes, date=day, **{name: row.get(name) or 0 for name in TRAFFIC}))
    return found


def history_of(subject: Subject, days: int) -> list[Day]:
    """Return `days_of` newest first, from the first day on of which anything is known; two queries."""
    found = days_of(subject, days)
    first = next((n for n, day in enumerate(found) if day != Day(day.date)), len(found))
    return found[: first - 1 if first else None : -1]


def points(days: Iterable[Day], name: str) -> list[Point]:
    """Return one figure of some days, such as `storage_bytes`, without the days on which it was not known."""
    return [Point(day.date, value) for day in days if (value := getattr(day, name)) is not None]


def sites_of(hosting: HostingAccount) -> list[tuple[str, int, int]]:
    """Return site, bytes and requests of this month (UTC) of an account, most traffic first; one query."""
    rows = UsageDay.objects.filter(hosting=hosting, date__gte=today().replace(day=1))
    sums: dict[str, tuple[int, int]] = {}
    for sites in rows.values_list("sites", flat=True):
        for site, (sent, requests) in sites.items():
            before = sums.get(site, (0, 0))
            sums[site] = (before[0] + sent, before[1] + requests)
    return sorted(((site, *pair) for site, pair in sums.items()), key=lambda item: (-item[1], item[0]))


def databases_of(hosting: HostingAccount) -> dict[str, int]:
    """Return the bytes of each database of an account, by name, as measured last; one query."""
    found: dict[str, int] = {}
    for sizes in UsageNow.objects.filter(hosting=hosting).values_list("databases", flat=True):
        found.update(sizes)
    return found


def server_load(server: Server) -> ServerReading | None:
    """Return the newest reading of a server that told how it stands; None before the first."""
    return ServerReading.objects.filter(server=server, load__isnull=False).first()


def loads(servers: Collection[Server]) -> dict[str, ServerReading]:
    """Return `server_load` of several servers, by id; one query."""
    told = ServerReading.objects.filter(server=OuterRef("pk"), load__isnull=False).order_by("-id").values("pk")[:1]
    newest = Server.objects.filter(pk__in=[server.pk for server in servers]).values_list(Subquery(told))
    return {reading.server_id: reading for reading in ServerReading.objects.filter(pk__in=newest)}


def readings(server: Server, days: int = 30) -> QuerySet[ServerReading]:
    """Return the readings of a server's last days, oldest first."""
    first = timezone.now() - timedelta(days=days)
    return ServerReading.objects.filter(server=server, load__isnull=False, started_at__gte=first).order_by("id")


def enforced_on(servers: Collection[Server]) -> dict[str, bool]:
    """Return, by server id, whether accounts are held to their disk space there; left out: not known yet."""
    return {pk: reading.is_enforced for pk, reading in loads(servers).items()}


def held_to(server: Server, hosting_ids: Collection[str], using: str) -> dict[str, int | None]:
    """Return the disk space that the kernel of `server` is to hold accounts to, by id, None for unlimited; empty where
    it holds nobody to anything.
    """
    told = ServerReading.objects.using(using).filter(server=server, load__isnull=False).order_by("-id").first()
    if told is None or not told.is_enforced:
        return {}
    counters = LimitCounter.objects.using(using).filter(subject__in=hosting_ids, resource="disk_bytes")
    return dict(counters.values_list("subject", "limit"))


def is_enforced(hosting: HostingAccount) -> bool | None:
    """Tell whether the server that carries an account's files holds it to its disk space; None: not known yet."""
    placed = Placement.objects.filter(hosting=hosting, service__in=(Placement.Service.WEB, Placement.Service.MAIL))
    told = ServerReading.objects.filter(server__in=placed.values("server"), load__isnull=False).order_by("-id").first()
    return None if told is None else told.is_enforced


def limits_of(hosting: HostingAccount) -> dict[str, int | None]:
    """Return the limits of what is measured of an account, exceptions included; None is unlimited; one query."""
    return limits_of_all([hosting])[hosting.pk]


def limits_of_all(hostings: Iterable[HostingAccount]) -> dict[str, dict[str, int | None]]:
    """Return `limits_of` several accounts, by id; one query."""
    found = {row.pk: {name: getattr(row.package, name) for name in LIMITED} for row in hostings}
    counters = LimitCounter.objects.filter(subject__in=list(found), resource__in=LIMITED)
    for subject, resource, limit in counters.values_list("subject", "resource", "limit"):
        found[subject][resource] = limit
    return found


def limits_of_organization(organization: Organization) -> dict[str, int | None]:
    """Return what stands against what an organization really uses: its limits, and of what it may sell more than once,
    what its plan has; None is unlimited. At most two queries.
    """
    found: dict[str, int | None] = dict.fromkeys(LIMITED)
    counters = LimitCounter.objects.filter(subject=organization.pk, resource__in=LIMITED)
    found.update(counters.values_list("resource", "limit"))
    plan = plans.of_reseller(organization)
    if plan is not None:
        found.update((name, getattr(plan, name)) for name in plan.oversold)
    return found


def forecast(days: Sequence[Day], resource: str, limit: int | None) -> Forecast | None:
    """Tell where a resource is heading at the pace of the given days; None when too few are known.

    Disk space by the straight line that fits best; bandwidth by this month's pace, which counts from its first day.
    """
    if resource == "bandwidth_bytes":
        return _pace(days, limit)
    known = points(days, "storage_bytes")
    if len(known) < FEWEST_DAYS:
        return None
    slope = _slope([((point.date - known[0].date).days, point.value) for point in known])
    return Forecast(round(slope), _reached(known[-1].date, known[-1].value, slope, limit))


def _slope(pairs: Sequence[tuple[int, int]]) -> float:
    """The slope of the least squares line."""
    mean_x = sum(x for x, _y in pairs) / len(pairs)
    mean_y = sum(y for _x, y in pairs) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _y in pairs)
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread


def _reached(start: date, value: int, slope: float, limit: int | None) -> date | None:
    if limit is None:
        return None
    if value >= limit:
        return start
    if slope <= 0 or (limit - value) / slope > FARTHEST:
        return None
    return start + timedelta(days=-int(-(limit - value) // slope))


def _pace(days: Sequence[Day], limit: int | None) -> Forecast | None:
    if not days:
        return None
    last = days[-1].date
    used = sum(day.web_bytes for day in days if (day.date.year, day.date.month) == (last.year, last.month))
    per_day = used / last.day
    end = last.replace(day=calendar.monthrange(last.year, last.month)[1])
    reached = _reached(last, used, per_day, limit)
    return Forecast(round(per_day), reached if reached is not None and reached <= end else None)


def _of(rows: QuerySet[Any], subject: Subject) -> QuerySet[Any]:
    if isinstance(subject, HostingAccount):
        return rows.filter(hosting=subject)
    if isinstance(subject, Server):
        return rows.filter(server=subject)
    return rows.filter(hosting__organization__path__startswith=subject.path)


def _summed(rows: QuerySet[UsageNow], *by: str) -> list[dict[str, Any]]:
    """Sum up rows of `UsageNow`; the traffic of a month that is over is none of this one's."""
    this_month, measured = Q(month=today().replace(day=1)), Q(disk_bytes__isnull=False)
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in (*GAUGES, "unread")}
    sums |= {f"sum_{name}": Sum(name, filter=this_month) for name in TRAFFIC}
    sums["counted"] = Count("hosting", filter=measured, distinct=True)
    sums["oldest"] = Min("measured_at", filter=measured)
    grouped = rows.order_by()
    if by:
        return list(grouped.values(*by).annotate(**sums))
    return [grouped.aggregate(**sums)]


def _use(row: Mapping[str, Any]) -> Use:
    return Use(
        **{name: row[f"sum_{name}"] or 0 for name in (*GAUGES, *TRAFFIC, "unread")},
        accounts=row["counted"],
        measured_at=row["oldest"],
    )


def _added(one: Use, other: Use) -> Use:
    names = (*GAUGES, *TRAFFIC, "unread", "accounts")
    times = [use.measured_at for use in (one, other) if use.measured_at is not None]
    sums = {name: getattr(one, name) + getattr(other, name) for name in names}
    return replace(one, **sums, measured_at=min(times, default=None))
