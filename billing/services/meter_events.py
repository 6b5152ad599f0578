"""Use that programs report, a batch at a time: each event counts once, by the database, however often it is told.

Events are never changed or taken back. Late ones are taken, also for periods that were charged: see `metering`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Component, Customer, Meter, MeterEvent, Subscription
from billing.selectors import meters as selectors
from billing.selectors import sellers
from billing.selectors.usage import LATE
from panel.core import policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid

MOST = 1000
"""So many events are taken at once."""
MOST_DIMENSIONS = 20
AHEAD = timedelta(hours=1)
"""A reporter's clock may be ahead by so much."""
SAME = ("meter_id", "customer_id", "at", "quantity", "starts_at", "ends_at", "dimensions")


@dataclass(frozen=True)
class Reported:
    """An event as it is told: `quantity` used `at` an instant, or what went on from `start` to `end`.

    Who used it is told by subscription, or by customer where one subscription of theirs goes by this meter that day.
    """

    source: str
    event_id: str
    meter: Meter
    customer: Customer | None = None
    subscription: Subscription | None = None
    at: datetime | None = None
    quantity: Decimal | None = None
    start: datetime | None = None
    end: datetime | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def begins(self) -> datetime:
        """The instant by which it belongs to a period."""
        return cast(datetime, self.start or self.at)


def record(*, actor: Actor, organization: Organization, events: Sequence[Reported]) -> int:
    """Take what was used of a seller's meters, all or nothing, at most MOST at once; return how many were new.

    The same event again is accepted and changes nothing. Raises Conflict where an event of its source and id says
    something else, and Invalid for one that nothing is charged by; refusals name the field as `events.17.quantity`.
    """
    policy.require(actor, "meter_event.create", organization)
    if not 1 <= len(events) <= MOST:
        raise Invalid("count", _("Give 1 to %(most)s events.") % {"most": MOST}, "events")
    for position, event in enumerate(events):
        _check(event, organization, f"events.{position}")
    zone = ZoneInfo(sellers.of(organization).time_zone)
    counting = _counting(events)
    names = [(event.source, event.event_id) for event in events]
    with transaction.atomic():
        told = selectors.known(organization.pk, names)
        rows = [
            _row(organization, event, _again(event, told) or _subscription(event, counting, zone, f"events.{position}"))
            for position, event in enumerate(events)
        ]
        MeterEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        kept = selectors.known(organization.pk, names)
        for position, row in enumerate(rows):
            there = kept[row.source, row.event_id]
            if any(getattr(there, name) != getattr(row, name) for name in SAME):
                message = _("Another event of this source and id says something else.")
                raise Conflict(message, field=f"events.{position}.id")
        own = {(row.source, row.event_id): row for row in reversed(rows)}
        new = [row for name, row in own.items() if name not in told and kept[name].received_at == row.received_at]
        _count(new)
    return len(new)


def _check(event: Reported, organization: Organization, place: str) -> None:
    """Refuse an event that says too much, too little, or what can't be yet."""
    for name, value, most in (("source", event.source, 60), ("id", event.event_id, 100)):
        if not 1 <= len(value) <= most or not value.isprintable():
            message = _("Give 1 to %(most)s printable characters.") % {"most": most}
            raise Invalid("name", message, f"{place}.{name}")
    if event.meter.organization_id != organization.pk or event.meter.source != Meter.Source.API:
        raise Invalid("meter", _("Choose a meter of yours that is fed by API."), f"{place}.meter")
    point = event.at is not None and event.quantity is not None and event.start is None and event.end is None
    span = event.start is not None and event.end is not None and event.at is None and event.quantity is None
    if not point and not span:
        raise Invalid("shape", _("Give either at and quantity, or start and end."), f"{place}.at")
    if event.quantity is not None and event.quantity < 0:
        raise Invalid("negative", _("Use can't be negative."), f"{place}.quantity")
    if event.start is not None and event.end is not None and event.end < event.start:
        raise Invalid("order", _("It ends before it starts."), f"{place}.end")
    last = event.end or event.begins
    if last > timezone.now() + AHEAD:
        raise Invalid("future", _("Report use when it has happened."), f"{place}.{'end' if span else 'at'}")
    _check_dimensions(event.dimensions, f"{place}.dimensions")


def _check_dimensions(dimensions: Mapping[str, str], place: str) -> None:
    fits = all(1 <= len(name) <= 60 and len(value) <= 200 for name, value in dimensions.items())
    if len(dimensions) > MOST_DIMENSIONS or not fits:
        shown = {"most": MOST_DIMENSIONS}
        message = _("Give at most %(most)s names of up to 60 characters with values of up to 200.")
        raise Invalid("dimensions", message % shown, place)


def _counting(events: Sequence[Reported]) -> list[Component]:
    """Return the components that any of the events can be charged by; one query."""
    customers = {event.customer.pk for event in events if event.customer}
    customers |= {event.subscription.customer_id for event in events if event.subscription}
    return list(selectors.counting({event.meter.pk for event in events}, customers))


def _again(event: Reported, told: Mapping[tuple[str, str], MeterEvent]) -> Subscription | None:
    """Return the subscription of an event that was told before by the same party: what it was charged by may have ended
    since.
    """
    there = told.get((event.source, event.event_id))
    if there is None or there.subscription is None:
        return None
    named = event.subscription is None or event.subscription.pk == there.subscription_id
    return there.subscription if named and event.customer in (None, there.customer) else None


def _subscription(event: Reported, counting: list[Component], zone: ZoneInfo, place: str) -> Subscription:
    """Return whose use it is; raises Invalid when nobody's, or anybody's of several, and for use of long ago."""
    if event.begins < timezone.now() - LATE:
        message = _("Report use within %(days)s days after it began. Charge what is older as an item.")
        raise Invalid("late", message % {"days": LATE.days}, f"{place}.{'start' if event.start else 'at'}")
    day = event.begins.astimezone(zone).date()
    found = {
        component.subscription_id: component.subscription
        for component in counting
        if component.product.meter_id == event.meter.pk and _counts_on(component, day) and _is_of(event, component)
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        message = _("Several subscriptions of this customer go by this meter; say which one.")
    else:
        message = _("Nothing was charged by this meter on that day; add it to a subscription first.")
    raise Invalid("subscription", message, f"{place}.subscription")


def _is_of(event: Reported, component: Component) -> bool:
    subscription = component.subscription
    if event.subscription is not None and event.subscription.pk != subscription.pk:
        return False
    return event.customer is None or event.customer.pk == subscription.customer_id


def _counts_on(component: Component, day: date) -> bool:
    subscription = component.subscription
    stop = min(filter(None, (component.ends_on, subscription.cancel_on, subscription.ended_on)), default=None)
    return component.starts_on <= day and (stop is None or day < stop)


def _count(rows: Sequence[MeterEvent]) -> None:
    """Add new events to the figures of their meters, which are locked in one order."""
    for meter_id, count in sorted(Counter(row.meter_id for row in rows).items()):
        last = max(row.received_at for row in rows if row.meter_id == meter_id)
        Meter.objects.filter(pk=meter_id).update(event_count=F("event_count") + count, last_at=last)


def _row(organization: Organization, event: Reported, subscription: Subscription) -> MeterEvent:
    return MeterEvent(
        seller=organization,
        customer_id=subscription.customer_id,
        subscription=subscription,
        meter=event.meter,
        source=event.source,
        event_id=event.event_id,
        at=event.begins,
        quantity=event.quantity,
        starts_at=event.start,
        ends_at=event.end,
        dimensions=dict(event.dimensions),
    )
