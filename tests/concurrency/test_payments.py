"""Sixty at once: one event of a payment service, one invoice paid from credit, one payment paid back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import pytest
from pytest_django import Settings

from billing.models import Allocation, GatewayEvent, LedgerEntry, Payment, PaymentMethod, Receivable, Refund
from billing.services import gateway_events, payments, refunds, settlements
from panel.core.errors import Conflict
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, sign
from tests.billing import till as tills
from tests.billing.till import Till
from tests.cast import Cast
from tests.concurrency.field import together

MANY = 60


@pytest.fixture
def till(cast: Cast, settings: Settings) -> Iterator[Till]:
    """Reseller A takes cards, client A buys; all of it committed."""
    with tills.stub() as server:
        settings.STRIPE_API = server.url
        made = tills.make(cast, server)
        with everything("test"):
            yield made


def paid(till: Till, amount: str = "100") -> Payment:
    """Let the client pay an invoice by card; what the payment service told is not delivered yet."""
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice(amount), key="k")
    till.account.pay(till.session(payment))
    return payment


def told(till: Till, body: bytes) -> Callable[[], None]:
    """Return what tells the webhook's service a message, signed now."""
    signature = sign(body, HOOK_SECRET)
    return partial(gateway_events.receive, hook=till.gateway.hook, body=body, signature=signature)


def test_an_event_that_is_told_sixty_times_at_once_takes_effect_once(till: Till) -> None:
    payment = paid(till)
    for event in till.account.events:
        body = json.dumps(event).encode()
        assert together([told(till, body)] * MANY) == [None] * MANY
    payment.refresh_from_db()
    assert payment.status == Payment.Status.SUCCEEDED
    assert GatewayEvent.objects.count() == 2
    assert Allocation.objects.count() == 1
    assert till.books() == {"cash": 100, "revenue": -100}


def test_different_events_of_one_payment_at_once_book_it_once(till: Till) -> None:
    paid(till)
    intent = next(event for event in till.account.events if event["type"] == "payment_intent.succeeded")
    calls = []
    for number in range(MANY):
        body = json.dumps(intent | {"id": f"evt_{number}"}).encode()
        calls.append(told(till, body))
    assert together(calls) == [None] * MANY
    assert GatewayEvent.objects.count() == MANY
    assert till.books() == {"cash": 100, "revenue": -100}


def test_credit_is_never_used_twice(till: Till) -> None:
    invoices = [till.invoice("10") for _number in range(6)]
    with everything("test"):
        LedgerEntry.objects.create(
            seller=till.seller.organization,
            customer=till.customer,
            key="gift",
            on=tills.DAY,
            debit="cash",
            credit="credit",
            amount=Decimal(25),
            currency="USD",
        )
    together([partial(settlements.use_credit, invoice) for invoice in invoices] * (MANY // 6))
    left = sum(row.open for row in Receivable.objects.all())
    assert left == 35
    assert settlements.credit_of(till.customer) == 0


def test_an_invoice_is_never_paid_twice(till: Till) -> None:
    invoice = till.invoice("100")

    def record(number: int) -> None:
        payments.record(
            actor=till.seller.actor,
            customer=till.customer,
            amount=Decimal(30),
            currency="USD",
            received_on=tills.DAY,
            reference="",
            key=f"k{number % 6}",
            invoice=invoice,
        )

    assert together([partial(record, number) for number in range(MANY)]) == [None] * MANY
    assert Payment.objects.count() == 6
    assert till.open(invoice) == 0
    assert settlements.credit_of(till.customer) == 80


def test_an_invoice_is_charged_to_one_card_once_whatever_the_keys(till: Till) -> None:
    invoice = till.invoice("100")
    told = {"customer": till.customer, "gateway": till.gateway, "remote_customer": "cus_1"}
    cards = [
        PaymentMethod.objects.create(remote_id=f"pm_{number}", is_default=number == 0, **told) for number in range(2)
    ]

    def pay(number: int) -> str | None:
        try:
            made = payments.pay_saved(
                actor=till.buyer.actor, invoice=invoice, method=cards[number % 2], key=f"k{number // 3}"
            )
        except Conflict:
            return None
        return made.pk

    (made,) = set(together([partial(pay, number) for number in range(MANY)])) - {None}
    assert Payment.objects.get().pk == made


def test_no_more_is_paid_back_than_came(till: Till) -> None:
    payment = paid(till)
    till.deliver_all()

    def refund(number: int) -> bool:
        try:
            refunds.create(actor=till.seller.actor, payment=payment, amount=Decimal(7), key=f"r{number}")
        except Conflict:
            return False
        return True

    done = together([partial(refund, number) for number in range(MANY)])
    assert sum(done) == Refund.objects.count() == 14
    payment.refresh_from_db()
    assert payment.refunded == 98
    assert till.books() == {"cash": 2, "receivable": 98, "revenue": -100}
