"""Target servers and their addresses; the provider's alone."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, describe, page_of, started_of
from provisioning.api.fields import Flag, Number, Text, find
from provisioning.models import Address as AddressRow
from provisioning.models import Server as ServerRow
from provisioning.selectors import pointers
from provisioning.selectors import servers as selectors
from provisioning.services import addresses, standoffs
from provisioning.services import servers as service

POINTER_STATES = ("right", "missing", "wrong", "unknown")
ROLES = ("web", "database", "dns", "mail")


class Ahead(Document):
    """What a held server and the panel disagree on; empty while nothing is held."""

    newer = serializers.DictField(
        child=serializers.IntegerField(), default=dict, help_text="Slices that are newer there: generation by account."
    )
    unknown = serializers.DictField(
        child=serializers.IntegerField(), default=dict, help_text="Accounts that the panel does not know: resources."
    )
    missing = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Accounts of the panel that the server does not hold."
    )


class Server(Document):
    """A target Linux machine."""

    id = serializers.CharField()
    name = serializers.CharField()
    platform_name = serializers.CharField(help_text="Neutral host name that it shows to the world.")
    host = serializers.CharField(help_text="What the panel connects to.")
    port = serializers.IntegerField()
    transport = serializers.ChoiceField(choices=ServerRow.Transport.choices)
    state = serializers.ChoiceField(choices=ServerRow.State.choices)
    stack = serializers.ChoiceField(choices=ServerRow.Stack.choices)
    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLES))
    closed = serializers.BooleanField(help_text="Takes no new accounts.")
    fingerprint = serializers.CharField(help_text="SHA256 fingerprint of its host key; empty until it showed one.")
    public_key = serializers.CharField(help_text="The panel's key, for root's authorized_keys before the set-up.")
    debian = serializers.IntegerField(allow_null=True)
    php_versions = serializers.ListField(child=serializers.CharField())
    node_version = serializers.CharField(
        help_text="Of its node program; empty before the set-up. The panel upgrades it by itself."
    )
    upgrade_refused = serializers.CharField(
        source="refused_upgrade_reason", help_text="Why the server would not take the panel's node program; else empty."
    )
    account_count = serializers.IntegerField()
    seen_at = serializers.DateTimeField(allow_null=True)
    held_since = serializers.DateTimeField(
        allow_null=True, help_text="Nothing is sent to it since then: it holds newer settings than the panel."
    )
    ahead = Ahead(help_text="What a held server and the panel disagree on.")
    unreachable_since = serializers.DateTimeField(allow_null=True)
    unreachable_reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    def to_representation(self, server: ServerRow) -> dict[str, Any]:
        """Name its roles in a fixed order."""
        shown: dict[str, Any] = super().to_representation(server)
        return {**shown, "roles": [role for role in ROLES if role in server.roles]}


class Pointer(Document):
    """The reverse name (PTR) of an address: what whoever rents the address out should set, and what was seen."""

    ip = serializers.CharField()
    record = serializers.CharField(help_text="The name that the PTR record has.")
    wanted = serializers.CharField(help_text="The name that it should point to.")
    found = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="What it points to; null when nobody answered."
    )
    state = serializers.ChoiceField(choices=POINTER_STATES)
    checked_at = serializers.DateTimeField(allow_null=True)


class Address(Document):
    """An address that a server answers on."""

    id = serializers.CharField()
    ip = serializers.CharField()
    family = serializers.IntegerField(help_text="4 or 6.")
    kind = serializers.ChoiceField(choices=AddressRow.Kind.choices)
    public_ip = serializers.CharField(allow_null=True, help_text="What the world sees when it differs.")
    account = serializers.CharField(source="hosting_id", allow_null=True, help_text="Who has it to itself.")
    brand = serializers.CharField(
        source="brand.organization_id", allow_null=True, default=None, help_text="The reseller whose brand has it."
    )
    pointer = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(Pointer())
    def get_pointer(self, address: AddressRow) -> Any:
        """Return its reverse name."""
        return Pointer(pointers.of(address)).data


class ServerQuery(StrictSerializer):
    """Which servers to list."""

    q = Text(required=False, max_length=100, help_text="Part of the name or of what the panel connects to.")
    state = serializers.ChoiceField(choices=ServerRow.State.choices, required=False)


class ServerAdd(StrictSerializer):
    """A new server."""

    name = Text(help_text="What you call it.")
    platform_name = Text(help_text="Neutral host name that it shows to the world; name no brand in it.")
    host = Text(required=False, help_text="Address or host name that the panel connects to by SSH.")
    port = Number(required=False, help_text="22 when left out.")
    transport = serializers.ChoiceField(
        choices=ServerRow.Transport.choices, required=False, help_text="`local` is the machine of the panel itself."
    )
    stack = serializers.ChoiceField(choices=ServerRow.Stack.choices, required=False)
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=ROLES), required=False, allow_empty=False, help_text="All when left out."
    )


class ServerChange(StrictSerializer):
    """What is to change; what is left out stays."""

    name = Text(required=False)
    platform_name = Text(required=False)
    stack = serializers.ChoiceField(choices=ServerRow.Stack.choices, required=False)
    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLES), required=False, allow_empty=False)
    closed = Flag(required=False, help_text="Takes no new accounts.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the list of roles into what the service calls them."""
        if "roles" not in attrs:
            return attrs
        wanted = attrs.pop("roles")
        return {**attrs, **{f"role_{role}": role in wanted for role in ROLES}}


