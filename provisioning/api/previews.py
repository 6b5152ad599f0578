"""Previews: what a verb would change on the servers, worked out before anything is changed, then confirmed."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from panel.core.api.serializers import StrictSerializer
from panel.core.errors import Invalid
from provisioning.api.accounts import (
    AccountCreate,
    AccountPackage,
    AccountQuery,
    AccountRename,
    AccountSuspend,
    AccountTerminate,
    filtered,
)
from provisioning.api.addresses import AddressGiveTo
from provisioning.api.base import Document, Endpoint, Nothing, Operation, describe, naming
from provisioning.api.databases import DatabaseCreate, DatabaseRemove, DatabaseUserChange, DatabaseUserCreate
from provisioning.api.fields import SERVER_NAME, Password, Reference, Text
from provisioning.api.mail import AliasChange, AliasCreate, MailboxChange, MailboxCreate, MailboxRemove
from provisioning.api.servers import AddressAdd, ServerChange
from provisioning.api.sites import SiteAliasCreate, SiteAliasRemove, SiteChange
from provisioning.api.tenancy import AccountMove, OrganizationClose, OrganizationMove, OrganizationSuspend
from provisioning.api.zones import RecordChange, RecordCreate
from provisioning.models import Preview as PreviewRow
from provisioning.selectors import hosting_accounts as accounts
from provisioning.selectors import packages, servers, zones
from provisioning.selectors import previews as selectors
from provisioning.services import bulk, verbs
from provisioning.services import previews as service


def _on(body: type[StrictSerializer], **objects: serializers.Field[Any, Any, Any, Any]) -> type[StrictSerializer]:
    """Return the body of an endpoint together with the ids that stand in its address."""
    return type(body.__name__, (body,), dict(objects))


def _organization(action: str) -> Reference:
    return Reference(organizations.listed, action)


class Several(StrictSerializer):
    """Accounts that the same is done to at once: named, or all that match now, of those that the change is for.

    What matches is looked up once, when the plan is asked for; the plan then names the accounts.
    """

    change = ""
    matching = AccountQuery(required=False, write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn a filter into the accounts that match it."""
        wanted = attrs.pop("matching", None)
        if (wanted is None) == ("hostings" not in attrs):
            raise serializers.ValidationError({"accounts": _("Give either accounts or matching.")})
        if wanted is not None:
            rows = filtered(wanted).filter(status__in=bulk.STATES[self.change])
            bulk.check_count(rows.count(), "matching")
            attrs["hostings"] = list(rows.order_by("pk"))
        return attrs


def _several(change: str, body: type[StrictSerializer], **more: Reference) -> type[StrictSerializer]:
    """Return the body of a change of several accounts: `change` is its name in `bulk`."""
    action = verbs.action_of(f"accounts.{change}")
    one = Reference(accounts.listed, action)
    chosen = serializers.ListField(child=one, source="hostings", min_length=1, max_length=bulk.MOST, required=False)
    return type(f"Several{body.__name__}", (Several, body), {"change": change, "accounts": chosen, **more})


class BrandChange(StrictSerializer):
    """What servers take from a brand; what is left out stays."""

    organization = Reference(organizations.listed, "brand.change")
    nameservers = serializers.ListField(child=Text(max_length=253), max_length=4, required=False)
    mail_host = Text(max_length=253, required=False, allow_blank=True)
    hostmaster = Text(max_length=254, required=False, allow_blank=True)


