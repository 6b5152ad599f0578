"""Name servers of a brand: what they should be, what the public DNS says, and the records that can be added here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Brand
from accounts.selectors import brands, organizations
from panel.core.errors import NotFound
from provisioning.api.base import Document, Endpoint, Nothing, describe
from provisioning.api.base import Operation as OperationDocument
from provisioning.api.servers import POINTER_STATES
from provisioning.selectors import brand_names, pointers
from provisioning.selectors import nameservers as selectors
from provisioning.services import nameservers as service


class NameServerSeen(Document):
    """What the public DNS said."""

    found = serializers.ListField(child=serializers.CharField(), help_text="Its addresses.")
    asked = serializers.BooleanField(help_text="Whether a server of the parent zone answered.")
    delegated = serializers.ListField(
        child=serializers.CharField(), help_text="The name servers that the parent zone gives for the domain."
    )
    glue = serializers.ListField(
        child=serializers.CharField(), help_text="The addresses that the parent zone gives for this name server."
    )


class NameServer(Document):
    """A name server: unless it is shared, a host object with these addresses belongs at the registrar of `domain`."""

    host = serializers.CharField()
    domain = serializers.CharField()
    addresses = serializers.ListField(child=serializers.CharField())
    zone = serializers.CharField(source="zone_id", allow_null=True, help_text="The domain's zone, when it is here.")
    has_records = serializers.BooleanField(help_text="Whether that zone has its address records.")
    shared = serializers.BooleanField(help_text="It is used by others, too, who enter it at the registrar.")
    state = serializers.ChoiceField(choices=["right", "missing", "wrong", "glue", "unknown"])
    seen = NameServerSeen(allow_null=True)


class NameServers(Document):
    """All name servers of a brand."""

    checked_at = serializers.DateTimeField(allow_null=True)
    complete = serializers.BooleanField()
    warnings = serializers.ListField(
        child=serializers.ChoiceField(choices=["no_addresses", "one_address", "one_network"])
    )
    servers = NameServer(many=True)


class BrandRecord(Document):
    """A record that the brand's own domain needs for its panel or its mail."""

    purpose = serializers.ChoiceField(choices=["panel", "mail", "spf"])
    name = serializers.CharField()
    type = serializers.CharField()
    content = serializers.CharField()
    zone = serializers.CharField(source="zone_id", allow_null=True, help_text="The zone for it, when it is here.")
    present = serializers.BooleanField(help_text="Whether that zone has it.")


class OwnAddress(Document):
    """An address that the brand has to itself, and the reverse name (PTR) that it should have."""

    ip = serializers.CharField()
    record = serializers.CharField(help_text="The name that the PTR record has.")
    wanted = serializers.CharField(help_text="The name that it should point to.")
    state = serializers.ChoiceField(choices=POINTER_STATES)
    checked_at = serializers.DateTimeField(allow_null=True)


class BrandNames(NameServers):
    """All name servers of a brand, and the records of its other names."""

    records = serializers.SerializerMethodField()
    addresses = serializers.SerializerMethodField(help_text="Addresses that the brand has to itself.")

    @extend_schema_field(OwnAddress(many=True))
    def get_addresses(self, overview: selectors.Overview) -> Any:
        """Return the reverse names of the brand's own addresses."""
        return OwnAddress(pointers.given_to(self.context["brand"]), many=True).data

    @extend_schema_field(BrandRecord(many=True))
    def get_records(self, overview: selectors.Overview) -> Any:
        """Return what panel and mail of the brand need."""
        return BrandRecord(brand_names.records(self.context["brand"]), many=True).data


class RecordsAdded(Document):
    """What was started for the records."""

    operations = OperationDocument(many=True)


class _OfBrand(Endpoint):
    """Base: the brand of the organization in the path."""

    def brand(self, pk: str) -> Brand:
        """Return the organization's own brand; raises NotFound without one."""
        brand = brands.own(self.find(organizations.listed(), pk))
        if brand is None:
            raise NotFound()
        return brand


class NameServerList(_OfBrand):
    """Name servers as they should be and as they were last seen."""

    actions = {"GET": "brand.view"}

    @describe("brand_nameservers_retrieve", "Show a brand's name servers", BrandNames)
    def get(self, request: Request, pk: str) -> Response:
        """Of the organization's own brand, with the records that its panel and its mail need."""
        brand = self.brand(pk)
        return Response(BrandNames(selectors.overview(brand), context={"brand": brand}).data)


class NameServerCheck(_OfBrand):
    """A look into the public DNS."""

    actions = {"POST": "brand.change"}

    @describe("brand_nameservers_check", "Look a brand's name servers up", NameServers, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Ask the public DNS and the parent zones now, which takes some seconds at most."""
        brand = self.brand(pk)
        self.read(Nothing)
        return Response(NameServers(service.check(actor=self.actor, brand=brand)).data)


class NameServerRecords(_OfBrand):
    """Address records of name servers in zones that are hosted here."""

    actions = {"POST": "brand.change"}

    @describe("brand_nameservers_add_records", "Add their address records", RecordsAdded, status=202, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Add what is missing, all or none."""
        brand = self.brand(pk)
        self.read(Nothing)
        operations: list[Any] = service.add_records(actor=self.actor, brand=brand)
        body = {"operations": OperationDocument(operations, many=True).data}
        return Response(body, status=202, headers={"Location": body["operations"][-1]["url"]})