class HostKeyConfirm(StrictSerializer):
    """What you compared."""

    fingerprint = Text(help_text="As `ssh-keygen -l` prints it on the server's console: `SHA256:…`.")


class ServerBootstrap(StrictSerializer):
    """How the panel gets in for the first time."""

    password = Text(
        required=False,
        allow_blank=True,
        max_length=200,
        write_only=True,
        help_text="Root's, used once; not needed when the panel's key is in root's authorized_keys.",
    )


class OverruleConfirm(StrictSerializer):
    """The confirmation that a server's newer settings give way."""

    confirm = Text(help_text="The server's name.")


class AddressAdd(StrictSerializer):
    """A new address."""

    ip = Text(help_text="IPv4 or IPv6.")
    kind = serializers.ChoiceField(choices=AddressRow.Kind.choices, required=False, help_text="Shared when left out.")
    public_ip = Text(required=False, allow_null=True, help_text="What the world sees when the server is behind NAT.")


class ServerList(Endpoint):
    """Servers."""

    actions = {"GET": "server.view", "POST": "server.add"}
    is_list = True

    @describe("servers_list", "List servers, newest first", page_of(Server), query=ServerQuery)
    def get(self, request: Request) -> Response:
        """With the number of accounts that each carries."""
        wanted = self.query(ServerQuery)
        rows = selectors.listed()
        if "q" in wanted:
            rows = rows.filter(Q(name__icontains=wanted["q"]) | Q(host__icontains=wanted["q"]))
        if "state" in wanted:
            rows = rows.filter(state=wanted["state"])
        return self.page(rows, Server)

    @describe("servers_create", "Add a server", Server, status=201, body=ServerAdd)
    def post(self, request: Request) -> Response:
        """Its host key is fetched next: poll until `fingerprint` is there, compare, confirm, then set it up."""
        values = self.read(ServerAdd)
        if "roles" in values:
            values["roles"] = frozenset(values["roles"])
        made = service.add(actor=self.actor, organization=organizations.of_actor(self.actor), **values)
        return self.created(_shown(made), reverse("provisioning_api:server", args=[made.pk]))


class ServerItem(Endpoint):
    """One server."""

    actions = {"GET": "server.view", "PATCH": "server.change"}

    @describe("servers_get", "Get a server", Server)
    def get(self, request: Request, pk: str) -> Response:
        """With the number of accounts that it carries."""
        return Response(Server(self.find(selectors.listed(), pk)).data)

    @describe("servers_change", "Change a server", Server, body=ServerChange)
    def patch(self, request: Request, pk: str) -> Response:
        """A change of stack or roles reaches every account of the server."""
        server = self.find(selectors.listed(), pk)
        values = self.read(ServerChange)
        return Response(_shown(service.change(actor=self.actor, server=server, **values)[0]))


