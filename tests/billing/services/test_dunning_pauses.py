"""What a seller's people do about dunning: they wait with it until a day, and lift what it holds back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from billing.models import DunningPause, DunningStep, Hold, Invoice
from billing.selectors import dunning as selectors
from billing.selectors import sellers
from billing.services import dunning_pauses, holds
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.services import tenancy
from tests.billing import debt as debts
from tests.billing.debt import DUE, Debt, at, mails
from tests.provisioning.ground import Ground


@pytest.fixture
def debt(ground: Ground) -> Debt:
    return debts.of_client(ground)


def wait(debt: Debt, day: int, until: int, invoice: Invoice | None = None) -> DunningPause:
    """Let the seller promise, so many days after the due date, to wait until another day."""
    with time_machine.travel(at(day), tick=False), everything("test"):
        return dunning_pauses.hold_off(
            actor=debt.seller_actor,
            customer=debt.customer,
            until=DUE + timedelta(days=until),
            reason="A cheque is in the post.",
            invoice=invoice,
        )


def said(debt: Debt, invoice: Invoice, day: int) -> selectors.Outlook:
    """Return what is said on a day to come."""
    with everything("test"):
        return selectors.of_paper(invoice, sellers.of(debt.customer.seller), at(day))


def lift(debt: Debt, stage: str) -> None:
    """Let the seller lift a hold by hand."""
    with everything("test"):
        holds.lift(actor=debt.seller_actor, hold=Hold.objects.get(customer=debt.customer, stage=stage))


def test_nothing_comes_before_the_day_and_then_one_step_at_a_time(debt: Debt) -> None:
    invoice = debt.invoice()
    debt.run(at(-3), at(1))
    wait(debt, 2, 20, invoice)
    assert debt.run(*[at(day) for day in range(2, 20)]) == ["reminder:-3", "reminder:1", "overdue"]
    assert debt.buyer().status == "active"
    assert debt.run(at(20), at(20, 7)) == ["reminder:-3", "reminder:1", "overdue", "suspend"]
    assert len(mails()) == 2


def test_what_nobody_was_told_is_told_before_anything_is_taken_away(debt: Debt) -> None:
    invoice = debt.invoice()
    wait(debt, -4, 20, invoice)
    assert debt.run(*[at(day) for day in range(-4, 21)]) == ["reminder:5", "overdue"]
    assert debt.run(at(21))[-1] == "suspend"


def test_for_one_invoice_or_for_all_of_a_customer(debt: Debt) -> None:
    first, second = debt.invoice(), debt.invoice()
    wait(debt, 0, 10, first)
    debt.run(at(1), at(2))
    with everything("test"):
        assert set(DunningStep.objects.values_list("invoice", flat=True)) == {second.pk}
    wait(debt, 2, 30)
    before = len(debt.run())
    assert len(debt.run(*[at(day) for day in range(2, 30)])) == before


def test_a_promise_is_changed_and_taken_back(debt: Debt) -> None:
    invoice = debt.invoice()
    pause = wait(debt, 0, 10, invoice)
    assert wait(debt, 1, 20, invoice).pk == pause.pk
    assert debt.run(at(15)) == []
    with everything("test"):
        dunning_pauses.resume(actor=debt.seller_actor, pause=pause)
        with pytest.raises(Conflict):
            dunning_pauses.resume(actor=debt.seller_actor, pause=pause)
        deeds = AuditEntry.objects.filter(action__startswith="dunning.", object_id=pause.pk).order_by("id")
        assert [entry.action for entry in deeds] == ["dunning.pause", "dunning.pause", "dunning.resume"]
    assert debt.run(at(15)) == ["reminder:5", "overdue"]


@pytest.mark.parametrize("until", [0, -3, 368])
def test_a_day_that_is_past_or_far_is_refused(debt: Debt, until: int) -> None:
    with pytest.raises(Invalid) as refused:
        wait(debt, 0, until)
    assert refused.value.field == "until"


def test_what_is_paid_or_somebody_elses_is_refused(debt: Debt) -> None:
    invoice = debt.invoice()
    debt.pay(invoice)
    with pytest.raises(Conflict):
        wait(debt, 0, 5, invoice)
    cast = debt.ground.cast
    with everything("test"):
        for person, refusal in ((cast.client_a, Forbidden), (cast.reseller_b, NotFound), (cast.provider, NotFound)):
            with pytest.raises(refusal):
                dunning_pauses.hold_off(actor=person.actor, customer=debt.customer, until=DUE, reason="Please")


def test_what_comes_is_said_as_it_comes(debt: Debt) -> None:
    invoice = debt.invoice()
    debt.run(at(-3))
    assert [(step.name, (step.on - DUE).days) for step in said(debt, invoice, 0).ahead] == [
        ("reminder:1", 1),
        ("overdue", 1),
        ("reminder:5", 5),
        ("suspend", 7),
    ]
    wait(debt, 0, 20, invoice)
    found = said(debt, invoice, 0)
    assert found.paused_until == DUE + timedelta(days=20)
    assert [(step.name, (step.on - DUE).days) for step in found.ahead] == [
        ("reminder:5", 20),
        ("overdue", 20),
        ("suspend", 21),
    ]
    assert debt.run(*[at(day) for day in range(22)])[1:] == [step.name for step in found.ahead]


def test_a_hold_is_lifted_by_hand_for_good_though_nobody_has_paid(ground: Ground) -> None:
    debt = debts.of_client(ground, terminate_days=30)
    invoice = debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    before = mails()
    lift(debt, "sites")
    assert debt.holds() == {"sites": "lifting"}
    debt.report(at(7, 8))
    assert debt.holds() == {"sites": "lifted"}
    assert (debt.buyer().status, debt.sites()) == ("active", ["active"])
    assert said(debt, invoice, 8).ahead == []
    assert debt.run(*[at(day) for day in range(8, 60)])[-1] == "suspend"
    assert mails() == before
    with pytest.raises(Conflict):
        lift(debt, "sites")
    with everything("test"):
        entry = AuditEntry.objects.get(action="hold.lift")
        assert entry.actor_user_id == debt.seller_actor.user_id


def test_lifting_an_early_stage_lifts_what_goes_further(ground: Ground) -> None:
    reseller = debts.of_reseller(ground, sites_days=30)
    reseller.invoice()
    reseller.run(*[at(day) for day in range(31)])
    reseller.report(at(30, 7))
    lift(reseller, "sites")
    reseller.report(at(30, 8))
    assert reseller.holds() == {"orders": "done", "panel": "done", "sites": "lifted"}
    assert (reseller.buyer().suspended_alone, reseller.sites()) == (True, ["active"])
    lift(reseller, "orders")
    reseller.report(at(30, 9))
    assert set(reseller.holds().values()) == {"lifted"}
    assert (reseller.buyer().status, reseller.buyer().orders_held_reason) == ("active", "")


def test_a_hold_is_its_sellers_to_lift(debt: Debt) -> None:
    debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    cast = debt.ground.cast
    with everything("test"):
        hold = Hold.objects.get()
        for person, refusal in ((cast.client_a, Forbidden), (cast.reseller_b, NotFound), (cast.provider, NotFound)):
            with pytest.raises(refusal):
                holds.lift(actor=person.actor, hold=hold)


def test_a_person_who_has_suspended_makes_what_is_said_wait(debt: Debt) -> None:
    invoice = debt.invoice()
    with everything("test"):
        tenancy.suspend(actor=debt.seller_actor, organization=debt.buyer(), reason="Spam was sent.")
    found = said(debt, invoice, 0)
    assert found.waits
    assert [step.name for step in found.ahead] == ["reminder:-3", "reminder:1", "overdue", "reminder:5"]
