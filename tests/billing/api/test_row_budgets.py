"""How many queries each read of billing's API may take: the same for one row as for thirty. Reports: test_budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver

from billing.api import urls
from tests.billing import factories
from tests.billing.api import rows, test_budgets, test_selling
from tests.cast import Cast

SIGN_IN = test_budgets.SIGN_IN
MANY = 30

#: Route → queries of its own, beside those that find out who asks.
BUDGETS: dict[str, int] = {
    "/bank-entries": 1,
    "/bank-entries/{bank_entry}": 1,
    "/billing-details": 3,
    "/cards": 1,
    "/cards/{card}": 1,
    "/customers": 1,
    "/customers/{customer}": 1,
    "/dunning-pauses": 1,
    "/dunning-pauses/{dunning_pause}": 1,
    "/gateway": 3,
    "/holds": 1,
    "/invoices": 1,
    "/invoices/{invoice}": 6,
    "/invoices/{invoice}/dunning": 5,
    "/invoices/{invoice}/pdf": 3,
    "/ledger": 1,
    "/ledger/balances": 2,
    "/meter-events": 1,
    "/meters": 1,
    "/meters/{meter}": 2,
    "/orders": 2,
    "/orders/{order}": 2,
    "/overdue": 5,
    "/payments": 1,
    "/payments/{payment}": 4,
    "/price-feeds": 1,
    "/price-feeds/{price_feed}/points": 3,
    "/prices": 3,
    "/prices/{price}": 1,
    "/products": 1,
    "/products/{product}": 1,
    "/products/{product}/impact": 1,
    "/products/{product}/prices": 2,
    "/seller": 2,
    "/seller/bank": 2,
    "/subscriptions": 2,
    "/subscriptions/{subscription}": 3,
    "/subscriptions/{subscription}/charges": 3,
    "/tax-rates": 1,
    "/tax-rates/{tax_rate}": 1,
    "/webhooks": 1,
    "/webhooks/{webhook}": 1,
    "/webhooks/{webhook}/messages": 2,
}
BUYERS = ("/billing-details", "/cards", "/cards/{card}")
"""What a buyer asks for."""


def test_reads_keep_within_their_budgets_however_much_there_is(cast: Cast) -> None:
    seller = factories.seller(cast.reseller_a.organization)
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    sells, buys = cast.reseller_a.program(), cast.client_a.program()

    def count(known: dict[str, str]) -> dict[str, int]:
        for program in (sells, buys):
            program.get("/api/v1/seller")  # the token's first use in a minute is noted
        return {route: queries(buys if route in BUYERS else sells, route.format(**known)) for route in BUDGETS}

    few = count(rows.fill(seller, buyer, 0, 1))
    many = count(rows.fill(seller, buyer, 1, MANY))
    assert {route: (few[route], used) for route, used in many.items() if used != few[route]} == {}
    assert {route: used - SIGN_IN for route, used in few.items() if used - SIGN_IN > BUDGETS[route]} == {}


def test_every_read_has_a_budget() -> None:
    nameless = {re.sub(r"\{\w+\}", "{}", route) for route in (*BUDGETS, *test_budgets.BUDGETS, *test_selling.BUDGETS)}
    assert nameless == set(reads(urls.urlpatterns))


def queries(program: Client, route: str) -> int:
    """Return how many queries a read takes."""
    with CaptureQueriesContext(connection) as taken:
        answer = program.get(f"/api/v1{route}")
    assert answer.status_code == 200, (route, answer.content)
    if answer.headers["content-type"] == "application/json":
        assert answer.json().get("items", True), route
    return len(taken)


def reads(patterns: Sequence[Any]) -> Iterator[str]:
    """Yield the routes that can be read, their arguments without names."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from reads(pattern.url_patterns)
        elif "GET" in pattern.callback.view_class.actions:
            yield re.sub(r"<\w+:\w+>", "{}", f"/{pattern.pattern}")
