"""A usage document: what a customer used in a period, as events. Read from JSON and checked whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from billing.pricing.calendar import add_months
from billing.pricing.rules import YEARS, RuleInvalid, day, exact

KEYS = frozenset("customer_since period time_zone feeds events".split())
EVENT_KEYS = frozenset("source id at start end seconds quantity repeat dims".split())


@dataclass(frozen=True)
class Event:
    """One use, or `repeat` identical ones. `start` and `end` where it is known from when to when it went on."""

    at: datetime
    quantity: Fraction
    dimensions: Mapping[str, str] = field(default_factory=dict)
    repeat: int = 1
    end: datetime | None = None


@dataclass(frozen=True)
class Feed:
    """Prices by the instants from which they hold, oldest first."""

    instants: tuple[datetime, ...]
    prices: tuple[Fraction, ...]

    def at(self, instant: datetime) -> Fraction | None:
        """Return the price in force at an instant; None before the first."""
        index = bisect_right(self.instants, instant)
        return self.prices[index - 1] if index else None


@dataclass(frozen=True)
class Usage:
    """What was used in [start, end), each event once. Windows and months are those of `time_zone`."""

    start: datetime
    end: datetime
    customer_since: date
    events: tuple[Event, ...]
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    time_zone: str = "UTC"

    def expiry(self, months: int) -> datetime:
        """Return the instant from which on an allowance of `months` is over: a midnight of the seller."""
        return self.midnight(add_months(self.customer_since, months))

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a day of the seller begins."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))


def parse(document: object) -> Usage:
    """Return the usage that a JSON document says; an event that is there again counts once. Raises RuleInvalid."""
    if not isinstance(document, Mapping):
        raise RuleInvalid("", "give an object of keys and values.")
    unknown = sorted(set(document) - KEYS)
    if unknown:
        raise RuleInvalid(unknown[0], f"a usage document has no such key; it has {', '.join(sorted(KEYS))}.")
    period = document.get("period")
    if not isinstance(period, list) or len(period) != 2:
        raise RuleInvalid("period", "give its start, and its end that is not included.")
    start, end = instant("period.0", period[0]), instant("period.1", period[1])
    if start >= end:
        raise RuleInvalid("period", "it ends after it starts.")
    zone = document.get("time_zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ValueError, TypeError, OSError, LookupError) as error:
        raise RuleInvalid("time_zone", "give the name of a time zone, as in Europe/Vienna.") from error
    since = day("customer_since", document.get("customer_since"))
    return Usage(start, end, since, _events(document.get("events", [])), _feeds(document), zone)


def instant(key: str, value: object) -> datetime:
    """Return an instant of ISO 8601 that names its offset; raises RuleInvalid."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not YEARS[0] < moment.year < YEARS[1]:
        raise RuleInvalid(key, "give an instant with its offset, as in 2026-03-05T12:00:00Z.")
    return moment.astimezone(UTC)


def _feeds(document: Mapping[str, Any]) -> dict[str, Feed]:
    value = document.get("feeds", {})
    if not isinstance(value, Mapping):
        raise RuleInvalid("feeds", "give lists of instant and price by name.")
    feeds = {}
    for name, rows in value.items():
        key = f"feeds.{name}"
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
            raise RuleInvalid(key, "give a list of instant and price.")
        pairs = sorted((instant(key, row[0]), exact(key, row[1])) for row in rows)
        feeds[str(name)] = Feed(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
    return feeds


def _events(value: object) -> tuple[Event, ...]:
    if not isinstance(value, list):
        raise RuleInvalid("events", "give a list.")
    seen: dict[tuple[str, str], Event] = {}
    for index, item in enumerate(value):
        key = f"events.{index}"
        name, event = _event(key, item)
        if seen.setdefault(name, event) != event:
            raise RuleInvalid(key, "another event has this source and id.")
    return tuple(seen.values())


def _event(key: str, item: object) -> tuple[tuple[str, str], Event]:
    if not isinstance(item, Mapping) or not set(item) <= EVENT_KEYS:
        raise RuleInvalid(key, f"an event has {', '.join(sorted(EVENT_KEYS))}.")
    source, identity = item.get("source"), item.get("id")
    if not (isinstance(source, str) and isinstance(identity, str) and source and identity):
        raise RuleInvalid(key, "source and id name the event.")
    repeat = item.get("repeat", 1)
    if type(repeat) is not int or repeat < 1:
        raise RuleInvalid(f"{key}.repeat", "give a whole number from 1.")
    dimensions = item.get("dims", {})
    if not isinstance(dimensions, Mapping) or not all(isinstance(part, str) for part in dimensions.values()):
        raise RuleInvalid(f"{key}.dims", "give names of dimensions with their values, as text.")
    if len({"quantity", "seconds", "start"} & set(item)) != 1 or ("start" in item) == ("at" in item):
        raise RuleInvalid(key, "give either at with quantity or seconds, or start and end.")
    if "start" in item:
        start, end = instant(f"{key}.start", item.get("start")), instant(f"{key}.end", item.get("end"))
        if end < start:
            raise RuleInvalid(key, "it ends before it starts.")
        span = end - start
        seconds = Fraction(span.days * 86400 + span.seconds) + Fraction(span.microseconds, 1_000_000)
        return (source, identity), Event(start, seconds, dict(dimensions), repeat, end)
    quantity = exact(f"{key}.quantity", item.get("seconds", item.get("quantity")))
    return (source, identity), Event(instant(f"{key}.at", item.get("at")), quantity, dict(dimensions), repeat)
