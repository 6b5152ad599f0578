"""Scans of brands: what a stranger could read, and whose names were in it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, describe, page_of
from provisioning.api.fields import Reference
from provisioning.models import BrandScan as ScanRow
from provisioning.selectors import scans as selectors
from provisioning.services import scan_words, scans


class ScanStep(Document):
    """A part of the walk."""

    name = serializers.CharField(help_text="Such as `pages`, `dns`, `greetings`.")
    status = serializers.CharField(help_text="`running`, `ok`, or `failed` when it could not be looked at.")
    ms = serializers.FloatField(allow_null=True)
    readings = serializers.IntegerField(help_text="Texts that were read.")
    findings = serializers.IntegerField()


class ScanFinding(Document):
    """A name that should not be there."""

    place = serializers.CharField(help_text="Where, such as `panel.cookie` or `dns.record`.")
    subject = serializers.CharField(help_text="Of what: a request, a record, an address.")
    name = serializers.CharField(help_text="Empty when it is not the caller's to know; it is masked in the texts then.")
    kind = serializers.CharField(help_text="`name`, `host` or `software`.")
    excerpt = serializers.CharField(help_text="What was read around it.")
    remedy = serializers.SerializerMethodField(help_text="What to do about it.")

    def get_remedy(self, finding: Any) -> str:
        """Return what to do."""
        return str(scan_words.remedy(finding.place))


class BrandScan(Document):
    """One look at a brand as a stranger sees it."""

    id = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="Where it can be watched.")
    organization = serializers.CharField(source="organization_id", help_text="Whose brand it is.")
    host = serializers.CharField()
    status = serializers.ChoiceField(choices=ScanRow.Status.choices)
    leaks = serializers.IntegerField(help_text="All findings, also those that are not listed.")
    readings = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_url(self, scan: ScanRow) -> str:
        """Return its address."""
        return reverse("provisioning_api:brand_scan", args=[scan.pk])


class BrandScanFull(BrandScan):
    """One look at a brand, with its steps and what it found."""

    steps = ScanStep(many=True)
    findings = serializers.SerializerMethodField()

    @extend_schema_field(ScanFinding(many=True))
    def get_findings(self, scan: ScanRow) -> Any:
        """Return what the caller may know of it."""
        return ScanFinding(selectors.findings(scan, self.context["actor"]), many=True).data


class BrandScanCreate(StrictSerializer):
    """Which brand."""

    organization = Reference(organizations.listed, "brand.scan", help_text="Whose brand is looked at.")


class BrandScanList(Endpoint):
    """Scans of brands."""

    actions = {"GET": "brand.view", "POST": "brand.scan"}
    is_list = True

    @describe("brand_scans_list", "List scans of brands, newest first", page_of(BrandScan))
    def get(self, request: Request) -> Response:
        """Of the caller's own brand and of those below."""
        return self.page(selectors.listed(), BrandScan)

    @describe("brand_scans_create", "Look at a brand as a stranger does", BrandScan, status=202, body=BrandScanCreate)
    def post(self, request: Request) -> Response:
        """A worker looks; poll it until it is `clean`, `leaks` or `failed`. One at a time for each brand."""
        scan = scans.start(actor=self.actor, **self.read(BrandScanCreate))
        shown = BrandScan(scan).data
        return Response(shown, status=202, headers={"Location": shown["url"]})


class BrandScanItem(Endpoint):
    """One scan."""

    actions = {"GET": "brand.view"}

    @describe("brand_scans_get", "Watch a scan of a brand", BrandScanFull)
    def get(self, request: Request, pk: str) -> Response:
        """With its steps and what was found."""
        scan = self.find(selectors.listed(), pk)
        return Response(BrandScanFull(scan, context={"actor": self.actor}).data)
