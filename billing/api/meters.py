"""Meters, and the use that is reported to them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api.fields import Exact
from billing.models import Meter as MeterRow
from billing.selectors import meters as selectors
from billing.services import meter_events
from billing.services import meters as service
from panel.core.api.endpoints import Document, Endpoint, describe, page_of
from panel.core.api.fields import Text
from panel.core.api.serializers import StrictSerializer
from panel.core.errors import NotFound


class Meter(Document):
    """What is counted: fed by API, or measured by the panel (disk space and bandwidth of hosting accounts, in GB)."""

    id = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    source = serializers.ChoiceField(choices=MeterRow.Source.choices)  # type: ignore[assignment]
    event_count = serializers.IntegerField(help_text="Events that were reported to it.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="When the last one came.")
    created_at = serializers.DateTimeField()


class MeterChange(StrictSerializer):
    """What is to change; where its figures come from stays."""

    name = Text(required=False, max_length=60)
    unit = Text(required=False, max_length=20)


class MeterCreate(StrictSerializer):
    """A new meter."""

    name = Text(max_length=60)
    unit = Text(max_length=20, help_text="What quantities are of, such as GB.")
    source = serializers.ChoiceField(choices=MeterRow.Source.choices, required=False)  # type: ignore[assignment]


class MeterEvent(Document):
    """One use that was reported: `quantity` used `at` an instant, or what went on from `start` to `end`."""

    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]
    event = serializers.CharField(source="event_id", help_text="Its id at the source.")
    meter = serializers.CharField(source="meter_id")
    customer = serializers.CharField(source="customer_id")
    subscription = serializers.CharField(source="subscription_id", allow_null=True)
    at = serializers.DateTimeField()
    quantity = serializers.DecimalField(None, None, allow_null=True, coerce_to_string=True)
    start = serializers.DateTimeField(source="starts_at", allow_null=True)
    end = serializers.DateTimeField(source="ends_at", allow_null=True)
    dimensions = serializers.DictField(child=serializers.CharField())
    received_at = serializers.DateTimeField()


class Event(StrictSerializer):
    """A use to report. Who used it is told by `subscription`, or by `customer` where it has one for this meter."""

    source = Text(max_length=60, help_text="Who reports it.")  # type: ignore[assignment]
    id = Text(max_length=100, help_text="Its id at the source: the same again counts once.")
    meter = Text(max_length=32)
    customer = Text(required=False, max_length=32)
    subscription = Text(required=False, max_length=32)
    at = serializers.DateTimeField(required=False)
    quantity = Exact(required=False)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)
    dimensions = serializers.DictField(child=Text(max_length=200), required=False)


class Events(StrictSerializer):
    """A batch of events: all are taken, or none."""

    events = serializers.ListField(child=Event(), min_length=1, max_length=meter_events.MOST)


class Taken(Document):
    """How many events were taken, and how many of them were new."""

    accepted = serializers.IntegerField()
    new = serializers.IntegerField()


class EventQuery(StrictSerializer):
    """Which events to list."""

    meter = Text(required=False, max_length=32)
    customer = Text(required=False, max_length=32)
    subscription = Text(required=False, max_length=32)


class MeterList(Endpoint):
    """Meters."""

    actions = {"GET": "meter.view", "POST": "meter.create"}
    is_list = True

    @describe("meters_list", "List your meters, newest first", page_of(Meter))
    def get(self, request: Request) -> Response:
        """Those of your organization."""
        return self.page(selectors.listed(self.actor), Meter)

    @describe("meters_create", "Create a meter", Meter, status=201, body=MeterCreate)
    def post(self, request: Request) -> Response:
        """Products that go by use name the meter that counts it."""
        own = organizations.of_actor(self.actor)
        made = service.create(actor=self.actor, organization=own, **self.read(MeterCreate))
        body = Meter(selectors.listed(self.actor).get(pk=made.pk)).data
        return self.created(body, reverse("billing_api:meter", args=[made.pk]))


class MeterItem(Endpoint):
    """One meter."""

    actions = {"GET": "meter.view", "PATCH": "meter.change"}

    @describe("meters_get", "Get a meter", Meter)
    def get(self, request: Request, pk: str) -> Response:
        """One of yours."""
        return Response(Meter(self.find(selectors.listed(self.actor), pk)).data)

    @describe("meters_change", "Change a meter", Meter, body=MeterChange)
    def patch(self, request: Request, pk: str) -> Response:
        """Its name and unit, as invoices to come will say them."""
        meter = self.find(selectors.listed(self.actor), pk)
        service.change(actor=self.actor, meter=meter, **self.read(MeterChange))
        return Response(Meter(selectors.listed(self.actor).get(pk=pk)).data)


class MeterEventList(Endpoint):
    """Use that was reported."""

    actions = {"GET": "meter_event.view", "POST": "meter_event.create"}
    is_list = True

    @describe("meter_events_list", "List reported use, newest first", page_of(MeterEvent), query=EventQuery)
    def get(self, request: Request) -> Response:
        """Of what you sell, and of what you buy."""
        wanted = self.query(EventQuery)
        return self.page(selectors.events(self.actor).filter(**wanted), MeterEvent)

    @describe("meter_events_create", "Report use, up to 1,000 events at once", Taken, body=Events)
    def post(self, request: Request) -> Response:
        """All are taken, or none. The same event again is taken and counts once; one of the same source and id that
        says something else is a conflict. Late events are taken, also for periods that were invoiced: they go on the
        next invoice.
        """
        told = self.read(Events)["events"]
        events = _resolved(self, told)
        new = meter_events.record(actor=self.actor, organization=organizations.of_actor(self.actor), events=events)
        return Response({"accepted": len(events), "new": new})


def _resolved(view: MeterEventList, told: list[dict[str, Any]]) -> list[meter_events.Reported]:
    """Return events with the rows that they name; raises NotFound at the field of one that the caller does not have."""
    rows = selectors.named(view.actor, {event[name] for event in told for name in selectors.NAMED if name in event})
    found = []
    for position, event in enumerate(told):
        values = {**event, "event_id": event["id"]}
        del values["id"]
        for name in selectors.NAMED:
            if name in event:
                values[name] = rows.get((name, event[name]))
            if name in event and values[name] is None:
                missing = NotFound(_("There is no such object."))
                missing.field = f"events.{position}.{name}"
                missing.errors = {missing.field: [missing.message]}
                raise missing
        found.append(meter_events.Reported(**values))
    return found
