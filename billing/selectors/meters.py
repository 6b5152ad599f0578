"""Reading meters, what was reported to them, and price feeds: each seller's own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.models import Organization
from billing.models import Component, Customer, Meter, MeterEvent, PriceFeed, PricePoint, Subscription
from billing.pricing.usage import Feed
from billing.selectors.parties import of_party
from panel.core.actors import Actor


def listed(actor: Actor) -> QuerySet[Meter]:
    """Return the meters of the actor's organization."""
    return Meter.objects.filter(organization=actor.organization_id)


def events(actor: Actor) -> QuerySet[MeterEvent]:
    """Return the use that was reported by the actor's organization, or of what it buys, newest first."""
    rows = of_party(MeterEvent.objects.all(), actor, through="customer")
    return rows.select_related("meter", "customer__seller", "customer__buyer", "subscription").order_by("-id")


def feeds(actor: Actor) -> QuerySet[PriceFeed]:
    """Return the price feeds of the actor's organization, with the newest price of each."""
    points = PricePoint.objects.filter(feed=OuterRef("pk")).order_by("-instant")
    newest = {"last_price": Subquery(points.values("price")[:1]), "last_at": Subquery(points.values("instant")[:1])}
    return PriceFeed.objects.filter(organization=actor.organization_id).annotate(**newest)


def feed_named(seller: Organization, name: str) -> PriceFeed | None:
    """Return the price feed of a seller that rules read by a name; None when it has none."""
    return PriceFeed.objects.filter(organization=seller, name__iexact=name).first()


def points(feed: PriceFeed, since: datetime | None = None) -> QuerySet[PricePoint]:
    """Return the prices of a feed, newest first; with `since` those from the last one before it on."""
    rows = PricePoint.objects.filter(feed=feed).order_by("-instant")
    if since is None:
        return rows
    before = rows.filter(instant__lte=since).values_list("instant", flat=True).first()
    return rows.filter(instant__gte=before or since)


def feed(row: PriceFeed, since: datetime) -> Feed:
    """Return the prices of a feed that were in force from an instant on, as rules read them; two queries."""
    found = sorted(points(row, since).values_list("instant", "price"))
    return Feed(tuple(at.astimezone(UTC) for at, _price in found), tuple(Fraction(price) for _at, price in found))


def counting(meters: Iterable[str], customers: Iterable[str]) -> QuerySet[Component]:
    """Return the components by which the use of some customers is charged that some meters count, oldest first."""
    rows = Component.objects.filter(product__meter__in=set(meters), subscription__customer__in=set(customers))
    return rows.select_related("subscription", "product").order_by("starts_on", "id")


def known(seller_id: str, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], MeterEvent]:
    """Return the events that a seller has of these sources and ids; one query."""
    wanted: Any = list(names)
    rows = MeterEvent.objects.filter(
        Q(seller=seller_id), source__in={name[0] for name in wanted}, event_id__in={name[1] for name in wanted}
    ).select_related("customer", "subscription")
    return {(row.source, row.event_id): row for row in rows}


NAMED = ("meter", "customer", "subscription")
"""What an event names by its id."""


def named(actor: Actor, ids: set[str]) -> dict[tuple[str, str], Any]:
    """Return the actor's own meters, and the customers and subscriptions that it sells to, of these ids, by kind and
    id; three queries.
    """
    own = actor.organization_id
    rows: dict[str, QuerySet[Any]] = {
        "meter": Meter.objects.filter(organization=own),
        "customer": Customer.objects.filter(seller=own),
        "subscription": Subscription.objects.filter(customer__seller=own).select_related("customer"),
    }
    return {(kind, row.pk): row for kind in NAMED for row in rows[kind].filter(pk__in=ids)}
