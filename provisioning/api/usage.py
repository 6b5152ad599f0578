"""What is used: of an account, of an organization with all below it, and of a server; and measuring it now."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, describe
from provisioning.models import ServerReading
from provisioning.selectors import hosting_accounts, servers
from provisioning.selectors import usage as selectors
from provisioning.services import usage as service

MOST_DAYS = service.KEEP_DAYS


class MailVolume(Document):
    """Mails, once for each recipient, and their bytes."""

    mails_sent = serializers.IntegerField()
    mails_sent_bytes = serializers.IntegerField()
    mails_received = serializers.IntegerField()
    mails_received_bytes = serializers.IntegerField()


class MeasuredUse(MailVolume):
    """What is used now, in bytes; traffic is what sites have sent, and what mail there was, in this month (UTC)."""

    disk_bytes = serializers.IntegerField(help_text="Files and mail in the home.")
    inodes = serializers.IntegerField()
    mail_bytes = serializers.IntegerField(help_text="Share of mail in `disk_bytes`.")
    database_bytes = serializers.IntegerField()
    storage_bytes = serializers.IntegerField(help_text="Files, mail and databases: what a limit of disk space counts.")
    web_bytes = serializers.IntegerField()
    web_requests = serializers.IntegerField()
    accounts = serializers.IntegerField(help_text="Accounts that were measured.")
    measured_at = serializers.DateTimeField(
        allow_null=True, help_text="The oldest reading that this rests on; null before the first."
    )


class UsageDayDocument(MailVolume):
    """One day (UTC); sizes as measured last, null before the first reading."""

    date = serializers.DateField()
    disk_bytes = serializers.IntegerField(allow_null=True)
    inodes = serializers.IntegerField(allow_null=True)
    mail_bytes = serializers.IntegerField(allow_null=True)
    database_bytes = serializers.IntegerField(allow_null=True)
    web_bytes = serializers.IntegerField()
    web_requests = serializers.IntegerField()


class ForecastDocument(Document):
    """Where a resource is heading at the present pace."""

    per_day = serializers.IntegerField(help_text="Bytes a day.")
    reached_on = serializers.DateField(allow_null=True, help_text="When the limit is reached; null: not foreseeable.")


class Measured(Document):
    """A resource against its limit."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited.")
    forecast = ForecastDocument(allow_null=True, help_text="null while too few days are known.")


class Usage(Document):
    """Use now, by day, and against the limits."""

    now = MeasuredUse()
    disk = Measured(source="disk_bytes")
    bandwidth = Measured(source="bandwidth_bytes")
    days = UsageDayDocument(many=True, help_text="Oldest first.")


class SiteTraffic(Document):
    """What a site has sent in this month (UTC)."""

    site = serializers.CharField()
    web_bytes = serializers.IntegerField()
    web_requests = serializers.IntegerField()


class AccountUsage(Usage):
    """Use of an account, with its sites and databases."""

    enforced = serializers.BooleanField(
        allow_null=True, help_text="Whether its server holds it to its disk space; null: not known."
    )
    sites = SiteTraffic(many=True)
    databases = serializers.DictField(child=serializers.IntegerField(), help_text="Bytes by name.")


class ServerReadingDocument(Document):
    """How a server stood."""

    at = serializers.DateTimeField(source="started_at")
    load = serializers.FloatField(help_text="Average of five minutes.")
    processors = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    memory_free_bytes = serializers.IntegerField()
    disk_bytes = serializers.IntegerField(allow_null=True)
    disk_free_bytes = serializers.IntegerField(allow_null=True)
    uptime_seconds = serializers.IntegerField(source="figures.uptime_seconds")
    disks = serializers.ListField(child=serializers.DictField(), source="figures.disks")
    sites = serializers.IntegerField(source="figures.sites")
    pools = serializers.IntegerField(source="figures.pools")
    versions = serializers.DictField(child=serializers.CharField(), source="figures.versions")
    quota = serializers.ChoiceField(
        choices=("enforced", "counted", "none"),
        source="figures.quota",
        help_text="Whether its file system holds accounts to their disk space.",
    )


