"""Orders from placed to live: made once, paid, reviewed, set up once, refused, given up; who learns what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Invitation, Membership, Organization, OutgoingMail, User
from accounts.services import plans
from billing.models import Charge, Customer, Invoice, Order, Price, Receivable, Seller, Subscription
from billing.services import fulfilments, order_estimates, orders, payments
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from provisioning.models import Domain, HostingAccount, Operation, Server
from tests.billing import factories
from tests.cast import PASSWORD, Cast
from tests.provisioning import factories as ground

SYSTEM = Actor.system("test")


@dataclass
class Market:
    """Reseller A sells hosting at 10 USD a month, setup 5, to whoever comes."""

    cast: Cast
    seller: Seller
    price: Price
    server: Server

    def wish(self, **values: Any) -> orders.Wish:
        given: dict[str, Any] = {"key": "form:1", "email": "new@buyers.example", "person": "Nia New"}
        return orders.Wish(**{**given, "pays_by": "transfer", "domain": "nia.example", **values})

    def place(self, **values: Any) -> Any:
        return orders.place(actor=None, price=self.price, wish=self.wish(**values), password=PASSWORD)

    def pay(self, order: Any) -> None:
        """Let the money of an order's invoice come in."""
        assert order.invoice is not None
        with tenant(self.seller.organization.path):
            payments.record(
                actor=self.cast.reseller_a.actor,
                customer=order.customer,
                amount=order.invoice.gross,
                currency="USD",
                received_on=timezone.now().date(),
                reference="transfer",
                key=f"bank:{order.pk}",
                invoice=order.invoice,
            )

    def now(self, order: Order) -> Any:
        return Order.objects.select_related("seller", "operation", "invoice", "subscription", "buyer").get(pk=order.pk)

    def applied(self, order: Order) -> None:
        """Let the server report that the order's account is there."""
        Operation.objects.filter(pk=self.now(order).operation_id).update(status="applied")
        fulfilments.fulfil(order.pk)


@pytest.fixture
def market(cast: Cast) -> Market:
    with everything("test"):
        organization = cast.reseller_a.organization
        seller = factories.seller(organization, is_open=True, bank_details="Bank of A, 1234")
        package = ground.package(organization)
        price = factories.price(organization, "Starter", kind="package", package=package, setup=Decimal(5))
        price.product.is_public = True
        price.product.save()
        return Market(cast, seller, price, ground.server(cast.provider.organization))


@pytest.fixture(autouse=True)
def _all_rows() -> Iterator[None]:
    with everything("test"):
        yield


def test_a_stranger_becomes_a_client_with_a_subscription_and_an_invoice_and_nothing_on_a_server(market: Market):
    order = market.place()
    assert order.status == "unpaid"
    assert order.buyer.kind == "client"
    assert order.buyer.parent == market.seller.organization
    user = User.objects.get(email="new@buyers.example")
    assert user.check_password(PASSWORD)
    assert Membership.objects.get(user=user).organization == order.buyer
    assert order.customer.buyer == order.buyer
    assert order.invoice.gross == Decimal(15)
    assert order.invoice.receivable.open == Decimal(15)
    assert sorted(order.invoice.lines.values_list("charge__kind", flat=True)) == ["period", "setup"]
    assert not HostingAccount.objects.exists()
    mail = OutgoingMail.objects.get(kind="order_received")
    assert (mail.recipient, mail.brand) == ("new@buyers.example", market.seller.organization.brand)
    assert AuditEntry.objects.filter(action="order.place", object_id=order.pk).count() == 1


def test_what_the_summary_says_is_what_is_charged(market: Market):
    with everything("test"):
        estimate = order_estimates.of(seller=market.seller, price=market.price)
    order = market.place()
    assert estimate.today.gross == order.invoice.gross
    assert [(line.amount, line.kind) for line in estimate.today_lines] == [
        (charge.amount, charge.kind) for charge in Charge.objects.order_by("id")
    ]
    assert estimate.later.gross == Decimal(10)
    assert estimate.later_on == order.subscription.billed_until


