"""Reporting use: once, whatever is repeated, and refused with the field where nobody could charge it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from billing.models import Meter, MeterEvent, Subscription
from billing.selectors import usage
from billing.services import meter_events, meters
from billing.services.meter_events import Reported
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.factories import SYSTEM
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULE = {"measure": "count", "tiers": [{"up_to": None, "amount": "1"}]}


@pytest.fixture(autouse=True)
def _march() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def event(cast: Cast) -> Reported:
    """A use of client A, which reseller A sells by a meter."""
    seller = cast.reseller_a.organization
    with everything("test"):
        meter = meters.create(actor=SYSTEM, organization=seller, name="Packets", unit="packets")
        customer = factories.customer(seller, cast.client_a.organization)
        price = factories.price(seller, "Traffic", "0", rule=RULE, kind="metered", meter=meter)
        factories.subscription(customer, price, date(2026, 1, 1))
    return Reported("probe", "1", meter, customer, at=NOW, quantity=Decimal(7), dimensions={"region": "a"})


def record(cast: Cast, *events: Reported, actor: Actor = SYSTEM) -> int:
    """Report events as reseller A's."""
    with everything("test"):
        return meter_events.record(actor=actor, organization=cast.reseller_a.organization, events=events)


def kept() -> int:
    """How many events there are."""
    with everything("test"):
        return MeterEvent.objects.count()


def test_the_same_event_counts_once_within_and_across_batches(cast: Cast, event: Reported):
    other = replace(event, event_id="2", quantity=Decimal("0.5"))
    assert record(cast, event, event) == 1
    assert record(cast, other, event) == 1
    assert record(cast, event, other) == 0
    assert kept() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": Decimal(8)},
        {"at": NOW - timedelta(seconds=1)},
        {"dimensions": {}},
        {"at": None, "quantity": None, "start": NOW, "end": NOW},
    ],
    ids=str,
)
def test_another_content_under_the_same_name_is_a_conflict_and_nothing_is_taken(
    cast: Cast, event: Reported, change: dict[str, Any]
):
    record(cast, event)
    with pytest.raises(Conflict) as refused:
        record(cast, replace(event, event_id="new"), replace(event, **change))
    assert refused.value.field == "events.1.id"
    assert kept() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": ""}, "source"),
        ({"event_id": "x" * 101}, "id"),
        ({"event_id": "a\nb"}, "id"),
        ({"quantity": None}, "at"),
        ({"start": NOW, "end": NOW}, "at"),
        ({"quantity": Decimal(-1)}, "quantity"),
        ({"at": NOW + timedelta(hours=2)}, "at"),
        ({"at": None, "quantity": None, "start": NOW, "end": NOW - timedelta(1)}, "end"),
        ({"dimensions": {str(n): "x" for n in range(21)}}, "dimensions"),
        ({"at": datetime(2025, 12, 31, tzinfo=UTC)}, "subscription"),
        ({"at": NOW - usage.LATE - timedelta(minutes=1)}, "at"),
        ({"at": None, "quantity": None, "start": NOW - usage.LATE - timedelta(days=1), "end": NOW}, "start"),
    ],
    ids=str,
)
def test_what_nobody_could_charge_is_refused_with_its_field(
    cast: Cast, event: Reported, change: dict[str, Any], field: str
):
    with pytest.raises(Invalid) as refused:
        record(cast, event, replace(event, **{"event_id": "2", **change}))
    assert refused.value.field == f"events.1.{field}"
    assert kept() == 0


def test_use_is_taken_for_half_a_year_and_what_was_told_is_told_again_for_ever(cast: Cast, event: Reported):
    old = replace(event, event_id="old", at=datetime(2026, 1, 2, tzinfo=UTC))
    with time_machine.travel(old.begins + usage.LATE, tick=False):
        assert record(cast, old) == 1
    with time_machine.travel(old.begins + usage.LATE + timedelta(seconds=1), tick=False):
        assert record(cast, old) == 0
        with pytest.raises(Invalid, match="Charge what is older as an item"):
            record(cast, replace(old, event_id="older"))


def test_a_meter_knows_how_much_it_was_told(cast: Cast, event: Reported):
    record(cast, event, event, replace(event, event_id="2"))
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        record(cast, event, replace(event, event_id="3"))
        record(cast, event)
    with everything("test"):
        meter = Meter.objects.get()
        assert (meter.event_count, meter.last_at) == (kept(), NOW + timedelta(hours=1))


