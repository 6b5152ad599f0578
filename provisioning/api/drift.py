"""Drift of servers: what differs, when it was looked at, and what is decided about it; the provider's alone."""

from __future__ import annotations

from django.db.models import Q
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, describe, page_of, started_of
from provisioning.api.fields import Text, find
from provisioning.models import DriftCheck as CheckRow
from provisioning.models import DriftItem as ItemRow
from provisioning.selectors import drift as selectors
from provisioning.selectors import servers
from provisioning.services import adoptions, drift_checks
from provisioning.services import drift as service


class DriftItem(Document):
    """One difference between a server and what the panel made so."""

    id = serializers.CharField()
    server = serializers.CharField(source="server_id")
    account = serializers.CharField(
        source="slice.hosting_id", allow_null=True, default=None, help_text="Whose it is; null: the server's own."
    )
    key = serializers.CharField(help_text="What it is about: the kind of resource, a colon, its name.")
    kind = serializers.ChoiceField(
        choices=ItemRow.Kind.choices, help_text="`mode`: owner or mode only; `extra`: nobody made it here."
    )
    service = serializers.CharField(help_text="The daemon that reads it; empty for none.")
    diff = serializers.CharField(help_text="Unified: `-` is what the panel made, `+` what is on the server.")
    version = serializers.CharField(source="digest", help_text="Of what was found; decisions hold for this only.")
    state = serializers.ChoiceField(choices=ItemRow.State.choices)
    restorable = serializers.SerializerMethodField(help_text="Whether it can be put back: nobody's data is removed.")
    adoptable = serializers.SerializerMethodField(help_text="Whether the panel has settings that say it.")
    operation = serializers.CharField(source="operation_id", allow_null=True, help_text="What restores or adopts it.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField()

    def get_restorable(self, item: ItemRow) -> bool:
        """Return whether it can be restored while it is open."""
        return item.is_open and service.obstacle(item) is None

    def get_adoptable(self, item: ItemRow) -> bool:
        """Return whether it can be adopted while it is open."""
        return item.is_open and adoptions.of(item) is not None


class DriftCheck(Document):
    """One comparison of a server."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=CheckRow.Status.choices)
    reason = serializers.CharField(help_text="Why it failed; else empty.")
    checked = serializers.IntegerField(help_text="How many things were compared.")
    found = serializers.IntegerField(help_text="How many differences were open when it ended.")
    truncated = serializers.BooleanField(help_text="There were more than one report takes.")
    ms = serializers.FloatField(allow_null=True, help_text="Its duration in milliseconds.")
    operation = serializers.CharField(source="operation_id", allow_null=True, help_text="Null: by the schedule.")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    next_at = serializers.DateTimeField(help_text="When the schedule looks again.")


class Pin(Document):
    """An exception: something on a server that is left as it is."""

    id = serializers.CharField()
    account = serializers.CharField(source="slice.hosting_id", allow_null=True)
    key = serializers.CharField()
    version = serializers.CharField(source="digest", help_text="Of what it covers: after a change it is drift again.")
    note = serializers.CharField()
    decided_by = serializers.CharField(source="actor_label")
    created_at = serializers.DateTimeField()


class DriftQuery(StrictSerializer):
    """Which differences to list."""

    state = serializers.ChoiceField(
        choices=[*ItemRow.State.choices, ("any", "any")], required=False, help_text="`open` when left out."
    )
    q = Text(required=False, max_length=100, help_text="Part of the key or of the account's domain.")


class RestoreMany(StrictSerializer):
    """What to restore."""

    items = serializers.ListField(
        child=Text(max_length=32), required=False, allow_empty=False, max_length=500, help_text="All when left out."
    )


class PinAdd(StrictSerializer):
    """Why it is an exception."""

    note = Text(required=False, allow_blank=True, max_length=100, help_text="For whoever looks at it later.")


class ServerDrift(Endpoint):
    """Differences on one server."""

    actions = {"GET": "drift.view"}
    is_list = True

    @describe("servers_drift_list", "List what differs on a server", page_of(DriftItem), query=DriftQuery)
    def get(self, request: Request, pk: str) -> Response:
        """Newest first; what was decided or vanished stays in the history for three months."""
        wanted = self.query(DriftQuery)
        rows = selectors.items().filter(server=self.find(servers.listed(), pk))
        if wanted.get("state") != "any":
            rows = rows.filter(state=wanted.get("state", ItemRow.State.OPEN))
        if "q" in wanted:
            rows = rows.filter(Q(key__icontains=wanted["q"]) | Q(slice__hosting__domain__icontains=wanted["q"]))
        return self.page(rows, DriftItem)


class ServerDriftChecks(Endpoint):
    """Comparisons of one server."""

    actions = {"GET": "drift.view"}
    is_list = True

    @describe("servers_drift_checks", "List the checks of a server", page_of(DriftCheck))
    def get(self, request: Request, pk: str) -> Response:
        """Newest first, a month back."""
        return self.page(selectors.checks(self.find(servers.listed(), pk)), DriftCheck)


class ServerDriftCheck(Endpoint):
    """Compares now."""

    actions = {"POST": "drift.check"}

    @describe("servers_drift_check", "Look for drift now", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """Changes nothing on the server. A check that waits already is what is answered."""
        server = self.find(servers.listed(), pk)
        self.read(Nothing)
        return self.started(drift_checks.request(actor=self.actor, server=server))


class ServerDriftRestore(Endpoint):
    """Restores."""

    actions = {"POST": "drift.restore"}

    @describe("servers_drift_restore", "Put back what differs on a server", started_of(), status=202, body=RestoreMany)
    def post(self, request: Request, pk: str) -> Response:
        """All of it, or the differences that are named; what nobody made here is removed if it still is as seen."""
        server = self.find(servers.listed(), pk)
        wanted = self.read(RestoreMany).get("items")
        there = selectors.items().filter(server=server)
        items = None if wanted is None else [find(there, item, self.actor, self.action) for item in wanted]
        return self.started(service.restore(actor=self.actor, server=server, items=items))


class ServerDriftPins(Endpoint):
    """Exceptions on one server."""

    actions = {"GET": "drift.view"}
    is_list = True

    @describe("servers_drift_exceptions", "List a server's exceptions", page_of(Pin))
    def get(self, request: Request, pk: str) -> Response:
        """What people decided to leave as it is, newest first."""
        return self.page(selectors.pins(self.find(servers.listed(), pk)), Pin)


class DriftItemView(Endpoint):
    """One difference."""

    actions = {"GET": "drift.view"}

    @describe("drift_get", "Get a difference", DriftItem)
    def get(self, request: Request, pk: str) -> Response:
        """With its diff, passwords and other secrets masked."""
        return Response(DriftItem(self.find(selectors.items(), pk)).data)


class DriftItemRestore(Endpoint):
    """Restores one."""

    actions = {"POST": "drift.restore"}

    @describe("drift_restore", "Put a difference back", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """Its account's part of the server is compared whole; the check after that closes the difference."""
        item = self.find(selectors.items(), pk)
        self.read(Nothing)
        return self.started(service.restore(actor=self.actor, server=item.server, items=[item]))


class DriftItemAdopt(Endpoint):
    """Adopts one."""

    actions = {"POST": "drift.adopt"}

    @describe("drift_adopt", "Take a difference over into the panel", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """DNS records, databases, mail aliases and the like become what the server has; the usual rules hold."""
        item = self.find(selectors.items(), pk)
        self.read(Nothing)
        return self.started(service.adopt(actor=self.actor, item=item))


class DriftItemPin(Endpoint):
    """Makes one an exception."""

    actions = {"POST": "drift.pin"}

    @describe("drift_pin", "Make a difference an exception", Pin, status=201, body=PinAdd)
    def post(self, request: Request, pk: str) -> Response:
        """It is left alone, and is no drift, until it changes once more."""
        item = self.find(selectors.items(), pk)
        made = service.pin(actor=self.actor, item=item, **self.read(PinAdd))
        return self.created(Pin(made).data, reverse("provisioning_api:drift_exception", args=[made.pk]))


class DriftPinView(Endpoint):
    """One exception."""

    actions = {"GET": "drift.view", "DELETE": "drift.pin"}

    @describe("drift_exceptions_get", "Get an exception", Pin)
    def get(self, request: Request, pk: str) -> Response:
        """With who decided it, and why."""
        return Response(Pin(self.find(selectors.pins(), pk)).data)

    @describe("drift_exceptions_end", "End an exception", status=204)
    def delete(self, request: Request, pk: str) -> Response:
        """What it covered is drift again."""
        service.unpin(actor=self.actor, pin=self.find(selectors.pins(), pk))
        return Response(status=204)
