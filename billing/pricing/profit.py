"""What selling earns: profit, margin, and how many customers pay for the plan. Not where the figures come from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Profit:
    """The figures of a time, all net of tax and in one currency; each is positive in the usual case.

    `invoiced` less `credited` is the income, `cost` what was bought, `fees` what payments cost, `losses` what was
    written off.
    """

    invoiced: Decimal = NOTHING
    credited: Decimal = NOTHING
    cost: Decimal = NOTHING
    fees: Decimal = NOTHING
    losses: Decimal = NOTHING

    @property
    def income(self) -> Decimal:
        """What was sold, less what was credited."""
        return self.invoiced - self.credited

    @property
    def gross(self) -> Decimal:
        """Income less what was bought for it."""
        return self.income - self.cost

    @property
    def net(self) -> Decimal:
        """Gross profit less fees and losses: what is left."""
        return self.gross - self.fees - self.losses

    @property
    def margin(self) -> Fraction | None:
        """The share of the income that is left; None without income."""
        return Fraction(self.net) / Fraction(self.income) if self.income > 0 else None

    def __add__(self, other: Profit) -> Profit:
        return Profit(
            self.invoiced + other.invoiced,
            self.credited + other.credited,
            self.cost + other.cost,
            self.fees + other.fees,
            self.losses + other.losses,
        )


def of_customers(customers: int, price: Decimal, fee: Decimal) -> Profit:
    """Return what so many customers at a price earn on a plan of this fee: 10 at 10 on a plan of 30 earn 70."""
    return Profit(invoiced=customers * price, cost=fee)


def break_even(fee: Decimal, price: Decimal) -> int | None:
    """Return how many customers at `price` pay for a fee; None when no number of them does."""
    if fee <= 0:
        return 0
    return ceil(Fraction(fee) / Fraction(price)) if price > 0 else None
