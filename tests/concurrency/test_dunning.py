"""Many runs of dunning at once, and a payment among them, on PostgreSQL: each step once, and the payment wins."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

from pytest_django import Settings

from billing.models import DunningStep, Hold, Payment
from billing.services import dunning, gateway_events, gateways, payments
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, KEY, sign
from provisioning.models import Operation
from tests.billing import debt as debts
from tests.billing import till as tills
from tests.billing.debt import Debt, at, mails
from tests.billing.till import Till
from tests.concurrency.field import together
from tests.provisioning.ground import Ground

RUNS = 8
MANY = 20


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


def test_a_card_payment_that_is_told_while_twenty_runs_suspend_ends_released(
    ground: Ground, settings: Settings
) -> None:
    debt = debts.of_client(ground)
    with tills.stub() as stub, everything("test"):
        settings.STRIPE_API = stub.url
        seller = ground.cast.reseller_a.actor
        keys = gateways.set_keys(actor=seller, public_key="pk_test_stub", secret_key=KEY, hook_secret=HOOK_SECRET)
        till = Till(ground.cast, debt.customer, keys, stub.account)
        for number in range(4):
            told = _paid(debt, till, number)
            runs = [partial(dunning.run, at(7))] * MANY
            results = together([*runs[: number * 5], *told, *told, *runs[number * 5 :]])
            assert [found for found in results if isinstance(found, Exception) or getattr(found, "failed", [])] == []
            for hour in (7, 8):
                debt.report(at(7, hour))
            assert (debt.buyer().status, debt.buyer().suspended_for, debt.sites()) == ("active", "", ["active"])
            assert set(debt.holds().values()) <= {"lifted"}
        assert Payment.objects.filter(status=Payment.Status.SUCCEEDED).count() == 4
        suspensions = DunningStep.objects.filter(step="suspend").count()
        for verb in ("suspend", "unsuspend"):
            assert Operation.objects.filter(verb=f"organization.{verb}").count() == suspensions
        for kind in ("payment_hold", "payment_release"):
            assert len([mail for mail in mails() if mail[0] == kind]) <= suspensions


def _paid(debt: Debt, till: Till, number: int) -> list[partial[None]]:
    """Let a client pay an invoice that it was reminded of; returns what tells the panel of it."""
    invoice = debt.invoice()
    debt.run(at(-3), at(1), at(5))
    payment = payments.pay(actor=till.buyer.actor, invoice=invoice, key=f"k{number}")
    till.account.events.clear()
    till.account.pay(till.session(payment))
    bodies = [json.dumps(event).encode() for event in till.account.events]
    return [
        partial(gateway_events.receive, hook=till.gateway.hook, body=body, signature=sign(body, HOOK_SECRET))
        for body in bodies
    ]
