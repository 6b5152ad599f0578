"""Readings of use: when a server is measured, what a report comes to, and what is kept of it for how long."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Now, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from panel.core import audit, ids, policy, queue
from panel.core.actors import Actor
from panel.core.errors import Conflict
from provisioning.models import HostingAccount, Placement, Server, ServerReading, UsageDay, UsageMonth, UsageNow
from provisioning.selectors import usage as selectors
from provisioning.services import intents, operations, runs

MEASURE = "usage.measure"
HOLD = "server.quota"
TASK, ACCOUNT_TASK = "provisioning.tasks.measure_usage", "provisioning.tasks.measure_account"
JITTER = 0.1
PATIENCE = timedelta(minutes=30)
"""A reading that has not ended by then is given up; the node program ends its measuring after 16 minutes."""
KEEP_DAYS = 400
KEEP_READINGS = timedelta(days=31)
"""Every reading of a server is kept so long, then one a day for `KEEP_DAYS`."""
BATCH = 500
GAUGES = ("disk_bytes", "inodes", "mail_bytes", "database_bytes")
MAIL = ("mails_sent", "mails_sent_bytes", "mails_received", "mails_received_bytes")
TRAFFIC = ("web_bytes", "web_requests", *MAIL)

REASON_TOO_OLD = gettext_noop("The node program on this server is too old to measure. Set the server up again.")
REASON_FAILED = gettext_noop("The server could not be measured. This is tried again by itself.")


def request(*, actor: Actor, server: Server) -> None:
    """Measure a server with all its accounts now, or go on with a measuring that is under way."""
    policy.require(actor, "server.measure", server)
    if server.state != Server.State.READY:
        raise Conflict(_("This server is not set up yet. Set it up first."), code="not_ready")
    with transaction.atomic():
        audit.record(actor, "server.measure", server)
        ServerReading.objects.filter(server=server, finished_at__isnull=False).update(next_at=timezone.now())
        queue.ring(TASK, server.id)


def request_account(*, actor: Actor, hosting: HostingAccount) -> None:
    """Measure one account now, on every server that carries it."""
    policy.require(actor, MEASURE, hosting)
    if hosting.status == HostingAccount.Status.TERMINATED:
        raise Conflict(_("This account is terminated: there is nothing to measure."), code="terminated")
    with transaction.atomic():
        audit.record(actor, MEASURE, hosting)
        for server_id in Placement.objects.filter(hosting=hosting).values_list("server_id", flat=True).distinct():
            queue.ring(ACCOUNT_TASK, server_id, hosting.id)


def due() -> QuerySet[Server, str]:
    """Servers that can be reached and whose time has come, or that are being measured."""
    newest = ServerReading.objects.filter(server=OuterRef("pk")).order_by("-id").values("pk")[:1]
    waits = ServerReading.objects.filter(pk=OuterRef("newest"), finished_at__isnull=False, next_at__gt=Now())
    ready = Server.objects.annotate(newest=Subquery(newest)).filter(
        ~Exists(waits), state=Server.State.READY, unreachable_since__isnull=True
    )
    return ready.order_by("id").values_list("id", flat=True)


def begin(server_id: str) -> tuple[ServerReading, bool]:
    """Return the server's open reading, and whether it is a new one; one that nobody ended is given up."""
    now = timezone.now()
    minutes = settings.USAGE_MINUTES * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- spreads load
    with transaction.atomic():
        Server.objects.select_for_update(no_key=True).get(pk=server_id)
        under_way = ServerReading.objects.filter(server_id=server_id, finished_at__isnull=True)
        under_way.filter(started_at__lt=now - PATIENCE).update(finished_at=now, reason=runs.REASON_LEFT)
        found = under_way.first()
        if found is not None:
            return found, False
        next_at = now + timedelta(minutes=minutes)
        return ServerReading.objects.create(server_id=server_id, next_at=next_at), True


def since(server_id: str) -> str:
    """Return the first day whose traffic a server has to tell again: the one before the last that it told in full."""
    told = ServerReading.objects.filter(server_id=server_id, finished_at__isnull=False, reason="")
    last = told.aggregate(at=Max("started_at"))["at"]
    return "" if last is None else (last.astimezone(UTC).date() - timedelta(days=1)).isoformat()


def fail(reading: ServerReading, reason: str) -> None:
    """End a reading that could not be made."""
    ServerReading.objects.filter(pk=reading.pk, finished_at__isnull=True).update(
        finished_at=timezone.now(), reason=reason
    )


