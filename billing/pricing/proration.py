"""The share of a period's price that falls on some of its days. What previews show and what is charged is this."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.pricing.money import rounded


def share(price: Decimal, currency: str, period: tuple[date, date], days: tuple[date, date]) -> Decimal:
    """Return what `days` cost of a period that costs `price`: round(P·b/N) - round(P·a/N).

    However a period is cut, its parts sum to the price. Both spans leave their end out. Raises ValueError for days
    that are not within the period.
    """
    start, end = period
    first, last = days
    if not start <= first <= last <= end or start == end:
        raise ValueError("These days are not within the period.")

    def until(day: date) -> Decimal:
        return rounded(Fraction(price) * (day - start).days / (end - start).days, currency)

    return until(last) - until(first)
