"""Which price is in force on a day, and which follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from billing.models import Price, Product
from billing.selectors import products
from panel.core.actors import Actor
from panel.core.scoping import everything

STATES = {
    "pending": _("To come"),
    "active": _("In force"),
    "superseded": _("Followed by another"),
    "closed": _("Ended"),
}


@dataclass(frozen=True)
class Line:
    """A price on a day: to come (`pending`), in force (`active`), followed by another (`superseded`) or ended
    (`closed`), and how many subscriptions pay it.
    """

    price: Price
    state: str
    subscriptions: int
    may_change: bool = False
    others: int = 0
    """Subscriptions at another price of its currency and cycle, which could get this one."""

    @property
    def words(self) -> str | Promise:
        """Its state in words."""
        return STATES[self.state]


def listed(actor: Actor) -> QuerySet[Price]:
    """Return all prices of the actor's organization: past ones, those in force, and those to come."""
    rows = Price.objects.filter(product__organization=actor.organization_id)
    return rows.select_related("product", "product__organization")


def named() -> QuerySet[Price]:
    """Return prices of anybody, whatever the scope: a buyer names those of its seller, and the service says which."""
    with everything("buyers name their seller's prices"):
        return Price.objects.select_related("product__organization", "product__package", "product__plan")


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
    return in_force(of_seller(organization), on)


def of_seller(organization: Organization) -> QuerySet[Price]:
    """Return all prices of a seller's products that are not archived."""
    rows = Price.objects.filter(product__organization=organization, product__archived_at__isnull=True)
    rows = rows.select_related("product", "product__organization")
    return rows.order_by("product__name", "currency", "months", "id")


def lines(product: Product, on: date, *, may_change: bool = False) -> list[Line]:
    """Return all prices of a product with their state on a day."""
    counts = products.subscriptions_by_price(product)
    seen: set[tuple[str, int]] = set()
    found = []
    for price in of_product(product):
        kind = (price.currency, price.months)
        state = "active"
        if price.valid_from > on:
            state = "pending"
        elif kind in seen:
            state = "superseded"
        elif price.ended_on is not None and price.ended_on <= on:
            state = "closed"
        if price.valid_from <= on:
            seen.add(kind)
        found.append(Line(price, state, counts.get(price.pk, 0), may_change))
    return [_with_others(line, found) for line in found]


def _with_others(line: Line, lines: list[Line]) -> Line:
    if line.state not in ("active", "pending") or not line.price.months:
        return line
    kind = (line.price.currency, line.price.months)
    same = (other for other in lines if (other.price.currency, other.price.months) == kind and other is not line)
    return replace(line, others=sum(other.subscriptions for other in same))
