"""Money that goes back, and payments that the buyer's bank takes back."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.utils import timezone
from pytest_django import Settings

from billing.gateways.base import Unavailable
from billing.models import Allocation, Dispute, Payment, Refund
from billing.services import card_payments, invoices, payments, refunds, settlements
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from panel.demo import stripe_stub
from tests.billing.till import SYSTEM, Till

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scope() -> object:
    with everything("test"):
        yield


@pytest.fixture
def payment(till: Till) -> Payment:
    """An invoice of 100, paid by card."""
    made = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    till.account.pay(till.session(made))
    till.deliver_all()
    return Payment.objects.get(pk=made.pk)


def refund(till: Till, payment: Payment, amount: int, key: str = "r") -> Refund:
    made = refunds.create(actor=till.seller.actor, payment=payment, amount=amount, key=key)  # type: ignore[arg-type]
    refunds.send(made.pk)
    made.refresh_from_db()
    return made


def test_what_a_credit_note_left_goes_back_to_the_card(till: Till, payment: Payment) -> None:
    assert payment.invoice is not None
    invoices.credit(actor=SYSTEM, invoice=payment.invoice, reason="Too much")
    assert settlements.credit_of(till.customer) == 100
    made = refund(till, payment, 100)
    till.deliver_all()
    assert made.status == Refund.Status.DONE
    assert till.open(payment.invoice) == 0
    assert till.books() == {}


def test_without_credit_the_invoice_is_open_again(till: Till, payment: Payment) -> None:
    refund(till, payment, 30)
    assert till.open(payment.invoice) == 30  # type: ignore[arg-type]
    assert till.books() == {"cash": 70, "receivable": 30, "revenue": -100}


def test_no_more_goes_back_than_came(till: Till, payment: Payment) -> None:
    refund(till, payment, 60)
    with pytest.raises(Conflict, match="No more than 40"):
        refund(till, payment, 41, key="other")
    refund(till, payment, 40, key="other")
    with pytest.raises(Conflict, match="No more than 0"):
        refund(till, payment, 1, key="third")


def test_the_same_key_pays_back_once(till: Till, payment: Payment) -> None:
    assert refund(till, payment, 10).pk == refund(till, payment, 10).pk
    with pytest.raises(Conflict, match="key"):
        refund(till, payment, 11)
    assert till.account.requests.count("POST /v1/refunds") == 1


def test_a_lost_answer_pays_back_once(till: Till, payment: Payment) -> None:
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        refund(till, payment, 10)
    made = refund(till, payment, 10)
    assert made.status == Refund.Status.DONE
    till.deliver_all()
    assert till.account.things[payment.remote_id]["refunded"] == 1000
    assert Refund.objects.count() == 1


def test_what_was_taken_on_is_not_sent_again_by_a_key_that_is_forgotten(
    till: Till, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = stripe_stub.create_refund
    monkeypatch.setitem(stripe_stub.CREATE, "/v1/refunds", lambda *asked: begin(*asked) | {"status": "pending"})
    made = refund(till, payment, 10)
    assert (made.status, bool(made.remote_id)) == (Refund.Status.PENDING, True)
    till.account.answers.clear()
    ring = Mock()
    monkeypatch.setattr(refunds, "ring", ring)
    refunds.sweep(timezone.now() + timedelta(hours=1))
    ring.assert_not_called()
    refunds.send(made.pk)
    assert till.account.things[payment.remote_id]["refunded"] == 1000
    till.deliver_all()
    made.refresh_from_db()
    assert made.status == Refund.Status.DONE


@pytest.fixture
def silent(till: Till, payment: Payment) -> Refund:
    """A refund that got no answer, so long ago that its key may be forgotten."""
    till.account.lose_answers = 1
    with pytest.raises(Unavailable):
        refund(till, payment, 10)
    till.account.answers.clear()
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=30))
    return Refund.objects.get()


def test_what_got_no_answer_is_looked_up_when_its_key_may_be_forgotten(
    till: Till, payment: Payment, silent: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Mock()
    monkeypatch.setattr(refunds, "ring", ring)
    refunds.sweep(timezone.now())
    ring.assert_called_once_with(refunds.LOOK_UP, silent.pk)
    refunds.send(silent.pk)
    assert till.account.things[payment.remote_id]["refunded"] == 1000
    for _time in range(2):
        refunds.look_up(silent.pk)
    silent.refresh_from_db()
    assert (silent.status, silent.remote_id[:3]) == (Refund.Status.DONE, "re_")
    till.deliver_all()
    assert Refund.objects.count() == 1


def test_a_refund_that_never_came_there_is_credit_again(till: Till, payment: Payment, silent: Refund) -> None:
    """One of another refund is not taken for it."""
    for thing in till.account.things.values():
        if thing["object"] == "refund":
            thing["metadata"] = {"refund": "rfd_other"}
    refunds.look_up(silent.pk)
    silent.refresh_from_db()
    payment.refresh_from_db()
    assert (silent.status, payment.refunded) == (Refund.Status.FAILED, 0)
    assert settlements.credit_of(till.customer) == 10


def test_a_refund_that_nobody_knows_of_is_said_and_stays_taken_out(
    till: Till, payment: Payment, silent: Refund, settings: Settings
) -> None:
    settings.STRIPE_API = "http://127.0.0.1:9"
    for _time in range(2):
        with pytest.raises(Unavailable):
            refunds.look_up(silent.pk)
    payment.refresh_from_db()
    assert "10" in payment.failure
    assert AuditEntry.objects.filter(action="receipt.unanswered").count() == 1
    till.deliver_all()
    payment.refresh_from_db()
    assert (Refund.objects.get().status, payment.failure) == (Refund.Status.DONE, "")


@pytest.mark.parametrize(("age", "minute", "asked"), [(0.5, 7, True), (5, 7, False), (5, 0, True), (80, 0, False)])
def test_a_refund_is_looked_up_less_and_less(
    silent: Refund, monkeypatch: pytest.MonkeyPatch, age: float, minute: int, asked: bool
) -> None:
    now = timezone.now().replace(minute=minute)
    Refund.objects.update(created_at=now - card_payments.KEY_GONE - timedelta(hours=age))
    ring = Mock()
    monkeypatch.setattr(refunds, "ring", ring)
    refunds.sweep(now)
    assert ring.called == asked


def test_a_refund_that_fails_late_is_credit_again(till: Till, payment: Payment) -> None:
    made = refund(till, payment, 10)
    thing = till.account.things[made.remote_id] | {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    till.deliver(till.account.tell("refund.failed", thing))
    till.deliver(till.account.tell("refund.failed", thing))
    made.refresh_from_db()
    payment.refresh_from_db()
    assert (made.status, payment.refunded) == (Refund.Status.FAILED, 0)
    assert settlements.credit_of(till.customer) == 10
    assert till.books() == {"cash": 100, "receivable": 10, "credit": -10, "revenue": -100}


def test_a_refund_that_was_begun_there_is_booked_once(till: Till, payment: Payment) -> None:
    told = {"payment_intent": payment.remote_id, "amount": 2500, "currency": "usd", "metadata": {}}
    thing = till.account.make("refund", "re", status="succeeded", **told)
    for name in ("refund.created", "refund.updated"):
        till.deliver(till.account.tell(name, thing))
    assert Refund.objects.get().amount == 25
    assert till.open(payment.invoice) == 25  # type: ignore[arg-type]


def test_a_refund_of_more_than_there_is_is_not_booked(till: Till, payment: Payment) -> None:
    told = {"payment_intent": payment.remote_id, "amount": 10001, "currency": "usd", "metadata": {}}
    till.deliver(till.account.tell("refund.created", till.account.make("refund", "re", status="succeeded", **told)))
    assert not Refund.objects.exists()


def test_a_refund_that_was_begun_there_of_money_used_otherwise_is_noted_once(till: Till, payment: Payment) -> None:
    """The first payment's money went back as the second's, so that nothing is left to take it from."""
    kept = {"actor": till.seller.actor, "payment": payment, "invoice": payment.invoice, "key": "k"}
    other = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="other")
    till.account.pay(till.session(other))
    till.deliver_all()
    refunds.keep_as_credit(amount=100, **kept)  # type: ignore[arg-type]
    refund(till, Payment.objects.get(pk=other.pk), 100)
    till.account.events.clear()
    before = till.books()
    told = {"payment_intent": payment.remote_id, "amount": 2500, "currency": "usd", "metadata": {}}
    thing = till.account.make("refund", "re", status="succeeded", **told)
    assert till.deliver(till.account.tell("refund.created", thing)) == 200
    assert (Refund.objects.count(), till.books()) == (1, before)
    assert AuditEntry.objects.filter(action="receipt.differs").count() == 1
    payment.refresh_from_db()
    assert "25" in payment.failure


def test_money_can_be_kept_as_credit(till: Till, payment: Payment) -> None:
    kept = {"actor": till.seller.actor, "payment": payment, "invoice": payment.invoice, "key": "k"}
    refunds.keep_as_credit(amount=40, **kept)  # type: ignore[arg-type]
    refunds.keep_as_credit(amount=40, **kept)  # type: ignore[arg-type]
    assert settlements.credit_of(till.customer) == 40
    assert till.open(payment.invoice) == 40  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        refunds.keep_as_credit(amount=61, **(kept | {"key": "l"}))  # type: ignore[arg-type]


def test_a_dispute_opens_the_invoice_again_and_won_it_is_paid(till: Till, payment: Payment) -> None:
    dispute = till.account.dispute(payment.remote_id)
    till.deliver_all()
    assert till.open(payment.invoice) == 100  # type: ignore[arg-type]
    assert till.books() == {"receivable": 100, "revenue": -100}
    with pytest.raises(Conflict):
        refund(till, payment, 1)
    till.account.decide(dispute, "won")
    till.deliver_all()
    assert Dispute.objects.get().status == Dispute.Status.WON
    assert till.open(payment.invoice) == 0  # type: ignore[arg-type]
    assert till.books() == {"cash": 100, "revenue": -100}


def test_a_lost_dispute_leaves_the_invoice_open(till: Till, payment: Payment) -> None:
    till.account.decide(till.account.dispute(payment.remote_id), "lost")
    events = till.account.events
    for event in [*reversed(events), *events]:
        till.deliver(event)
    assert Dispute.objects.get().status == Dispute.Status.LOST
    assert till.books() == {"receivable": 100, "revenue": -100}


def test_a_dispute_of_credit_that_was_used_takes_it_back(till: Till, payment: Payment) -> None:
    assert payment.invoice is not None
    invoices.credit(actor=SYSTEM, invoice=payment.invoice, reason="Moved")
    following = till.invoice("100")
    assert till.open(following) == 0
    till.account.decide(till.account.dispute(payment.remote_id, 8000), "lost")
    till.deliver_all()
    assert till.open(following) == 80
    assert settlements.credit_of(till.customer) == 0


def test_what_comes_before_its_payment_is_told_again(till: Till) -> None:
    made = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    session = till.session(made)
    till.account.pay(session)
    till.account.dispute(session["payment_intent"])
    *first, dispute = till.account.events
    assert till.deliver(dispute) == 503
    assert [till.deliver(event) for event in first] == [200, 200]
    assert till.deliver(dispute) == 200
    assert Dispute.objects.count() == 1


def test_what_comes_before_a_charge_that_is_taken_on_is_told_again(till: Till) -> None:
    made = payments.pay(actor=till.buyer.actor, invoice=till.invoice("100"), key="k")
    session = till.session(made)
    Payment.objects.update(remote_id=session["payment_intent"])
    till.account.pay(session)
    till.account.dispute(session["payment_intent"])
    *first, dispute = till.account.events
    assert till.deliver(dispute) == 503
    assert [till.deliver(event) for event in first] == [200, 200]
    assert till.deliver(dispute) == 200


def test_allocations_never_exceed_what_came(till: Till, payment: Payment) -> None:
    assert payment.invoice is not None
    assert settlements.allocate(till.invoice("5"), payment.amount, "free") == 0
    with pytest.raises(Conflict):
        settlements.release(payment.invoice, payment.amount + 1, "much", payment)
    assert Allocation.objects.count() == 1


def test_who_may(till: Till, payment: Payment) -> None:
    for person, refusal in (
        (till.buyer, Forbidden),
        (till.cast.readonly_a, Forbidden),
        (till.cast.provider, NotFound),
        (till.cast.reseller_b, NotFound),
    ):
        with pytest.raises(refusal):
            refunds.create(actor=person.actor, payment=payment, amount=payment.amount, key="k")
    with pytest.raises(Invalid):
        refund(till, payment, 0)
