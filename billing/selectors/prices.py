"""Which price is in force on a day, and which follow."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Organization
from billing.models import Price, Product
from panel.core.actors import Actor
from panel.core.scoping import everything


def listed(actor: Actor) -> QuerySet[Price]:
    """Return all prices of the actor's organization: past ones, those in force, and those to come."""
    rows = Price.objects.filter(product__organization=actor.organization_id)
    return rows.select_related("product", "product__organization")


def of_product(product: Product) -> QuerySet[Price]:
    """Return all prices of a product, the newest of each currency and cycle first."""
    rows = Price.objects.filter(product=product).select_related("product", "product__organization")
    return rows.order_by("currency", "months", "-valid_from")


def in_force(rows: QuerySet[Price], on: date) -> QuerySet[Price]:
    """Narrow prices to those that are sold at on a day: of each product, currency and cycle the newest begun."""
    same = {name: OuterRef(name) for name in ("product", "currency", "months")}
    newer = Price._base_manager.filter(**same, valid_from__gt=OuterRef("valid_from"), valid_from__lte=on)
    begun = rows.filter(valid_from__lte=on).filter(~Exists(newer))
    return begun.filter(Q(ended_on__isnull=True) | Q(ended_on__gt=on))


def current(product: Product, currency: str, months: int, on: date) -> Price | None:
    """Return the price of a product in a currency and cycle on a day, whatever the scope; None when it has none."""
    with everything("buyers see their seller's prices"):
        rows = Price.objects.filter(product=product, currency=currency, months=months).select_related("product")
        return in_force(rows, on).first()


def on_sale(organization: Organization, on: date) -> QuerySet[Price]:
    """Return the price list of a seller on a day: prices in force of products that are not archived."""
    rows = Price.objects.filter(product__organization=organization, product__archived_at__isnull=True)
    rows = rows.select_related("product", "product__organization")
    return in_force(rows, on).order_by("product__name", "currency", "months", "id")


def following(price: Price) -> Price | None:
    """Return the price that follows another one of the same product, currency and cycle."""
    rows = Price.objects.filter(product_id=price.product_id, currency=price.currency, months=price.months)
    return rows.filter(valid_from__gt=price.valid_from).order_by("valid_from").first()