#: Verb → its arguments: the body or query of the endpoint that does it, and the id of the object that it is done to.
ARGUMENTS: dict[str, type[StrictSerializer]] = {
    "account.create": AccountCreate,
    "account.suspend": _on(AccountSuspend, account=Reference(accounts.listed, "account.suspend", source="hosting")),
    "account.unsuspend": _on(Nothing, account=Reference(accounts.listed, "account.unsuspend", source="hosting")),
    "account.rename": _on(AccountRename, account=Reference(accounts.listed, "account.rename", source="hosting")),
    "account.change_package": _on(
        AccountPackage, account=Reference(accounts.listed, "account.change", source="hosting")
    ),
    "account.restore": _on(Nothing, account=Reference(accounts.listed, "account.restore", source="hosting")),
    "account.terminate": _on(
        AccountTerminate, account=Reference(accounts.listed, "account.terminate", source="hosting")
    ),
    "accounts.suspend": _several("suspend", AccountSuspend),
    "accounts.unsuspend": _several("unsuspend", Nothing),
    "accounts.change_package": _several("change_package", Nothing, package=Reference(packages.listed, "package.view")),
    "account.move": _on(AccountMove, account=Reference(accounts.listed, "account.move", source="hosting")),
    "organization.move": _on(OrganizationMove, organization=_organization("organization.move")),
    "organization.suspend": _on(OrganizationSuspend, organization=_organization("organization.suspend")),
    "organization.unsuspend": _on(Nothing, organization=_organization("organization.unsuspend")),
    "organization.close": _on(OrganizationClose, organization=_organization("organization.close")),
    "organization.reopen": _on(Nothing, organization=_organization("organization.reopen")),
    "address.add": _on(AddressAdd, server=Reference(servers.listed, "address.add")),
    "address.remove": _on(Nothing, address=Reference(servers.addresses, "address.remove")),
    "address.give": _on(AddressGiveTo, address=Reference(servers.addresses, "address.give")),
    "address.take_back": _on(Nothing, address=Reference(servers.addresses, "address.take_back")),
    "brand.change": BrandChange,
    "server.change": _on(ServerChange, server=Reference(servers.listed, "server.change")),
    "server.reconcile": _on(Nothing, server=Reference(servers.listed, "server.reconcile")),
    "site.add_alias": _on(SiteAliasCreate, site=Reference(accounts.sites, "site.change")),
    "site.remove_alias": _on(SiteAliasRemove, alias=Reference(accounts.site_names, "site.change")),
    "site.change_php": _on(SiteChange, site=Reference(accounts.sites, "site.change")),
    "record.create": _on(RecordCreate, zone=Reference(accounts.zones, "record.create")),
    "record.change": _on(RecordChange, record=Reference(zones.own_records, "record.change")),
    "record.remove": _on(Nothing, record=Reference(zones.own_records, "record.remove")),
    "database.create": _on(DatabaseCreate, account=Reference(accounts.listed, "database.create", source="hosting")),
    "database.remove": _on(DatabaseRemove, database=Reference(accounts.databases, "database.remove")),
    "database_user.create": _on(
        DatabaseUserCreate, account=Reference(accounts.listed, "database_user.create", source="hosting")
    ),
    "database_user.change": _on(DatabaseUserChange, user=Reference(accounts.database_users, "database_user.change")),
    "database_user.remove": _on(Nothing, user=Reference(accounts.database_users, "database_user.remove")),
    "mail_domain.vouch": _on(Nothing, mail_domain=Reference(accounts.mail_domains, "mail_domain.vouch")),
    "mailbox.create": MailboxCreate,
    "mailbox.change": _on(MailboxChange, mailbox=Reference(accounts.mailboxes, "mailbox.change")),
    "mailbox.remove": _on(MailboxRemove, mailbox=Reference(accounts.mailboxes, "mailbox.remove")),
    "alias.create": AliasCreate,
    "alias.change": _on(AliasChange, alias=Reference(accounts.mail_aliases, "alias.change")),
    "alias.remove": _on(Nothing, alias=Reference(accounts.mail_aliases, "alias.remove")),
}
SECRETS = ("password",)


class Planned(Document):
    """What would happen to one resource of a server."""

    key = serializers.CharField(help_text="Kind and name, such as `file:/etc/nginx/…`.")
    change = serializers.ChoiceField(choices=["add", "change", "move", "remove", "destroy"])
    subject = serializers.CharField(help_text="Whose it is: an account's domain or the server.")
    service = serializers.CharField(allow_null=True, default=None, help_text="The daemon that reads it.")
    diff = serializers.CharField(default="", help_text="A unified diff, secrets masked.")
    reason = serializers.CharField(allow_null=True, default=None)


