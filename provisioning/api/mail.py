"""Mail domains, mailboxes and aliases."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.serializers import StrictSerializer
from provisioning.api.base import Document, Endpoint, Nothing, describe, page_of, started_of
from provisioning.api.fields import Flag, Number, Password, Reference, Text
from provisioning.api.holdings import HoldingQuery, narrowed
from provisioning.models import MailDomain as MailDomainRow
from provisioning.selectors import hosting_accounts as selectors
from provisioning.services import mail_aliases, mail_domains, mailboxes


class MailDomain(Document):
    """A domain's mail; it is taken here once the public MX points here or staff vouched for it (`delivery`)."""

    id = serializers.CharField()
    account = serializers.CharField(source="hosting_id")
    name = serializers.CharField()
    delivery = serializers.ChoiceField(choices=MailDomainRow.Delivery.choices)
    checked_at = serializers.DateTimeField(allow_null=True, help_text="When the MX was last looked up.")
    created_at = serializers.DateTimeField()


class Mailbox(Document):
    """A mailbox."""

    id = serializers.CharField()
    account = serializers.CharField(source="mail_domain.hosting_id")
    mail_domain = serializers.CharField(source="mail_domain_id")
    address = serializers.CharField()
    quota_bytes = serializers.IntegerField(allow_null=True, help_text="null is unlimited.")
    enabled = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class Alias(Document):
    """An address whose mail goes on to others."""

    id = serializers.CharField()
    account = serializers.CharField(source="mail_domain.hosting_id")
    mail_domain = serializers.CharField(source="mail_domain_id")
    address = serializers.CharField()
    destinations = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class MailboxCreate(StrictSerializer):
    """A new mailbox."""

    mail_domain = Reference(selectors.mail_domains, "mailbox.create")
    local = Text(help_text="The part of the address before the @.")
    password = Password()
    quota_bytes = Number(required=False, allow_null=True, min_value=0, help_text="Unlimited when left out.")


class MailboxChange(StrictSerializer):
    """What is to change; what is left out stays."""

    password = Password(required=False)
    quota_bytes = Number(required=False, allow_null=True, min_value=0)
    enabled = Flag(required=False)


class MailboxRemove(StrictSerializer):
    """The word that says you mean it."""

    confirm = Text(help_text="The mailbox's address.")


class AliasChange(StrictSerializer):
    """Where the mail goes."""

    destinations = serializers.ListField(
        child=Text(), allow_empty=False, max_length=mail_aliases.MOST_DESTINATIONS, help_text="Full addresses."
    )


class AliasCreate(AliasChange):
    """A new alias."""

    mail_domain = Reference(selectors.mail_domains, "alias.create")
    local = Text(help_text="The part of the address before the @.")


class AddressQuery(StrictSerializer):
    """Which addresses to list."""

    q = Text(required=False, max_length=100, help_text="Part of the address.")
    account = Reference(selectors.listed, "account.view", required=False, help_text="Of this account.")
    mail_domain = Reference(selectors.mail_domains, "mail_domain.view", required=False, help_text="Of this domain.")


class AccountMailDomains(Endpoint):
    """Mail domains of an account."""

    actions = {"GET": "mail_domain.view"}
    is_list = True

    @describe("accounts_mail_domains_list", "List an account's mail domains", page_of(MailDomain))
    def get(self, request: Request, pk: str) -> Response:
        """With the word on whether their mail is taken here."""
        return self.page(selectors.mail_domains(self.find(selectors.listed(), pk)), MailDomain)


