"""Paying by card: what is asked of the payment service, and what is booked of what it tells."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Organization
from billing.gateways.base import Page, Refused, Unavailable, Wanted
from billing.gateways.stripe import Stripe
from billing.models import GatewayEvent, Invoice, Payment, PaymentMethod
from billing.services import card_payments, methods, payments, settlements
from panel.core import ids
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from panel.demo import stripe_stub
from tests.billing import factories
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


def test_the_same_key_is_the_same_payment_when_it_was_paid(till: Till) -> None:
    payment = paid(till)
    assert payments.pay(actor=till.buyer.actor, invoice=payment.invoice, key="k") == payment  # type: ignore[arg-type]
    assert till.account.requests == ["POST /v1/checkout/sessions"]
    everything_ = {"actor": till.buyer.actor, "customer": till.customer, "key": "all"}
    till.invoice("5")
    both = payments.pay_all(**everything_)  # type: ignore[arg-type]
    till.account.pay(till.session(both))
    till.deliver_all()
    assert payments.pay_all(**everything_) == both  # type: ignore[arg-type]


def test_two_customers_may_make_the_same_key(till: Till) -> None:
    other = factories.customer(till.seller.organization, till.cast.client_b.organization)
    Organization.objects.filter(pk=other.buyer_id).update(parent=till.seller.organization)
    first = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="1")
    second = payments.pay(actor=till.cast.client_b.actor, invoice=till.invoice("100", of=other), key="1")
    assert (first.customer_id, second.customer_id) == (till.customer.pk, other.pk)


def test_a_page_that_is_made_too_late_leaves_a_payment_as_it_ended(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the service was asked for the page, the payment came, or was given up."""
    make = Stripe.checkout

    def ends(service: Stripe, wanted: Wanted) -> Page:
        card_payments.give_up(wanted.id)
        return make(service, wanted)

    def refuses(service: Stripe, wanted: Wanted) -> Page:
        Payment.objects.filter(pk=wanted.id).update(status=Payment.Status.SUCCEEDED)
        raise Refused("no", "No.")

    monkeypatch.setattr(Stripe, "checkout", ends)
    ended = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    assert (ended.status, ended.checkout_url) == (Payment.Status.EXPIRED, "")
    monkeypatch.setattr(Stripe, "checkout", refuses)
    with pytest.raises(Refused):
        payments.pay(actor=till.buyer.actor, invoice=till.invoice("7"), key="l")
    assert Payment.objects.get(amount=7).status == Payment.Status.SUCCEEDED


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


@pytest.mark.parametrize("name", ["evt_\0", "evt_" + "1" * 97, "evt_\ud800"], ids=["NUL", "long", "half"])
def test_names_that_no_database_keeps_are_refused(till: Till, name: str) -> None:
    payment = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(payment))
    event = next(event for event in till.account.events if event["type"] == "payment_intent.succeeded")
    thing = event["data"]["object"] | {"setup_future_usage": "off_session"}
    assert till.deliver(event | {"id": name}) == 400
    assert till.deliver(event | {"type": name}) == 400
    for change in ({"id": name}, {"customer": name}, {"metadata": {"payment": name}}, {"payment_method": name}):
        assert till.deliver(event | {"data": {"object": thing | change}}) == 400
    assert not GatewayEvent.objects.exists()
    assert till.deliver(event) == 200


def test_addresses_that_no_database_keeps_are_nobodys(till: Till) -> None:
    event = till.account.tell("customer.created", {"id": "cus_1"})
    for hook in ("a%00", "%ED%A0%80", "x" * 3000):
        assert till.deliver(event, hook=hook) == 400


def test_words_that_no_database_keeps_are_cleaned(till: Till, card: PaymentMethod) -> None:
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("1"), method=card, key="k")
    thing = {"id": "pi_1", "metadata": {"payment": payment.pk}, "last_payment_error": {"message": "N\0o\ud800" * 200}}
    assert till.deliver(till.account.tell("payment_intent.payment_failed", thing)) == 200
    payment.refresh_from_db()
    assert payment.failure == ("No" * 200)[:300]


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