class ServerUsage(Document):
    """A server's load, and the use of its accounts."""

    now = MeasuredUse()
    reading = ServerReadingDocument(allow_null=True, help_text="null before the first.")
    days = UsageDayDocument(many=True, help_text="Oldest first.")


class UsageQuery(StrictSerializer):
    """How far back."""

    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=30, help_text="Days, today included.")


def _answer(use: selectors.Use, days: list[selectors.Day], limits: dict[str, int | None]) -> dict[str, Any]:
    return {
        "now": use,
        "days": days,
        **{
            name: {"used": use.of(name), "limit": limit, "forecast": selectors.forecast(days, name, limit)}
            for name, limit in limits.items()
        },
    }


class AccountUsageView(Endpoint):
    """What an account uses."""

    actions = {"GET": "account.view"}

    @describe("accounts_usage", "Get what a hosting account uses", AccountUsage, query=UsageQuery)
    def get(self, request: Request, pk: str) -> Response:
        """As measured on its servers, by day."""
        hosting = self.find(hosting_accounts.listed(), pk)
        days = selectors.days_of(hosting, self.query(UsageQuery)["days"])
        answer = _answer(selectors.now_of([hosting])[hosting.pk], days, selectors.limits_of(hosting))
        sites = [
            dict(zip(("site", "web_bytes", "web_requests"), row, strict=True)) for row in selectors.sites_of(hosting)
        ]
        more = {
            "sites": sites,
            "databases": selectors.databases_of(hosting),
            "enforced": selectors.is_enforced(hosting),
        }
        return Response(AccountUsage({**answer, **more}).data)


class AccountMeasure(Endpoint):
    """Measures an account."""

    actions = {"POST": "usage.measure"}

    @describe("accounts_measure", "Measure a hosting account now", status=202)
    def post(self, request: Request, pk: str) -> Response:
        """It goes on in the background; `now.measured_at` tells when it is done."""
        hosting = self.find(hosting_accounts.listed(), pk)
        self.read(Nothing)
        service.request_account(actor=self.actor, hosting=hosting)
        return Response(status=202)


class OrganizationUsageView(Endpoint):
    """What an organization uses."""

    actions = {"GET": "organization.view"}

    @describe("organizations_usage", "Get what an organization and all below it use", Usage, query=UsageQuery)
    def get(self, request: Request, pk: str) -> Response:
        """All accounts together, by day; limits are those of its plan."""
        organization = self.find(organizations.listed(), pk)
        days = selectors.days_of(organization, self.query(UsageQuery)["days"])
        limits = selectors.limits_of_organization(organization)
        return Response(Usage(_answer(selectors.totals(organization), days, limits)).data)


class ServerUsageView(Endpoint):
    """How a server stands."""

    actions = {"GET": "server.view"}

    @describe("servers_usage", "Get a server's load and what its accounts use", ServerUsage, query=UsageQuery)
    def get(self, request: Request, pk: str) -> Response:
        """The newest reading, and the use of all its accounts by day."""
        server = self.find(servers.listed(), pk)
        days = selectors.days_of(server, self.query(UsageQuery)["days"])
        reading: ServerReading | None = selectors.server_load(server)
        answer = {"now": selectors.totals(server), "reading": reading, "days": days}
        return Response(ServerUsage(answer).data)


class ServerMeasure(Endpoint):
    """Measures a server."""

    actions = {"POST": "server.measure"}

    @describe("servers_measure", "Measure a server and all its accounts now", status=202)
    def post(self, request: Request, pk: str) -> Response:
        """It goes on in the background, at the lowest priority."""
        server = self.find(servers.listed(), pk)
        self.read(Nothing)
        service.request(actor=self.actor, server=server)
        return Response(status=202)
