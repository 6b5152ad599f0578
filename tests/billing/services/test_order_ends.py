"""Orders that end without being paid: credited, refused, given up. Nothing is built for them, none holds up others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import OutgoingMail
from accounts.services import organizations, plans
from billing.models import Hook, HookDelivery, Invoice, Order, Seller
from billing.services import fulfilments, invoices, orders
from panel.core.errors import Conflict
from panel.core.scoping import everything
from provisioning.models import HostingAccount
from tests.billing import factories
from tests.billing.services.test_orders import Market, _all_rows, market  # noqa: F401

PASSWORD = "quiet-Harbour-27"
pytestmark = pytest.mark.django_db


def credited(market: Market, order: Order, part: int | None = None) -> None:  # noqa: F811
    """Let the seller credit an order's invoice, all of it or some of its first line."""
    assert order.invoice is not None
    line = order.invoice.lines.earliest("position")
    lines = None if part is None else {line.pk: line.amount / part}
    invoices.credit(actor=market.cast.reseller_a.actor, invoice=order.invoice, reason="A gift", lines=lines)


def test_a_credit_note_is_no_payment(market: Market) -> None:  # noqa: F811
    hook = Hook.objects.create(organization=market.seller.organization, url="https://shop.example/", secret="x")
    order = market.place()
    credited(market, order)
    assert market.now(order).status == "unpaid"
    assert market.now(order).invoice.receivable.settled_at is not None
    kinds = set(HookDelivery.objects.filter(hook=hook).values_list("kind", flat=True))
    assert "invoice.credited" in kinds
    assert "invoice.paid" not in kinds
    fulfilments.fulfil(order.pk)
    assert not HostingAccount.objects.exists()


def test_what_was_credited_in_part_is_refused_and_given_up_all_the_same(market: Market) -> None:  # noqa: F811
    first, second = market.place(), market.place(key="form:2", domain="other.example", email="two@buyers.example")
    for order in (first, second):
        credited(market, order, part=2)
    orders.refuse(actor=market.cast.reseller_a.actor, order=market.now(first), reason="No")
    assert orders.expire(timezone.now() + timedelta(days=31)) == 1
    for order in (first, second):
        found = market.now(order)
        assert (found.status, found.invoice.receivable.open) == ("refused", 0)


def test_one_that_can_t_be_given_up_holds_up_no_other(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    first, second = market.place(), market.place(key="form:2", domain="other.example", email="two@buyers.example")
    real = fulfilments.locked

    def refusing(order: Order) -> Order:
        if order.pk == first.pk:
            raise Conflict("Not now.")
        return real(order)

    monkeypatch.setattr(fulfilments, "locked", refusing)
    assert orders.expire(timezone.now() + timedelta(days=31)) == 1
    assert [market.now(order).status for order in (first, second)] == ["unpaid", "refused"]


def test_refused_before_it_is_paid_nobody_is_asked_to_look(market: Market) -> None:  # noqa: F811
    Seller.objects.update(reviews_orders=True)
    order = market.place()
    orders.refuse(actor=market.cast.reseller_a.actor, order=order, reason="No")
    assert market.now(order).status == "refused"
    assert not OutgoingMail.objects.filter(kind="order_attention").exists()
    assert Invoice.objects.get(kind="credit_note").corrects == order.invoice


def test_a_payment_lifts_no_suspension_of_a_person(market: Market) -> None:  # noqa: F811
    provider = market.cast.provider
    factories.seller(provider.organization, is_open=True, bank_details="Bank")
    plan = plans.create(actor=factories.SYSTEM, organization=provider.organization, name="Studio", accounts=20)
    price = factories.price(provider.organization, "Studio", "30", kind="plan", plan=plan)
    price.product.is_public = True
    price.product.save()
    wish = orders.Wish(key="form:p", email="new@buyers.example", person="Nia", pays_by="transfer", company="Nia Studio")
    order = orders.place(actor=None, price=price, wish=wish, password=PASSWORD)
    buyer = order.buyer
    assert buyer is not None
    organizations.unsuspend(actor=provider.actor, organization=buyer)
    organizations.suspend(actor=provider.actor, organization=buyer, reason="Abuse")
    with everything("test"):
        fulfilments.begin(order)
    fulfilments.fulfil(order.pk)
    buyer.refresh_from_db()
    assert (buyer.status, buyer.suspended_reason) == ("suspended", "Abuse")