def test_one_card_is_charged_for_an_invoice_at_a_time(till: Till, card: PaymentMethod) -> None:
    invoice = till.invoice("100")
    asked: dict[str, Any] = {"actor": till.buyer.actor, "invoice": invoice, "method": card}
    first = payments.pay_saved(key="k", **asked)
    assert payments.pay_saved(key="l", **asked) == first
    assert payments.collect_due(timezone.now() + timedelta(days=30)) == payments.Collected(0, [])
    with pytest.raises(Conflict, match="being charged"):
        payments.pay(actor=till.buyer.actor, invoice=invoice, key="page")
    with pytest.raises(Conflict, match="being charged"):
        payments.pay_all(actor=till.buyer.actor, customer=till.customer, key="all")
    other = PaymentMethod.objects.create(
        customer=till.customer, gateway=till.gateway, remote_customer="cus_1", remote_id="pm_1", is_default=False
    )
    with pytest.raises(Conflict, match="Another card"):
        payments.pay_saved(key="m", **(asked | {"method": other}))
    card_payments.charge(first.pk)
    till.deliver_all()
    paid = Payment.objects.get()
    assert paid.status == Payment.Status.SUCCEEDED
    assert payments.pay_saved(key="k", **asked) == paid
    assert len(intents(till)) == 1
    assert till.books() == {"cash": 100, "revenue": -100}


def test_the_database_holds_one_charge_of_an_invoice(till: Till, card: PaymentMethod) -> None:
    first = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("1"), method=card, key="k")
    first.pk, first.key = ids.new("pay"), "another"
    with pytest.raises(IntegrityError, match="invoice"):
        first.save(force_insert=True)


@pytest.fixture
def silent(till: Till, card: PaymentMethod) -> Payment:
    """A charge that got no answer, so long ago that its key may be forgotten."""
    payment = payments.pay_saved(actor=till.buyer.actor, invoice=till.invoice("100"), method=card, key="k")
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        card_payments.charge(payment.pk)
    till.account.answers.clear()
    Payment.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=30))
    return payment


