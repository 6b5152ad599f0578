"""One form sent sixty times at once, one order set up by many workers at once, and paid while it is given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing.models import Component, Customer, Invoice, Order, OrderAddon, Price, Subscription
from billing.services import fulfilments, orders, payments
from billing.services.changes import Extra
from panel.core.scoping import everything, tenant
from provisioning.models import HostingAccount, Operation
from tests.billing import factories
from tests.cast import Cast
from tests.concurrency.field import together
from tests.provisioning import factories as ground

WISH = orders.Wish(key="form:1", email="new@buyers.example", person="Nia New", pays_by="transfer", domain="nia.example")
PASSWORD = "quiet-Harbour-27"


@pytest.fixture
def price(cast: Cast) -> Price:
    """What reseller A has on its order page."""
    with everything("test"):
        organization = cast.reseller_a.organization
        factories.seller(organization, is_open=True, bank_details="Bank of A, 1234")
        made = factories.price(organization, "Starter", kind="package", package=ground.package(organization))
        made.product.is_public = True
        made.product.save()
        ground.server(cast.provider.organization)
        return made


def place(price: Price, *addons: Extra) -> Order:
    return orders.place(actor=None, price=price, wish=replace(WISH, addons=addons), password=PASSWORD)


def pay(cast: Cast, order: Any) -> None:
    """Let the money come in."""
    with tenant(cast.reseller_a.organization.path):
        payments.record(
            actor=cast.reseller_a.actor,
            customer=order.customer,
            amount=Decimal(10),
            currency="USD",
            received_on=timezone.now().date(),
            reference="x",
            key="x",
            invoice=order.invoice,
        )


def test_one_form_sent_sixty_times_at_once_is_one_order(price: Price):
    disk = factories.price(price.product.organization, "Disk", "3", is_public=True)
    found = together([lambda: place(price, Extra(disk, 2))] * 60)
    assert {getattr(order, "pk", order) for order in found} == {found[0].pk}
    with everything("test"):
        assert Order.objects.count() == Invoice.objects.count() == Subscription.objects.count() == 1
        assert OrderAddon.objects.get().quantity == 2
        assert Component.objects.count() == 2
        assert Invoice.objects.get().gross == Decimal(16)
        assert Customer.objects.count() == Organization.objects.filter(name="Nia New").count() == 1


def test_many_workers_set_an_order_up_once(price: Price, cast: Cast):
    with everything("test"):
        order = place(price)
        pay(cast, order)
    together([lambda: fulfilments.fulfil(order.pk)] * 12)
    with everything("test"):
        assert HostingAccount.objects.count() == 1
        assert Operation.objects.filter(verb="account.create").count() == 1
        assert Order.objects.get().status == "building"


def test_paid_while_it_is_given_up_it_is_one_or_the_other(price: Price, cast: Cast):
    with everything("test"):
        order = place(price)
    late = timezone.now() + timedelta(days=31)
    outcomes = together([lambda: pay(cast, order), lambda: orders.expire(late)])
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    with everything("test"):
        found: Any = Order.objects.select_related("invoice__receivable", "subscription").get()
        credited = Invoice.objects.filter(kind="credit_note").count()
        assert found.invoice.receivable.open == 0
        assert (found.status, credited) in (("building", 0), ("refused", 1))
        assert (found.subscription.status == "ended") == (found.status == "refused")