class ServerFetchHostKey(Endpoint):
    """Fetches the host key again."""

    actions = {"POST": "server.add"}

    @describe("servers_fetch_host_key", "Fetch the host key again", Server, status=202)
    def post(self, request: Request, pk: str) -> Response:
        """For a server whose key is not confirmed; poll it until `fingerprint` or `unreachable_reason` is there."""
        server = self.find(selectors.listed(), pk)
        self.read(Nothing)
        service.fetch_host_key(actor=self.actor, server=server)
        url = reverse("provisioning_api:server", args=[pk])
        return Response(_shown(server), status=202, headers={"Location": url})


class ServerConfirmHostKey(Endpoint):
    """Confirms the host key."""

    actions = {"POST": "server.confirm"}

    @describe("servers_confirm_host_key", "Confirm the host key", Server, body=HostKeyConfirm)
    def post(self, request: Request, pk: str) -> Response:
        """From now on the panel speaks to nobody who shows another one."""
        server = self.find(selectors.listed(), pk)
        return Response(_shown(service.confirm_host_key(actor=self.actor, server=server, **self.read(HostKeyConfirm))))


class ServerBootstrapView(Endpoint):
    """Sets a server up."""

    actions = {"POST": "server.bootstrap"}

    @describe("servers_bootstrap", "Set up a bare server", started_of(), status=202, body=ServerBootstrap)
    def post(self, request: Request, pk: str) -> Response:
        """Turns a bare Debian machine into a target server; the operation shows the steps."""
        server = self.find(selectors.listed(), pk)
        return self.started(service.bootstrap(actor=self.actor, server=server, **self.read(ServerBootstrap)))


class ServerReconcile(Endpoint):
    """Compares and repairs."""

    actions = {"POST": "server.reconcile"}

    @describe("servers_reconcile", "Compare a server with what should be, and repair", started_of(), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """Everything on the server is looked at, whether or not it changed."""
        server = self.find(selectors.listed(), pk)
        self.read(Nothing)
        return self.started(service.reconcile(actor=self.actor, server=server))


class ServerOverrule(Endpoint):
    """Goes on with the panel's state."""

    actions = {"POST": "server.overrule"}

    @describe(
        "servers_overrule",
        "Go on with the panel's state on a held server",
        started_of(),
        status=202,
        body=OverruleConfirm,
    )
    def post(self, request: Request, pk: str) -> Response:
        """For a server that holds newer settings than the panel; the usual limit on removals holds."""
        server = self.find(selectors.listed(), pk)
        return self.started(standoffs.overrule(actor=self.actor, server=server, **self.read(OverruleConfirm)))


class ServerAddresses(Endpoint):
    """Addresses of a server."""

    actions = {"GET": "address.view", "POST": "address.add"}
    is_list = True

    @describe("servers_addresses_list", "List a server's addresses", page_of(Address))
    def get(self, request: Request, pk: str) -> Response:
        """Shared ones, and those that one account has to itself."""
        return self.page(selectors.addresses().filter(server=self.find(selectors.listed(), pk)), Address)

    @describe("servers_addresses_create", "Add an address", Address, status=201, body=AddressAdd)
    def post(self, request: Request, pk: str) -> Response:
        """Zones and virtual hosts of the server follow by themselves."""
        server = self.find(selectors.listed(), pk)
        made, _operation = addresses.add(actor=self.actor, server=server, **self.read(AddressAdd))
        return self.created(Address(made).data, reverse("provisioning_api:server_address", args=[pk, made.pk]))


class ServerAddress(Endpoint):
    """One address."""

    actions = {"GET": "address.view", "DELETE": "address.remove"}

    @describe("servers_addresses_get", "Get an address", Address)
    def get(self, request: Request, server: str, pk: str) -> Response:
        """Of this server."""
        return Response(Address(self._address(server, pk)).data)

    @describe("servers_addresses_remove", "Remove an address", status=204)
    def delete(self, request: Request, server: str, pk: str) -> Response:
        """Refused while an account has it to itself, or accounts need it."""
        addresses.remove(actor=self.actor, address=self._address(server, pk))
        return Response(status=204)

    def _address(self, server: str, pk: str) -> AddressRow:
        of = find(selectors.listed(), server, self.actor, "server.view")
        address: AddressRow = self.find(selectors.addresses().filter(server=of), pk)
        return address


def _shown(server: ServerRow) -> dict[str, Any]:
    return dict(Server(selectors.listed().get(pk=server.pk)).data)