def test_what_got_no_answer_is_looked_up_when_its_key_may_be_forgotten(
    till: Till, silent: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    card_payments.sweep(timezone.now())
    assert [call.args for call in ring.call_args_list if call.args[1] == silent.pk] == [
        (card_payments.LOOK_UP, silent.pk)
    ]
    card_payments.charge(silent.pk)
    assert len(intents(till)) == 1
    for _time in range(2):
        card_payments.look_up(silent.pk)
    silent.refresh_from_db()
    assert (silent.status, silent.remote_id) == (Payment.Status.SUCCEEDED, intents(till)[0]["id"])
    till.deliver_all()
    assert till.books() == {"cash": 100, "revenue": -100}


def test_a_charge_that_never_came_there_has_failed_and_can_be_tried_again(
    till: Till, silent: Payment, card: PaymentMethod
) -> None:
    """Payments of the same card for others are not taken for it."""
    assert silent.invoice is not None
    del till.account.things[intents(till)[0]["id"]]
    for number in range(120):
        till.account.make("payment_intent", "pi", customer=card.remote_customer, metadata={"payment": f"{number}"})
    card_payments.look_up(silent.pk)
    silent.refresh_from_db()
    assert (silent.status, "never got it" in silent.failure) == (Payment.Status.FAILED, True)
    assert till.account.requests.count("GET /v1/payment_intents") == 2
    again = payments.pay_saved(actor=till.buyer.actor, invoice=silent.invoice, method=card, key="l")
    card_payments.charge(again.pk)
    till.account.events = till.account.events[-1:]
    till.deliver_all()
    assert till.books() == {"cash": 100, "revenue": -100}


def test_a_charge_that_nobody_knows_of_is_said_and_stays(till: Till, silent: Payment, settings: Settings) -> None:
    assert silent.invoice is not None
    settings.STRIPE_API, before = "http://127.0.0.1:9", settings.STRIPE_API
    for _time in range(2):
        with pytest.raises(Unavailable):
            card_payments.look_up(silent.pk)
    silent.refresh_from_db()
    assert (silent.status, "did not answer" in silent.failure) == (Payment.Status.PENDING, True)
    assert AuditEntry.objects.filter(action="payment.unanswered").count() == 1
    settings.STRIPE_API = before
    assert payments.pay(actor=till.buyer.actor, invoice=silent.invoice, key="page").checkout_url
    till.deliver_all()
    silent.refresh_from_db()
    assert (silent.status, silent.failure) == (Payment.Status.SUCCEEDED, "")


def test_one_invoice_that_can_not_be_charged_holds_up_no_other(
    till: Till, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, sound = till.invoice("10"), till.invoice("20")
    plan = payments.plan_charge

    def fails(actor: Any, customer: Any, invoice: Invoice, *rest: Any) -> Payment:
        if invoice == poisoned:
            raise Conflict("No.")
        return plan(actor, customer, invoice, *rest)

    monkeypatch.setattr(payments, "plan_charge", fails)
    done = payments.collect_due(timezone.now() + timedelta(days=30))
    assert done == payments.Collected(1, [poisoned.pk])
    assert Payment.objects.get().invoice == sound


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


def test_a_card_that_is_removed_is_forgotten_at_the_service(
    till: Till, card: PaymentMethod, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it does not answer, it is asked again by the sweep: each minute, each hour, and not for ever."""
    methods.remove(actor=till.buyer.actor, method=card)
    settings.STRIPE_API, before = "http://127.0.0.1:9", settings.STRIPE_API
    methods.forget(card.pk)
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    now = timezone.now().replace(minute=7)
    for age, minute, asked in ((0.5, 7, True), (5, 7, False), (5, 0, True), (80, 0, False)):
        PaymentMethod.objects.update(removed_at=now - timedelta(hours=age))
        card_payments.sweep(now.replace(minute=minute))
        assert ((methods.FORGET, card.pk) in [call.args for call in ring.call_args_list]) == asked
        ring.reset_mock()
    settings.STRIPE_API = before
    methods.forget(card.pk)
    assert till.account.things[card.remote_id]["customer"] is None
    PaymentMethod.objects.update(removed_at=now - timedelta(minutes=30))
    card_payments.sweep(now)
    ring.assert_not_called()
    asked_for = len(till.account.requests)
    methods.forget(card.pk)
    assert len(till.account.requests) == asked_for
    with pytest.raises(Invalid):
        payments.pay_saved(
            actor=till.buyer.actor,
            invoice=till.invoice("1"),
            method=PaymentMethod.objects.get(),
            key="k",
        )


def test_a_card_that_the_service_does_not_describe_is_asked_for_less_and_less(
    till: Till, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    del till.account.things[card.remote_id]
    methods.describe(card.pk)
    card.refresh_from_db()
    assert (card.label, str(card)) == ("", "Card")
    ring = Mock()
    monkeypatch.setattr(card_payments, "ring", ring)
    now = timezone.now()
    for age, minute, asked in ((0.5, 7, True), (5, 7, False), (5, 0, True), (80, 0, False)):
        PaymentMethod.objects.update(created_at=now.replace(minute=minute) - timedelta(hours=age))
        card_payments.sweep(now.replace(minute=minute))
        assert ring.called == asked
        ring.reset_mock()


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
            charged[day] = payments.collect_due(now).planned + payments.collect_due(now).planned
            for payment in Payment.objects.filter(status=Payment.Status.PENDING):
                card_payments.charge(payment.pk)
    assert [day for day, count in charged.items() if count] == [0, 1, 3, 5]
    assert set(charged.values()) == {0, 1}
