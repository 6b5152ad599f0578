"""Paying by card: what is asked of the payment service, and what is booked of what it tells."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from django.utils import timezone

from billing.gateways.base import Refused, Unavailable
from billing.models import GatewayEvent, Payment, PaymentMethod
from billing.services import card_payments, methods, payments, settlements
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from panel.demo import stripe_stub
from tests.billing.till import Till

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scope() -> object:
    with everything("test"):
        yield


def paid(till: Till, amount: str = "100") -> Payment:
    invoice = till.invoice(amount)
    payment = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    till.account.pay(till.session(payment))
    till.deliver_all()
    return Payment.objects.get(pk=payment.pk)


def test_a_card_pays_an_invoice_once(till: Till) -> None:
    payment = paid(till)
    assert payment.status == Payment.Status.SUCCEEDED
    assert payment.remote_id.startswith("pi_")
    assert till.open(payment.invoice) == 0  # type: ignore[arg-type]
    assert till.books() == {"cash": 100, "revenue": -100}
    assert [event.kind for event in GatewayEvent.objects.order_by("id")] == [
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_fee_is_booked_once(till: Till) -> None:
    payment = paid(till)
    card_payments.note_fee(payment.pk)
    card_payments.note_fee(payment.pk)
    payment.refresh_from_db()
    assert payment.fee == 3
    assert till.books() == {"cash": 97, "fees": 3, "revenue": -100}


def test_the_same_key_is_the_same_payment(till: Till) -> None:
    invoice = till.invoice("100")
    first = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    again = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    other = payments.pay(actor=till.buyer.actor, invoice=invoice, key="another")
    assert first.pk == again.pk == other.pk
    assert till.account.requests == ["POST /v1/checkout/sessions"]


def test_a_key_of_another_payment_is_refused(till: Till) -> None:
    payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    with pytest.raises(Conflict):
        payments.pay(actor=till.buyer.actor, invoice=till.invoice("50"), key="k")


def test_a_lost_answer_is_asked_for_again_by_the_same_key(till: Till) -> None:
    invoice = till.invoice("100")
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    payment = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    sessions = [thing for thing in till.account.things.values() if thing["object"] == "checkout.session"]
    assert [session["url"] for session in sessions] == [payment.checkout_url]


def test_a_wrong_key_is_said(till: Till) -> None:
    from billing.services import gateways

    gateways.set_keys(actor=till.seller.actor, secret_key="rk_live_wrong")
    with pytest.raises(Refused, match="key"):
        payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    assert Payment.objects.get().status == Payment.Status.FAILED


@pytest.mark.parametrize(("amount", "currency"), [("9999", "usd"), ("10000", "eur"), ("10001", "usd")])
def test_another_amount_or_currency_is_not_booked_but_said(till: Till, amount: str, currency: str) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(payment))
    for event in till.account.events:
        thing = event["data"]["object"]
        thing |= {"amount_received": int(amount), "amount_total": int(amount), "currency": currency}
    assert till.deliver_all() == [200, 200]
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PENDING
    assert amount[:-2] in payment.failure
    assert till.books() == {"receivable": 100, "revenue": -100}


def test_a_payment_of_another_seller_is_not_touched(till: Till) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(payment))
    from billing.services import gateways
    from panel.demo.stripe_stub import HOOK_SECRET, KEY

    other = gateways.set_keys(actor=till.cast.reseller_b.actor, secret_key=KEY, hook_secret=HOOK_SECRET)
    till.gateway = other
    assert till.deliver_all() == [200, 200]
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PENDING


def test_events_come_twice_and_in_any_order(till: Till) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(payment))
    for event in [*reversed(till.account.events), *till.account.events]:
        assert till.deliver(event) == 200
    assert till.books() == {"cash": 100, "revenue": -100}
    assert GatewayEvent.objects.count() == 2


def test_what_is_not_genuine_is_refused_with_nothing_said(till: Till) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(payment))
    event = till.account.events[0]
    now = int(time.time())
    assert till.deliver(event, secret="whsec_other") == 400
    assert till.deliver(event, at=now - 3600) == 400
    assert till.deliver(event, at=now + 3600) == 400
    assert till.deliver(event, hook="nobody") == 400
    assert not GatewayEvent.objects.exists()
    assert till.deliver(event) == 200


def test_unknown_kinds_are_taken(till: Till) -> None:
    event = till.account.tell("customer.created", {"id": "cus_1"})
    assert till.deliver(event) == 200
    assert GatewayEvent.objects.get().kind == "customer.created"


def test_a_page_that_ran_out_ends_the_payment_and_late_money_counts(till: Till) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    session = till.session(payment)
    till.deliver(till.account.tell("checkout.session.expired", session))
    payment.refresh_from_db()
    assert payment.status == Payment.Status.EXPIRED
    till.account.events.clear()
    till.account.pay(session)
    till.deliver_all()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.SUCCEEDED


def test_what_comes_a_second_time_for_a_payment_is_credit(till: Till) -> None:
    payment = paid(till)
    intent = till.account.things[payment.remote_id] | {"id": "pi_second"}
    for _time in range(2):
        till.deliver(till.account.tell("payment_intent.succeeded", intent))
    assert [row.remote_id for row in Payment.objects.order_by("id")] == [payment.remote_id, "pi_second"]
    assert settlements.credit_of(till.customer) == 100


def test_all_open_invoices_are_paid_at_once(till: Till) -> None:
    both = [till.invoice("10"), till.invoice("20")]
    payment = payments.pay_all(actor=till.buyer.actor, customer=till.customer, key="k")
    assert payment.amount == 30
    till.account.pay(till.session(payment))
    till.deliver_all()
    assert [till.open(invoice) for invoice in both] == [0, 0]


def test_what_was_paid_twice_is_credit_and_pays_the_next_invoice(till: Till) -> None:
    invoice = till.invoice("100")
    payment = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k")
    payments.record(
        actor=till.seller.actor,
        customer=till.customer,
        amount=Decimal(100),
        currency="USD",
        received_on=settlements.day_of(till.customer),
        reference="cash",
        key="by-hand",
    )
    till.account.pay(till.session(payment))
    till.deliver_all()
    assert settlements.credit_of(till.customer) == 100
    following = till.invoice("60")
    assert till.open(following) == 0
    assert settlements.credit_of(till.customer) == 40


def test_credit_can_be_used_by_hand(till: Till) -> None:
    with pytest.raises(Invalid, match="credit"):
        payments.pay_from_credit(actor=till.buyer.actor, invoice=till.invoice("5"))


def test_a_card_is_saved_and_charged_later(till: Till) -> None:
    url = methods.add(actor=till.buyer.actor, customer=till.customer, key="k")
    till.account.pay(till.account.things[url.rpartition("/")[2]])
    till.deliver_all()
    method = PaymentMethod.objects.get()
    methods.describe(method.pk)
    method.refresh_from_db()
    assert (str(method), str(method.expires_on), method.is_default) == ("Visa •••• 4242", "2034-12-31", True)
    invoice = till.invoice("100")
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=invoice, method=method, key="k")
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        card_payments.charge(payment.pk)
    card_payments.charge(payment.pk)
    till.deliver_all()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.SUCCEEDED
    assert till.books() == {"cash": 100, "revenue": -100}


@pytest.fixture
def card(till: Till) -> PaymentMethod:
    """A card that the client has saved."""
    url = methods.add(actor=till.buyer.actor, customer=till.customer, key="k")
    till.account.pay(till.account.things[url.rpartition("/")[2]])
    till.deliver_all()
    return PaymentMethod.objects.get()


def intents(till: Till) -> list[dict[str, Any]]:
    return [thing for thing in till.account.things.values() if thing["object"] == "payment_intent"]


def test_what_was_taken_on_is_not_charged_again_by_a_key_that_is_forgotten(
    till: Till, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = stripe_stub.create_intent
    monkeypatch.setitem(
        stripe_stub.CREATE, "/v1/payment_intents", lambda *asked: begin(*asked) | {"status": "processing"}
    )
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("100"), method=card, key="k")
    card_payments.charge(payment.pk)
    till.account.answers.clear()
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    card_payments.sweep(timezone.now() + timedelta(hours=1))
    assert card_payments.CHARGE not in [call.args[0] for call in ring.call_args_list]
    card_payments.charge(payment.pk)
    assert len(intents(till)) == 1
    till.deliver_all()
    assert till.books() == {"cash": 100, "revenue": -100}


def test_what_got_no_answer_is_not_charged_when_its_key_may_be_forgotten_but_said(
    till: Till, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("100"), method=card, key="k")
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        card_payments.charge(payment.pk)
    till.account.answers.clear()
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=24))
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    for _time in range(2):
        card_payments.sweep(timezone.now())
    assert card_payments.CHARGE not in [call.args[0] for call in ring.call_args_list]
    card_payments.charge(payment.pk)
    assert len(intents(till)) == 1
    payment.refresh_from_db()
    assert (payment.status, "did not answer" in payment.failure) == (Payment.Status.PENDING, True)
    assert AuditEntry.objects.filter(action="payment.unanswered").count() == 1
    till.deliver_all()
    payment.refresh_from_db()
    assert (payment.status, payment.failure) == (Payment.Status.SUCCEEDED, "")


@pytest.mark.parametrize(("age", "minute", "asked"), [(0.5, 7, True), (5, 7, False), (5, 0, True), (80, 0, False)])
def test_a_fee_that_is_not_known_is_asked_for_each_minute_then_each_hour(
    till: Till, monkeypatch: pytest.MonkeyPatch, age: float, minute: int, asked: bool
) -> None:
    paid(till)
    now = timezone.now().replace(minute=minute)
    Payment.objects.update(created_at=now - timedelta(hours=age))
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    card_payments.sweep(now)
    assert ring.called == asked


def test_a_declined_card_fails_and_says_why(till: Till) -> None:
    url = methods.add(actor=till.buyer.actor, customer=till.customer, key="k")
    till.account.pay(till.account.things[url.rpartition("/")[2]], card="4000000000000002")
    till.deliver_all()
    method = PaymentMethod.objects.get()
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("100"), method=method, key="k")
    card_payments.charge(payment.pk)
    payment.refresh_from_db()
    assert (payment.status, payment.failure) == (Payment.Status.FAILED, "Your card was declined.")


def test_a_card_that_is_removed_is_forgotten_at_the_service(till: Till) -> None:
    url = methods.add(actor=till.buyer.actor, customer=till.customer, key="k")
    till.account.pay(till.account.things[url.rpartition("/")[2]])
    till.deliver_all()
    method = PaymentMethod.objects.get()
    methods.remove(actor=till.buyer.actor, method=method)
    methods.forget(method.pk)
    methods.forget(method.pk)
    assert till.account.things[method.remote_id]["customer"] is None
    with pytest.raises(Invalid):
        payments.pay_saved(
            actor=till.buyer.actor,
            invoice=till.invoice("1"),
            method=PaymentMethod.objects.get(),
            key="k",
        )


def test_who_may(till: Till) -> None:
    invoice = till.invoice("100")
    for stranger in (till.cast.provider, till.cast.reseller_b, till.cast.client_b):
        with pytest.raises(NotFound):
            payments.pay(actor=stranger.actor, invoice=invoice, key="k")
    with pytest.raises(Forbidden):
        payments.pay(actor=till.seller.actor, invoice=invoice, key="k")
    for nobody in (till.buyer, till.cast.readonly_a):
        with pytest.raises(Forbidden):
            _record(till, actor=nobody.actor)


@pytest.mark.parametrize(
    "values",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("-1")},
        {"amount": Decimal("0.001")},
        {"currency": "EUR"},
        {"received_on": "tomorrow"},
    ],
)
def test_what_is_recorded_has_to_make_sense(till: Till, values: dict[str, object]) -> None:
    if values.get("received_on"):
        values = {"received_on": settlements.day_of(till.customer) + timedelta(days=1)}
    with pytest.raises(DomainError) as refusal:
        _record(till, **values)
    assert refusal.value.field == next(iter(values))


def test_without_a_gateway_cards_are_not_taken(till: Till) -> None:
    from billing.services import gateways

    gateways.switch(actor=till.seller.actor, gateway=till.gateway, on=False)
    with pytest.raises(Invalid, match="bank transfer"):
        payments.pay(actor=till.buyer.actor, invoice=till.invoice("1"), key="k")


def _record(till: Till, **values: object) -> Payment:
    given: dict[str, object] = {
        "actor": till.seller.actor,
        "customer": till.customer,
        "amount": Decimal(10),
        "currency": "USD",
        "received_on": settlements.day_of(till.customer),
        "reference": "",
        "key": "k",
    }
    return payments.record(**(given | values))  # type: ignore[arg-type]


def test_the_run_charges_saved_cards_on_its_days_once(till: Till) -> None:
    from datetime import UTC, datetime

    import time_machine

    url = methods.add(actor=till.buyer.actor, customer=till.customer, key="k")
    till.account.pay(till.account.things[url.rpartition("/")[2]], card="4000000000000002")
    till.deliver_all()
    invoice = till.invoice("100")
    due = datetime.combine(invoice.due_on, datetime.min.time(), UTC) + timedelta(hours=12)
    charged = {}
    for day in range(-1, 9):
        with time_machine.travel(due + timedelta(days=day), tick=False):
            now = due + timedelta(days=day)
            charged[day] = payments.collect_due(now) + payments.collect_due(now)
            for payment in Payment.objects.filter(status=Payment.Status.PENDING):
                card_payments.charge(payment.pk)
    assert [day for day, count in charged.items() if count] == [0, 1, 3, 5]
    assert set(charged.values()) == {0, 1}
