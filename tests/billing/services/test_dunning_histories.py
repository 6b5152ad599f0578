"""Whatever the clock, the job, payments and people do, in whichever order: steps come once, for what is overdue, and a
payment ends in active.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from billing.models import DunningStep, Hold, Invoice, Receivable
from billing.services import invoices
from panel.core.scoping import everything
from provisioning.services import tenancy
from tests.billing import debt as debts
from tests.billing.debt import ISSUED, SYSTEM, Debt, at
from tests.provisioning.ground import Ground

HOLDS = ("suspend", "panel", "sites", "terminate")
ACTIONS = st.one_of(
    st.tuples(st.just("jump"), st.integers(1, 24 * 12)),
    st.tuples(st.just("jump"), st.sampled_from((1, 24, 25, 24 * 7))),
    st.tuples(st.sampled_from(("run", "twice", "issue", "servers", "suspend", "release")), st.just(0)),
    st.tuples(st.sampled_from(("pay", "credit")), st.integers(0, 3)),
)


class History:
    """One course of events, and what has to hold after each of them."""

    def __init__(self, debt: Debt) -> None:
        self.debt, self.now = debt, at(-4)
        self.invoices: list[Invoice] = []
        self.by_a_person = False

    def do(self, action: str, value: int) -> None:
        """Let one thing happen."""
        match action:
            case "jump":
                self.now += timedelta(hours=value)
            case "run":
                self.debt.run(self.now)
            case "twice":
                self.debt.run(self.now, self.now, self.now + timedelta(minutes=5))
            case "issue":
                self.invoices.append(self.debt.invoice(issued=max(ISSUED, self.now - timedelta(days=16))))
            case "servers":
                self.debt.report(self.now)
            case "pay" if value < len(self.invoices):
                self.debt.pay(self.invoices[value], key=f"{value}:{self.now.isoformat()}")
            case "credit" if value < len(self.invoices):
                self.credit(self.invoices[value])
            case "suspend" if self.debt.buyer().status == Organization.Status.ACTIVE:
                with everything("test"):
                    tenancy.suspend(actor=self.debt.seller_actor, organization=self.debt.buyer(), reason="Spam")
                self.by_a_person = True
            case "release" if self.debt.buyer().status == Organization.Status.SUSPENDED:
                with everything("test"):
                    tenancy.unsuspend(actor=self.debt.seller_actor, organization=self.debt.buyer())
                self.by_a_person = False

    def credit(self, invoice: Invoice) -> None:
        """Credit all that is left of an invoice."""
        with everything("test"):
            if not invoice.corrections.exists():
                invoices.credit(actor=SYSTEM, invoice=invoice, reason="A mistake", now=self.now)

    def check(self) -> None:
        """What always has to hold."""
        with everything("test"):
            for step in DunningStep.objects.select_related("invoice__receivable").filter(step__in=HOLDS):
                assert step.done_at.date() > step.invoice.due_on
                assert step.invoice.receivable.settled_at is None or step.done_at <= self.now
            buyer = self.debt.buyer()
            if buyer.suspended_for:
                assert buyer.status == Organization.Status.SUSPENDED
                unpaid = DunningStep.objects.filter(step__in=HOLDS, invoice__receivable__settled_at__isnull=True)
                assert unpaid.exists()
            standing = Hold.objects.exclude(state="lifted").values_list("stage", flat=True)
            assert len(set(standing)) == len(standing)

    def end(self) -> None:
        """Pay all there is: it ends in active, and no run takes another step."""
        with everything("test"):
            unpaid = Invoice.objects.filter(pk__in=Receivable.objects.filter(open__gt=0).values("invoice"))
            for number, invoice in enumerate(unpaid):
                self.debt.pay(invoice, key=f"end:{number}")
        self.debt.report(self.now)
        self.debt.report(self.now)
        buyer = self.debt.buyer()
        assert (buyer.status == "suspended") == self.by_a_person
        assert (buyer.suspended_for, buyer.orders_held_reason) == ("", "")
        assert set(self.debt.sites()) == {"active"}
        assert set(self.debt.holds().values()) <= {"lifted"}
        before = len(self.debt.run())
        assert len(self.debt.run(*[self.now + timedelta(days=day) for day in (1, 2, 30)])) == before


@pytest.mark.parametrize("kind", ["client", "reseller"])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(ACTIONS, min_size=4, max_size=20))
def test_a_history(ground: Ground, kind: str, actions: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        terms = {"sites_days": 20, "terminate_days": 30}
        debt = debts.of_client(ground, **terms) if kind == "client" else debts.of_reseller(ground, **terms)
        history = History(debt)
        history.do("issue", 0)
        for action, value in actions:
            history.do(action, value)
            history.check()
        history.end()
        transaction.set_rollback(True)
