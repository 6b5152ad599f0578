"""What falls on a month of an invoice line: the database reckons as the formula does, and parts sum to the whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.models import InvoiceLine
from billing.pricing.calendar import add_months
from billing.pricing.proration import share
from billing.selectors import recognition
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast

FIRST = date(2026, 1, 1)
MONTHS = [(add_months(FIRST, number), add_months(FIRST, number + 1)) for number in range(40)]
CASES = [
    ("USD", "10.00", date(2026, 1, 1), date(2026, 2, 1)),
    ("USD", "10.01", date(2026, 1, 17), date(2026, 2, 17)),
    ("USD", "-99.99", date(2026, 3, 5), date(2027, 3, 5)),
    ("JPY", "1000", date(2026, 1, 31), date(2026, 7, 31)),
    ("KWD", "12.345", date(2026, 2, 14), date(2029, 2, 14)),
    ("USD", "7.00", date(2026, 4, 4), date(2026, 4, 4)),
]


def spread(cast: Cast, currency: str, net: str, starts_on: date, ends_on: date) -> None:
    """Compare what the database says of each month with the formula."""
    customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization, currency=currency)
    factories.paper(customer, (net, starts_on, ends_on))
    with everything("test"):
        rows = InvoiceLine.objects.all()
        found = rows.aggregate(**{f"m{i}": recognition.total(span) for i, span in enumerate(MONTHS)})
    expected = []
    for first, end in MONTHS:
        days = (max(first, starts_on), min(end, ends_on))
        if starts_on == ends_on:
            expected.append(Decimal(net) if first <= starts_on < end else Decimal(0))
        else:
            expected.append(
                share(Decimal(net), currency, (starts_on, ends_on), days) if days[0] < days[1] else Decimal(0)
            )
    assert [found[f"m{i}"] for i in range(len(MONTHS))] == expected
    assert sum(found.values()) == Decimal(net)


@pytest.mark.parametrize(("currency", "net", "starts_on", "ends_on"), CASES)
def test_the_database_spreads_an_amount_as_the_formula_does(
    cast: Cast, currency: str, net: str, starts_on: date, ends_on: date
):
    spread(cast, currency, net, starts_on, ends_on)
