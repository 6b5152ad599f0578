"""Whatever people, banks and a payment service do with a customer's money, in whichever order and however often: books
balance, nothing is paid, paid back or lost twice, and no credit is there that nobody paid.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing.gateways.base import Event
from billing.models import (
    Allocation,
    Customer,
    Dispute,
    Gateway,
    Invoice,
    LedgerEntry,
    Payment,
    PaymentMethod,
    Receivable,
    Refund,
)
from billing.services import card_payments, disputes, invoices, payments, refunds, settlements
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing import till as tills
from tests.billing.services import books
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
ZERO = Decimal(0)
ISSUED_AT = 1_767_225_600
"""When events of the payment service happen: they say nothing of the order in which they come."""
NAMES = (
    "issue", "record", "pay", "charge", "use_credit", "allocate", "write_off", "credit", "refund", "refund_there",
    "answer", "keep", "dispute", "decide",
)  # fmt: skip
STEPS = st.tuples(st.sampled_from(NAMES), st.integers(0, 3), st.integers(1, 130))
Step = tuple[str, int, int]


class NotThereError(Exception):
    """A step names a row that there is not."""


class History:
    """One course of events for one customer, and what has to hold after each of them. Steps name rows by number."""

    def __init__(self, customer: Customer, gateway: Gateway) -> None:
        self.customer, self.gateway, self.events = customer, gateway, 0
        told = {"gateway": gateway, "remote_customer": "cus_1", "remote_id": "pm_1"}
        self.card = PaymentMethod.objects.create(customer=customer, label="Card", **told)

    def do(self, step: Step) -> None:
        """Let one thing happen, or be refused without a trace."""
        action: Callable[[int, Decimal], object] = getattr(self, step[0])
        with suppress(DomainError, NotThereError), transaction.atomic():
            action(step[1], Decimal(step[2]))

    def issue(self, which: int, amount: Decimal) -> None:
        """Owe an amount."""
        tills.invoice(self.customer, str(amount))

    def record(self, which: int, amount: Decimal, key: str = "") -> None:
        """Record what came by transfer, by few keys, for an invoice or for none."""
        payments.record(
            actor=SYSTEM,
            customer=self.customer,
            amount=amount,
            currency="USD",
            received_on=settlements.day_of(self.customer),
            reference="",
            key=key or f"{which}:{amount}",
            invoice=at(self.invoices(), which - 1) if which else None,
        )

    def pay(self, which: int, amount: Decimal) -> None:
        """Pay all of an invoice by transfer."""
        still = Receivable.objects.get(invoice=at(self.invoices(), which)).open
        self.record(which + 1, still or amount)

    def charge(self, which: int, amount: Decimal) -> None:
        """Charge an invoice to the card; what comes of it is told twice."""
        with settlements.locked(self.customer.pk) as held:
            made = payments.plan_charge(SYSTEM, held, at(self.invoices(), which), self.card, f"{self.events}")
        kind = "failed" if amount % 5 == 0 else "paid"
        event = self.event(kind, payment=made.pk, remote=f"pi_{made.pk}", amount=made.amount)
        for _time in range(2):
            (card_payments.came if kind == "paid" else card_payments.failed)(self.gateway, event)

    def use_credit(self, which: int, amount: Decimal) -> None:
        """Pay from credit."""
        payments.pay_from_credit(actor=SYSTEM, invoice=at(self.invoices(), which))

    def allocate(self, which: int, amount: Decimal) -> None:
        """Pay from credit a certain amount, twice for the same cause."""
        for _time in range(2):
            settlements.allocate(at(self.invoices(), which), amount, f"cause:{which}")

    def write_off(self, which: int, amount: Decimal) -> None:
        """Give an invoice up."""
        invoices.write_off(actor=SYSTEM, invoice=at(self.invoices(), which), reason="Gone")

    def credit(self, which: int, amount: Decimal) -> None:
        """Credit an invoice: a part of it, or all that is left."""
        invoice = at(self.invoices(), which)
        lines = {invoice.lines.get().pk: amount} if amount % 2 else None
        invoices.credit(actor=SYSTEM, invoice=invoice, reason="A mistake", lines=lines)

    def refund(self, which: int, amount: Decimal) -> None:
        """Pay back a part of a payment, twice by one key."""
        for _time in range(2):
            refunds.create(actor=SYSTEM, payment=at(self.payments(), which), amount=amount, key=f"{amount}")

    def refund_there(self, which: int, amount: Decimal) -> None:
        """Begin to pay back at the payment service, which tells it twice."""
        payment = at(self.payments().filter(gateway=self.gateway), which)
        told = {"remote": f"re_{self.events}", "remote_payment": payment.remote_id, "amount": amount}
        event = self.event("refund", outcome="done" if amount % 3 else "pending", **told)
        for _time in range(2):
            refunds.told(self.gateway, event)

    def answer(self, which: int, amount: Decimal) -> None:
        """Tell what became of a refund: done, failed, or failed after it was done."""
        row = at(Refund.objects.filter(payment__gateway=self.gateway).order_by("id"), which)
        told = {"refund": row.pk, "remote": row.remote_id or f"re_{row.pk}", "amount": row.amount}
        for _time in range(2):
            refunds.told(self.gateway, self.event("refund", outcome="failed" if amount % 2 else "done", **told))

    def keep(self, which: int, amount: Decimal) -> None:
        """Take a payment off the invoice that it paid, with few keys."""
        payment = at(self.payments(), which)
        paid = at(payment.allocations.order_by("id"), 0).invoice
        asked: dict[str, Any] = {"actor": SYSTEM, "payment": payment, "invoice": paid, "amount": amount}
        refunds.keep_as_credit(key=f"{amount}", **asked)

    def dispute(self, which: int, amount: Decimal) -> None:
        """Let the buyer's bank take a payment back, or a part of it, which is told twice."""
        payment = at(self.payments().filter(gateway=self.gateway), which)
        told = {"remote": f"dp_{payment.pk}_{amount}", "remote_payment": payment.remote_id, "amount": amount}
        for _time in range(2):
            disputes.told(self.gateway, self.event("dispute", **told))

    def decide(self, which: int, amount: Decimal) -> None:
        """Let the bank decide a dispute."""
        row = at(Dispute.objects.select_related("payment").order_by("id"), which)
        told = {"remote": row.remote_id, "remote_payment": row.payment.remote_id, "amount": row.amount}
        for _time in range(2):
            disputes.told(self.gateway, self.event("dispute", outcome="failed" if amount % 2 else "done", **told))

    def event(self, kind: str, **values: Any) -> Event:
        """Return what the payment service tells."""
        self.events += 1
        return Event(id=f"evt_{self.events}", name=kind, kind=kind, at=ISSUED_AT, currency="USD", **values)  # type: ignore[arg-type]

    def invoices(self) -> QuerySet[Invoice]:
        """Return the customer's invoices."""
        return Invoice.objects.filter(customer=self.customer, kind=Invoice.Kind.INVOICE).order_by("id")

    def payments(self) -> QuerySet[Payment]:
        """Return what has come."""
        rows = Payment.objects.filter(customer=self.customer, status=Payment.Status.SUCCEEDED)
        return rows.select_related("customer__seller", "customer__buyer", "seller").order_by("id")

    def check(self) -> None:
        """What always has to hold."""
        books.check(self.customer.seller)
        for row in Receivable.objects.select_related("invoice"):
            moved = Allocation.objects.filter(invoice=row.invoice)
            assert row.open == row.invoice.gross - total(moved)
            assert 0 <= row.open <= row.invoice.gross
            for source in moved.order_by().values("payment", "credit_note").annotate(sum=Sum("amount")):
                assert source["sum"] >= 0
        for note in Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE):
            assert total(Allocation.objects.filter(credit_note=note)) == -note.gross
        gone, taken = ZERO, ZERO
        for payment in self.payments():
            back = total(payment.refunds.exclude(status=Refund.Status.FAILED))
            held = total(payment.disputes.exclude(status=Dispute.Status.WON))
            assert payment.refunded == back
            assert back + held <= payment.amount
            assert 0 <= total(payment.allocations.all()) <= payment.amount
            gone += back + held
        for dispute in Dispute.objects.exclude(status=Dispute.Status.WON):
            of_it = total(LedgerEntry.objects.filter(key=f"dispute:{dispute.pk}:taken"))
            taken += of_it
        came = total(self.payments())
        held = total(Dispute.objects.filter(status=Dispute.Status.OPEN))
        lost = total(Dispute.objects.filter(status=Dispute.Status.LOST))
        given_up = total(Allocation.objects.filter(key__startswith=settlements.LOSS))
        assert self.holds("cash") == came - gone
        assert self.holds("disputed") + self.holds("loss") - given_up == held + lost - taken
        assert self.holds("disputed") >= 0
        notes = -total(Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE), "gross")
        used = total(Allocation.objects.exclude(key__startswith=settlements.LOSS))
        back = total(Refund.objects.exclude(status=Refund.Status.FAILED))
        assert settlements.credit_of(self.customer) == came + notes - used - back - taken

    def end(self) -> None:
        """Decide what is open and pay what is owed: nothing is left in dispute, and all is paid by money or lost."""
        for number in range(Dispute.objects.count()):
            self.decide(number, Decimal(number))
        self.check()
        assert self.holds("disputed") == 0
        open_ = total(Receivable.objects.all(), "open")
        if open_:
            self.record(0, open_, "end")
        self.check()
        assert not Receivable.objects.filter(settled_at=None).exists()

    def holds(self, account: str) -> Decimal:
        """Return what an account holds: debit less credit."""
        rows = LedgerEntry.objects.filter(Q(debit=account) | Q(credit=account))
        return total(rows.filter(debit=account)) - total(rows.filter(credit=account))