def finish(reading: ServerReading, report: Mapping[str, Any]) -> None:
    """Record what a server reported, and end its reading unless it goes on measuring."""
    figures = report["server"]
    before = selectors.server_load(reading.server)
    root: Mapping[str, int] = next(iter(figures.get("disks", [])), {})
    with transaction.atomic():
        Server.objects.select_for_update(no_key=True).get(pk=reading.server_id)
        record(reading.server_id, report)
        _forget_gone(reading.server_id, report["accounts"])
        ServerReading.objects.filter(pk=reading.pk).update(
            finished_at=None if report.get("measuring") else timezone.now(),
            load=figures["load"][1],
            processors=figures["processors"],
            memory_bytes=figures["memory_bytes"],
            memory_free_bytes=figures["memory_free_bytes"],
            disk_bytes=root.get("bytes"),
            disk_free_bytes=root.get("free_bytes"),
            figures=figures,
        )
        if (before is not None and before.is_enforced) != (figures.get("quota") == "enforced"):
            _hold(reading.server)


def _hold(server: Server) -> None:
    """Hold the accounts of a server to their disk space, or no longer, now that its file system can or cannot."""
    actor = Actor.system("disk quotas")
    operation = operations.start(
        actor=actor, verb=HOLD, subject=server.name, organization=server.organization, server=server
    )
    intents.add_server(server, operation=operation, accounts=True)
    audit.record(actor, HOLD, server)


def record(server_id: str, report: Mapping[str, Any]) -> None:
    """Keep what a server told of accounts. What is told again, late or in another order, changes nothing: sizes bear
    the time at which they were measured, and traffic is told in sums by day that only grow.
    """
    told: Mapping[str, Mapping[str, Any]] = report["accounts"]
    with transaction.atomic():
        known = set(HostingAccount._base_manager.filter(pk__in=told).values_list("pk", flat=True))
        accounts = {pk: told[pk] for pk in sorted(known)}
        at = datetime.fromtimestamp(report["at"], UTC)
        _keep_days(server_id, accounts, at)
        _keep_now(server_id, accounts, at)
        _leave_retired(accounts)


def _keep_days(server_id: str, accounts: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
    rows: dict[tuple[str, date], UsageDay] = {}
    found = UsageDay._base_manager.filter(server_id=server_id, hosting_id__in=accounts)
    wanted = {day for part in accounts.values() for day in _days(part, at)}
    for row in found.filter(date__in=wanted):
        rows[row.hosting_id, row.date] = row
    changed = []
    for pk, part in accounts.items():
        for day in sorted(_days(part, at)):
            row = rows.get((pk, day)) or UsageDay(server_id=server_id, hosting_id=pk, date=day)
            measured = _measured(row, part) if day == _measured_on(part, at) else False
            heard = _heard(row, part.get("web", {}).get(day.isoformat(), {}))
            mailed = _mailed(row, part.get("mail", {}).get(day.isoformat(), ()))
            if heard or mailed or measured:
                changed.append(row)
    UsageDay._base_manager.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["hosting", "server", "date"],
        update_fields=[*GAUGES, *TRAFFIC, "unread", "sites", "measured_at"],
    )


def _days(part: Mapping[str, Any], at: datetime) -> set[date]:
    days = {date.fromisoformat(day) for name in ("web", "mail") for day in part.get(name, {})}
    return days if _time(part) is None else days | {_measured_on(part, at)}


def _measured_on(part: Mapping[str, Any], at: datetime) -> date:
    return (_time(part) or at).date()


def _time(part: Mapping[str, Any]) -> datetime | None:
    value = part.get("measured_at")
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _measured(row: UsageDay | UsageNow, part: Mapping[str, Any]) -> bool:
    """Take over sizes that are newer than the row's; returns whether they are."""
    time = _time(part)
    sizes = {**part, "database_bytes": sum(part.get("databases", {}).values())}
    if time is None or (row.measured_at is not None and time < row.measured_at):
        return False
    fresh = {name: sizes.get(name) for name in (*GAUGES, "unread")}
    if row.measured_at == time and all(getattr(row, name) == value for name, value in fresh.items()):
        return False
    for name, value in fresh.items():
        setattr(row, name, value)
    row.measured_at = time
    return True


