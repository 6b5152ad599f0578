"""An unpaid invoice: reminded of, held back for and released, each step once, however the job runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.models import DunningStep
from billing.services import dunning, holds, invoices
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import Operation
from tests.billing import debt as debts
from tests.billing.debt import SYSTEM, Debt, at, letters, mails
from tests.provisioning.ground import Ground

CLIENT = "client-a@people.example"


@pytest.fixture
def debt(ground: Ground) -> Debt:
    return debts.of_client(ground)


def test_day_by_day_with_a_run_every_hour(debt: Debt) -> None:
    debt.invoice()
    days = [at(day, hour) for day in range(-5, 7) for hour in (0, 9, 18)]
    assert debt.run(*days) == ["reminder:-3", "reminder:1", "overdue", "reminder:5"]
    assert mails() == [("payment_reminder", CLIENT), ("payment_overdue", CLIENT), ("payment_overdue", CLIENT)]
    assert (debt.buyer().status, debt.sites()) == ("active", ["active"])
    assert debt.run(at(7), at(7), at(7, 7))[-1:] == ["suspend"]
    assert (debt.buyer().status, debt.sites()) == ("suspended", ["suspended"])
    assert debt.holds() == {"sites": "ordered"}
    assert len(mails()) == 3
    debt.report(at(7, 8))
    assert debt.holds() == {"sites": "done"}
    assert mails()[3:] == [("payment_hold", CLIENT)]


def test_mails_name_amount_reference_and_the_way_to_pay(debt: Debt) -> None:
    invoice = debt.invoice("12.5")
    debt.run(at(-3), at(1))
    (reminder,), (overdue,) = letters("payment_reminder"), letters("payment_overdue")
    for text in (reminder, overdue):
        assert "12.50\N{NO-BREAK SPACE}USD" in text
        assert f"{invoice.reference[:4]} {invoice.reference[4:8]}" in text
        assert f"https://panel.reseller-a.example/invoices/{invoice.pk}/" in text
        assert "Northwind" not in text
    assert "suspended from 17 Mar 2026 on" in overdue


def test_after_a_week_without_runs_one_reminder_goes_out_and_a_day_is_left(debt: Debt) -> None:
    debt.invoice()
    assert debt.run(at(8), at(8), at(8, 20)) == ["reminder:5", "overdue"]
    assert mails() == [("payment_overdue", CLIENT)]
    assert "suspended from 19 Mar 2026" in letters("payment_overdue")[0]
    with everything("test"):
        passed = DunningStep.objects.filter(passed_over=True).values_list("step", flat=True)
        assert set(passed) == {"reminder:-3", "reminder:1"}
    assert debt.run(at(9, 5))[-1] == "overdue"
    assert debt.run(at(9, 6))[-1] == "suspend"


def test_a_payment_ends_it_at_any_step(debt: Debt) -> None:
    for number, last in enumerate((-3, 1, 5, 7), start=1):
        invoice = debt.invoice()
        debt.run(*[at(day) for day in range(-4, last + 1)])
        debt.pay(invoice)
        before = len(debt.run(at(last, 7)))
        debt.report(at(last, 8))
        assert (debt.buyer().status, debt.sites()) == ("active", ["active"]), number
        assert debt.buyer().suspended_for == ""
        assert len(debt.run(*[at(day) for day in range(last, 40)])) == before
    assert debt.holds() == {"sites": "lifted"}
    assert mails()[-1][0] == "payment_release"


def test_it_is_lifted_once_the_server_says_so(debt: Debt) -> None:
    invoice = debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    debt.pay(invoice)
    assert debt.holds() == {"sites": "lifting"}
    assert mails()[-1][0] == "payment_hold"
    debt.report(at(7, 8), "rejected")
    assert debt.holds() == {"sites": "lifting"}
    debt.report(at(7, 9))
    assert debt.holds() == {"sites": "lifting"}
    with everything("test"):
        Operation.objects.filter(verb="organization.unsuspend").update(status="applied")
    debt.report(at(7, 10))
    assert debt.holds() == {"sites": "lifted"}
    assert mails()[-1][0] == "payment_release"


def test_another_invoice_keeps_the_hold_until_it_is_paid_too(debt: Debt) -> None:
    first, second = debt.invoice(), debt.invoice()
    debt.run(*[at(day) for day in range(9)])
    debt.report(at(8, 7))
    with everything("test"):
        assert Operation.objects.filter(verb="organization.suspend").count() == 1
        assert AuditEntry.objects.filter(action="hold.impose").count() == 1
    debt.pay(first)
    assert (debt.buyer().status, debt.holds()) == ("suspended", {"sites": "done"})
    debt.pay(second)
    debt.report(at(8, 8))
    assert (debt.buyer().status, debt.holds()) == ("active", {"sites": "lifted"})


def test_only_invoices_that_are_issued_and_unpaid(debt: Debt) -> None:
    paid, credited = debt.invoice(), debt.invoice()
    debt.pay(paid)
    with everything("test"):
        invoices.credit(actor=SYSTEM, invoice=credited, reason="A mistake")
    assert debt.run(*[at(day) for day in range(-5, 40)]) == []
    assert mails() == []


def test_one_seller_at_a_time(debt: Debt) -> None:
    debt.invoice()
    with everything("test"):
        assert dunning.run(at(1), seller=debt.ground.cast.provider.organization).taken == []
        assert dunning.run(at(1), seller=debt.ground.cast.reseller_a.organization).taken != []


def test_days_are_the_sellers(ground: Ground) -> None:
    debt = debts.of_client(ground, time_zone="Pacific/Auckland", reminder_days=[1])
    debt.invoice()
    midnight = at(1, 11)  # the invoice is of the 25th there, thirteen hours ahead
    assert debt.run(midnight - timedelta(minutes=1)) == []
    assert debt.run(midnight) == ["reminder:1", "overdue"]


def test_accounts_end_only_where_that_is_set_and_come_back_with_the_payment(ground: Ground) -> None:
    debt = debts.of_client(ground, terminate_days=30)
    invoice = debt.invoice()
    for day in range(60):
        debt.run(at(day))
        debt.report(at(day, 7))
    assert debt.run(at(60))[-3:] == ["suspend", "terminate_notice", "terminate"]
    assert debt.sites() == ["terminated"]
    assert "terminated on 9 Apr 2026" in letters("payment_warning")[0]
    assert debt.buyer().status == "suspended"
    debt.pay(invoice)
    debt.report(at(60, 8))
    assert (debt.buyer().status, debt.sites()) == ("active", ["active"])


def test_nothing_ends_by_itself_unless_that_is_set(debt: Debt) -> None:
    debt.invoice()
    for day in (1, 5, 7, 8, 60, 120):
        debt.run(at(day))
        debt.report(at(day, 7))
    assert debt.run(at(400))[-1] == "suspend"
    assert debt.sites() == ["suspended"]


def test_the_database_takes_a_step_once(debt: Debt) -> None:
    invoice = debt.invoice()
    with everything("test"):
        DunningStep.objects.create(invoice=invoice, step="suspend", done_at=at(7))
        with pytest.raises(IntegrityError), transaction.atomic():
            DunningStep.objects.create(invoice=invoice, step="suspend", done_at=at(8))


def test_what_is_paid_is_released_once(debt: Debt) -> None:
    invoice = debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    debt.pay(invoice)
    debt.report(at(7, 8))
    with everything("test"):
        for _twice in range(2):
            holds.settled(invoice)
        assert AuditEntry.objects.filter(action="hold.lift").count() == 1
    debt.report(at(7, 9))
    assert [kind for kind, _reader in mails()].count("payment_release") == 1
