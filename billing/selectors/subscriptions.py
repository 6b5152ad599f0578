"""Reading subscriptions: those of a seller, those of a buyer, and what a buyer may change to."""

from __future__ import annotations

from datetime import date

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from billing.models import Charge, Component, Price, Product, Subscription
from billing.selectors import prices
from billing.selectors.parties import bought_by, of_party, sold_by
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.scoping import everything

WITH = ("customer__seller", "customer__buyer", "hosting")
COMPONENTS = ("components__product__plan", "components__product__package", "components__price")


def listed(actor: Actor) -> QuerySet[Subscription]:
    """Return the subscriptions of which an actor's organization is a party, newest first, with what lists show."""
    return _shown(of_party(Subscription.objects.all(), actor, through="customer"))


def sold(actor: Actor) -> QuerySet[Subscription]:
    """Return what the actor's organization sells."""
    return _shown(sold_by(Subscription.objects.all(), actor, through="customer"))


def bought(actor: Actor) -> QuerySet[Subscription]:
    """Return what the actor's organization buys."""
    return _shown(bought_by(Subscription.objects.all(), actor, through="customer"))


def history(subscription: Subscription) -> QuerySet[Charge]:
    """Return what was charged for a subscription, newest first, with the invoice that each is on."""
    rows = Charge.objects.filter(component__subscription=subscription)
    return rows.select_related("component__product", "line__invoice").order_by("-due_on", "-id")


def whole(pk: str, rows: QuerySet[Subscription] | None = None) -> Subscription:
    """Return the subscription of an id as it is now, of `rows`, with its components; raises NotFound. Three queries."""
    rows = Subscription.objects.all() if rows is None else rows
    found = rows.select_related(*WITH).prefetch_related(*COMPONENTS).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def at_other_price(price: Price) -> QuerySet[Component]:
    """Return what goes on with a price's product in its currency and cycle at another price, by subscription.

    What is cancelled is left out: it ends as it is.
    """
    rows = Component.objects.filter(
        product=price.product_id,
        ends_on=None,
        subscription__customer__currency=price.currency,
        subscription__cancel_on=None,
    )
    if price.product.kind != Product.Kind.METERED:
        rows = rows.filter(subscription__months=price.months)
    rows = rows.exclude(price=price.pk).exclude(subscription__status=Subscription.Status.ENDED)
    return rows.select_related("subscription__customer", "product").order_by("subscription", "id")


def ending_trials(seller_id: str, today: date, until: date) -> QuerySet[Subscription]:
    """Return the trials of a seller's customers that end after today and by a day, and of which nobody was told."""
    rows = Subscription.objects.filter(customer__seller=seller_id, trial_told_at=None, cancel_on=None)
    rows = rows.exclude(status=Subscription.Status.ENDED).filter(starts_on__lte=today)
    return rows.filter(trial_until__gt=today, trial_until__lte=until).order_by("id")


def components(subscription: Subscription) -> QuerySet[Component]:
    """Return what a subscription consists of, and has consisted of."""
    return Component.objects.filter(subscription=subscription).select_related("product", "price")


def main_of(subscription: Subscription) -> Component | None:
    """Return the main component that goes on."""
    return next((row for row in subscription.components.all() if row.is_main and row.ends_on is None), None)


def addon(subscription: Subscription, pk: str) -> Component:
    """Return an add-on of a subscription; raises NotFound."""
    found = subscription.components.select_related("product", "subscription__customer").filter(pk=pk, is_main=False)
    row = found.first()
    if row is None:
        raise NotFound
    return row


def changeable(subscription: Subscription, on: date) -> QuerySet[Price]:
    """Return the prices that a seller may change a subscription to: all in force of products of its kind."""
    main = main_of(subscription)
    return for_sale(subscription, on).filter(product__kind=main.product.kind if main else "")


def offers(subscription: Subscription, on: date) -> QuerySet[Price]:
    """Return the prices that a buyer may change to by itself: those of them that are on the order page."""
    return changeable(subscription, on).filter(product__is_public=True).exclude(product__kind=Product.Kind.METERED)


def addable(subscription: Subscription, on: date) -> QuerySet[Price]:
    """Return the prices of what can be added to a subscription: add-ons of its cycle, and what is paid by use."""
    kinds = Q(product__kind=Product.Kind.ADDON, months=subscription.months) | Q(product__kind=Product.Kind.METERED)
    return for_sale(subscription, on).filter(kinds)


def addable_by_buyer(subscription: Subscription, on: date) -> QuerySet[Price]:
    """Return the prices of what a buyer may add by itself: those of them that are on the order page."""
    return addable(subscription, on).filter(product__is_public=True)


def is_of_buyer(component: Component) -> bool:
    """Tell whether a buyer may take an add-on away by itself: one on the order page, and not paid by use."""
    return component.product.is_public and component.product.kind != Product.Kind.METERED


def for_sale(subscription: Subscription, on: date) -> QuerySet[Price]:
    """Return what a subscription's seller has on sale in its currency, paid again and again, whatever the scope."""
    with everything("buyers see their seller's prices"):
        rows = prices.on_sale(subscription.customer.seller, on)
    return rows.filter(currency=subscription.customer.currency, months__gt=0)


def _shown(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    mains = Component.objects.filter(is_main=True).select_related("product", "price").order_by("starts_on", "id")
    return (
        rows.select_related(*WITH)
        .prefetch_related(Prefetch("components", queryset=mains, to_attr="mains"))
        .annotate(until=Coalesce("ended_on", "cancel_on"))
    )
