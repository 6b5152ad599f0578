"""What of a server's drift the panel's rows can say, and how it is taken over: by the services that people use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from provisioning.models import (
    Database,
    DatabaseUser,
    DriftItem,
    HostingAccount,
    MailAlias,
    Mailbox,
    MailDomain,
    Operation,
    Zone,
)
from provisioning.services import database_users, databases, mail_aliases, mailboxes, zone_adoptions

Adopt = Callable[[Actor, DriftItem, str], Operation]
CHANGED, EXTRA, MISSING = DriftItem.Kind.CHANGED, DriftItem.Kind.EXTRA, DriftItem.Kind.MISSING


@dataclass(frozen=True)
class Adoption:
    """How one kind of drift is taken over, and what that does, in words for whoever confirms it."""

    function: Adopt
    words: str | Promise


def of(item: DriftItem) -> Adoption | None:
    """Return how a finding can be adopted; None when no row of the panel can say it."""
    kind, _name = _subject(item)
    return ADOPTIONS.get((kind, DriftItem.Kind(item.kind)))


def adopt(*, actor: Actor, item: DriftItem) -> Operation:
    """Change the panel's rows to what was found; runs in the caller's transaction.

    Raises Invalid for what can't be adopted, and whatever the services refuse.
    """
    known = of(item)
    if known is None:
        raise Invalid(
            "not_adoptable",
            _("The panel has no setting that says this. Restore it, or make it an exception."),
            "key",
        )
    return known.function(actor, item, _subject(item)[1])


def _subject(item: DriftItem) -> tuple[str, str]:
    """What a resource key is about: for rows of the mail database the table and its key."""
    kind, _colon, name = item.key.partition(":")
    if kind == "row":
        kind, _colon, name = name.partition(":")
    return kind, name


def _hosting(item: DriftItem) -> HostingAccount:
    if item.slice is None or item.slice.hosting is None:
        raise Invalid("no_account", _("This belongs to no account. Restore it, or make it an exception."), "key")
    return item.slice.hosting


def _actual(item: DriftItem) -> Mapping[str, Any]:
    """The values that were found; a row's are told as `values`."""
    body = item.actual or {}
    return dict(body.get("values") or body)


def _found(row: Any) -> Any:
    if row is None:
        raise Conflict(_("The panel has no such thing by now. Check the server again."), code="not_open")
    return row


def _nothing() -> Conflict:
    return Conflict(
        _("What differs is nothing that people set in the panel. Restore it, or make it an exception."),
        code="nothing_to_adopt",
    )


def _zone_changed(actor: Actor, item: DriftItem, name: str) -> Operation:
    zone = _found(Zone.objects.filter(name=name, hosting=_hosting(item)).select_related("hosting").first())
    return zone_adoptions.adopt(actor=actor, zone=zone, text=str(_actual(item).get("text") or ""))


def _database_extra(actor: Actor, item: DriftItem, name: str) -> Operation:
    return databases.create(actor=actor, hosting=_hosting(item), name=name)[1]


def _database_missing(actor: Actor, item: DriftItem, name: str) -> Operation:
    row = _found(Database.objects.filter(name=name, hosting=_hosting(item)).select_related("hosting").first())
    return databases.remove(actor=actor, database=row, confirm=name)


def _login(item: DriftItem, name: str) -> DatabaseUser:
    users = DatabaseUser.objects.filter(name=name.partition("@")[0], hosting=_hosting(item))
    user: DatabaseUser = _found(users.select_related("hosting").first())
    return user


def _login_changed(actor: Actor, item: DriftItem, name: str) -> Operation:
    user = _login(item, name)
    grants = _actual(item).get("grants", [])
    if any(grant["privileges"] != ["ALL"] for grant in grants):
        raise Invalid(
            "privileges",
            _("A database user has all rights on a database or none here. Restore it, or make it an exception."),
            "actual",
        )
    wanted = {str(grant["database"]) for grant in grants}
    if wanted == set(user.databases.values_list("name", flat=True)):
        raise _nothing()
    chosen = list(Database.objects.filter(hosting=user.hosting, name__in=wanted))
    if len(chosen) != len(wanted):
        raise Invalid("foreign", _("It may use a database that is not this account's. Restore it."), "actual")
    return database_users.change(actor=actor, user=user, databases=chosen)[1]


