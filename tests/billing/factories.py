"""Rows that tests of money stand on, made by hand where no service is under test."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import Organization
from billing.models import (
    Charge,
    Component,
    Customer,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Order,
    Price,
    Product,
    Seller,
    Subscription,
)
from panel.core.actors import Actor
from panel.core.scoping import everything

SYSTEM = Actor.system("test")
START = date(2026, 1, 1)


def seller(organization: Organization, **values: Any) -> Seller:
    """Make an organization a seller: US dollars, UTC, no tax, unless given."""
    with everything("test"):
        defaults = {"legal_name": f"{organization.name} Ltd", "address": "1 Quay Road", "country": "US"}
        return Seller.objects.create(organization=organization, **{**defaults, **values})


def customer(sold_by: Organization, buyer: Organization, **values: Any) -> Customer:
    """Make a customer of a seller."""
    with everything("test"):
        defaults = {"name": buyer.name, "country": "US", "currency": "USD", "since": START}
        return Customer.objects.create(seller=sold_by, buyer=buyer, **{**defaults, **values})


OF_PRODUCTS = ("kind", "package", "plan", "meter", "tax_category", "is_public")


def price(sold_by: Organization, name: str = "Support", amount: str = "10", months: int = 1, **values: Any) -> Price:
    """Make a product (an add-on unless its `kind` and what it stands for are given) with one price."""
    own = {key: values.pop(key) for key in OF_PRODUCTS if key in values}
    with everything("test"):
        product = Product.objects.create(organization=sold_by, name=name, **{"kind": "addon", **own})
        defaults = {"currency": "USD", "amount": Decimal(amount), "months": months, "valid_from": START}
        return Price.objects.create(product=product, **{**defaults, **values})


def subscription(of: Customer, at: Price, starts_on: date = START, quantity: int = 1, **values: Any) -> Subscription:
    """Make a subscription with its main component; nothing is charged for it yet."""
    with everything("test"):
        defaults = {"status": "active", "months": at.months, "anchor": starts_on, "billed_until": starts_on}
        made = Subscription.objects.create(
            customer=of, starts_on=starts_on, label=at.product.name, **{**defaults, **values}
        )
        Component.objects.create(
            subscription=made, product=at.product, price=at, amount=at.amount, quantity=quantity, starts_on=starts_on
        )
        return made


def paper(of: Customer, *lines: tuple[str, date | None, date | None], **values: Any) -> Invoice:
    """Make an issued invoice (a credit note where `kind` says so) of lines of net amount, start and end; no tax.

    A value `component` is what the lines are charged for; `taxes` are taxes as code, percent, net and tax.
    """
    component = values.pop("component", None)
    taxes = values.pop("taxes", None)
    with everything("test"):
        number = Invoice.objects.filter(seller=of.seller).count() + 1
        net = sum((Decimal(line[0]) for line in lines), Decimal(0))
        defaults = {"issued_on": START, "due_on": START, "currency": of.currency, "net": net, "gross": net}
        issued = {"status": "issued", "series": "T", "year": 2026, "number": number, "label": f"T-2026-{number:04}"}
        values = {**defaults, **issued, **values}
        made = Invoice.objects.create(
            seller=of.seller,
            buyer=of.buyer,
            customer=of,
            tax_mode="exclusive",
            **{name: values[name] for name in values if name not in issued and name != "issued_on"},
        )
        for position, (text, starts_on, ends_on) in enumerate(lines, 1):
            amount = Decimal(text)
            day = starts_on or values["issued_on"]
            charge = Charge.objects.create(
                customer=of, component=component, kind="period" if component else "item", starts_on=day,
                ends_on=ends_on or day, due_on=day, text=f"Work {number}", unit_price=amount, amount=amount,
                currency=made.currency, part=number,
            )  # fmt: skip
            InvoiceLine.objects.create(
                invoice=made, charge=charge, position=position, text=charge.text, starts_on=starts_on, ends_on=ends_on,
                quantity=Decimal(1), unit_price=amount, amount=amount, net=amount, tax_code="O", tax_percent=Decimal(0),
            )  # fmt: skip
        for code, percent, base, tax in taxes or [("O", 0, net, 0)]:
            InvoiceTax.objects.create(invoice=made, code=code, percent=percent, base=Decimal(base), tax=Decimal(tax))
        Invoice.objects.filter(pk=made.pk).update(
            **{name: values[name] for name in (*issued, "issued_on")}, issued_at=timezone.now()
        )
        made.refresh_from_db()
        return made


def order(sold_by: Organization, buyer: Organization, at: Price, **values: Any) -> Order:
    """Make an order of a buyer that waits for its review; nothing is charged for it."""
    with everything("test"):
        defaults = {"key": f"test:{buyer.pk}", "status": "review", "currency": at.currency, "pays_by": "transfer"}
        who = {"email": "buyer@people.example", "person": "Bea Buyer", "domain": "ordered.example"}
        return Order.objects.create(
            seller=sold_by, buyer=buyer, product=at.product, price=at, **{**defaults, **who, **values}
        )
