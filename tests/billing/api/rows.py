"""Rows of every kind that the API of billing reads, as many as are asked for, and the ids that routes are about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.services import organizations
from billing.models import (
    BankEntry,
    Charge,
    Component,
    Customer,
    Document,
    DunningPause,
    DunningStep,
    Gateway,
    Hold,
    Hook,
    HookDelivery,
    Invoice,
    LedgerEntry,
    Meter,
    MeterEvent,
    OrderAddon,
    Payment,
    PaymentMethod,
    Price,
    PriceFeed,
    PricePoint,
    Receivable,
    Refund,
    Seller,
    Subscription,
    TaxRate,
    VatCheck,
)
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.factories import START, SYSTEM
from tests.provisioning import factories as ground

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
SPAN = (START, date(2026, 2, 1))


def fill(seller: Seller, buyer: Customer, start: int, stop: int) -> dict[str, str]:
    """Make rows number `start` to `stop` of each kind, that many more below the first of each, and cards of a buyer;
    return the ids that routes are about, by the routes' words for them.
    """
    with everything("test"):
        for number in range(start, stop):
            _one(seller, number)
            _card(buyer, number, is_default=number == 0)
        return _ids(seller, buyer, stop)


def _one(seller: Seller, number: int) -> None:
    own = seller.organization
    buyer = organizations.create_client(actor=SYSTEM, parent=own, name=f"Buyer {number}")
    customer = factories.customer(own, buyer, name=f"Buyer {number}", email=f"b{number}@buyers.example")
    VatCheck.objects.create(customer=customer, vat_number="DE1", is_valid=True, checked_at=NOON)
    TaxRate.objects.create(seller=own, country="US", region=f"R{number}", percent=Decimal(5), valid_from=START)
    price = factories.price(own, f"Package {number}", kind="package", package=ground.package(own, name=f"P{number}"))
    addon = factories.price(own, f"Add-on {number}", "3")
    _subscribe(customer, price, addon, number)
    order = factories.order(own, buyer, price, key=f"n{number}", domain=f"n{number}.example")
    OrderAddon.objects.create(order=order, price=addon, quantity=2)
    _pay(seller, customer, number)
    _tell(seller, number)


def _subscribe(customer: Customer, price: Price, addon: Price, number: int) -> None:
    subscription = factories.subscription(customer, price)
    meter = Meter.objects.create(organization=customer.seller, name=f"Meter {number}", unit="GB")
    _below_subscription(Subscription.objects.order_by("created_at", "id")[0], addon, number)
    event = {"seller": customer.seller, "customer": customer, "subscription": subscription, "meter": meter}
    MeterEvent.objects.create(**event, source="test", event_id=str(number), at=NOON, quantity=Decimal(1))
    feed = PriceFeed.objects.create(organization=customer.seller, name=f"Feed {number}")
    for each in {feed.pk, PriceFeed.objects.order_by("created_at", "id")[0].pk}:
        PricePoint.objects.create(feed_id=each, instant=NOON + timedelta(hours=number), price=Decimal("0.01"))


def _below_subscription(first: Subscription, addon: Price, number: int) -> None:
    """Another add-on of the first subscription, and what was charged for it."""
    component = Component.objects.create(
        subscription=first, product=addon.product, price=addon, is_main=False, amount=addon.amount, starts_on=START
    )
    Charge.objects.create(
        customer=first.customer, component=component, kind="period", starts_on=SPAN[0], ends_on=SPAN[1],
        due_on=START, text="Add-on", unit_price=Decimal(3), amount=Decimal(3), currency="USD", part=number,
    )  # fmt: skip
    Price.objects.create(
        product=Component.objects.get(subscription=first, is_main=True).product, currency="USD", amount=number,
        valid_from=START + timedelta(days=number + 1),
    )  # fmt: skip


def _pay(seller: Seller, customer: Customer, number: int) -> None:
    """An invoice of so many lines, that is overdue, with what follows from it, and a payment of it."""
    own = seller.organization
    component = Component.objects.filter(subscription__customer=customer).first()
    days = [START + timedelta(days=line) for line in range(number + 2)]
    lines = [("1.00", days[line], days[line + 1]) for line in range(number + 1)]
    invoice = factories.paper(customer, *lines, component=component)
    Document.objects.create(invoice=invoice, pdf=b"%PDF-1.7", sha256="0" * 64)
    Receivable.objects.create(
        invoice=invoice, seller=own, customer=customer, due_on=invoice.due_on, open=invoice.gross, currency="USD"
    )
    DunningStep.objects.create(invoice=invoice, step="reminder-1", done_at=NOON)
    Hold.objects.create(customer=customer, invoice=invoice, stage="orders", begun_at=NOON)
    DunningPause.objects.create(customer=customer, invoice=invoice, until=date(2026, 12, 31), reason="Promised")
    method = _card(customer, number)
    payment = Payment.objects.create(
        seller=own, customer=customer, source="gateway", status="succeeded", amount=invoice.gross, currency="USD",
        invoice=invoice, gateway=method.gateway, method=method, key=f"k{number}", received_on=START,
    )  # fmt: skip
    for each in {payment.pk, Payment.objects.order_by("created_at", "id")[0].pk}:
        Refund.objects.create(payment_id=each, amount=Decimal("0.01"), key=f"r{number}{each}")
    BankEntry.objects.create(
        organization=own, reference=str(number), booked_on=START, amount=1, currency="USD", payment=payment,
        status="matched",
    )  # fmt: skip
    LedgerEntry.objects.create(
        seller=own, customer=customer, key=f"l{number}", on=START, debit="receivable", credit="revenue",
        amount=invoice.gross, currency="USD", invoice=invoice, payment=payment,
    )  # fmt: skip


def _card(customer: Customer, number: int, **values: bool) -> PaymentMethod:
    gateway = Gateway.objects.get_or_create(organization=customer.seller, defaults={"hook": "test"})[0]
    remote = {"remote_customer": "c", "remote_id": f"{customer.pk}-{number}"}
    return PaymentMethod.objects.create(customer=customer, gateway=gateway, label="Visa 1", **remote, **values)


def _tell(seller: Seller, number: int) -> None:
    """An address that is told, and a message to it."""
    hook = Hook.objects.create(organization=seller.organization, url=f"https://shop{number}.example/")
    for each in {hook.pk, Hook.objects.order_by("created_at", "id")[0].pk}:
        HookDelivery.objects.create(
            hook_id=each, kind="invoice.issued", body={}, since=timezone.now(), next_at=timezone.now()
        )


def _ids(seller: Seller, buyer: Customer, stop: int) -> dict[str, str]:
    """The first of each kind; of invoices the newest, which has most lines."""
    own = seller.organization
    subscription = Subscription.objects.order_by("created_at", "id")[0]
    main = Component.objects.get(subscription=subscription, is_main=True)
    invoice = Invoice.objects.get(seller=own, number=stop)
    return {
        "invoice": invoice.pk,
        "dunning_pause": DunningPause.objects.get(invoice=invoice).pk,
        "webhook": Hook.objects.order_by("created_at", "id")[0].pk,
        "price_feed": PriceFeed.objects.order_by("created_at", "id")[0].pk,
        "meter": Meter.objects.order_by("created_at", "id")[0].pk,
        "order": own.orders.order_by("created_at", "id")[0].pk,
        "payment": Payment.objects.order_by("created_at", "id")[0].pk,
        "card": PaymentMethod.objects.get(customer=buyer, is_default=True).pk,
        "bank_entry": BankEntry.objects.order_by("created_at", "id")[0].pk,
        "tax_rate": TaxRate.objects.order_by("id")[0].pk,
        "customer": subscription.customer_id,
        "product": main.product_id,
        "price": main.price_id,
        "subscription": subscription.pk,
    }
