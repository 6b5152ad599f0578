"""Hosting accounts: listed, ordered, renamed, suspended, released, terminated, restored."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, describe, naming, page_of, started_of
from provisioning.api.fields import SERVER_NAME, Password, Reference, Text
from provisioning.models import DatabaseUser, HostingAccount
from provisioning.selectors import hosting_accounts as selectors
from provisioning.selectors import packages, servers
from provisioning.services import hosting_accounts as service
from provisioning.services import orders, renames

Status = HostingAccount.Status


class Account(Document):
    """A hosting account: one Unix user, one primary domain, one package, one client."""

    id = serializers.CharField()
    client = serializers.CharField(source="organization_id", help_text="Id of the organization that owns it.")
    client_name = serializers.CharField(source="organization.name")
    package = serializers.CharField(source="package_id")
    package_name = serializers.CharField(source="package.name")
    domain = serializers.CharField(help_text="The primary domain, as A-labels.")
    username = serializers.CharField(help_text="The Unix user, and the prefix of database names.")
    status = serializers.ChoiceField(choices=Status.choices)
    suspended_reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    terminated_at = serializers.DateTimeField(allow_null=True)
    purge_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="When a terminated account's data goes; until then it can be restored."
    )


class Use(Document):
    """How much of something is used; a limit of null is unlimited, of 0 none."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)


class AccountDetail(Account):
    """An account with where it lives and what it uses."""

    home = serializers.CharField()
    servers = serializers.SerializerMethodField(help_text=f"The servers that carry it. {SERVER_NAME}")
    addresses = serializers.SerializerMethodField(help_text="Public addresses that its sites answer on.")
    usage = serializers.SerializerMethodField(help_text="Use and limit by what is counted.")

    def get_servers(self, hosting: HostingAccount) -> list[str]:
        """Return what the caller calls them."""
        actor = self.context["actor"]
        return [servers.name_for(actor, server.name, server.roles) for server in selectors.servers(hosting)]

    def get_addresses(self, hosting: HostingAccount) -> list[str]:
        """Return the addresses."""
        return selectors.web_addresses(hosting)

    @extend_schema_field(serializers.DictField(child=Use()))
    def get_usage(self, hosting: HostingAccount) -> dict[str, Any]:
        """Return the counters."""
        counters = selectors.counters(hosting).items()
        return {name: {"used": used, "limit": limit} for name, (used, limit) in counters}


class AccountQuery(StrictSerializer):
    """Which accounts to list."""

    q = Text(required=False, max_length=100, help_text="Part of the domain, the user name or the client's name.")
    status = serializers.ChoiceField(
        choices=Status.choices, required=False, help_text="Without it, all but terminated ones."
    )
    client = Reference(organizations.listed, "organization.view", required=False, help_text="Of this client.")
    package = Reference(packages.listed, "package.view", required=False, help_text="With this package.")
    server = Reference(servers.listed, "server.view", required=False, help_text="On this server; for the provider.")


class AccountCreate(StrictSerializer):
    """An order."""

    client = Reference(
        organizations.listed, "account.create", source="organization", help_text="Id of the client that gets it."
    )
    package = Reference(packages.listed, "package.view")
    domain = Text(help_text="The primary domain; `www` is served as well.")
    username = Text(required=False, help_text="`[a-z][a-z0-9]{0,15}`; made from the domain when left out.")
    server = Reference(
        servers.listed, "server.view", required=False, help_text="The least loaded one when left out; for the provider."
    )


class FirstDatabase(StrictSerializer):
    """A database and a login of the same name, with all rights on it."""

    name = Text(help_text="The account's user name and an underscore are put before it.")
    password = Password(help_text="Of the login.")
    host = serializers.ChoiceField(
        choices=DatabaseUser.Host.choices,
        required=False,
        help_text="Where the login may sign in from; `%` is anywhere, for packages with remote database logins.",
    )


class AccountOrder(AccountCreate):
    """An order, with what is to be in the account from the start."""

    database = FirstDatabase(required=False, help_text="Made in the same run; its operations are listed beside.")


class AccountSuspend(StrictSerializer):
    """Why."""

    reason = Text(required=False, allow_blank=True, max_length=200, help_text="Shown to the client.")


class AccountTerminate(StrictSerializer):
    """The word that says you mean it."""

    confirm = Text(help_text="The account's primary domain.")


class AccountRename(StrictSerializer):
    """New names; what is left out stays."""

    domain = Text(required=False, help_text="The new primary domain; sites, zone and mail follow it.")
    username = Text(required=False, help_text="The new user name; home and logs are moved, databases keep their names.")


