"""What a subscription used between two days, as the documents that rules rate: reported events, or measured days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import Organization
from billing.models import Meter, MeterEvent, PricePoint, Subscription
from billing.pricing import calendar
from billing.pricing.rules import Rule
from billing.pricing.usage import Event, Feed, Usage
from provisioning.models import UsageDay

GB = 10**9
DAY = timedelta(days=1)
LATE = timedelta(days=185)
"""Use is taken when it is told by so long after it began."""
CARRIED_DAYS = 3
"""A day without a reading has the size of the last one before, if that is no older than this."""


@dataclass(frozen=True)
class Scope:
    """Whose use of what: a subscription's, counted by a meter, in periods of `months` from `anchor` on."""

    subscription: Subscription
    meter: Meter
    zone: str
    anchor: date
    months: int

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a day of the seller begins."""
        return datetime.combine(day, time(), ZoneInfo(self.zone))

    def document(self, rule: Rule, start: date, end: date, told_by: date) -> Usage:
        """Return what was used from `start` until before `end`, with the feeds that `rule` reads: what was told before
        the day `told_by`, or what was measured, whenever that was.
        """
        first, last = self.midnight(start), self.midnight(end)
        is_told = self.meter.source == Meter.Source.API
        found = self._reported(first, last, self.midnight(told_by)) if is_told else self._measured(start, end)
        since = self.subscription.customer.since
        return Usage(first, last, since, tuple(found), feeds_of(self.meter.organization, rule, first, last), self.zone)

    def events(self) -> QuerySet[MeterEvent]:
        """Return the events that were reported for it."""
        return MeterEvent.objects.filter(
            customer=self.subscription.customer_id, meter=self.meter, subscription=self.subscription
        )

    def _reported(self, first: datetime, last: datetime, told_by: datetime) -> list[Event]:
        """What went on when it was told has begun no longer than LATE before, so that no older event is looked at."""
        rows = self.events().filter(at__gte=first - LATE - DAY, at__lt=last, received_at__lt=told_by)
        rows = rows.filter(Q(at__gte=first) | Q(ends_at__gt=first))
        return [as_event(row) for row in rows.order_by("at", "id").iterator()]

    def _measured(self, start: date, end: date) -> list[Event]:
        """A day (UTC) counts for the seller's day of the same date."""
        rows = _days(self.subscription, start, end)
        if self.meter.source == Meter.Source.BANDWIDTH:
            return [
                Event(self.midnight(day), Fraction(reading.sent, GB), {"account": hosting})
                for (hosting, _server), days in rows.items()
                for day, reading in days.items()
                if day >= start and reading.sent
            ]
        return [
            Event(self.midnight(day), Fraction(size, GB * self._length(day)), {"account": hosting})
            for (hosting, _server), days in rows.items()
            for day, size in _carried(days, start, end)
        ]

    def _length(self, day: date) -> int:
        """Return how many days the period has that `day` lies in: a day's size counts with its share of them."""
        first, last = calendar.period_at(self.anchor, self.months, day)
        return (last - first).days


def as_event(row: MeterEvent) -> Event:
    """Return what a reported event is to a rule."""
    if row.starts_at is not None and row.ends_at is not None:
        span = row.ends_at - row.starts_at
        seconds = Fraction(span.days * 86400 + span.seconds) + Fraction(span.microseconds, 1_000_000)
        return Event(row.starts_at, seconds, row.dimensions, 1, row.ends_at)
    return Event(row.at, Fraction(row.quantity or 0), row.dimensions)


def feeds_of(seller: Organization, rule: Rule, first: datetime, last: datetime) -> dict[str, Feed]:
    """Return the feeds that a rule reads, in its currency, with the prices that use between two instants can need: from
    the last one on that held a segment before `first`. Two queries for each feed.
    """
    found = {}
    early = first - timedelta(seconds=float(rule.segment))
    for name in filter(None, (rule.feed, rule.cap_feed)):
        points = PricePoint.objects.filter(
            feed__organization=seller, feed__name__iexact=name, feed__currency=rule.currency, instant__lt=last
        )
        before = points.filter(instant__lte=early).order_by("-instant").values_list("instant", "price")[:1]
        rows = [*before, *points.filter(instant__gt=early).order_by("instant").values_list("instant", "price")]
        found[name] = Feed(tuple(row[0].astimezone(UTC) for row in rows), tuple(Fraction(row[1]) for row in rows))
    return found


@dataclass(frozen=True)
class _Reading:
    """The size that was read on a day (None: not read), the bytes sent on it, and the day its account was ended."""

    size: int | None
    sent: int
    ended_on: date | None


def _days(subscription: Subscription, start: date, end: date) -> dict[tuple[str, str], dict[date, _Reading]]:
    """Return what was measured on each day, by account and server; one query.

    Of a reseller's subscription without an account of its own it is all accounts below the reseller; a client's counts
    nothing before it has an account.
    """
    buyer = subscription.customer.buyer
    if not subscription.hosting_id and buyer.kind != Organization.Kind.RESELLER:
        return {}
    rows = UsageDay.objects.filter(date__gte=start - timedelta(days=CARRIED_DAYS), date__lt=end)
    if subscription.hosting_id:
        rows = rows.filter(hosting=subscription.hosting_id)
    else:
        rows = rows.filter(hosting__organization__path__startswith=buyer.path)
    found: dict[tuple[str, str], dict[date, _Reading]] = {}
    names = ("hosting_id", "server_id", "date", "disk_bytes", "database_bytes", "web_bytes", "hosting__terminated_at")
    for hosting, server, day, disk, databases, sent, ended in rows.order_by("date").values_list(*names):
        size = None if disk is None else disk + (databases or 0)
        reading = _Reading(size, sent, ended.astimezone(UTC).date() if ended else None)
        found.setdefault((hosting, server), {})[day] = reading
    return found


def _carried(readings: dict[date, _Reading], start: date, end: date) -> Iterator[tuple[date, int]]:
    """Yield the size of each day from `start` until before `end`; a day without one has that of the last before."""
    known = [(day, reading) for day, reading in sorted(readings.items()) if reading.size is not None]
    for position, (day, reading) in enumerate(known):
        until = known[position + 1][0] if position + 1 < len(known) else min(end, (reading.ended_on or end) + DAY)
        for offset in range(min((until - day).days, CARRIED_DAYS + 1)):
            at = day + timedelta(days=offset)
            if start <= at and reading.size:
                yield at, reading.size
