"""Amounts and periods as people read them. Never for parsing what people typed: 17.361 is another number elsewhere."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.utils.formats import date_format, number_format

from billing.pricing import money as pricing

MINUS = "\N{MINUS SIGN}"


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with the places of its currency and the currency's code, as in 1,234.50 USD."""
    return f"{_number(amount, pricing.places(currency))}\N{NO-BREAK SPACE}{currency}"


def exact(number: Decimal) -> str:
    """Return a quantity or unit price with all its places, and none that are empty."""
    exponent = number.normalize().as_tuple().exponent
    return _number(number, max(0, -exponent) if isinstance(exponent, int) else 0)


def price(amount: Decimal, currency: str) -> str:
    """Return a unit price with the places of its currency, and more where it has more; without the currency."""
    least = pricing.places(currency)
    return _number(amount, least) if round(amount, least) == amount else exact(amount)


def percent(share: Fraction | None) -> str:
    """Return a share as percent with one place, as in 33.3 %; nothing as a dash."""
    if share is None:
        return "\N{EN DASH}"
    tenths = Decimal(round(share * 1000)) / 10
    return f"{_number(tenths, 1)}\N{NO-BREAK SPACE}%"


def period(first: date, end: date) -> str:
    """Return the days from `first` to the one before `end`, as two dates; one day as one."""
    last = end - timedelta(days=1)
    return f"{date_format(first)} \N{EN DASH} {date_format(last)}" if last > first else date_format(first)


def _number(value: Decimal, places: int) -> str:
    text = number_format(abs(value), decimal_pos=places, force_grouping=True)
    return f"{MINUS}{text}" if value < 0 else text
