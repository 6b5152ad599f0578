"""Rows that tests of money stand on, made by hand where no service is under test."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from billing.models import Customer, Price, Product, Seller, Subscription
from billing.models.subscriptions import Component
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


def price(sold_by: Organization, name: str = "Support", amount: str = "10", months: int = 1, **values: Any) -> Price:
    """Make a product (an add-on unless its `kind` and what it stands for are given) with one price."""
    own = {key: values.pop(key) for key in ("kind", "package", "plan", "meter", "tax_category") if key in values}
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