class MailDomainList(Endpoint):
    """Mail domains."""

    actions = {"GET": "mail_domain.view"}
    is_list = True

    @describe("mail_domains_list", "List mail domains, newest first", page_of(MailDomain), query=HoldingQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one."""
        return self.page(narrowed(selectors.mail_domains(), self.query(HoldingQuery)), MailDomain)


class MailDomainItem(Endpoint):
    """One mail domain."""

    actions = {"GET": "mail_domain.view"}

    @describe("mail_domains_get", "Get a mail domain", MailDomain)
    def get(self, request: Request, pk: str) -> Response:
        """With the word on whether its mail is taken here."""
        return Response(MailDomain(self.find(selectors.mail_domains(), pk)).data)


class MailDomainVouch(Endpoint):
    """Vouches for a mail domain."""

    actions = {"POST": "mail_domain.vouch"}

    @describe("mail_domains_vouch", "Vouch for a mail domain", started_of(mail_domain=MailDomain), status=202)
    def post(self, request: Request, pk: str) -> Response:
        """Staff say on record that this domain's mail belongs here, though its MX does not point here yet."""
        mail_domain = self.find(selectors.mail_domains(), pk)
        self.read(Nothing)
        operation = mail_domains.vouch(actor=self.actor, mail_domain=mail_domain)
        return self.started(operation, mail_domain=MailDomain(self.find(selectors.mail_domains(), pk)))


class MailboxList(Endpoint):
    """Mailboxes."""

    actions = {"GET": "mailbox.view", "POST": "mailbox.create"}
    is_list = True

    @describe("mailboxes_list", "List mailboxes, newest first", page_of(Mailbox), query=AddressQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one account or domain."""
        return self.page(_filtered(selectors.mailboxes(), self.query(AddressQuery)), Mailbox)

    @describe("mailboxes_create", "Create a mailbox", started_of(mailbox=Mailbox), status=202, body=MailboxCreate)
    def post(self, request: Request) -> Response:
        """The password is hashed and never shown again."""
        made, operation = mailboxes.create(actor=self.actor, **self.read(MailboxCreate))
        return self.started(operation, mailbox=Mailbox(made))


class MailboxItem(Endpoint):
    """One mailbox."""

    actions = {"GET": "mailbox.view", "PATCH": "mailbox.change", "DELETE": "mailbox.remove"}

    @describe("mailboxes_get", "Get a mailbox", Mailbox)
    def get(self, request: Request, pk: str) -> Response:
        """Without its password, which nobody knows."""
        return Response(Mailbox(self.find(selectors.mailboxes(), pk)).data)

    @describe("mailboxes_change", "Change a mailbox", started_of(mailbox=Mailbox), status=202, body=MailboxChange)
    def patch(self, request: Request, pk: str) -> Response:
        """Set password or quota, or switch it off and on."""
        mailbox = self.find(selectors.mailboxes(), pk)
        changed, operation = mailboxes.change(actor=self.actor, mailbox=mailbox, **self.read(MailboxChange))
        return self.started(operation, mailbox=Mailbox(changed))

    @describe("mailboxes_remove", "Remove a mailbox", started_of(), status=202, query=MailboxRemove)
    def delete(self, request: Request, pk: str) -> Response:
        """It takes no mail from now on; what it holds stays in the account's home."""
        mailbox = self.find(selectors.mailboxes(), pk)
        return self.started(mailboxes.remove(actor=self.actor, mailbox=mailbox, **self.query(MailboxRemove)))


class AliasList(Endpoint):
    """Mail aliases."""

    actions = {"GET": "alias.view", "POST": "alias.create"}
    is_list = True

    @describe("aliases_list", "List mail aliases, newest first", page_of(Alias), query=AddressQuery)
    def get(self, request: Request) -> Response:
        """Of all accounts that you see, or of one account or domain."""
        return self.page(_filtered(selectors.mail_aliases(), self.query(AddressQuery)), Alias)

    @describe("aliases_create", "Create a mail alias", started_of(alias=Alias), status=202, body=AliasCreate)
    def post(self, request: Request) -> Response:
        """Its mail goes to every one of `destinations`."""
        made, operation = mail_aliases.create(actor=self.actor, **self.read(AliasCreate))
        return self.started(operation, alias=Alias(made))


class AliasItem(Endpoint):
    """One mail alias."""

    actions = {"GET": "alias.view", "PATCH": "alias.change", "DELETE": "alias.remove"}

    @describe("aliases_get", "Get a mail alias", Alias)
    def get(self, request: Request, pk: str) -> Response:
        """With the addresses that its mail goes to."""
        return Response(Alias(self.find(selectors.mail_aliases(), pk)).data)

    @describe("aliases_change", "Change a mail alias", started_of(alias=Alias), status=202, body=AliasChange)
    def patch(self, request: Request, pk: str) -> Response:
        """Send its mail elsewhere."""
        alias = self.find(selectors.mail_aliases(), pk)
        changed, operation = mail_aliases.change(actor=self.actor, alias=alias, **self.read(AliasChange))
        return self.started(operation, alias=Alias(changed))

    @describe("aliases_remove", "Remove a mail alias", started_of(), status=202)
    def delete(self, request: Request, pk: str) -> Response:
        """Mail for it is refused from now on."""
        alias = self.find(selectors.mail_aliases(), pk)
        return self.started(mail_aliases.remove(actor=self.actor, alias=alias))


def _filtered(rows: QuerySet[Any], wanted: dict[str, Any]) -> QuerySet[Any]:
    if "q" in wanted:
        local, at, domain = wanted["q"].partition("@")
        either = Q(local__icontains=wanted["q"]) | Q(mail_domain__name__icontains=wanted["q"])
        rows = rows.filter(Q(local__iendswith=local, mail_domain__name__istartswith=domain) if at else either)
    if "account" in wanted:
        rows = rows.filter(mail_domain__hosting=wanted["account"])
    if "mail_domain" in wanted:
        rows = rows.filter(mail_domain=wanted["mail_domain"])
    return rows
