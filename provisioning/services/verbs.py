"""The verbs that can be asked for by name with plain arguments: what previews carry out and confirmations repeat."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core.actors import Actor
from panel.core.errors import Invalid, NotFound
from panel.core.scoping import tenant
from provisioning.models import (
    Address,
    Database,
    DatabaseUser,
    HostingAccount,
    MailAlias,
    Mailbox,
    MailDomain,
    Operation,
    Package,
    Record,
    Server,
    Site,
    SiteName,
    Zone,
)
from provisioning.services import (
    addresses,
    branding,
    bulk,
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mail_domains,
    mailboxes,
    packages,
    relocations,
    renames,
    servers,
    sites,
    tenancy,
    zones,
)


@dataclass(frozen=True)
class Verb:
    """A service function, the arguments that are ids of objects, those that are secret, and the action of the
    permission table that it asks for, where that is not the verb's own name.
    """

    function: Callable[..., Any]
    objects: Mapping[str, type[models.Model]] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    action: str = ""


_PASSWORD = frozenset({"password"})

VERBS: Mapping[str, Verb] = {
    "account.create": Verb(
        hosting_accounts.create, {"organization": Organization, "package": Package, "server": Server}
    ),
    "account.suspend": Verb(hosting_accounts.suspend, {"hosting": HostingAccount}),
    "account.unsuspend": Verb(hosting_accounts.unsuspend, {"hosting": HostingAccount}),
    "account.terminate": Verb(hosting_accounts.terminate, {"hosting": HostingAccount}),
    "account.rename": Verb(renames.rename, {"hosting": HostingAccount}),
    "account.change_package": Verb(
        packages.move, {"hosting": HostingAccount, "package": Package}, action="account.change"
    ),
    "account.restore": Verb(hosting_accounts.restore, {"hosting": HostingAccount}),
    "accounts.suspend": Verb(bulk.suspend, {"hostings": HostingAccount}, action="account.suspend"),
    "accounts.unsuspend": Verb(bulk.unsuspend, {"hostings": HostingAccount}, action="account.unsuspend"),
    "accounts.change_package": Verb(
        bulk.change_package, {"hostings": HostingAccount, "package": Package}, action="account.change"
    ),
    "address.add": Verb(addresses.add, {"server": Server}),
    "address.remove": Verb(addresses.remove, {"address": Address}),
    "address.give": Verb(addresses.give, {"address": Address, "organization": Organization}),
    "address.take_back": Verb(addresses.take_back, {"address": Address}),
    "account.move": Verb(
        relocations.move_account, {"hosting": HostingAccount, "organization": Organization, "package": Package}
    ),
    "organization.move": Verb(
        relocations.move_client, {"organization": Organization, "parent": Organization, "package": Package}
    ),
    "organization.suspend": Verb(tenancy.suspend, {"organization": Organization}),
    "organization.unsuspend": Verb(tenancy.unsuspend, {"organization": Organization}),
    "organization.close": Verb(tenancy.close, {"organization": Organization}),
    "organization.reopen": Verb(tenancy.reopen, {"organization": Organization}),
    "brand.change": Verb(branding.change, {"organization": Organization}),
    "server.change": Verb(servers.change, {"server": Server}),
    "server.reconcile": Verb(servers.reconcile, {"server": Server}),
    "site.add_alias": Verb(sites.add_alias, {"site": Site}, action="site.change"),
    "site.remove_alias": Verb(sites.remove_alias, {"alias": SiteName}, action="site.change"),
    "site.change_php": Verb(sites.change_php, {"site": Site}, action="site.change"),
    "record.create": Verb(zones.add_record, {"zone": Zone}),
    "record.change": Verb(zones.change_record, {"record": Record}),
    "record.remove": Verb(zones.remove_record, {"record": Record}),
    "database.create": Verb(databases.create, {"hosting": HostingAccount}),
    "database.remove": Verb(databases.remove, {"database": Database}),
    "database_user.create": Verb(database_users.create, {"hosting": HostingAccount, "databases": Database}, _PASSWORD),
    "database_user.change": Verb(database_users.change, {"user": DatabaseUser, "databases": Database}, _PASSWORD),
    "database_user.remove": Verb(database_users.remove, {"user": DatabaseUser}),
    "mail_domain.vouch": Verb(mail_domains.vouch, {"mail_domain": MailDomain}),
    "mailbox.create": Verb(mailboxes.create, {"mail_domain": MailDomain}, _PASSWORD),
    "mailbox.change": Verb(mailboxes.change, {"mailbox": Mailbox}, _PASSWORD),
    "mailbox.remove": Verb(mailboxes.remove, {"mailbox": Mailbox}),
    "alias.create": Verb(mail_aliases.create, {"mail_domain": MailDomain}),
    "alias.change": Verb(mail_aliases.change, {"alias": MailAlias}),
    "alias.remove": Verb(mail_aliases.remove, {"alias": MailAlias}),
}


def run(*, actor: Actor, verb: str, arguments: Mapping[str, Any]) -> tuple[Any, Operation | None]:
    """Carry out a verb; returns what it made (None where it makes nothing) and its operation (None where no server has
    to follow). What is done to many at once makes a list of operations, of which the first stands for all.

    Ids are looked up within what `actor` can see; raises NotFound for others, Invalid for an unknown verb.
    """
    known = VERBS.get(verb)
    if known is None:
        raise Invalid("unknown", _("There is no such verb."), "verb")
    _check_arguments(known, arguments)
    with tenant(actor.path):
        resolved = {name: _resolve(known.objects.get(name), value) for name, value in arguments.items()}
        result = known.function(actor=actor, **resolved)
    if result is None or isinstance(result, Operation):
        return None, result
    if isinstance(result, list):
        return result, result[0]
    made, operation = result
    return made, operation


def action_of(verb: str) -> str:
    """Return the action of the permission table that a verb asks for."""
    return VERBS[verb].action or verb


def operations(made: Any, operation: Operation | None) -> list[Operation]:
    """Return all operations that `run` has started, from what it returned."""
    if isinstance(made, list):
        return made
    return [operation] if operation else []


def _check_arguments(verb: Verb, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that the verb's service does not have, and too few of them."""
    parameters = {name: item for name, item in inspect.signature(verb.function).parameters.items() if name != "actor"}
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters.values())
    named = {name: item for name, item in parameters.items() if item.kind is inspect.Parameter.KEYWORD_ONLY}
    for name in sorted(arguments):
        if name == "actor" or not (name in named or takes_any):
            raise Invalid("unknown", _("There is no such field."), name)
    for name, item in named.items():
        if item.default is inspect.Parameter.empty and name not in arguments:
            raise Invalid("required", _("This field is required."), name)


def _resolve(model: type[models.Model] | None, value: Any) -> Any:
    if model is None or value is None:
        return value
    if isinstance(value, list):
        return [_resolve(model, item) for item in value]
    found = model._default_manager.filter(pk=value).first() if isinstance(value, str) else None
    if found is None:
        raise NotFound
    return found
