"""Pages and API of subscriptions: started, changed at a price that was shown first, cancelled and resumed by both."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import OutgoingMail
from billing.models import Charge, Customer, Price, Subscription
from billing.services import addons, subscriptions
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast
from tests.provisioning import ground as grounds

BUDGETS = {"/subscriptions": 8, "/subscriptions/{id}": 8, "/subscriptions/{id}/charges": 8}
"""Queries of a read, signing in by token included."""
PREVIEW = 16


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(datetime(2026, 3, 11, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def customer(cast: Cast) -> Customer:
    """Client A as a customer of reseller A."""
    factories.seller(cast.reseller_a.organization, days_ahead=0)
    return factories.customer(cast.reseller_a.organization, cast.client_a.organization)


def of(cast: Cast, name: str, amount: str, *, is_public: bool = False) -> Price:
    """Make a price of reseller A, on the order page or not."""
    made = factories.price(cast.reseller_a.organization, name, amount)
    with everything("test"):
        made.product.is_public = is_public
        made.product.save()
    return made


def seen(browser: Client, url: str) -> str:
    """Return a page."""
    answer = browser.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_from_the_start_to_a_change_that_was_shown_first(cast: Cast, customer: Customer) -> None:
    browser, small, large = cast.reseller_a.browser(), of(cast, "Small", "31"), of(cast, "Large", "62")
    assert "No subscriptions yet" in seen(browser, reverse("billing:subscription_list"))
    given = {
        "customer": customer.pk,
        "price": small.pk,
        "quantity": "1",
        "label": "x.example",
        "starts_on": "2026-03-01",
    }
    made = browser.post(reverse("billing:subscription_start"), given)
    page = seen(browser, made.headers["location"])
    assert "Small, x.example" in page
    assert "31.00" in page
    url = f"{made.headers['location']}change/"
    shown = browser.post(url, {"price": large.pk, "quantity": "1"}).content.decode()
    assert "In all: 21.00" in shown
    with everything("test"):
        assert Charge.objects.count() == 1
    confirmed = shown.partition('name="confirmed" value="')[2].partition('"')[0]
    done = browser.post(url, {"price": large.pk, "quantity": "1", "confirmed": confirmed})
    assert done.status_code == 302
    assert "Not used: Small" in seen(browser, made.headers["location"])
    assert "x.example" in seen(browser, reverse("billing:subscription_list") + "?q=Large")
    refused = browser.post(url, {"price": large.pk, "quantity": "1"})
    assert refused.status_code == 409
    assert "like this already" in refused.content.decode()


def test_a_buyer_sees_what_is_offered_and_cancels_to_the_end(cast: Cast, customer: Customer) -> None:
    small, hidden, offered = of(cast, "Small", "31"), of(cast, "Hidden", "1"), of(cast, "Large", "62", is_public=True)
    with everything("test"):
        made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small)
    browser, url = cast.client_a.browser(), reverse("billing:subscription", args=[made.pk])
    assert "Small" in seen(browser, reverse("billing:purchase_list"))
    choices = seen(browser, f"{url}change/")
    assert offered.pk in choices
    assert hidden.pk not in choices
    cancelling = seen(browser, f"{url}cancel/")
    assert "When the period ends" in cancelling
    assert "Today" not in cancelling
    assert browser.post(f"{url}cancel/", {"when": "now"}).status_code == 400
    assert browser.post(f"{url}cancel/", {"when": "end"}).status_code == 302
    assert "Resume" in seen(browser, url)
    assert browser.post(f"{url}resume/").status_code == 302
    with everything("test"):
        assert Subscription.objects.get().cancel_on is None


def call(program: Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the API; return the answer."""
    return program.generic(method, f"/api/v1{path}", json.dumps(body or {}), content_type="application/json")


def test_the_same_by_api(cast: Cast, customer: Customer) -> None:
    program, small, large = cast.reseller_a.program(), of(cast, "Small", "31"), of(cast, "Large", "62")
    extra = of(cast, "Backup", "3.10")
    made = call(
        program, "POST", "/subscriptions", {"customer": customer.pk, "price": small.pk, "starts_on": "2026-03-01"}
    )
    assert made.status_code == 201, made.content
    path = f"/subscriptions/{made.json()['id']}"
    wanted = {"price": large.pk}
    shown = call(program, "POST", f"{path}/preview", wanted).json()
    assert [(row["kind"], row["amount"], row["id"]) for row in shown] == [
        ("credit", "-21.00", None),
        ("change", "42.00", None),
    ]
    changed = call(program, "POST", f"{path}/change", wanted).json()
    assert [row["name"] for row in changed["components"] if row["ends_on"] is None] == ["Large"]
    added = call(program, "POST", f"{path}/addons", {"price": extra.pk}).json()
    addon = next(row["id"] for row in added["components"] if not row["is_main"])
    assert call(program, "DELETE", f"{path}/addons/{addon}").status_code == 204
    charges = program.get(f"/api/v1{path}/charges").json()["items"]
    assert [row["amount"] for row in charges] == ["-2.10", "2.10", "42.00", "-21.00", "31.00"]
    assert call(program, "POST", f"{path}/cancel", {"at_end": True}).json()["cancel_on"] == "2026-04-01"
    assert call(program, "POST", f"{path}/resume").json()["cancel_on"] is None
    refused = call(program, "POST", f"{path}/unpark")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_parked")
    item = call(program, "POST", "/items", {"customer": customer.pk, "text": "Moving", "amount": "12.50"})
    assert item.status_code == 201
    assert call(program, "POST", "/items", {"customer": customer.pk, "text": "x", "amount": "0.001"}).status_code == 400
    buyer = cast.client_a.program()
    assert call(buyer, "POST", f"{path}/change", {"price": small.pk}).status_code == 403
    assert call(cast.client_b.program(), "POST", f"{path}/cancel").status_code == 404