class AccountPackage(StrictSerializer):
    """Another package."""

    package = Reference(packages.listed, "package.view", help_text="One on sale of a seller above the account.")


class AccountList(Endpoint):
    """Hosting accounts."""

    actions = {"GET": "account.view", "POST": "account.create"}
    is_list = True

    @describe("accounts_list", "List hosting accounts, newest first", page_of(Account), query=AccountQuery)
    def get(self, request: Request) -> Response:
        """Terminated ones are left out unless `status=terminated` asks for them."""
        return self.page(filtered(self.query(AccountQuery)), Account)

    @describe("accounts_create", "Order a hosting account", started_of(account=Account), status=202, body=AccountOrder)
    def post(self, request: Request) -> Response:
        """It gets a user, a web site, a DNS zone and a mail domain; watch the operation until it is `applied`."""
        with naming(organization="client"):
            hosting, operation, _inside = orders.account(actor=self.actor, **self.read(AccountOrder))
        return self.started(operation, account=Account(hosting))


class AccountItem(Endpoint):
    """One hosting account."""

    actions = {"GET": "account.view"}

    @describe("accounts_get", "Get a hosting account", AccountDetail)
    def get(self, request: Request, pk: str) -> Response:
        """With the servers that carry it, its addresses and what it uses."""
        return Response(AccountDetail(self.find(selectors.listed(), pk), context={"actor": self.actor}).data)


class AccountSuspendView(Endpoint):
    """Suspends an account."""

    actions = {"POST": "account.suspend"}

    @describe("accounts_suspend", "Suspend a hosting account", started_of(), status=202, body=AccountSuspend)
    def post(self, request: Request, pk: str) -> Response:
        """Its sites answer 503 and its logins are locked; DNS and data stay."""
        hosting = self.find(selectors.listed(), pk)
        return self.started(service.suspend(actor=self.actor, hosting=hosting, **self.read(AccountSuspend)))


class AccountUnsuspendView(Endpoint):
    """Releases an account."""

    actions = {"POST": "account.unsuspend"}

    @describe("accounts_unsuspend", "Release a suspended hosting account", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """What somebody above suspended is released by them alone."""
        hosting = self.find(selectors.listed(), pk)
        self.read(Nothing)
        return self.started(service.unsuspend(actor=self.actor, hosting=hosting))


class AccountRenameView(Endpoint):
    """Renames an account."""

    actions = {"POST": "account.rename"}

    @describe("accounts_rename", "Rename a hosting account", started_of(), status=202, body=AccountRename)
    def post(self, request: Request, pk: str) -> Response:
        """Another primary domain, another user name, or both. The old domain is let go at once."""
        hosting = self.find(selectors.listed(), pk)
        return self.started(renames.rename(actor=self.actor, hosting=hosting, **self.read(AccountRename)))


class AccountRestoreView(Endpoint):
    """Restores a terminated account."""

    actions = {"POST": "account.restore"}

    @describe("accounts_restore", "Restore a terminated hosting account", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """Until `purge_at`. What somebody above terminated is restored by them alone."""
        hosting = self.find(selectors.listed(), pk)
        self.read(Nothing)
        return self.started(service.restore(actor=self.actor, hosting=hosting))


class AccountTerminateView(Endpoint):
    """Terminates an account."""

    actions = {"POST": "account.terminate"}

    @describe("accounts_terminate", "Terminate a hosting account", started_of(), status=202, body=AccountTerminate)
    def post(self, request: Request, pk: str) -> Response:
        """Its configuration goes at once; files, mail and databases are destroyed after the grace period."""
        hosting = self.find(selectors.listed(), pk)
        return self.started(service.terminate(actor=self.actor, hosting=hosting, **self.read(AccountTerminate)))


def filtered(wanted: dict[str, Any]) -> QuerySet[HostingAccount]:
    """Return the accounts within the scope that a checked `AccountQuery` asks for."""
    rows = selectors.listed()
    if "q" in wanted:
        part = wanted["q"]
        named = Q(domain__icontains=part) | Q(username__icontains=part) | Q(organization__name__icontains=part)
        rows = rows.filter(named)
    rows = rows.filter(status=wanted["status"]) if "status" in wanted else rows.exclude(status=Status.TERMINATED)
    if "client" in wanted:
        rows = rows.filter(organization=wanted["client"])
    if "package" in wanted:
        rows = rows.filter(package=wanted["package"])
    if "server" in wanted:
        rows = rows.filter(pk__in=wanted["server"].placements.values("hosting"))
    return rows
