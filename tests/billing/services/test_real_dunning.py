"""An unpaid invoice and a real server: reminded of, off the net (503), paid by card, back (200), each step once, though
the job runs twice and does not run for a week.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import Organization
from billing.models import DunningStep, Hold, LedgerEntry, Payment
from billing.services import gateways, payments, runs
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.demo.proofs import http_get
from panel.demo.stripe_stub import HOOK_SECRET, KEY, sign
from tests.billing import debt, factories, till
from tests.billing.debt import at
from tests.provisioning import engine_world
from tests.provisioning.engine_world import World
from tests.servers import Server

pytestmark = pytest.mark.server

DOMAIN = "bakery.example"


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def acting(organization: Organization) -> Actor:
    return Actor.system_for(organization.pk, organization.path, "test")


def job(*times: datetime) -> list[str]:
    """Run the billing run, as its task does, twice at each time; returns the steps that had an effect."""
    for now in times:
        for _twice in range(2):
            report = runs.bill(now)
            assert report.is_clean, (report.parked, report.failed)
    with everything("test"):
        return list(DunningStep.objects.filter(passed_over=False).order_by("id").values_list("step", flat=True))


def held() -> list[str]:
    with everything("test"):
        return list(Hold.objects.values_list("state", flat=True))


def test_off_the_net_and_back_by_a_payment(world: World, settings: Settings) -> None:
    with till.stub() as stub:
        settings.STRIPE_API = stub.url
        factories.seller(world.reseller)
        customer = factories.customer(world.reseller, world.client, email="lena@bakery.example")
        with everything("test"):
            gateway = gateways.set_keys(
                actor=acting(world.reseller), public_key="pk_test_stub", secret_key=KEY, hook_secret=HOOK_SECRET
            )
        world.order(DOMAIN, "bakery")
        world.reconcile()
        invoice = debt.invoice(customer)
        assert http_get(world.address, DOMAIN)[0] == 200

        assert job(at(-5), at(5)) == ["reminder:5", "overdue"]
        world.reconcile()
        assert http_get(world.address, DOMAIN)[0] == 200
        assert job(at(12))[2:] == ["suspend"]
        assert held() == ["ordered"]
        world.reconcile()
        assert http_get(world.address, DOMAIN)[0] == 503
        assert job(at(12, 7)) == ["reminder:5", "overdue", "suspend"]
        assert held() == ["done"]

        with everything("test"):
            payment = payments.pay(actor=acting(world.client), invoice=invoice, key="k")
            stub.account.pay(stub.account.things[payment.checkout_url.rpartition("/")[2]])
        for event in stub.account.events * 2:
            body = json.dumps(event).encode()
            assert till.deliver(gateway, body, sign(body, HOOK_SECRET)) == 200
        with everything("test"):
            assert Payment.objects.get().status == Payment.Status.SUCCEEDED
            assert LedgerEntry.objects.filter(debit="cash").count() == 1
        assert held() == ["lifting"]
        world.reconcile()
        assert http_get(world.address, DOMAIN)[0] == 200
        assert job(at(12, 8), at(20), at(60)) == ["reminder:5", "overdue", "suspend"]
        assert held() == ["lifted"]
        assert [kind for kind, _reader in debt.mails()] == ["payment_overdue", "payment_hold", "payment_release"]
