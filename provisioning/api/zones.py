"""DNS zones and their records; a record is changed only by who has seen it as it is (If-Match)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.pagination import limit
from panel.core.api.serializers import StrictSerializer
from panel.core.errors import DomainError, Invalid, Stale
from provisioning.api.base import Document, Endpoint, describe, page_of, started_of
from provisioning.api.fields import Number, Text, find
from provisioning.api.holdings import HoldingQuery, narrowed
from provisioning.models import Record as RecordRow
from provisioning.models import Zone as ZoneRow
from provisioning.selectors import hosting_accounts as accounts
from provisioning.selectors import zones as selectors
from provisioning.services import zones as service

IF_MATCH = extend_schema(
    parameters=[
        OpenApiParameter(
            "If-Match",
            str,
            OpenApiParameter.HEADER,
            required=True,
            description='The ETag of the record as you read it, such as `"3f2a…"`; `*` for whatever it is by now.',
        )
    ]
)


class VersionRequired(DomainError):
    """The request does not say which version of the object it means (HTTP 428, RFC 6585)."""

    status = 428


class Zone(Document):
    """A primary zone."""

    id = serializers.CharField()
    account = serializers.CharField(source="hosting_id")
    name = serializers.CharField()
    serial = serializers.IntegerField(help_text="The SOA serial that a server last reported; 0 before the first.")
    created_at = serializers.DateTimeField()


class Record(Document):
    """A record as it is served. A default one has no id; it gives way to what you add under its name and type."""

    id = serializers.CharField(source="record_id", allow_null=True)
    default = serializers.SerializerMethodField("is_default", help_text="Computed, not added by anybody.")
    name = serializers.CharField(help_text="Relative to the zone; `@` is the zone itself.")
    type = serializers.ChoiceField(choices=RecordRow.Type.choices)
    ttl = serializers.IntegerField(help_text="In seconds.")
    content = serializers.CharField(help_text="As in a master file.")

    def is_default(self, record: selectors.ServedRecord) -> bool:
        """Tell whether nobody added it."""
        return not record.record_id

    def to_representation(self, record: Any) -> dict[str, Any]:
        """Take what people added, and what is served."""
        if isinstance(record, RecordRow):
            record = selectors.ServedRecord(record.name, record.type, record.ttl, record.content, record.pk)
        shown: dict[str, Any] = super().to_representation(record)
        return {**shown, "id": shown["id"] or None}


class RecordChange(StrictSerializer):
    """What is to change; what is left out stays."""

    name = Text(required=False, help_text="Relative to the zone, or a full name below it; `@` is the zone itself.")
    type = Text(required=False, max_length=20)
    content = Text(required=False, max_length=8000, help_text="As in a master file: `10 mail.example.org.`")
    ttl = Number(required=False, help_text="In seconds, 30 to 604800; 3600 when left out.")


class RecordCreate(RecordChange):
    """A new record."""

    name = Text(help_text="Relative to the zone, or a full name below it; `@` is the zone itself.")
    type = Text(max_length=20)
    content = Text(max_length=8000, help_text="As in a master file: `10 mail.example.org.`")


class AccountZones(Endpoint):
    """Zones of an account."""

    actions = {"GET": "zone.view"}
    is_list = True

    @describe("accounts_zones_list", "List an account's zones", page_of(Zone))
    def get(self, request: Request, pk: str) -> Response:
        """One for each domain that it holds."""
        return self.page(accounts.zones(self.find(accounts.listed(), pk)), Zone)


class ZoneList(Endpoint):
    """Zones."""

    actions = {"GET": "zone.view"}
    is_list = True

    @describe("zones_list", "List zones, newest first", page_of(Zone), query=HoldingQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one."""
        return self.page(narrowed(accounts.zones(), self.query(HoldingQuery)), Zone)


class ZoneItem(Endpoint):
    """One zone."""

    actions = {"GET": "zone.view"}

    @describe("zones_get", "Get a zone", Zone)
    def get(self, request: Request, pk: str) -> Response:
        """Its records are listed below it."""
        return Response(Zone(self.find(accounts.zones(), pk)).data)


