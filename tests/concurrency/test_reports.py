"""What reports reckon in the database, on PostgreSQL: the same figures as by the pure formula."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.selectors import ageing, recurring, reports, tax_reports
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.billing.services.test_recognition import CASES, spread
from tests.cast import Cast


@pytest.mark.parametrize("case", CASES)
def test_postgresql_spreads_an_amount_as_the_formula_does(cast: Cast, case: tuple[str, str, date, date]):
    spread(cast, *case)


def test_every_report_answers(cast: Cast):
    seller, actor = cast.reseller_a.organization, cast.reseller_a.actor
    buyer = factories.customer(seller, cast.client_a.organization)
    with everything("test"):
        factories.subscription(buyer, factories.price(seller))
    factories.paper(buyer, ("10.00", date(2026, 1, 1), date(2026, 2, 1)), buyer_party={"country": "AT"})
    spans = reports.months(date(2026, 1, 1), date(2026, 3, 1))
    whole = (spans[0][0], spans[-1][1])
    with tenant(actor.path):
        assert [time.profit.net for time in reports.times(actor, spans)["USD"]] == [Decimal(10), Decimal(0), Decimal(0)]
        assert [part.income for part in reports.by_product(actor, whole, "USD")] == [Decimal(10)]
        assert [line.net for line in reports.documents(actor, "sales", whole, "USD")] == [Decimal(10)]
        assert [row.country for row in tax_reports.taxes(actor, whole)] == ["AT"]
        assert recurring.months(actor, spans, "USD", date(2026, 3, 5))[-1].revenue == Decimal(10)
        assert ageing.owed(actor, date(2026, 3, 5)) == []
