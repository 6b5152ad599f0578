"""Amounts of money: the places of each currency and the one rule of rounding. Exact until rounded, once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

PLACES = {
    "AUD": 2, "BGN": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2,
    "GBP": 2, "HKD": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "ISK": 0, "JOD": 3, "JPY": 0, "KES": 2, "KRW": 0,
    "KWD": 3, "MXN": 2, "MYR": 2, "NGN": 2, "NOK": 2, "NZD": 2, "OMR": 3, "PHP": 2, "PLN": 2, "RON": 2, "SAR": 2,
    "SEK": 2, "SGD": 2, "THB": 2, "TND": 3, "TRY": 2, "UAH": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip
"""Currency (ISO 4217) → number of decimal places of its smallest unit."""

Exact = Decimal | Fraction | int


def places(currency: str) -> int:
    """Return the decimal places of a currency; raises LookupError for one that is not sold in."""
    return PLACES[currency]


def unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency, as in 0.01."""
    return Decimal(1).scaleb(-places(currency))


def rounded(amount: Exact, currency: str) -> Decimal:
    """Return `amount` in whole smallest units, half up on the absolute value (EN 16931): -0.005 becomes -0.01."""
    scale = 10 ** places(currency)
    cents = abs(Fraction(amount)) * scale
    whole = (2 * cents.numerator + cents.denominator) // (2 * cents.denominator)
    # As text: arithmetic on decimals would round to the digits of its context.
    return Decimal(f"{whole if amount >= 0 else -whole}E-{places(currency)}")
