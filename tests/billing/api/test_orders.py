"""Orders by API: placed by a seller's shop once, read by both parties, decided by the seller; hostile bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Order, OrderAddon, Price
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import HOST_A, Cast
from tests.provisioning import factories as ground

URL = "/api/v1/orders"
BUDGET = 7
"""Queries of a list: five to find out who asks, the orders, and their add-ons."""


@pytest.fixture
def price(cast: Cast) -> Price:
    cache.clear()
    with everything("test"):
        organization = cast.reseller_a.organization
        factories.seller(organization, bank_details="Bank of A, 1234")
        ground.server(cast.provider.organization)
        return factories.price(organization, "Starter", kind="package", package=ground.package(organization))


def body(at: Price, /, **values: Any) -> dict[str, Any]:
    given = {"price": at.pk, "key": "shop-17", "email": "nia@buyers.example", "person": "Nia New"}
    return {**given, "pays_by": "transfer", "domain": "nia.example", **values}


def post(program: Client, url: str, values: object) -> Any:
    return program.post(url, values, content_type="application/json")


def test_a_shop_places_an_order_once(price: Price, cast: Cast):
    program = cast.reseller_a.program("order.create", "order.view")
    first = post(program, URL, body(price))
    assert first.status_code == 201, first.json()
    made = first.json()
    assert made["status"] == "unpaid"
    assert made["invoice"].startswith("inv_")
    assert post(program, URL, body(price)).json()["id"] == made["id"]
    assert program.get(first.headers["location"]).json() == made
    assert len(program.get(URL).json()["items"]) == 1
    assert Client(headers={"host": HOST_A}).get(made["link"]).status_code == 200


def test_a_token_needs_its_scope(price: Price, cast: Cast):
    assert post(cast.reseller_a.program("order.view"), URL, body(price)).status_code == 403
    assert cast.reseller_a.program("invoice.view").get(URL).status_code == 403


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"price": "prc_none"}, None),
        ({"domain": "co.uk"}, "domain"),
        ({"domain": ["x"]}, "domain"),
        ({"email": "x"}, "email"),
        ({"person": "\x00"}, "person"),
        ({"pays_by": "card"}, "pays_by"),
        ({"pays_by": "barter"}, "pays_by"),
        ({"vat_number": "DE1", "country": "DE"}, "vat_number"),
        ({"country": "ZZ"}, "country"),
        ({"key": "x" * 51}, "key"),
        ({"status": "live"}, "status"),
        ({"seller": "org_other"}, "seller"),
        ({"ip": "203.0.113.1"}, "ip"),
        ({"country": "US", "region": "Bavaria"}, "region"),
        ({"addons": "all"}, "addons"),
        ({"addons": [{"price": "prc_none"}]}, None),
        ({"addons": [{"price": "DISK", "quantity": 0}]}, "addons.0.quantity"),
        ({"addons": [{"price": "DISK", "quantity": -1}]}, "addons.0.quantity"),
        ({"addons": [{"price": "DISK", "quantity": 10**30}]}, "addons.0.quantity"),
        ({"addons": [{"price": "DISK", "quantity": "٣"}]}, "addons.0.quantity"),
        ({"addons": [{"price": "DISK"}, {"price": "DISK"}]}, "addons"),
        ({"addons": [{"price": "DISK"}] * 51}, "addons"),
        ({"addons": [{"price": "DISK", "amount": "0"}]}, "addons.0.amount"),
    ],
)
def test_hostile_bodies_are_refused_with_the_field(price: Price, cast: Cast, values: dict[str, Any], field: str | None):
    disk = factories.price(cast.reseller_a.organization, "Disk", "3")
    sent = json.loads(json.dumps(body(price, **values)).replace("DISK", disk.pk))
    answer = post(cast.reseller_a.program(), URL, sent)
    assert answer.status_code in (400, 404, 409), answer.content
    if field:
        assert field in answer.json()["errors"], answer.json()
    with everything("test"):
        assert not Order.objects.exists()


def test_a_shop_orders_add_ons_and_reads_them_again(price: Price, cast: Cast):
    program = cast.reseller_a.program()
    disk = factories.price(cast.reseller_a.organization, "Disk", "3")
    sent = body(price, addons=[{"price": disk.pk, "quantity": 4}], country="US", region="texas")
    answer = post(program, URL, sent)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["addons"] == [{"product": disk.product_id, "price": disk.pk, "quantity": 4}]
    assert made["region"] == "TX"
    invoice = program.get(f"/api/v1/invoices/{made['invoice']}").json()
    assert invoice["gross"] == "22.00"


def test_another_seller_s_add_on_does_not_exist(price: Price, cast: Cast):
    factories.seller(cast.reseller_b.organization)
    foreign = factories.price(cast.reseller_b.organization, "Disk", "3")
    answer = post(cast.reseller_a.program(), URL, body(price, addons=[{"price": foreign.pk}]))
    assert answer.status_code == 404
    with everything("test"):
        assert not Order.objects.exists()


def test_another_seller_s_price_does_not_exist(price: Price, cast: Cast):
    for person in (cast.reseller_b, cast.provider, cast.sub_reseller):
        assert post(person.program(), URL, body(price)).status_code == 404
    assert post(cast.client_a.program(), URL, body(price)).status_code == 403


def test_the_seller_refuses_and_others_can_t_look(price: Price, cast: Cast):
    program = cast.reseller_a.program()
    made = post(program, URL, body(price)).json()
    for person in (cast.provider, cast.reseller_b, cast.client_b):
        assert person.program().get(f"{URL}/{made['id']}").status_code == 404
    assert post(program, f"{URL}/{made['id']}/approve", {}).status_code == 409
    assert post(program, f"{URL}/{made['id']}/retry", {}).status_code == 409
    refused = post(program, f"{URL}/{made['id']}/refuse", {"reason": "Not for us."}).json()
    assert (refused["status"], refused["reason"]) == ("refused", "Not for us.")
    assert len(program.get(URL, {"status": "refused", "q": "nia"}).json()["items"]) == 1
    assert program.get(URL, {"status": "live"}).json()["items"] == []


def test_a_list_takes_as_many_queries_for_many_orders_as_for_one(price: Price, cast: Cast):
    program = cast.reseller_a.program()
    buyer = cast.client_a.organization
    program.get(URL)  # notes that the token was used
    disk = factories.price(cast.reseller_a.organization, "Disk", "3")
    counts = []
    for number in range(3):
        made = factories.order(cast.reseller_a.organization, buyer, price, key=f"n{number}")
        with everything("test"):
            OrderAddon.objects.create(order=made, price=disk, quantity=2)
        with CaptureQueriesContext(connection) as seen:
            assert len(program.get(URL).json()["items"]) == number + 1
        counts.append(len(seen))
    assert len(set(counts)) == 1
    assert counts[0] <= BUDGET
