"""Meters, by which a seller counts use, and the price feeds that rules read. What was reported is `meter_events`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Meter, PriceFeed, PricePoint
from billing.pricing.money import PLACES
from billing.services import texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict

MOST_POINTS = 1000
FIRST_YEAR, LAST_YEAR = 1990, 2199


def create(*, actor: Actor, organization: Organization, name: str, unit: str, source: str = Meter.Source.API) -> Meter:
    """Make a meter of a seller: fed by API, or one that the panel measures."""
    policy.require(actor, "meter.create", organization)
    with transaction.atomic():
        meter = Meter(organization=organization, name=name, unit=texts.line(unit, "unit"), source=source)
        _save(meter, _("You already have a meter of this name."))
        audit.record(actor, "meter.create", meter, {"name": [None, meter.name], "source": [None, meter.source]})
    return meter


def change(*, actor: Actor, meter: Meter, **values: Any) -> Meter:
    """Change a meter's name or unit. Where its figures come from stays: what was charged rests on it."""
    policy.require(actor, "meter.change", meter)
    unknown = sorted(set(values) - {"name", "unit"})
    if unknown:
        raise Invalid("unknown", _("A meter has no such field that can be changed."), unknown[0])
    with transaction.atomic():
        meter = (
            Meter.objects.select_for_update(of=("self",), no_key=True).select_related("organization").get(pk=meter.pk)
        )
        before = {field: getattr(meter, field) for field in values}
        for field, value in values.items():
            setattr(meter, field, texts.line(value, field))
        _save(meter, _("You already have a meter of this name."))
        audit.record(actor, "meter.change", meter, audit.difference(before, values))
    return meter


def create_feed(*, actor: Actor, organization: Organization, name: str, currency: str) -> PriceFeed:
    """Make a price feed of a seller."""
    policy.require(actor, "feed.create", organization)
    if currency not in PLACES:
        raise Invalid("currency", _("Give a currency by its code, as in EUR."), "currency")
    with transaction.atomic():
        feed = PriceFeed(organization=organization, name=name, currency=currency)
        _save(feed, _("You already have a price feed of this name."))
        audit.record(actor, "feed.create", feed, {"name": [None, feed.name], "currency": [None, currency]})
    return feed


def add_points(*, actor: Actor, feed: PriceFeed, points: Sequence[tuple[datetime, Decimal]]) -> int:
    """Add prices by the instants from which they hold, at most MOST_POINTS at once; return how many were new.

    The same again is accepted; raises Conflict for an instant that has another price, and then adds none.
    """
    policy.require(actor, "feed.change", feed)
    if not 1 <= len(points) <= MOST_POINTS:
        raise Invalid("count", _("Give 1 to %(most)s prices.") % {"most": MOST_POINTS}, "points")
    for position, (instant, price) in enumerate(points):
        if price < 0:
            raise Invalid("negative", _("A price can't be negative."), f"points.{position}.price")
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            message = _("Give an instant of the years %(first)s to %(last)s.")
            raise Invalid("at", message % {"first": FIRST_YEAR, "last": LAST_YEAR}, f"points.{position}.at")
    wanted = dict(points)
    with transaction.atomic():
        there = PricePoint.objects.filter(feed=feed, instant__in=list(wanted))
        before = there.count()
        PricePoint.objects.bulk_create(
            [PricePoint(feed=feed, instant=instant, price=price) for instant, price in points], ignore_conflicts=True
        )
        kept = dict(there.values_list("instant", "price"))
        for position, (instant, price) in enumerate(points):
            if kept.get(instant) != price:
                message = _("There is another price from this instant on.")
                raise Conflict(message, field=f"points.{position}.price")
        audit.record(actor, "feed.add", feed, {"points": [before, len(kept)]})
    return len(kept) - before


def _save(row: Meter | PriceFeed, taken: str) -> None:
    clean_or_invalid(row)
    with integrity_as_conflict(taken, field="name"):
        row.save()
