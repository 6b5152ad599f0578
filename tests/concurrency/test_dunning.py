"""Many runs of dunning at once, and a payment among them, on PostgreSQL: each step once, and the payment wins."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from billing.models import DunningStep, Hold
from billing.services import dunning
from panel.core.scoping import everything
from provisioning.models import Operation
from tests.billing import debt as debts
from tests.billing.debt import at, mails
from tests.concurrency.field import together
from tests.provisioning.ground import Ground

RUNS = 8


def test_eight_runs_at_once_take_each_step_once(ground: Ground) -> None:
    debt = debts.of_client(ground)
    for _number in range(3):
        debt.invoice()
    for now in (at(-3), at(1), at(5), at(7)):
        reports = together([partial(dunning.run, now)] * RUNS)
        assert [report for report in reports if isinstance(report, Exception) or report.failed] == []
    with everything("test"):
        assert DunningStep.objects.filter(step="suspend").count() == 3
        assert Hold.objects.count() == 1
        assert Operation.objects.filter(verb="organization.suspend").count() == 1
    assert len(mails()) == 9


def test_a_payment_among_the_runs_ends_in_active(ground: Ground) -> None:
    debt = debts.of_client(ground)
    for number in range(4):
        invoice = debt.invoice()
        debt.run(at(-3), at(1), at(5))
        now = at(7) + timedelta(days=number)
        results = together([*[partial(dunning.run, now)] * 4, partial(debt.pay, invoice)])
        assert [result for result in results if isinstance(result, Exception)] == []
        debt.report(now)
        debt.report(now)
        assert (debt.buyer().status, debt.buyer().suspended_for, debt.sites()) == ("active", "", ["active"])
        assert set(debt.holds().values()) <= {"lifted"}
