"""The billing run on PostgreSQL: dying at any statement, or sixty of them at once, it bills everything exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import connection

from accounts.services import organizations
from billing.models import Seller, Subscription
from billing.pricing.proration import share
from billing.services import runs, subscriptions
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything
from tests.billing import factories, market
from tests.billing.market import Deal, bill, left_behind, open_market
from tests.cast import Cast
from tests.concurrency.field import together

DEALS = [Deal(0, 1000), Deal(3, 3100, quantity=2, cancelled=31)]
LAST = 40
SYSTEM = Actor.system("test")


class Died(Exception):
    """What happens to a process in the middle of a run; its transaction goes with it."""


class Mortal:
    """Lets each statement through but the one whose turn it is to kill."""

    def __init__(self, fatal: int | None = None) -> None:
        self.fatal = fatal
        self.done = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.done += 1
        if self.done == self.fatal:
            raise Died(sql[:80])
        return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _all_rows() -> Iterator[None]:
    with everything("test"):
        yield


@pytest.fixture
def markets(cast: Cast) -> Iterator[Seller]:
    """Sellers with the same customers, one after another: what one of them has issued can't be taken back."""
    return (
        open_market(
            organizations.create_reseller(actor=SYSTEM, parent=cast.provider.organization, name=f"Seller {number}"),
            DEALS,
        )
        for number in count()
    )


def run_until_it_dies(seller: Seller, fatal: int | None) -> int:
    """Run, and die at a statement; returns how many there were."""
    mortal = Mortal(fatal)
    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(mortal))
        if fatal is None:
            bill(seller, LAST)
        else:
            stack.enter_context(pytest.raises(Died))
            bill(seller, LAST)
    return mortal.done


def test_a_run_that_dies_at_one_of_its_statements_loses_nothing_and_doubles_nothing(markets: Iterator[Seller]):
    whole = next(markets)
    statements = run_until_it_dies(whole, None)
    expected = left_behind(whole)
    assert len(expected["papers"]) == 3
    for fatal in range(1, statements + 1, 3):
        seller = next(markets)
        run_until_it_dies(seller, fatal)
        bill(seller, LAST)
        assert left_behind(seller) == expected, f"died at statement {fatal} of {statements}"
        market.check(seller)


def test_sixty_runs_at_once_bill_once(markets: Iterator[Seller]):
    alone, crowd = next(markets), next(markets)
    bill(alone, LAST)
    reports = together([lambda: bill(crowd, LAST)] * 60)
    assert all(isinstance(report, runs.Report) and report.is_clean for report in reports), reports
    assert sum(report.invoices for report in reports) == 3
    market.check(crowd)

    def without_numbers(seller: Seller) -> list[Any]:
        found = left_behind(seller)
        return [sorted(row[:7] for row in found["charges"]), sorted(row[1:] for row in found["papers"])]

    assert without_numbers(crowd) == without_numbers(alone)


def test_a_change_and_a_run_at_once_charge_no_day_twice(markets: Iterator[Seller]):
    seller = next(markets)
    subscription = Subscription.objects.filter(customer__seller=seller.organization_id).order_by("id")[0]
    larger = factories.price(seller.organization, "Larger", "20")

    def change() -> Any:
        return subscriptions.change(actor=SYSTEM, subscription=subscription, price=larger, on=date(2026, 1, 11))

    results = together([change, lambda: bill(seller, LAST)] * 10)
    refused = [item for item in results if isinstance(item, Exception)]
    assert len(refused) == 9
    assert all(isinstance(item, DomainError) for item in refused), refused
    bill(seller, LAST)
    subscription.refresh_from_db()
    of = subscription.components.filter(charges__isnull=False).distinct()
    billed = sum(charge.amount for row in of for charge in row.charges.all())
    last = subscription.billed_until
    months = (last.year - 2026) * 12 + last.month - 1
    old = share(Decimal(10), "USD", (date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 1, 1), date(2026, 1, 11)))
    new = share(Decimal(20), "USD", (date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 1, 11), date(2026, 2, 1)))
    assert billed == old + new + 20 * (months - 1)
