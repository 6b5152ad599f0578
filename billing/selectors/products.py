"""What sellers sell, how many have it, and what can be made a product of."""

from __future__ import annotations

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Organization, ResellerPlan
from accounts.selectors import plans
from billing.models import Meter, Price, Product, Subscription
from billing.models.subscriptions import Component
from panel.core.actors import Actor
from provisioning.models import Package
from provisioning.selectors import packages


def listed(actor: Actor) -> QuerySet[Product]:
    """Return what the actor's organization sells, archived products left out, with `subscription_count`."""
    return every(actor).filter(archived_at__isnull=True)


def every(actor: Actor) -> QuerySet[Product]:
    """Return what the actor's organization sells or sold."""
    rows = Product.objects.filter(organization=actor.organization_id)
    rows = rows.select_related("organization", "package", "plan", "meter")
    count = _running().filter(product=OuterRef("pk")).order_by().values("product")
    counted = count.annotate(count=Count("subscription", distinct=True)).values("count")
    return rows.annotate(subscription_count=Coalesce(Subquery(counted), 0))


def subscriptions_of(product: Product, *, currency: str = "", months: int = 0) -> int:
    """Return how many subscriptions that go on have a product: in all, or at its prices of a currency and cycle."""
    rows = _running().filter(product=product)
    if currency:
        rows = rows.filter(price__currency=currency, price__months=months)
    return rows.values("subscription").distinct().count()


def subscriptions_at(price: Price) -> int:
    """Return how many subscriptions that go on pay a price."""
    return _running().filter(price=price).values("subscription").distinct().count()


def subscriptions_by_price(product: Product) -> dict[str, int]:
    """Return price → how many subscriptions that go on pay it; one query."""
    rows = _running().filter(product=product).order_by().values("price")
    return dict(rows.annotate(count=Count("subscription", distinct=True)).values_list("price", "count"))


def packages_of(organization: Organization) -> QuerySet[Package]:
    """Return the packages that a seller could sell."""
    return packages.listed().filter(organization=organization)


def plans_of(organization: Organization) -> QuerySet[ResellerPlan]:
    """Return the plans that a seller could sell."""
    return plans.sold_by(organization)


def meters_of(organization: Organization) -> QuerySet[Meter]:
    """Return the meters by which a seller could sell."""
    return Meter.objects.filter(organization=organization)


def _running() -> QuerySet[Component]:
    rows = Component._base_manager.filter(ends_on__isnull=True)
    return rows.exclude(subscription__status=Subscription.Status.ENDED)
