"""Billing periods as days of a seller: period k begins k cycles after the anchor. Midnight is the seller's affair."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the month's last where it has no such day: 31 January → 28 February."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def start_of(anchor: date, months: int, number: int) -> date:
    """Return the first day of period `number` (from 0), counted from the anchor: a short month moves nothing."""
    return add_months(anchor, months * number)


def number_at(anchor: date, months: int, day: date) -> int:
    """Return the number of the period that `day` lies in; below 0 before the anchor. `months` is at least 1."""
    guess = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    return guess if start_of(anchor, months, guess) <= day else guess - 1


def period_at(anchor: date, months: int, day: date) -> tuple[date, date]:
    """Return the period that `day` lies in, its end not included."""
    number = number_at(anchor, months, day)
    return start_of(anchor, months, number), start_of(anchor, months, number + 1)