def _login_missing(actor: Actor, item: DriftItem, name: str) -> Operation:
    return database_users.remove(actor=actor, user=_login(item, name))


def _mail_domain(address: str) -> tuple[MailDomain, str]:
    local, _at, domain = address.rpartition("@")
    row = MailDomain.objects.filter(name=domain).select_related("hosting").first()
    if row is None:
        raise Invalid("no_domain", _("No account has this mail domain. Restore it, or make it an exception."), "key")
    return row, local


def _alias(address: str) -> MailAlias | None:
    domain, local = _mail_domain(address)
    return MailAlias.objects.filter(mail_domain=domain, local=local).select_related("mail_domain__hosting").first()


def _alias_there(actor: Actor, item: DriftItem, address: str) -> Operation:
    destinations = [text for text in str(_actual(item).get("destinations") or "").split(",") if text]
    alias = _alias(address)
    if alias is not None:
        return mail_aliases.change(actor=actor, alias=alias, destinations=destinations)[1]
    domain, local = _mail_domain(address)
    return mail_aliases.create(actor=actor, mail_domain=domain, local=local, destinations=destinations)[1]


def _alias_missing(actor: Actor, item: DriftItem, address: str) -> Operation:
    alias = _alias(address)
    if alias is None:
        raise Invalid(
            "role_name",
            _("Mail for this name has to reach whoever runs the domain (RFC 2142). Restore it, or make an exception."),
            "key",
        )
    return mail_aliases.remove(actor=actor, alias=alias)


def _mailbox(address: str) -> Mailbox:
    domain, local = _mail_domain(address)
    rows = Mailbox.objects.filter(mail_domain=domain, local=local).select_related("mail_domain__hosting")
    mailbox: Mailbox = _found(rows.first())
    return mailbox


def _mailbox_changed(actor: Actor, item: DriftItem, address: str) -> Operation:
    mailbox, actual = _mailbox(address), _actual(item)
    values: dict[str, Any] = {}
    if "enabled" in actual and bool(actual["enabled"]) != mailbox.enabled:
        values["enabled"] = bool(actual["enabled"])
    if "quota_bytes" in actual and actual["quota_bytes"] != mailbox.quota_bytes:
        values["quota_bytes"] = actual["quota_bytes"]
    if not values:
        raise _nothing()
    return mailboxes.change(actor=actor, mailbox=mailbox, **values)[1]


def _mailbox_missing(actor: Actor, item: DriftItem, address: str) -> Operation:
    return mailboxes.remove(actor=actor, mailbox=_mailbox(address), confirm=address)


#: (What a key is about, how it differs) → how it is adopted.
ADOPTIONS: Mapping[tuple[str, DriftItem.Kind], Adoption] = {
    ("zone", CHANGED): Adoption(
        _zone_changed,
        gettext_lazy("The account's DNS records become what the server's zone says. Its SOA record stays the panel's."),
    ),
    ("database", EXTRA): Adoption(
        _database_extra, gettext_lazy("The database becomes the account's own, with what it holds, and counts as one.")
    ),
    ("database", MISSING): Adoption(
        _database_missing, gettext_lazy("The database is taken out of the account, and with it the rights on it.")
    ),
    ("database_user", CHANGED): Adoption(
        _login_changed, gettext_lazy("The database user may use the databases that the server lets it use.")
    ),
    ("database_user", MISSING): Adoption(
        _login_missing, gettext_lazy("The database user is removed, wherever it could sign in from.")
    ),
    ("alias", CHANGED): Adoption(_alias_there, gettext_lazy("The alias goes where the server sends its mail.")),
    ("alias", EXTRA): Adoption(_alias_there, gettext_lazy("The alias becomes the account's own and counts as one.")),
    ("alias", MISSING): Adoption(_alias_missing, gettext_lazy("The alias is removed from the account.")),
    ("mailbox", CHANGED): Adoption(
        _mailbox_changed, gettext_lazy("The mailbox's size, and whether it is in use, become what the server has.")
    ),
    ("mailbox", MISSING): Adoption(
        _mailbox_missing, gettext_lazy("The mailbox is removed from the account; its mail stays in the home.")
    ),
}
