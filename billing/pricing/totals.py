"""The sums of an invoice as EN 16931 wants them: lines rounded, then added exactly, tax once per category and rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.money import rounded, unit


@dataclass(frozen=True)
class Line:
    """A line's amount, as the price says (rounded already), with tax code (UNCL 5305) and percent."""

    amount: Decimal
    code: str
    percent: Decimal


@dataclass(frozen=True)
class Tax:
    """The tax of one category and rate, of all lines that have it (BG-23)."""

    code: str
    percent: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """Net amount of each line in order, tax by category and rate, and the sums."""

    nets: tuple[Decimal, ...]
    taxes: tuple[Tax, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal


def totals(lines: Sequence[Line], currency: str, *, inclusive: bool = False) -> Totals:
    """Add up lines. Without `inclusive`, amounts are net, and tax is base by rate, rounded half up.

    With it amounts hold the tax and their sum is the gross sum, whatever rounding would say; the base of each rate is
    gross ÷ (1 + rate), and its lines' nets sum to it: missing cents go to those that lost most (largest remainder).
    """
    groups: dict[tuple[str, Decimal], list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault((line.code, line.percent.normalize()), []).append(index)
    nets = [line.amount for line in lines]
    taxes = []
    for (code, percent), members in sorted(groups.items()):
        amount = sum((lines[index].amount for index in members), Decimal(0))
        if inclusive:
            base = rounded(Fraction(amount) / (1 + Fraction(percent) / 100), currency)
            shares = _spread([lines[index].amount for index in members], percent, base, currency)
            for index, net in zip(members, shares, strict=True):
                nets[index] = net
            tax = amount - base
        else:
            base, tax = amount, rounded(Fraction(amount) * Fraction(percent) / 100, currency)
        taxes.append(Tax(code, percent, base, tax))
    net = sum((tax.base for tax in taxes), Decimal(0))
    owed = sum((tax.tax for tax in taxes), Decimal(0))
    return Totals(tuple(nets), tuple(taxes), net, owed, net + owed)


def _spread(amounts: list[Decimal], percent: Decimal, base: Decimal, currency: str) -> list[Decimal]:
    """Return nets of gross amounts in whole smallest units that sum to `base`, each less than a unit from exact."""
    step = unit(currency)
    exact = [Fraction(amount) / (1 + Fraction(percent) / 100) / Fraction(step) for amount in amounts]
    floors = [value.numerator // value.denominator for value in exact]
    missing = int(base / step) - sum(floors)
    order = sorted(range(len(exact)), key=lambda index: (floors[index] - exact[index], index))
    for index in order[:missing]:
        floors[index] += 1
    return [step * value for value in floors]