def test_reads_keep_within_their_budgets(cast: Cast, customer: Customer) -> None:
    program, small = cast.reseller_a.program(), of(cast, "Small", "31")
    with everything("test"):
        made = [subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small) for _turn in range(5)]
    program.get("/api/v1/subscriptions")
    for route, budget in BUDGETS.items():
        with CaptureQueriesContext(connection) as queries:
            assert program.get(f"/api/v1{route.format(id=made[0].pk)}").status_code == 200
        assert len(queries) <= budget, (route, len(queries), [query["sql"] for query in queries])


def test_why_runs_leave_it_out_is_the_sellers_to_know(cast: Cast, customer: Customer) -> None:
    with everything("test"):
        made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=of(cast, "Small", "31"))
        subscriptions.park(made, "ZeroDivisionError: margin")
    page, path = reverse("billing:subscription", args=[made.pk]), f"/api/v1/subscriptions/{made.pk}"
    for place in (page, path, "/api/v1/subscriptions", "/api/v1/subscriptions?format=csv"):
        for reader, knows in ((cast.reseller_a, True), (cast.client_a, False)):
            client = reader.browser() if place is page else reader.program()
            accept = "text/csv" if "csv" in place else "*/*"
            answer = client.get(place.partition("?")[0], headers={"accept": accept})
            text = answer.getvalue().decode()
            assert answer.status_code == 200
            assert ("margin" in text) is knows, (place, text)
            assert ("not charged at the moment" in text) is not knows, (place, text)
    with everything("test"):
        subscriptions.unpark(actor=cast.reseller_a.actor, subscription=made)
        entry = AuditEntry.objects.get(action="subscription.unpark")
    assert "margin" not in json.dumps(entry.changes)
    assert cast.client_a.program().get(path).json()["parked_reason"] == ""


def test_a_program_is_told_that_an_account_is_paid_for_already(cast: Cast) -> None:
    ground = grounds.make(cast)
    hosting = ground.account_a
    factories.seller(cast.reseller_a.organization)
    with everything("test"):
        buyer = factories.customer(cast.reseller_a.organization, hosting.organization)
        package = hosting.package
        price = factories.price(cast.reseller_a.organization, "Starter", "10", kind="package", package=package)
    body = {"customer": buyer.pk, "price": price.pk, "account": hosting.pk}
    program = cast.reseller_a.program()
    assert call(program, "POST", "/subscriptions", body).status_code == 201
    refused = call(program, "POST", "/subscriptions", body)
    assert refused.status_code == 409
    assert "End that one first" in str(refused.json()["errors"]["account"])


def test_what_a_preview_asks_does_not_grow_with_add_ons(cast: Cast, customer: Customer) -> None:
    program, small, large = cast.reseller_a.program(), of(cast, "Small", "31"), of(cast, "Large", "62")
    counted = []
    with everything("test"):
        made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small)
    for number in range(4):
        with everything("test"):
            extra = factories.price(cast.reseller_a.organization, f"Extra {number}", "1")
            addons.add(actor=cast.reseller_a.actor, subscription=made, price=extra)
        with CaptureQueriesContext(connection) as queries:
            assert call(program, "POST", f"/subscriptions/{made.pk}/preview", {"price": large.pk}).status_code == 200
        counted.append(len(queries))
    assert counted[1:] == counted[1:2] * 3, counted
    assert counted[-1] <= PREVIEW


def test_a_new_price_is_shown_to_whom_it_would_be_given_before_it_is(cast: Cast, customer: Customer) -> None:
    old = of(cast, "Small", "31")
    with everything("test"):
        new = Price.objects.create(product=old.product, currency="USD", amount=40, valid_from=datetime.now(UTC).date())
        made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=old, label="x.example")
    browser, program = cast.reseller_a.browser(), cast.reseller_a.program()
    url = reverse("billing:price_apply", args=[new.pk])
    product = seen(browser, reverse("billing:product", args=[old.product_id]))
    assert url in product
    assert reverse("billing:price_apply", args=[old.pk]) not in product
    assert 'value="30"' in seen(browser, url)
    shown = browser.post(url, {"notice_days": "0"}).content.decode()
    assert "1 subscription gets this price." in shown
    assert "Client of A, x.example: 31.00\N{NO-BREAK SPACE}USD, from 11 Apr 2026 40.00\N{NO-BREAK SPACE}USD" in shown
    listed = program.get(f"/api/v1/prices/{new.pk}/subscriptions").json()["items"]
    assert [(row["subscription"], row["before"], row["after"], row["starts_on"]) for row in listed] == [
        (made.pk, "31.0000", "40.0000", "2026-04-11")
    ]
    confirmed = shown.partition('name="confirmed" value="')[2].partition('"')[0]
    assert browser.post(url, {"notice_days": "0", "confirmed": confirmed}).status_code == 302
    assert call(program, "POST", f"/prices/{new.pk}/apply", {"notice_days": 0}).json() == {"subscriptions": 0}
    with everything("test"):
        assert sorted(str(row.amount) for row in made.components.all()) == ["31.0000", "40.0000"]
        assert OutgoingMail.objects.filter(kind="price_change").count() == 1
