"""Packages: what is sold with a hosting account."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.plans import FEATURES
from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, describe, page_of
from provisioning.api.fields import Flag, Number, Reference, Text
from provisioning.selectors import packages as selectors
from provisioning.services import packages as service


class Package(Document):
    """The limits and features sold with an account: null is unlimited, 0 none; sizes in bytes."""

    id = serializers.CharField()
    organization = serializers.CharField(source="organization_id", help_text="Who sells it.")
    name = serializers.CharField()
    disk_bytes = serializers.IntegerField(allow_null=True)
    bandwidth_bytes = serializers.IntegerField(allow_null=True, help_text="Per month.")
    mailboxes = serializers.IntegerField(allow_null=True)
    aliases = serializers.IntegerField(allow_null=True)
    databases = serializers.IntegerField(allow_null=True)
    database_users = serializers.IntegerField(allow_null=True)
    subdomains = serializers.IntegerField(allow_null=True)
    alias_domains = serializers.IntegerField(allow_null=True)
    addon_domains = serializers.IntegerField(allow_null=True)
    records = serializers.IntegerField(allow_null=True)
    mail_per_hour = serializers.IntegerField(
        allow_null=True, help_text="Kept for later: mails are counted, not limited."
    )
    sftp_users = serializers.IntegerField(allow_null=True, help_text="Kept for later: no server has them yet.")
    cron_jobs = serializers.IntegerField(allow_null=True, help_text="Kept for later: no server has them yet.")
    shell = serializers.BooleanField(help_text="Kept for later: no account has a login shell yet.")
    features = serializers.ListField(
        child=serializers.ChoiceField(choices=FEATURES),
        help_text="What its accounts can use, if its seller's plan can.",
    )
    php_versions = serializers.ListField(
        child=serializers.CharField(), help_text="Those that sites can have; empty: all that the server has."
    )
    account_count = serializers.IntegerField(help_text="Accounts that have it.")
    created_at = serializers.DateTimeField()


class PackageChange(StrictSerializer):
    """What is to change; what is left out stays."""

    name = Text(required=False)
    disk_bytes = Number(required=False, allow_null=True)
    bandwidth_bytes = Number(required=False, allow_null=True)
    mailboxes = Number(required=False, allow_null=True)
    aliases = Number(required=False, allow_null=True)
    databases = Number(required=False, allow_null=True)
    database_users = Number(required=False, allow_null=True)
    subdomains = Number(required=False, allow_null=True)
    alias_domains = Number(required=False, allow_null=True)
    addon_domains = Number(required=False, allow_null=True)
    records = Number(required=False, allow_null=True)
    mail_per_hour = Number(required=False, allow_null=True)
    sftp_users = Number(required=False, allow_null=True)
    cron_jobs = Number(required=False, allow_null=True)
    shell = Flag(required=False)
    features = serializers.ListField(
        child=serializers.ChoiceField(choices=FEATURES), required=False, max_length=len(FEATURES)
    )
    php_versions = serializers.ListField(child=Text(max_length=8), required=False, max_length=20)


class PackageCreate(PackageChange):
    """A new package; limits that are left out are unlimited, save `records` with 500."""

    organization = Reference(
        organizations.listed, "package.create", required=False, help_text="Who sells it: you, or a reseller below you."
    )
    name = Text()


class PackageQuery(StrictSerializer):
    """Which packages to list."""

    q = Text(required=False, max_length=100, help_text="Part of the name.")
    organization = Reference(organizations.listed, "organization.view", required=False, help_text="Sold by this one.")


class PackageList(Endpoint):
    """Packages."""

    actions = {"GET": "package.view", "POST": "package.create"}
    is_list = True

    @describe("packages_list", "List packages on sale, newest first", page_of(Package), query=PackageQuery)
    def get(self, request: Request) -> Response:
        """Yours and those of resellers below you."""
        wanted = self.query(PackageQuery)
        rows = selectors.listed()
        if "q" in wanted:
            rows = rows.filter(name__icontains=wanted["q"])
        if "organization" in wanted:
            rows = rows.filter(organization=wanted["organization"])
        return self.page(rows, Package)

    @describe("packages_create", "Create a package", Package, status=201, body=PackageCreate)
    def post(self, request: Request) -> Response:
        """Only names and limits; nothing happens on a server."""
        values = {"organization": None, **self.read(PackageCreate)}
        values["organization"] = values["organization"] or organizations.of_actor(self.actor)
        made = service.create(actor=self.actor, **values)
        url = reverse("provisioning_api:package", args=[made.pk])
        return self.created(Package(selectors.listed().get(pk=made.pk)).data, url)


class PackageItem(Endpoint):
    """One package."""

    actions = {"GET": "package.view", "PATCH": "package.change", "DELETE": "package.remove"}

    @describe("packages_get", "Get a package", Package)
    def get(self, request: Request, pk: str) -> Response:
        """One that is on sale."""
        return Response(Package(self.find(selectors.listed(), pk)).data)

    @describe("packages_change", "Change a package", Package, body=PackageChange)
    def patch(self, request: Request, pk: str) -> Response:
        """New limits hold for its accounts at once; what they already have stays."""
        package = self.find(selectors.listed(), pk)
        service.change(actor=self.actor, package=package, **self.read(PackageChange))
        return Response(Package(selectors.listed().get(pk=pk)).data)

    @describe("packages_remove", "Take a package off the shelf", status=204)
    def delete(self, request: Request, pk: str) -> Response:
        """Accounts that have it keep it."""
        service.remove(actor=self.actor, package=self.find(selectors.listed(), pk))
        return Response(status=204)
