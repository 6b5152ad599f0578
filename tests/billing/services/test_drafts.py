"""Invoices that a person writes: when they are due, and that they stay as they are once they are issued."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.models import Customer, Invoice
from billing.services import drafts, invoices
from panel.core.errors import Conflict
from tests.billing.services import books
from tests.billing.services.test_invoices import SYSTEM
from tests.cast import Cast

pytestmark = pytest.mark.django_db
BEGUN, ISSUED = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 11, 12, tzinfo=UTC)


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def begun(customer: Customer, due_on: date | None = None) -> Invoice:
    with time_machine.travel(BEGUN, tick=False):
        made = drafts.create(actor=SYSTEM, customer=customer, due_on=due_on)
        drafts.add_line(actor=SYSTEM, invoice=made, text="Work", unit_price=Decimal(10))
    return made


def issued(draft: Invoice) -> Invoice:
    with time_machine.travel(ISSUED, tick=False):
        return invoices.issue(actor=SYSTEM, invoice=draft)


def test_without_a_day_it_is_due_the_usual_days_after_its_issue(customer: Customer) -> None:
    assert issued(begun(customer)).due_on == date(2026, 3, 25)


@pytest.mark.parametrize(("given", "due"), [(date(2026, 3, 12), 12), (date(2026, 5, 31), 31), (date(2026, 3, 2), 11)])
def test_a_day_that_is_given_counts_but_none_before_its_issue(customer: Customer, given: date, due: int) -> None:
    assert issued(begun(customer, given)).due_on.day == due


def test_a_day_can_be_given_and_taken_away(customer: Customer) -> None:
    draft = begun(customer)
    changed = drafts.change(actor=SYSTEM, invoice=draft, due_on=date(2026, 3, 12))
    assert (changed.due_on, changed.due_as_usual) == (date(2026, 3, 12), False)
    changed = drafts.change(actor=SYSTEM, invoice=draft, note="Thanks")
    assert (changed.due_on, changed.due_as_usual, changed.note) == (date(2026, 3, 12), False, "Thanks")
    assert drafts.change(actor=SYSTEM, invoice=draft, due_as_usual=True).note == "Thanks"
    assert issued(draft).due_on == ISSUED.date() + timedelta(days=14)


def test_what_is_issued_or_gone_is_no_draft(customer: Customer) -> None:
    made = issued(begun(customer))
    with pytest.raises(Conflict, match="issued"):
        drafts.change(actor=SYSTEM, invoice=made, note="x")
    with pytest.raises(Conflict, match="issued"):
        issued(made)
    draft = begun(customer)
    drafts.discard(actor=SYSTEM, invoice=draft)
    with pytest.raises(Conflict, match="gone"):
        issued(draft)
