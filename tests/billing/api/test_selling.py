"""Selling by API: the whole way from settings to a price list; queries of each read; hostile and broken bodies."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from billing.api import selling_urls
from billing.models import Customer, Price, Product, TaxRate
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast
from tests.provisioning import factories as hosting
from tests.provisioning.api.conftest import API, Program, queries, texts

SIGN_IN = 5  # brand of the host, token, membership, organizations above and their sign-in policies

#: Route → queries of its own, beside those that find out who asks.
BUDGETS = {
    "/seller": 2,
    "/seller/bank": 2,
    "/tax-rates": 1,
    "/tax-rates/{rate}": 1,
    "/customers": 1,
    "/customers/{customer}": 1,
    "/billing-details": 4,
    "/products": 1,
    "/products/{product}": 1,
    "/products/{product}/prices": 2,
    "/products/{product}/impact": 1,
    "/prices": 3,
    "/prices/{price}": 1,
    "/prices/{price}/subscriptions": 3,
}

HOSTILE = "{{7*7}}{% %}$()%0a;}#\"'\\`id`|<img onerror=x>"

#: Method and path of each write with a body → one that is taken.
WRITES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/seller"): {
        "legal_name": "Atelier",
        "address": "1 Quay",
        "country": "DE",
        "region": "HH",
        "vat_number": "DE136695976",
        "tax_number": "12/34",
        "email": "bills@a.example",
        "legal_line": "HRB 1",
        "currency": "EUR",
        "tax_mode": "inclusive",
        "time_zone": "Europe/Berlin",
        "series": "RE",
        "credit_series": "GS",
        "reminder_days": [-3, 1],
    },
    ("PATCH", "/seller/bank"): {
        "bank_holder": "Atelier",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "bank_details": "Bank\nRouting 1",
    },
    ("POST", "/tax-rates"): {
        "country": "DE",
        "region": "HH",
        "category": "reduced",
        "percent": "7",
        "valid_from": "2026-01-01",
    },
    ("POST", "/customers"): {"organization": "{buyer}", "currency": "USD"},
    ("PATCH", "/customers/{customer}"): {
        "name": "Anna",
        "address": "1 Rue",
        "country": "FR",
        "region": "75",
        "vat_number": "FR40303265045",
        "email": "anna@a.example",
    },
    ("PATCH", "/customers/{customer}/terms"): {"currency": "USD", "exemption": "Embassy"},
    ("PATCH", "/billing-details"): {"name": "Anna", "address": "1 Rue", "country": "FR", "email": "anna@a.example"},
    ("POST", "/products"): {
        "kind": "package",
        "name": "Web",
        "description": "Good",
        "package": "{package}",
        "tax_category": "reduced",
    },
    ("PATCH", "/products/{product}"): {"name": "Other", "description": "Good", "tax_category": "zero"},
    ("POST", "/products/{product}/prices"): {
        "currency": "EUR",
        "months": 12,
        "amount": "100.00",
        "valid_from": "2026-01-01",
    },
    ("POST", "/prices/{price}/apply"): {"notice_days": 30},
    ("PATCH", "/prices/{price}"): {"ended_on": "2099-01-01"},
}

#: Free text: any character that can be printed is kept as it is.
FREE = {"legal_name", "address", "tax_number", "legal_line", "bank_holder", "bank_details", "name", "exemption"} | {
    "description"
}


@pytest.fixture
def known(cast: Cast) -> dict[str, str]:
    """What reseller A sells, by the names that routes have."""
    own = cast.reseller_a.organization
    factories.seller(own)
    price = factories.price(own)
    with everything("test"):
        rate = TaxRate.objects.create(seller=own, country="US", percent=8, valid_from="2026-01-01")
    return {
        "rate": rate.pk,
        "price": price.pk,
        "product": price.product_id,
        "customer": factories.customer(own, cast.client_a.organization).pk,
        "buyer": cast.sub_reseller.organization.pk,
        "package": hosting.package(own).pk,
    }


@pytest.fixture
def program(cast: Cast) -> Program:
    """A program of reseller A's owner."""
    return Program(cast.reseller_a.program())


