"""What prices in time come to by day, and what the lower of two saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from billing.pricing.usage import Feed


@dataclass(frozen=True)
class Saving:
    """A day's average prices, and which part of the other price is saved; `price` is never above `other`."""

    day: date
    price: Fraction
    other: Fraction

    @property
    def share(self) -> Fraction:
        """The part that is saved: 0 for what costs nothing either way."""
        return 1 - self.price / self.other if self.other else Fraction(0)


def average(feed: Feed, start: datetime, end: datetime, cap: Feed | None = None) -> Fraction | None:
    """Return the average price from `start` until before `end`, each held as long as it was in force; never above
    `cap` at any instant. None when there was no price at the start.
    """
    borders = {start, *(at for at in feed.instants if start < at < end)}
    if cap is not None:
        borders |= {at for at in cap.instants if start < at < end}
    total, cuts = Fraction(0), [*sorted(borders), end]
    for first, last in pairwise(cuts):
        price, most = feed.at(first), None if cap is None else cap.at(first)
        if price is None or (cap is not None and most is None):
            return None
        total += Fraction((last - first) // timedelta(microseconds=1)) * (price if most is None else min(price, most))
    return total / ((end - start) // timedelta(microseconds=1))


def savings(feed: Feed, other: Feed, first: date, last: date, zone: str) -> list[Saving]:
    """Return what is saved on each day of `zone` from `first` until before `last`; days without both are left out."""
    found = []
    for number in range((last - first).days):
        day = first + timedelta(days=number)
        start, end = (datetime.combine(at, time(), ZoneInfo(zone)) for at in (day, day + timedelta(days=1)))
        price, usual = average(feed, start, end, other), average(other, start, end)
        if price is not None and usual is not None:
            found.append(Saving(day, price, usual))
    return found


def saved(days: Sequence[Saving]) -> Fraction | None:
    """Return the part that is saved over some days by using as much on each; None for no days."""
    usual = sum((day.other for day in days), Fraction(0))
    return 1 - sum((day.price for day in days), Fraction(0)) / usual if usual else None
