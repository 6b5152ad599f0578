"""Rebuilds: a server takes the place of a dead one; the provider's alone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, describe, started_of
from provisioning.api.fields import Reference, Text
from provisioning.models import Rebuild as RebuildRow
from provisioning.selectors import rebuilds as selectors
from provisioning.selectors import servers
from provisioning.services import rebuilds as service


class Loss(Document):
    """What only a backup brings back of one account."""

    account = serializers.CharField()
    domain = serializers.CharField()
    home = serializers.CharField()
    sites = serializers.IntegerField(help_text="Sites whose files are lost.")
    databases = serializers.IntegerField(help_text="Databases whose rows are lost.")
    mailboxes = serializers.IntegerField(help_text="Mailboxes whose mail is lost.")
    pins = serializers.ListField(child=serializers.CharField(), help_text="Exceptions that ended, by key.")


class AddressMatch(Document):
    """An address of the dead server and what stands for it; null where the new one has none of its family."""

    old = serializers.CharField(source="old.public")
    new = serializers.CharField(source="new.public", allow_null=True, default=None)
    account = serializers.CharField(source="old.hosting_id", allow_null=True, help_text="Who had it to itself.")


class RebuildPlan(Document):
    """What a rebuild would do."""

    counts = serializers.DictField(child=serializers.IntegerField(), help_text="What comes back, by kind.")
    addresses = AddressMatch(many=True)
    records = serializers.IntegerField(help_text="Records that people added and that name an old address.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a person should know.")
    losses = Loss(many=True, help_text="What only a backup brings back.")


class Rebuild(Document):
    """A rebuild: how far it is, and what only a backup brings back."""

    id = serializers.CharField()
    old = serializers.CharField(source="old_id")
    new = serializers.CharField(source="new_id")
    state = serializers.ChoiceField(choices=RebuildRow.State.choices)
    operation = serializers.CharField(source="operation_id", help_text="Where its steps can be watched.")
    accounts = serializers.IntegerField()
    accounts_live = serializers.SerializerMethodField(help_text="How many of them are live again.")
    records = serializers.IntegerField()
    notes = serializers.ListField(child=serializers.CharField())
    losses = Loss(source="lost", many=True)
    created_at = serializers.DateTimeField()
    switched_at = serializers.DateTimeField(allow_null=True, help_text="Since when all is ordered from the new one.")

    @extend_schema_field(serializers.IntegerField())
    def get_accounts_live(self, rebuild: RebuildRow) -> int:
        """Count them."""
        return selectors.progress(rebuild)[0]


class RebuildAsk(StrictSerializer):
    """Whose place the server in the address takes."""

    old = Reference(servers.listed, "server.rebuild", help_text="The dead server.")
    addresses = serializers.DictField(
        child=Text(max_length=45), required=False, help_text="New address by old one; the rest is matched by itself."
    )


class RebuildStart(RebuildAsk):
    """Whose place the server in the address takes, confirmed."""

    confirm = Text(help_text="The dead server's name.")
    password = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        write_only=True,
        help_text="Root's on a bare server, used once; not needed when the panel's key is in root's authorized_keys.",
    )


class ServerRebuildPlan(Endpoint):
    """Shows what a rebuild would do."""

    actions = {"POST": "server.rebuild"}

    @describe("servers_rebuild_plan", "Show what a rebuild would do", RebuildPlan, body=RebuildAsk)
    def post(self, request: Request, pk: str) -> Response:
        """Refused for what the rebuild itself would be refused for."""
        new = self.find(servers.listed(), pk)
        return Response(RebuildPlan(service.plan(actor=self.actor, new=new, **self.read(RebuildAsk))).data)


class ServerRebuild(Endpoint):
    """Rebuilds."""

    actions = {"POST": "server.rebuild"}

    @describe(
        "servers_rebuild",
        "Let a server take a dead one's place",
        started_of(rebuild=Rebuild),
        status=202,
        body=RebuildStart,
    )
    def post(self, request: Request, pk: str) -> Response:
        """A bare server is set up first. The dead one is closed at once; after the switch it gets nothing any more."""
        new = self.find(servers.listed(), pk)
        operation = service.start(actor=self.actor, new=new, **self.read(RebuildStart))
        return self.started(operation, rebuild=Rebuild(operation.rebuild))


class RebuildItem(Endpoint):
    """One rebuild."""

    actions = {"GET": "server.view"}

    @describe("rebuilds_get", "Watch a rebuild", Rebuild)
    def get(self, request: Request, pk: str) -> Response:
        """With what only a backup brings back, once it is switched over."""
        rebuild: Any = self.find(selectors.listed(), pk)
        return Response(Rebuild(rebuild).data)