def _heard(row: UsageDay, told: Mapping[str, Iterable[int]]) -> bool:
    """Take over a day's sums by site where they have grown; returns whether any has."""
    sites: dict[str, list[int]] = dict(row.sites)
    for site, sums in told.items():
        before = sites.get(site, [0, 0])
        sites[site] = [max(pair) for pair in zip(before, sums, strict=True)]
    if sites == row.sites:
        return False
    row.sites = sites
    row.web_bytes = sum(sent for sent, _requests in sites.values())
    row.web_requests = sum(requests for _sent, requests in sites.values())
    return True


def _mailed(row: UsageDay, told: Sequence[int]) -> bool:
    """Take over a day's mails where they have grown; returns whether they have."""
    more = {name: count for name, count in zip(MAIL, told, strict=False) if count > getattr(row, name)}
    for name, count in more.items():
        setattr(row, name, count)
    return bool(more)


def _keep_now(server_id: str, accounts: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
    month = at.date().replace(day=1)
    known = {row.hosting_id: row for row in UsageNow._base_manager.filter(server_id=server_id, hosting__in=accounts)}
    days = UsageDay._base_manager.filter(server_id=server_id, hosting__in=accounts, date__gte=month)
    sums = {name: Sum(name) for name in TRAFFIC}
    traffic = {found["hosting_id"]: found for found in days.order_by().values("hosting_id").annotate(**sums)}
    rows = []
    for pk, part in accounts.items():
        row = known.get(pk) or UsageNow(server_id=server_id, hosting_id=pk, month=month)
        if row.month > month:
            continue
        if _measured(row, part):
            row.databases = part.get("databases", {})
        row.month = month
        for name in TRAFFIC:
            setattr(row, name, traffic.get(pk, {}).get(name, 0))
        rows.append(row)
    UsageNow._base_manager.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["hosting", "server"],
        update_fields=[*GAUGES, *TRAFFIC, "unread", "databases", "month", "measured_at"],
    )


def _leave_retired(accounts: Iterable[str]) -> None:
    """What another server has replaced carries nothing any more; its traffic stays counted."""
    rows = UsageNow._base_manager.filter(hosting__in=accounts, server__state=Server.State.RETIRED)
    rows.filter(disk_bytes__isnull=False).update(**dict.fromkeys(GAUGES), databases={})


def _forget_gone(server_id: str, told: Mapping[str, Any]) -> None:
    """Accounts whose data has left the server use nothing there any more."""
    rows = UsageNow._base_manager.filter(server_id=server_id, disk_bytes__isnull=False)
    gone = [row.pk for row in rows.only("pk", "hosting_id") if row.hosting_id not in told]
    UsageNow._base_manager.filter(pk__in=gone).update(**dict.fromkeys(GAUGES), databases={})


def prune() -> int:
    """Fold a batch of days that are older than `KEEP_DAYS` into their months, and thin out old readings of servers;
    returns how many rows went. Identifiers grow with time, so that only old rows are looked at.
    """
    now = timezone.now()
    limit = now - timedelta(days=KEEP_DAYS)
    with transaction.atomic():
        days = list(UsageDay._base_manager.filter(pk__lt=ids.first("usd", limit)).order_by("id")[:BATCH])
        _fold(days)
        UsageDay._base_manager.filter(pk__in=[day.pk for day in days]).delete()
    old = ServerReading.objects.filter(pk__lt=ids.first("rdg", now - KEEP_READINGS))
    last = old.annotate(day=TruncDate("started_at", tzinfo=UTC)).order_by().values("server", "day")
    kept = last.annotate(last=Max("pk")).values("last")
    thinned, _models = old.exclude(Q(pk__in=kept) & Q(pk__gte=ids.first("rdg", limit))).delete()
    return len(days) + thinned


def _fold(days: Iterable[UsageDay]) -> None:
    months: dict[tuple[str, date], UsageMonth] = {}
    for day in days:
        key = (day.hosting_id, day.date.replace(day=1))
        if key not in months:
            months[key] = UsageMonth._base_manager.filter(hosting_id=key[0], month=key[1]).first() or UsageMonth(
                hosting_id=key[0], month=key[1]
            )
        row = months[key]
        for name in GAUGES:
            setattr(row, name, max(getattr(row, name), getattr(day, name) or 0))
        for name in TRAFFIC:
            setattr(row, name, getattr(row, name) + getattr(day, name))
    for row in months.values():
        row.save()