class ZoneRecords(Endpoint):
    """Records of a zone."""

    actions = {"GET": "zone.view", "POST": "record.create"}
    is_list = True

    @describe("zones_records_list", "List a zone's records", page_of(Record))
    def get(self, request: Request, pk: str) -> Response:
        """All that is served, the defaults among it, apex first."""
        zone = self.find(accounts.zones(), pk)
        return self.file(selectors.records(zone), Record) if self.as_file else _page(request, zone)

    @describe("zones_records_create", "Add a record", started_of(record=Record), status=202, body=RecordCreate)
    def post(self, request: Request, pk: str) -> Response:
        """It takes the place of default records of its name and type."""
        zone = self.find(accounts.zones(), pk)
        record, operation = service.add_record(actor=self.actor, zone=zone, **self.read(RecordCreate))
        return _tagged(self.started(operation, record=Record(record)), record)


class ZoneRecord(Endpoint):
    """One record that was added to a zone."""

    actions = {"GET": "record.view", "PATCH": "record.change", "DELETE": "record.remove"}

    @describe("zones_records_get", "Get a record", Record)
    def get(self, request: Request, zone: str, pk: str) -> Response:
        """Its ETag is what a change or removal has to send as If-Match."""
        record = self._record(zone, pk)
        return _tagged(Response(Record(record).data), record)

    @IF_MATCH
    @describe("zones_records_change", "Change a record", started_of(record=Record), status=202, body=RecordChange)
    def patch(self, request: Request, zone: str, pk: str) -> Response:
        """412 when it has changed since you read it, 428 without If-Match."""
        record = self._record(zone, pk)
        version = _seen(request, record)
        changed, operation = service.change_record(
            actor=self.actor, record=record, version=version, **self.read(RecordChange)
        )
        return _tagged(self.started(operation, record=Record(changed)), changed)

    @IF_MATCH
    @describe("zones_records_remove", "Remove a record", started_of(), status=202)
    def delete(self, request: Request, zone: str, pk: str) -> Response:
        """Default records of its name and type come back. 412 when it has changed, 428 without If-Match."""
        record = self._record(zone, pk)
        operation = service.remove_record(actor=self.actor, record=record, version=_seen(request, record))
        return self.started(operation)

    def _record(self, zone: str, pk: str) -> RecordRow:
        rows = selectors.own_records().filter(zone=find(accounts.zones(), zone, self.actor, "zone.view"))
        record: RecordRow = self.find(rows, pk)
        return record


def _tagged(response: Response, record: RecordRow) -> Response:
    response["ETag"] = f'"{record.version}"'
    return response


def _seen(request: Request, record: RecordRow) -> str | None:
    """Return the version that the caller has seen, None for any; compares strongly (RFC 9110 §13.1.1)."""
    header = request.headers.get("If-Match")
    if header is None:
        raise VersionRequired(
            "version_required", _("Send the record's ETag as If-Match, so that no other change is lost."), "If-Match"
        )
    tags = parse_etags(header)
    if tags == ["*"]:
        return None
    if f'"{record.version}"' not in tags:
        raise Stale(_("Somebody else has changed this record since you read it. Read it again."))
    return record.version


def _page(request: Request, zone: ZoneRow) -> Response:
    """Answer with a page of what is served: rows and computed records alike, so by name and not by id."""
    size = limit(request)
    served = [(_place(record), record) for record in selectors.records(zone)]
    after = _decoded(request.query_params.get("cursor"))
    found = [entry for entry in served if entry[0] > after] if after else served
    items, more = found[:size], found[size:]
    following = None
    if more:
        query = request.query_params.copy()
        query["cursor"] = base64.urlsafe_b64encode(json.dumps(items[-1][0]).encode()).decode()
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"items": Record([record for _key, record in items], many=True).data, "next": following})


def _place(record: selectors.ServedRecord) -> list[Any]:
    return [record.name != "@", record.name, record.type, record.content]


def _decoded(cursor: str | None) -> list[Any]:
    if cursor is None:
        return []
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != [bool, str, str, str]:
        raise Invalid("cursor", "Take the cursor from the `next` address of the page before.", "cursor")
    return place
