"""The API of payments, cards, statements and the payment service, as programs use it; and what a webhook is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.gateways.base import Page, Wanted
from billing.gateways.stripe import Stripe
from billing.models import GatewayEvent, Payment, PaymentMethod
from billing.services import methods
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, sign
from tests.billing.services.test_statements import entry, statement
from tests.billing.till import Till, deliver

pytestmark = pytest.mark.django_db

BUDGETS = {
    "/payments": 8,
    "/payments/{payment}": 11,
    "/cards": 8,
    "/cards/{card}": 8,
    "/bank-entries": 8,
    "/bank-entries/{entry}": 8,
    "/gateway": 13,
}

LONG = "x" * 300_000


def call(program: Client, path: str, body: Any, method: str = "post") -> Any:
    """Send JSON."""
    return getattr(program, method)(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def items(program: Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = program.get(f"/api/v1{path}").json()["items"]
    return found


def save_card(till: Till) -> PaymentMethod:
    with everything("test"):
        url = methods.add(actor=till.buyer.actor, customer=till.customer, key="card")
        till.account.pay(till.account.things[url.rpartition("/")[2]])
        till.deliver_all()
        return PaymentMethod.objects.get()


@pytest.mark.django_db(transaction=True)
def test_the_payment_service_is_asked_outside_of_a_transaction(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a request with a key: what was begun is kept, whatever becomes of the answer."""
    held = []
    checkout = Stripe.checkout

    def seen(self: Stripe, wanted: Wanted) -> Page:
        held.append(connection.in_atomic_block)
        return checkout(self, wanted)

    monkeypatch.setattr(Stripe, "checkout", seen)
    program, headers = till.buyer.program(), {"idempotency-key": "once"}
    url, body = f"/api/v1/invoices/{till.invoice('100').pk}/pay", json.dumps({"key": "k"})
    first, again = (program.post(url, body, content_type="application/json", headers=headers) for _each in range(2))
    assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert (first.content, held) == (again.content, [False])
    program.post("/api/v1/cards", json.dumps({"key": "c"}), content_type="application/json")
    assert held == [False, False]


def test_a_client_pays_by_api(till: Till) -> None:
    invoice, program = till.invoice("100"), till.buyer.program()
    answer = call(program, f"/invoices/{invoice.pk}/pay", {"key": "k"})
    assert answer.status_code == 201
    body = answer.json()
    assert body["checkout_url"].startswith("http://127.0.0.1:")
    assert call(program, f"/invoices/{invoice.pk}/pay", {"key": "k"}).json()["id"] == body["id"]
    with everything("test"):
        till.account.pay(till.session(Payment.objects.get()))
        till.deliver_all()
    paid = program.get(f"/api/v1/payments/{body['id']}").json()
    assert (paid["status"], paid["checkout_url"]) == ("succeeded", "")
    assert paid["pays"] == [{"invoice": invoice.pk, "amount": "100.0000"}]


def test_a_seller_records_pays_back_and_takes_off(till: Till) -> None:
    invoice, program = till.invoice("100"), till.seller.program()
    given = {"customer": till.customer.pk, "amount": "100", "currency": "USD", "received_on": "2026-01-02", "key": "k"}
    made = call(program, "/payments", given | {"invoice": invoice.pk})
    assert made.status_code == 201, made.content
    assert call(program, "/payments", given | {"invoice": invoice.pk}).json()["id"] == made.json()["id"]
    path = f"/payments/{made.json()['id']}"
    kept = call(program, f"{path}/keep", {"invoice": invoice.pk, "amount": "40", "key": "k"})
    assert kept.json()["pays"] == [{"invoice": invoice.pk, "amount": "60.0000"}]
    back = call(program, f"{path}/refunds", {"amount": "50", "key": "r", "reason": "Left early"})
    assert back.json()["refunds"][0]["status"] == "done"
    assert till.open(invoice) == 50
    much = call(program, f"{path}/refunds", {"amount": "51", "key": "s"})
    assert (much.status_code, much.json()["code"]) == (409, "too_much")