def filled(body: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Return a body with the ids that it speaks of."""
    return {name: value.format(**known) if _is_id(value) else value for name, value in body.items()}


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{")


def undone(act: Callable[[], Any]) -> Any:
    """Do something, take it back, and return what it answered."""
    with transaction.atomic():
        found = act()
        transaction.set_rollback(True)
    return found


def test_from_settings_to_a_price_list(cast: Cast, program: Program) -> None:
    program.patch("/seller", {"country": "de", "is_taxed": True, "currency": "EUR"}, 200)
    assert program.post("/tax-rates/adopt", status=200)["adopted"] == 27
    assert program.post("/tax-rates/adopt", status=200)["adopted"] == 0
    package = hosting.package(cast.reseller_a.organization)
    product = program.post("/products", {"kind": "package", "name": "Web", "package": package.pk}, 201)
    price = program.post(f"/products/{product['id']}/prices", {"currency": "EUR", "amount": "9.90"}, 201)
    later = {"currency": "EUR", "amount": "12", "valid_from": "2099-01-01"}
    program.post(f"/products/{product['id']}/prices", later, 201)
    assert [row["amount"] for row in program.get("/prices")["items"]] == ["9.9000"]
    assert [row["amount"] for row in program.get("/prices?on=2099-01-01")["items"]] == ["12.0000"]
    assert program.send("GET", "/prices?on=yesterday").json()["field"] == "on"
    made = program.post("/customers", {"organization": cast.client_a.organization.pk}, 201)
    assert (made["currency"], made["vat_state"]) == ("EUR", "none")
    own = Program(cast.client_a.program())
    assert own.patch("/billing-details", {"country": "FR", "name": "Anna"}, 200)["name"] == "Anna"
    assert program.get(f"/customers/{made['id']}")["country"] == "FR"
    program.delete(f"/products/{product['id']}", 204)
    assert program.get("/prices")["items"] == []
    program.patch(f"/products/{product['id']}", {"name": "Back"}, 404)
    assert program.get(f"/prices/{price['id']}")["ended_on"] is None


def test_nobody_else_finds_what_a_seller_has(cast: Cast, known: dict[str, str]) -> None:
    for who in ("provider", "reseller_b", "sub_reseller"):
        other = Program(getattr(cast, who).program())
        for path in ("/products/{product}", "/prices/{price}", "/customers/{customer}", "/tax-rates/{rate}"):
            other.get(path.format(**known), 404)
        for path in ("/products", "/prices", "/customers", "/tax-rates"):
            assert other.get(path)["items"] == []
        foreign = {"kind": "package", "name": "X", "package": known["package"]}
        other.post("/products", foreign, 404)
        refused = {"provider": 400, "reseller_b": 404, "sub_reseller": 404}[who]
        assert other.post("/customers", {"organization": cast.client_a.organization.pk}, refused)["status"] == refused


def test_reads_keep_within_their_budgets_however_much_there_is(
    cast: Cast, program: Program, known: dict[str, str]
) -> None:
    buyer = Program(cast.client_a.program())

    def count() -> dict[str, int]:
        asks = {route: buyer if route == "/billing-details" else program for route in BUDGETS}
        return {route: queries(partial(who.get, route.format(**known))) for route, who in asks.items()}

    program.get("/products"), buyer.get("/billing-details")
    few = count()
    own = cast.reseller_a.organization
    for number in range(3):
        factories.price(own, f"More {number}", currency="EUR")
    factories.customer(own, cast.sub_reseller.organization)
    assert count() == few
    assert {route: used - SIGN_IN for route, used in few.items() if used > BUDGETS[route] + SIGN_IN} == {}


def test_every_read_has_a_budget_and_every_write_a_body() -> None:
    found: list[Any] = list(selling_urls.urlpatterns)
    routes = [(f"/{route.pattern}", route.callback.view_class) for route in found]
    shapes = [(re.sub(r"<\w+:\w+>", "{}", path), view) for path, view in routes]
    nameless = {re.sub(r"\{\w+\}", "{}", route) for route in BUDGETS}
    assert nameless == {path for path, view in shapes if "GET" in view.actions}
    written = {(method, path) for path, view in shapes for method in {"POST", "PATCH"} & set(view.actions)}
    without_body = {("POST", "/tax-rates/adopt"), ("POST", "/customers/{}/check-vat")}
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in WRITES} == written - without_body


def test_the_bodies_are_taken(cast: Cast, program: Program, known: dict[str, str]) -> None:
    for (method, path), body in WRITES.items():
        who = Program(cast.client_a.program()) if path == "/billing-details" else program
        answer = undone(partial(who.send, method, path.format(**known), filled(body, known)))
        assert answer.status_code in (200, 201), (method, path, answer.content)


def test_hostile_text_is_refused_by_field_or_kept_as_data(cast: Cast, program: Program, known: dict[str, str]) -> None:
    buyer = Program(cast.client_a.program())
    for (method, path), body in WRITES.items():
        who = buyer if path == "/billing-details" else program
        for field, value in body.items():
            for text in (HOSTILE, "a\x00b", "a\u202eb", "x" * 5000):
                hostile: Any = [text] if isinstance(value, list) else text
                given = {**filled(body, known), field: hostile}
                answer = undone(partial(who.send, method, path.format(**known), given))
                said = (method, path, field, text[:9], answer.content[:300])
                if answer.status_code < 400:
                    assert (field in FREE, text) == (True, HOSTILE), said
                else:
                    problem = answer.json()
                    assert answer.status_code in (400, 404), said
                    assert (problem["field"] or field).partition(".")[0] == field, said
                    assert texts(problem), said


def test_unknown_fields_and_broken_bodies_are_refused(cast: Cast, program: Program, known: dict[str, str]) -> None:
    before = AuditEntry._base_manager.exclude(action="token.create").count()
    buyer = Program(cast.client_a.program())
    for (method, path), body in WRITES.items():
        who, url = (buyer if path == "/billing-details" else program), path.format(**known)
        for field in ("seller", "owner", "vat_state", "id", "organization_id", "archived_at", "__proto__"):
            answer = undone(partial(who.send, method, url, {**filled(body, known), field: "x"}))
            assert (answer.status_code, answer.json()["field"]) == (400, field), (method, path)
        for broken in ("[]", "[{}]", '"x"', "7", "null", "{", '{"a":NaN}', "\xff"):
            send = partial(who.client.generic, method, f"{API}{url}", broken.encode("latin-1"))
            assert undone(partial(send, content_type="application/json")).status_code == 400, (method, path, broken)
        send = partial(who.client.generic, method, f"{API}{url}", b"name=x", content_type="text/plain")
        assert undone(send).status_code == 415
    assert AuditEntry._base_manager.exclude(action="token.create").count() == before
    counts = [rows._base_manager.count() for rows in (Customer, Price, Product, TaxRate)]
    assert counts == [1, 1, 1, 1]
