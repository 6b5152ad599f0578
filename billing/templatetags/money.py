"""Filters of the pages of money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext

from billing import formats
from billing.models import InvoiceLine
from billing.pricing.money import places

register = template.Library()


class Point(Protocol):
    """A month and an amount."""

    @property
    def date(self) -> date: ...

    @property
    def value(self) -> Decimal: ...


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """Write an amount with its currency; nothing as a dash."""
    return "\N{EN DASH}" if amount is None else formats.money(amount, currency)


@register.filter
def percent(share: Fraction | None) -> str:
    """Write a share as percent."""
    return formats.percent(share)


@register.inclusion_tag("components/chart.html")
def money_chart(label: str, months: Iterable[Point], currency: str) -> dict[str, Any]:
    """Draw an amount over months, oldest first."""
    points = [
        {
            "day": point.date.isoformat(),
            "shown": date_format(point.date, "YEAR_MONTH_FORMAT"),
            "raw": str(point.value),
            "text": formats.money(point.value, currency),
        }
        for point in months
    ]
    return {
        "label": label,
        "points": points,
        "kind": "money",
        "currency": currency,
        "places": places(currency),
        "heading": gettext("Month"),
        "newest": points[-1]["text"] if points else "",
    }


@register.inclusion_tag("components/chart.html")
def day_chart(label: str, days: Iterable[Point], currency: str = "") -> dict[str, Any]:
    """Draw an exact figure by day, oldest first: a price in a currency, or a bare number."""
    points = [
        {
            "day": point.date.isoformat(),
            "shown": date_format(point.date),
            "raw": str(point.value),
            "text": f"{formats.exact(point.value)}\N{NO-BREAK SPACE}{currency}".rstrip(),
        }
        for point in days
    ]
    newest = points[-1]["text"] if points else ""
    return {"label": label, "points": points, "kind": "exact", "axis": "day", "newest": newest}


@register.inclusion_tag("components/chart.html")
def cost_chart(label: str, points: Iterable[Any], currency: str) -> dict[str, Any]:
    """Draw what quantities cost, by their `quantity` and `amount`, least first."""
    rows = [
        {
            "at": str(point.quantity),
            "shown": formats.exact(point.quantity),
            "raw": str(point.amount),
            "text": formats.money(point.amount, currency),
        }
        for point in points
    ]
    return {
        "label": label,
        "points": rows,
        "kind": "money",
        "axis": "number",
        "currency": currency,
        "places": places(currency),
        "heading": gettext("Quantity"),
        "newest": rows[-1]["text"] if rows else "",
    }


@register.filter
def exact(number: Decimal | None) -> str:
    """Write a quantity or unit price with all its places; nothing as a dash."""
    return "\N{EN DASH}" if number is None else formats.exact(number)


@register.filter
def span(line: InvoiceLine) -> str:
    """Write the period of a line of an invoice; nothing where it has none."""
    return formats.period(line.starts_on, line.ends_on) if line.starts_on and line.ends_on else ""


@register.filter
def price(amount: Decimal, currency: str) -> str:
    """Write a unit price, whose currency is said elsewhere."""
    return formats.price(amount, currency)
