"""The demo's business: the provider bills the reseller, the reseller ten clients, for some months now; cards by a stub.

By services alone; what lies back is billed by the run itself, month after month, as if it had been there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.services import organizations, plans
from billing.models import Customer, Invoice, Price, Product
from billing.pricing.calendar import add_months
from billing.services import customers, gateways, payments, prices, products, runs, sellers, subscriptions
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, KEY
from provisioning.models import HostingAccount, Package

MONTHS_BACK = 3
PLAN_FEE = Decimal(30)
PRICE = Decimal(10)
SETUP = Decimal(5)
DAYS_TO_PAY = 10
CLIENTS = (
    "Blue Door Yoga",
    "Field & Fern Florists",
    "Harbour Dental",
    "Kestrel Bikes",
    "Mill Lane Pottery",
    "Old Town Books",
    "Piano with Petra",
    "Quill Translations",
    "Riverside Café",
)
LATE = "Kestrel Bikes"
"""Who has not paid this month."""


def make(actors: dict[str, Actor], nodes: dict[str, Organization]) -> dict[str, str]:
    """Make it in one transaction, so that no run of the worker comes in between; returns addresses for demo.json."""
    with everything("demo"), transaction.atomic():
        first = add_months(timezone.now().date().replace(day=1), -MONTHS_BACK)
        _seller(actors["provider"], nodes["provider"], "Ferrum Hosting Ltd", "4 Forge Street\nSheffield")
        _seller(actors["reseller"], nodes["reseller"], "Northwind Studio Ltd", "7 Weather Lane\nBristol")
        _sell_plan(actors["provider"], nodes, first)
        price = _products(actors["reseller"], nodes["reseller"], first)
        _sell_hosting(actors["reseller"], nodes, price, first)
        _bill_month_after_month(actors, first)
        gateway = gateways.set_keys(
            actor=actors["reseller"], public_key="pk_test_stub", secret_key=KEY, hook_secret=HOOK_SECRET
        )
        sellers.change(actor=actors["reseller"], organization=nodes["reseller"], is_open=True)
    return {"product": price.product_id, "hook": f"/hooks/payments/{gateway.hook}"}


def _seller(actor: Actor, organization: Organization, name: str, address: str) -> None:
    sellers.change(
        actor=actor,
        organization=organization,
        legal_name=name,
        address=address,
        country="GB",
        currency="USD",
        email=f"billing@{'ferrum' if actor.kind == 'provider' else 'northwind'}.example",
        due_days=DAYS_TO_PAY,
        days_ahead=0,
        suspend_days=30,
    )
    sellers.change_bank(
        actor=actor, organization=organization, bank_holder=name, iban="GB33BUKB20201555555555", bic="BUKBGB22"
    )


def _sell_plan(actor: Actor, nodes: dict[str, Organization], first: date) -> None:
    provider, reseller = nodes["provider"], nodes["reseller"]
    plan = plans.create(actor=actor, organization=provider, name="Reseller 100", resellers_allowed=True)
    offer = products.create(actor=actor, organization=provider, kind=Product.Kind.PLAN, name=plan.name, plan=plan)
    price = prices.create(actor=actor, product=offer, currency="USD", amount=PLAN_FEE, valid_from=first)
    customer = _customer(actor, provider, reseller, "7 Weather Lane\nBristol")
    subscriptions.start(actor=actor, customer=customer, price=price, starts_on=first)


def _products(actor: Actor, reseller: Organization, first: date) -> Price:
    package = Package.objects.get(organization=reseller, name="Starter")
    product = products.create(
        actor=actor,
        organization=reseller,
        kind=Product.Kind.PACKAGE,
        name="Starter",
        package=package,
        description="A web site with mail, databases and DNS. 10 GB, 10 mailboxes, daily care.",
        is_public=True,
    )
    price = prices.create(
        actor=actor, product=product, currency="USD", amount=PRICE, setup=Decimal(0), valid_from=first
    )
    prices.create(actor=actor, product=product, currency="USD", months=12, amount=PRICE * 10, valid_from=first)
    care = products.create(
        actor=actor,
        organization=reseller,
        kind=Product.Kind.ADDON,
        name="Monthly care",
        description="We keep your site and its plugins up to date.",
        is_public=True,
    )
    prices.create(actor=actor, product=care, currency="USD", amount=SETUP, valid_from=first)
    return price


def _sell_hosting(actor: Actor, nodes: dict[str, Organization], price: Price, first: date) -> None:
    reseller, hosting = nodes["reseller"], HostingAccount.objects.get(organization=nodes["client"])
    own = _customer(actor, reseller, nodes["client"], "2 Market Square\nBath")
    subscriptions.start(actor=actor, customer=own, price=price, hosting=hosting, starts_on=first)
    for number, name in enumerate(CLIENTS, 1):
        client = organizations.create_client(actor=actor, parent=reseller, name=name)
        customer = _customer(actor, reseller, client, f"{number} High Street\nBristol")
        subscriptions.start(actor=actor, customer=customer, price=price, starts_on=first, label="Starter")


def _customer(actor: Actor, seller: Organization, buyer: Organization, address: str) -> Customer:
    found = customers.ensure(actor=actor, seller=seller, buyer=buyer, currency="USD")
    return customers.change(actor=actor, customer=found, address=address, country="GB")


def _bill_month_after_month(actors: dict[str, Actor], first: date) -> None:
    """Let the run issue what was due on the first of each month, and let the customers pay some days later."""
    for number in range(MONTHS_BACK + 1):
        day = add_months(first, number)
        runs.bill(datetime.combine(day, time(6), UTC))
        is_last = number == MONTHS_BACK
        for invoice in Invoice.objects.filter(issued_on=day, kind=Invoice.Kind.INVOICE).select_related("customer"):
            if is_last and invoice.customer.name == LATE:
                continue
            _pay(actors, invoice, min(day + timedelta(days=DAYS_TO_PAY - 4), timezone.now().date()))


def _pay(actors: dict[str, Actor], invoice: Invoice, day: date) -> None:
    seller = next(actor for actor in actors.values() if actor.organization_id == invoice.seller_id)
    payments.record(
        actor=seller,
        customer=invoice.customer,
        amount=invoice.gross,
        currency=invoice.currency,
        received_on=day,
        reference=invoice.reference or str(invoice),
        key=f"demo:{invoice.pk}",
        invoice=invoice,
    )
