"""How many queries each report may take: the same for one invoice as for many. What is no report: test_row_budgets."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from tests.billing import factories
from tests.cast import Cast

SIGN_IN = 5  # brand of the host, token, membership, organizations above and their sign-in policies
MONTH = (date(2026, 1, 1), date(2026, 2, 1))

#: Route → queries of its own, beside those that find out who asks.
BUDGETS = {
    "/reports/profit": 7,
    "/reports/profit/lines": 4,
    "/reports/profit/bookings": 4,
    "/reports/recurring": 4,
    "/reports/recurring/subscriptions": 4,
    "/reports/owed": 3,
    "/reports/owed/invoices": 4,
    "/reports/taxes": 3,
    "/reports/taxes/documents": 4,
}
MONTHS = {"since": "2026-01", "until": "2026-12"}
#: Route → what it is asked where months are not all, or nothing, that it takes.
ASKED = {
    "/reports/recurring/subscriptions": {"month": "2026-01"},
    "/reports/owed/invoices": {"part": "older"},
    "/reports/taxes/documents": {**MONTHS, "code": "O", "percent": "0"},
}


@pytest.mark.parametrize("route", BUDGETS)
def test_a_report_takes_as_many_queries_for_much_as_for_little(cast: Cast, route: str):
    seller = cast.reseller_a.organization
    factories.seller(seller)
    program = cast.reseller_a.program()

    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert program.get(f"/api/v1{route}", ASKED.get(route, MONTHS)).status_code == 200
        return len(taken)

    def sell(buyer: Organization, name: str) -> None:
        customer = factories.customer(seller, buyer, name=name)
        factories.subscription(customer, factories.price(seller, f"Support of {name}"))
        factories.paper(customer, ("10.00", *MONTH), ("3.00", None, None))

    sell(cast.client_a.organization, "One")
    queries()
    few = queries()
    for number, buyer in enumerate((cast.client_b, cast.client_sub, cast.outsider)):
        sell(buyer.organization, f"More {number}")
    assert queries() == few
    assert few - SIGN_IN <= BUDGETS[route]