def test_saved_cards(till: Till) -> None:
    card, program = save_card(till), till.buyer.program()
    (row,) = items(program, "/cards")
    assert row == {"id": card.pk, "label": "Card", "expires_on": None, "is_default": True}
    invoice = till.invoice("5")
    answer = call(program, f"/invoices/{invoice.pk}/pay", {"key": "k", "card": card.pk})
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert call(program, f"/cards/{card.pk}/default", {}).status_code == 200
    assert call(program, f"/cards/{card.pk}", {}, "delete").status_code == 204
    assert items(program, "/cards") == []
    assert call(program, "/cards", {"key": "new"}).json()["url"].startswith("http://127.0.0.1:")


def test_statements(till: Till) -> None:
    invoice, program = till.invoice("100"), till.seller.program()
    text = statement(entry(reference=invoice.reference), entry("7.00", bank="B2")).decode()
    read = call(program, "/bank-entries", {"statement": text})
    assert read.json() == {"new": 2, "known": 0, "left_out": 0}
    assert call(program, "/bank-entries/book", {}).json() == {"booked": 1, "failed": 0}
    other, _booked = items(program, "/bank-entries")
    assert call(program, f"/bank-entries/{other['id']}/ignore", {}).json()["status"] == "ignored"
    assert call(program, f"/bank-entries/{other['id']}/ignore", {}).json()["status"] == "open"
    matched = call(program, f"/bank-entries/{other['id']}/match", {"customer": till.customer.pk})
    assert (matched.status_code, matched.json()["amount"]) == (201, "7.0000")


def test_keys_are_never_shown(till: Till) -> None:
    program = till.seller.program()
    shown = program.get("/api/v1/gateway").json()
    assert (shown["has_secret_key"], shown["has_hook_secret"]) == (True, True)
    assert "sk_test" not in json.dumps(shown)
    assert shown["hook_url"].endswith(f"/hooks/payments/{till.gateway.hook}")
    assert call(program, "/gateway/test", {}).json() == {"account": "Stub shop"}
    assert call(program, "/gateway", {"is_active": False}, "patch").json()["is_active"] is False
    wrong = call(program, "/gateway", {"secret_key": "hunter2"}, "put")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["secret_key"])


def test_lists_are_of_the_two_parties_alone(till: Till) -> None:
    call(till.buyer.program(), f"/invoices/{till.invoice('100').pk}/pay", {"key": "k"})
    assert len(items(till.buyer.program(), "/payments")) == len(items(till.seller.program(), "/payments")) == 1
    for stranger in (till.cast.provider, till.cast.reseller_b, till.cast.client_b, till.cast.sub_reseller):
        assert items(stranger.program(), "/payments") == []