def test_the_same_form_again_is_the_same_order(market: Market):
    first, second = market.place(), market.place(domain="other.example")
    assert first.pk == second.pk
    assert Organization.objects.filter(name="Nia New").count() == 1
    assert Invoice.objects.count() == Subscription.objects.count() == Customer.objects.count() == 1


def test_a_refusal_leaves_nothing(market: Market):
    with pytest.raises(Invalid) as caught:
        market.place(vat_number="nonsense", country="DE", company="New Ltd")
    assert caught.value.field == "vat_number"
    assert not Order.objects.exists()
    assert not User.objects.filter(email="new@buyers.example").exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"domain": ""}, "domain"),
        ({"domain": "co.uk"}, "domain"),
        ({"domain": "gmail.com"}, "domain"),
        ({"domain": "reseller-a.example"}, "domain"),
        ({"domain": "panel.reseller-b.example"}, "domain"),
        ({"domain": "a b.example"}, "domain"),
        ({"email": "nobody"}, "email"),
        ({"person": ""}, "person"),
        ({"country": "XX"}, "country"),
        ({"pays_by": "card"}, "pays_by"),
        ({"pays_by": "invoice"}, "pays_by"),
    ],
)
def test_refusals_name_the_field(market: Market, values: dict[str, str], field: str):
    with pytest.raises(DomainError) as caught:
        market.place(**values)
    assert caught.value.field == field
    assert not Order.objects.exists()


def test_a_weak_password_is_refused_for_known_and_unknown_addresses_alike(market: Market):
    for email in ("new@buyers.example", market.cast.client_a.user.email):
        with pytest.raises(Invalid) as caught:
            orders.place(actor=None, price=market.price, wish=market.wish(email=email), password="short")
        assert caught.value.field == "password"


def test_an_address_that_is_known_here_gets_an_invitation_and_the_form_does_not_tell(market: Market):
    known = market.cast.client_a.user
    order = market.place(email=known.email.upper())
    assert order.status == "unpaid"
    assert order.invoice.gross == Decimal(15)
    assert order.buyer != market.cast.client_a.organization
    assert not Membership.objects.filter(organization=order.buyer).exists()
    assert Invitation.objects.get(organization=order.buyer).email == known.email
    known.refresh_from_db()
    assert known.check_password(PASSWORD)


def test_a_client_who_is_signed_in_orders_for_its_own_organization(market: Market):
    person = market.cast.client_a
    order = orders.place(actor=person.actor, price=market.price, wish=market.wish(email=person.user.email))
    assert order.buyer == person.organization
    assert not Invitation.objects.exists()


def test_others_order_nothing_in_this_shop(market: Market):
    for person in (market.cast.client_b, market.cast.client_sub):
        with pytest.raises(NotFound):
            orders.place(actor=person.actor, price=market.price, wish=market.wish())
    with pytest.raises(Forbidden):
        orders.place(actor=market.cast.provider.actor, price=market.price, wish=market.wish())
    assert not Order.objects.exists()


def test_a_closed_page_takes_nothing_but_its_own_shop_does(market: Market):
    Seller.objects.update(is_open=False)
    with pytest.raises(NotFound):
        market.place()
    order = orders.place(actor=market.cast.reseller_a.actor, price=market.price, wish=market.wish(pays_by="invoice"))
    assert order.status == "building"
    assert Invitation.objects.get(organization=order.buyer).email == "new@buyers.example"


def test_open_orders_of_one_address_are_bounded(market: Market):
    for number in range(3):
        market.place(key=f"form:{number}", domain=f"n{number}.example", ip="203.0.113.9")
    with pytest.raises(Conflict) as caught:
        market.place(key="form:x", domain="x.example")
    assert caught.value.code == "too_many_orders"
    for number in range(3):
        market.place(
            key=f"form:m{number}", domain=f"m{number}.example", ip="203.0.113.9", email=f"m{number}@buyers.example"
        )
    with pytest.raises(Conflict):
        market.place(key="form:y", domain="y.example", ip="203.0.113.9", email="y@buyers.example")