def at(rows: QuerySet[Any], number: int) -> Any:
    """Return a row by number."""
    found = rows[number : number + 1].first()
    if found is None:
        raise NotThereError
    return found


def total(rows: QuerySet[Any], field: str = "amount") -> Decimal:
    """Return the sum of a column."""
    return rows.order_by().aggregate(sum=Sum(field))["sum"] or ZERO


def run(cast: Cast, steps: list[Step]) -> None:
    """Let one history happen, and take it back."""
    with everything("test"), transaction.atomic():
        seller = cast.reseller_a.organization
        factories.seller(seller)
        customer = factories.customer(seller, cast.client_a.organization)
        history = History(customer, Gateway.objects.create(organization=seller, hook="hook"))
        history.issue(0, Decimal(100))
        for step in steps:
            history.do(step)
            history.check()
        history.end()
        transaction.set_rollback(True)


HEALTH = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
A_LOSS = [("write_off", 0, 1), ("credit", 0, 21), ("credit", 0, 2), ("use_credit", 0, 1)]
PAID = [("charge", 0, 1)]


@settings(max_examples=8, suppress_health_check=HEALTH)
@given(st.lists(STEPS, min_size=4, max_size=14))
@example(A_LOSS)
@example([*PAID, ("refund", 0, 30), ("answer", 0, 2), ("answer", 0, 1), ("pay", 0, 1), ("credit", 0, 2)])
@example([*PAID, ("keep", 0, 40), ("keep", 0, 61), ("allocate", 0, 10), ("allocate", 0, 20), ("issue", 0, 50)])
@example([*PAID, ("dispute", 0, 60), ("pay", 0, 1), ("record", 0, 50), ("refund", 0, 41), ("refund_there", 0, 41)])
@example([*PAID, ("credit", 0, 2), ("dispute", 0, 80), ("issue", 0, 30), ("decide", 0, 1), ("decide", 0, 2)])
def test_a_history(cast: Cast, steps: list[Step]) -> None:
    run(cast, steps)


@pytest.mark.long
@settings(max_examples=100, suppress_health_check=HEALTH)
@given(st.lists(STEPS, min_size=6, max_size=30))
def test_many_long_histories(cast: Cast, steps: list[Step]) -> None:
    run(cast, steps)