class Problem(Document):
    """What is wrong with one account while the others go on."""

    subject = serializers.CharField(help_text="Whose it is: an account's domain or the server.")
    code = serializers.CharField()
    message = serializers.CharField()


class PlanOfServer(Document):
    """What would happen on one server."""

    server = serializers.CharField(help_text=SERVER_NAME)
    changes = Planned(many=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), default=dict, help_text="All changes by kind, whether listed or not."
    )
    truncated = serializers.BooleanField(default=False, help_text="Whether changes or diffs were too many to be kept.")
    problems = Problem(many=True, default=list)
    reloads = serializers.ListField(child=serializers.CharField(), help_text="Daemons that would reload.")
    removals = serializers.IntegerField()
    resources = serializers.IntegerField()


class Refusal(Document):
    """Why the verb would be refused."""

    code = serializers.CharField()
    detail = serializers.CharField(source="message")
    field = serializers.CharField(allow_null=True)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField())
    )


class Preview(Document):
    """A verb with its arguments, and what it would change; forgotten after `expires_at`."""

    id = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="Where it can be watched.")
    verb = serializers.CharField()
    arguments = serializers.SerializerMethodField(help_text="As given, passwords left out.")
    status = serializers.ChoiceField(choices=PreviewRow.Status.choices)
    servers = serializers.SerializerMethodField(help_text="When `ready`: the plan, server by server.")
    refusal = serializers.SerializerMethodField(help_text="When `refused`.")
    reason = serializers.SerializerMethodField(help_text="When `failed`: why; else empty.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_url(self, preview: PreviewRow) -> str:
        """Return its address."""
        return reverse("provisioning_api:preview", args=[preview.pk])

    def get_arguments(self, preview: PreviewRow) -> dict[str, Any]:
        """Return the arguments under the names that they were given by."""
        body = ARGUMENTS[preview.verb](preview.arguments)
        return {name: value for name, value in body.data.items() if body.fields[name].source in preview.arguments}

    @extend_schema_field(PlanOfServer(many=True))
    def get_servers(self, preview: PreviewRow) -> Any:
        """Return the plan."""
        return PlanOfServer(selectors.plans(preview, self.context["actor"]), many=True).data

    @extend_schema_field(Refusal(allow_null=True))
    def get_refusal(self, preview: PreviewRow) -> Any:
        """Return the refusal, fields named as the body names them."""
        if preview.status != PreviewRow.Status.REFUSED:
            return None
        said = {"errors": {}, **preview.result}
        names = {str(field.source): name for name, field in ARGUMENTS[preview.verb]().fields.items()}
        said["field"] = names.get(said["field"], said["field"])
        said["errors"] = {names.get(name, name): texts for name, texts in said["errors"].items()}
        return Refusal(said).data

    def get_reason(self, preview: PreviewRow) -> str:
        """Return why it could not be worked out."""
        return str(preview.result.get("message", "")) if preview.status == PreviewRow.Status.FAILED else ""


class PreviewCreate(StrictSerializer):
    """What to work out."""

    verb = serializers.ChoiceField(choices=list(ARGUMENTS))
    arguments = serializers.DictField(
        help_text="The body or query of the endpoint that does it, and the id of the object in its address under its "
        "noun (`account`, `server`, `address`, `mail_domain`, `site`, `zone`, `record`, `database`, `user`, `mailbox`, "
        "`alias`); passwords may be left out. The verbs on several `accounts` take `matching` in place of "
        "their ids: the filters of the list of accounts, asked once; the plan names the accounts, and no others change."
    )


class PreviewConfirm(StrictSerializer):
    """What was not kept."""

    password = Password(required=False, help_text="For verbs that take one.")


class PreviewConfirmed(Document):
    """What the verb came to."""

    made = serializers.CharField(allow_null=True, help_text="Id of what was made or changed, if anything.")
    operation = Operation(allow_null=True, help_text="Null where no server has to follow.")
    batch = serializers.CharField(help_text="For several accounts at once: lists their operations; else empty.")


class OfPreviews(Endpoint):
    """An endpoint that asks for a preview."""

    def asked(self, preview: PreviewRow) -> Response:
        """Answer 202 with a preview that is being worked out."""
        shown = Preview(preview, context={"actor": self.actor}).data
        return Response(shown, status=202, headers={"Location": shown["url"]})


class PreviewList(OfPreviews):
    """Previews."""

    actions = {"POST": "preview.create"}

    @describe("previews_create", "Ask what a verb would change", Preview, status=202, body=PreviewCreate)
    def post(self, request: Request) -> Response:
        """Nothing is changed. Poll it until its status is no longer `pending`."""
        wanted = self.read(PreviewCreate)
        arguments = self._arguments(ARGUMENTS[wanted["verb"]], wanted["arguments"])
        made = service.request(actor=self.actor, verb=wanted["verb"], arguments=arguments)
        return self.asked(made)

    def _arguments(self, body: type[StrictSerializer], given: dict[str, Any]) -> dict[str, Any]:
        checked = body(data=given, context={"actor": self.actor})
        for name in SECRETS:
            if name in checked.fields:
                checked.fields[name].required = False
        with naming(**{str(name): f"arguments.{name}" for name in checked.fields}):
            if not checked.is_valid():
                raise serializers.ValidationError({"arguments": checked.errors})
        return {name: _plain(value) for name, value in checked.validated_data.items()}


class ServerPlan(OfPreviews):
    """Works out what comparing would change."""

    actions = {"POST": "server.reconcile"}

    @describe("servers_plan", "Ask what differs on a server", Preview, status=202)
    def post(self, request: Request, pk: str) -> Response:
        """The same comparison, but nothing is changed: a preview, which can be confirmed."""
        server = self.find(servers.listed(), pk)
        self.read(Nothing)
        return self.asked(service.request(actor=self.actor, verb="server.reconcile", arguments={"server": server.pk}))


class PreviewItem(Endpoint):
    """One preview."""

    actions = {"GET": "preview.create"}

    @describe("previews_get", "Watch a preview", Preview)
    def get(self, request: Request, pk: str) -> Response:
        """Only who asked for it sees it."""
        preview = self.find(selectors.of_actor(self.actor), pk)
        return Response(Preview(preview, context={"actor": self.actor}).data)


class PreviewConfirmView(Endpoint):
    """Carries a preview out."""

    actions = {"POST": "preview.create"}

    @describe(
        "previews_confirm",
        "Carry out what a preview showed",
        PreviewConfirmed,
        status=202,
        body=PreviewConfirm,
    )
    def post(self, request: Request, pk: str) -> Response:
        """For one that is `ready`; the same rules are asked again.

        409 `plan_outdated` when what the plan rests on has changed since: ask for a new one.
        """
        preview = self.find(selectors.of_actor(self.actor), pk)
        given = self.read(PreviewConfirm)
        taken = ARGUMENTS[preview.verb]().fields
        for name in SECRETS:
            if name in given and name not in taken:
                raise Invalid("unknown_field", _("This verb does not take it."), name)
            if name not in given and name in taken and taken[name].required:
                raise Invalid("required", _("Passwords are not kept with a preview; give it again."), name)
        made, operation = service.confirm(actor=self.actor, preview=preview, secrets=given)
        response = self.started(operation) if operation else Response({"operation": None}, status=202)
        response.data["made"] = made.pk if made is not None and not isinstance(made, list) else None
        response.data["batch"] = operation.batch if operation else ""
        return response


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.pk if isinstance(value, Model) else value