def test_paid_it_is_set_up_once_and_live_when_the_server_says_so(market: Market):
    order = market.place()
    market.pay(order)
    assert market.now(order).status == "building"
    assert not HostingAccount.objects.exists()
    for _ring in range(3):
        fulfilments.fulfil(order.pk)
    hosting = HostingAccount.objects.get()
    found = market.now(order)
    assert (hosting.domain, hosting.organization) == ("nia.example", order.buyer)
    assert found.subscription.hosting == hosting
    assert found.operation.status == "pending"
    assert found.status == "building"
    market.applied(order)
    market.applied(order)
    found = market.now(order)
    assert found.status == "live"
    assert found.live_at is not None
    assert OutgoingMail.objects.filter(kind="order_live").count() == 1


def test_a_server_that_can_t_take_it_leaves_the_money_and_is_tried_again(market: Market):
    Server.objects.update(closed=True)
    order = market.place()
    market.pay(order)
    fulfilments.fulfil(order.pk)
    found = market.now(order)
    assert found.status == "failed"
    assert "No server can take the account now" in found.reason
    assert not HostingAccount.objects.exists()
    assert found.invoice.receivable.settled_at is not None
    told = OutgoingMail.objects.filter(kind="order_attention").values_list("recipient", flat=True)
    assert list(told) == [market.cast.reseller_a.user.email]
    with pytest.raises(Forbidden):
        orders.retry(actor=market.cast.readonly_a.actor, order=found)
    Server.objects.update(closed=False)
    orders.retry(actor=market.cast.reseller_a.actor, order=found)
    fulfilments.fulfil(order.pk)
    market.applied(order)
    assert market.now(order).status == "live"
    assert HostingAccount.objects.count() == 1


def test_what_a_server_rejects_fails_and_goes_on_with_the_same_account(market: Market):
    order = market.place()
    market.pay(order)
    fulfilments.fulfil(order.pk)
    operation = market.now(order).operation
    Operation.objects.filter(pk=operation.pk).update(status="rejected", reason="It is broken.")
    fulfilments.fulfil(order.pk)
    assert (market.now(order).status, market.now(order).reason) == ("failed", "It is broken.")
    with pytest.raises(Conflict) as caught:
        orders.refuse(actor=market.cast.reseller_a.actor, order=market.now(order), reason="No")
    assert caught.value.code == "has_account"
    orders.retry(actor=market.cast.reseller_a.actor, order=market.now(order))
    fulfilments.fulfil(order.pk)
    assert HostingAccount.objects.count() == 1
    market.applied(order)
    assert market.now(order).status == "live"


def test_two_who_pay_for_one_name_get_it_once(market: Market):
    first = market.place()
    second = market.place(key="form:2", email="late@buyers.example")
    market.pay(first)
    market.pay(second)
    for order in (first, second):
        fulfilments.fulfil(order.pk)
    assert market.now(first).status == "building"
    assert market.now(second).status == "failed"
    assert Domain.objects.get().hosting.organization == first.buyer
    orders.refuse(actor=market.cast.reseller_a.actor, order=market.now(second), reason="The name is taken.")
    assert Invoice.objects.get(kind="credit_note").gross == Decimal(-15)


def test_an_order_on_invoice_is_set_up_before_it_is_paid(market: Market):
    Seller.objects.update(takes_invoices=True)
    order = market.place(pays_by="invoice")
    assert order.status == "building"
    fulfilments.fulfil(order.pk)
    assert HostingAccount.objects.count() == 1
    assert Receivable.objects.get().open == Decimal(15)
    market.pay(order)
    assert market.now(order).status == "building"


def test_a_trial_is_set_up_and_nothing_is_owed(market: Market):
    market.price.product.trial_days = 14
    market.price.product.save()
    order = market.place()
    assert order.status == "building"
    assert order.invoice is None
    assert not Invoice.objects.exists()


def test_a_review_comes_between_paid_and_set_up(market: Market):
    Seller.objects.update(reviews_orders=True)
    order = market.place()
    market.pay(order)
    found = market.now(order)
    assert found.status == "review"
    fulfilments.fulfil(order.pk)
    assert not HostingAccount.objects.exists()
    orders.approve(actor=market.cast.reseller_a.actor, order=found)
    fulfilments.fulfil(order.pk)
    assert HostingAccount.objects.count() == 1
    with pytest.raises(Conflict):
        orders.approve(actor=market.cast.reseller_a.actor, order=found)