def test_lists_are_narrowed_and_refuse_what_is_no_filter(till: Till) -> None:
    buyer, seller = till.buyer.program(), till.seller.program()
    call(buyer, f"/invoices/{till.invoice('100').pk}/pay", {"key": "k"})
    assert len(items(seller, f"/payments?status=pending&customer={till.customer.pk}")) == 1
    assert items(seller, "/payments?status=succeeded") == []
    assert items(seller, "/bank-entries?status=open") == []
    for path, field in (("/payments?state=pending", "state"), ("/bank-entries?status=none", "status")):
        refused = seller.get(f"/api/v1{path}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)


HOSTILE: list[Any] = [None, [], "text", 5, {}, {"key": 5}, {"key": ""}, {"key": ["a"]}, {"key": {"a": 1}}, {"x": 1}]
WRONG: list[Any] = ["", "NaN", "Infinity", "-1", "0", "1e400", "0.00001", "9" * 40, [], {}, None, True, "١٢"]


@pytest.mark.parametrize("body", HOSTILE, ids=repr)
def test_bodies_that_are_none_are_refused(till: Till, body: Any) -> None:
    invoice = till.invoice("100")
    paths = (f"/invoices/{invoice.pk}/pay", "/cards")
    answers = [call(till.buyer.program(), path, body).status_code for path in paths]
    paths = ("/payments", "/bank-entries")
    answers += [call(till.seller.program(), path, body).status_code for path in paths]
    assert set(answers) == {400}
    with everything("test"):
        assert not Payment.objects.exists()


@pytest.mark.parametrize("amount", WRONG, ids=repr)
def test_amounts_that_are_none_are_refused_by_field(till: Till, amount: Any) -> None:
    given = {"customer": till.customer.pk, "amount": amount, "currency": "USD", "received_on": "2026-01-02", "key": "k"}
    answer = call(till.seller.program(), "/payments", given)
    assert answer.status_code == 400
    assert "amount" in answer.json()["errors"]


@pytest.mark.parametrize("key", ["a", "a\x00b", "ключ", "k" * 200, "'; DROP TABLE billing_payment; --"], ids=repr)
def test_keys_of_any_text_never_break(till: Till, key: str) -> None:
    given = {"customer": till.customer.pk, "amount": "1", "currency": "USD", "received_on": "2026-01-02", "key": key}
    assert call(till.seller.program(), "/payments", given).status_code in (201, 400)


def event(thing: Any, name: str = "payment_intent.succeeded") -> dict[str, Any]:
    return {"id": "evt_1", "type": name, "created": int(time.time()), "data": {"object": thing}}


BROKEN: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no JSON": lambda: b"{",
    "no object": lambda: b"[]",
    "a number": lambda: b"5",
    "no UTF-8": lambda: b"\xff\xfe",
    "no type": lambda: b"{}",
    "no thing": lambda: json.dumps(event(None)).encode(),
    "a list as thing": lambda: json.dumps(event([])).encode(),
    "no amount": lambda: json.dumps(event({"id": "pi_1", "currency": "usd"})).encode(),
    "an amount of words": lambda: json.dumps(event({"id": "p", "currency": "usd", "amount_received": "x"})).encode(),
    "a text as metadata": lambda: json.dumps(event({"id": "p", "metadata": "x", "currency": "usd"})).encode(),
    "deep": lambda: b"[" * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_signed_nonsense_is_refused_with_nothing_said(till: Till, name: str) -> None:
    body = BROKEN[name]()
    try:
        signature = sign(body, HOOK_SECRET)
    except UnicodeDecodeError:
        signature = ""
    assert deliver(till.gateway, body, signature) == 400
    with everything("test"):
        assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize(
    "signature", ["", "t=1", "t=x,v1=y", "v1=abc", "t=1,v1=", ",,,", "t=9" * 500, "t=1,v0=x"], ids=repr
)
def test_signatures_that_are_none_are_refused(till: Till, signature: str) -> None:
    assert deliver(till.gateway, json.dumps(event({})).encode(), signature) == 400


def test_a_body_that_is_too_large_and_other_methods_are_refused(till: Till) -> None:
    assert deliver(till.gateway, LONG.encode(), "t=1,v1=x") == 413
    client = Client(headers={"host": "hooks.invalid"})
    assert client.get(f"/hooks/payments/{till.gateway.hook}").status_code == 405


def test_reads_keep_within_their_budgets_however_much_there_is(till: Till) -> None:
    card, program, payer = save_card(till), till.seller.program(), till.buyer.program()
    for number in range(3):
        given = {"customer": till.customer.pk, "amount": "1", "currency": "USD", "received_on": "2026-01-02"}
        made = call(program, "/payments", given | {"key": f"k{number}"}).json()
        call(program, "/bank-entries", {"statement": statement(entry(bank=f"{number}")).decode()})
        program.get("/api/v1/payments")
        known = {"payment": made["id"], "card": card.pk, "entry": items(program, "/bank-entries")[0]["id"]}
        for route, budget in BUDGETS.items():
            reader = payer if route.startswith("/cards") else program
            with CaptureQueriesContext(
                connection,
            ) as seen:
                assert reader.get(f"/api/v1{route.format(**known)}").status_code == 200
            assert len(seen) <= budget, (route, len(seen), [query["sql"] for query in seen])