def test_a_customer_with_two_subscriptions_by_one_meter_has_to_be_told_apart(cast: Cast, event: Reported):
    assert event.customer is not None
    with everything("test"):
        price = factories.price(event.customer.seller, "More", "0", rule=RULE, kind="metered", meter=event.meter)
        second = factories.subscription(event.customer, price, date(2026, 2, 1))
        assert Subscription.objects.count() == 2
    with pytest.raises(Invalid, match="Several") as refused:
        record(cast, event)
    assert refused.value.field == "events.0.subscription"
    record(cast, replace(event, subscription=second))
    record(cast, replace(event, event_id="early", at=datetime(2026, 1, 9, tzinfo=UTC)))
    with everything("test"):
        found = dict(MeterEvent.objects.values_list("event_id", "subscription"))
    assert found["1"] == second.pk != found["early"]


def test_an_event_told_again_after_its_subscription_ended_holds_up_no_batch(cast: Cast, event: Reported):
    record(cast, event)
    with everything("test"):
        Subscription.objects.update(ended_on=date(2026, 1, 1))
        price = factories.price(event.meter.organization, "New", "0", rule=RULE, kind="metered", meter=event.meter)
        assert event.customer is not None
        new = factories.subscription(event.customer, price, date(2026, 3, 1))
    assert record(cast, event, replace(event, event_id="2", subscription=new)) == 1
    with everything("test"):
        Subscription.objects.update(ended_on=date(2026, 1, 1))
    assert record(cast, event) == 0
    with pytest.raises(Conflict):
        record(cast, replace(event, quantity=Decimal(8)))


def test_meters_that_the_panel_measures_take_no_events(cast: Cast, event: Reported):
    with everything("test"):
        disk = meters.create(
            actor=SYSTEM, organization=cast.reseller_a.organization, name="Disk", unit="GB", source="disk"
        )
        foreign = meters.create(actor=SYSTEM, organization=cast.reseller_b.organization, name="Packets", unit="x")
    for meter in (disk, foreign):
        with pytest.raises(Invalid, match="fed by API"):
            record(cast, replace(event, meter=meter))


def test_a_batch_has_an_end(cast: Cast, event: Reported):
    for events in ([], [event] * 1001):
        with pytest.raises(Invalid):
            record(cast, *events)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("provider", Forbidden), ("readonly_a", Forbidden), ("client_a", NotFound), ("reseller_b", NotFound)],
)
def test_only_a_sellers_own_people_report_its_use(cast: Cast, event: Reported, name: str, refusal: type[DomainError]):
    with pytest.raises(refusal):
        record(cast, event, actor=getattr(cast, name).actor)
    assert kept() == 0


def test_prices_of_a_feed_are_added_once_and_never_changed(cast: Cast):
    with everything("test"):
        feed = meters.create_feed(actor=SYSTEM, organization=cast.reseller_a.organization, name="Spot", currency="USD")
        points = [(NOW, Decimal("0.1")), (NOW + timedelta(hours=1), Decimal("0.2"))]
        assert meters.add_points(actor=SYSTEM, feed=feed, points=points) == 2
        assert meters.add_points(actor=SYSTEM, feed=feed, points=points) == 0
        with pytest.raises(Conflict) as refused:
            meters.add_points(actor=SYSTEM, feed=feed, points=[(NOW, Decimal("0.3"))])
        assert refused.value.field == "points.0.price"
        with pytest.raises(Invalid):
            meters.add_points(actor=SYSTEM, feed=feed, points=[(NOW - timedelta(1), Decimal("-1"))])
        assert feed.points.count() == 2


def test_what_is_kept_in_a_meter_is_told_by_its_name_once(cast: Cast):
    seller = cast.reseller_a.organization
    with everything("test"):
        meter = meters.create(actor=SYSTEM, organization=seller, name="Packets", unit="packets")
        with pytest.raises(Conflict):
            meters.create(actor=SYSTEM, organization=seller, name="packets", unit="packets")
        changed = meters.change(actor=SYSTEM, meter=meter, name="Match packets", unit="packets")
        assert changed.name == "Match packets"
        with pytest.raises(Invalid) as refused:
            meters.change(actor=SYSTEM, meter=meter, source="disk")
    assert refused.value.field == "source"


def test_the_database_takes_an_event_once(cast: Cast, event: Reported):
    record(cast, event)
    with everything("test"):
        row = MeterEvent.objects.get()
        row.pk = None
        row.quantity = Decimal(9)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