def test_refused_nothing_is_owed_and_what_was_paid_is_credit(market: Market):
    Seller.objects.update(reviews_orders=True)
    order = market.place()
    market.pay(order)
    orders.refuse(actor=market.cast.reseller_a.actor, order=market.now(order), reason="We can't verify you.")
    found = market.now(order)
    assert (found.status, found.reason) == ("refused", "We can't verify you.")
    assert found.subscription.status == "ended"
    assert Invoice.objects.get(kind="credit_note").corrects == order.invoice
    mail = OutgoingMail.objects.get(kind="order_refused")
    assert mail.recipient == "new@buyers.example"
    assert not Charge.objects.filter(line=None).exists()


def test_what_nobody_pays_is_given_up_and_a_late_payment_does_not_revive_it(market: Market):
    order = market.place()
    assert orders.expire(timezone.now() + timedelta(days=29)) == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert orders.expire(timezone.now()) == 1
        assert orders.expire(timezone.now()) == 0
    found = market.now(order)
    assert found.status == "refused"
    assert found.invoice.receivable.open == 0
    assert found.subscription.status == "ended"
    fulfilments.fulfil(order.pk)
    assert not HostingAccount.objects.exists()


def test_states_and_verbs(market: Market):
    """Each verb is possible in these states and refused in all others, with nothing changed."""
    allowed = {
        "approve": {"review"},
        "refuse": {"unpaid", "review", "failed"},
        "retry": {"failed"},
    }
    order = market.place()
    for status in Order.Status.values:
        for verb, states in allowed.items():
            if status in states:
                continue
            Order.objects.filter(pk=order.pk).update(status=status)
            values = {"reason": "No"} if verb == "refuse" else {}
            with pytest.raises(Conflict):
                getattr(orders, verb)(actor=market.cast.reseller_a.actor, order=market.now(order), **values)
            assert market.now(order).status == status


def test_only_the_seller_decides(market: Market):
    Seller.objects.update(reviews_orders=True)
    order = market.place()
    market.pay(order)
    cast = market.cast
    for person in (cast.provider, cast.reseller_b, cast.client_b):
        with pytest.raises(NotFound):
            orders.approve(actor=person.actor, order=market.now(order))
    buyer = replace(cast.client_a.actor, organization_id=order.buyer.pk, path=order.buyer.path)
    for verb in (orders.approve, orders.retry):
        with pytest.raises(Forbidden):
            verb(actor=buyer, order=market.now(order))
    assert market.now(order).status == "review"


def test_a_plan_makes_a_reseller_who_waits_until_it_is_paid(market: Market):
    cast = market.cast
    provider = cast.provider.organization
    factories.seller(provider, is_open=True, bank_details="Bank")
    plan = plans.create(actor=SYSTEM, organization=provider, name="Studio", accounts=20)
    price = factories.price(provider, "Studio", "30", kind="plan", plan=plan)
    price.product.is_public = True
    price.product.save()
    wish = orders.Wish(key="form:p", email="new@buyers.example", person="Nia", pays_by="transfer", company="Nia Studio")
    order: Any = orders.place(actor=None, price=price, wish=wish, password=PASSWORD)
    buyer = Organization.objects.get(pk=order.buyer_id)
    assert (buyer.kind, buyer.name, buyer.status) == ("reseller", "Nia Studio", "suspended")
    with tenant(provider.path):
        payments.record(
            actor=cast.provider.actor,
            customer=order.customer,
            amount=Decimal(30),
            currency="USD",
            received_on=timezone.now().date(),
            reference="x",
            key="x",
            invoice=order.invoice,
        )
    fulfilments.fulfil(order.pk)
    buyer.refresh_from_db()
    assert (buyer.status, buyer.plan) == ("active", plan)
    assert market.now(order).status == "live"
    with pytest.raises(Forbidden):
        orders.place(actor=cast.outsider.actor, price=price, wish=replace(wish, key="form:q"))
