"""Filters of the pages of money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from django import template

from billing import formats

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """Write an amount with its currency; nothing as a dash."""
    return "\N{EN DASH}" if amount is None else formats.money(amount, currency)


@register.filter
def percent(share: Fraction | None) -> str:
    """Write a share as percent."""
    return formats.percent(share)
