"""Amounts as Stripe writes them: whole numbers of a currency's smallest unit, with the exceptions it lists.

Follows docs.stripe.com/currencies: no decimals for some currencies, two for ISK though it has none, and three for a
few, of which the last has to be 0.
"""

from __future__ import annotations

from decimal import Decimal

from billing.pricing import money

WRITTEN_WITH_TWO = frozenset({"ISK"})
LAST_IS_ZERO = 3


def from_amount(amount: Decimal, currency: str) -> int:
    """Return what stands for an amount; raises ValueError for one that can't be asked for."""
    scaled = amount.scaleb(_places(currency))
    wrong = scaled != scaled.to_integral_value()
    if wrong or (money.places(currency) == LAST_IS_ZERO and int(scaled) % 10):
        raise ValueError(f"{amount} {currency} can't be charged.")
    return int(scaled)


def to_amount(value: int, currency: str) -> Decimal:
    """Return the amount that a whole number stands for; raises LookupError for an unknown currency."""
    return Decimal(value).scaleb(-_places(currency))


def _places(currency: str) -> int:
    return 2 if currency in WRITTEN_WITH_TWO else money.places(currency)
