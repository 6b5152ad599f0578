"""New names for an account: its primary domain, its user name. What it holds stays what and whose it is."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from panel.core import audit, names
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import (
    Domain,
    HostingAccount,
    MailAlias,
    MailDomain,
    Move,
    Operation,
    Record,
    SiteName,
    Slice,
    Zone,
)
from provisioning.services import domains, holding, intents, mail_domains, operations, usernames
from provisioning.services.inputs import normal
from provisioning.spec import paths

WITH_TARGET = (Record.Type.CNAME, Record.Type.MX, Record.Type.NS, Record.Type.SRV)
"""Records whose content ends in a host name."""


def rename(*, actor: Actor, hosting: HostingAccount, domain: str = "", username: str = "") -> Operation:
    """Give an account another primary domain, another user name, or both; what is empty stays.

    Sites, zone and mail follow the domain, and the old one is let go at once. Home, logs and mail are moved on the
    server, databases and their logins keep their names. Mail for the new domain is taken when its MX points here.
    """
    with holding.changing(actor, "account.rename", hosting) as hosting:
        before = {"domain": hosting.domain, "username": hosting.username}
        moves = _rename_user(hosting, username) if username else []
        if domain:
            _rename_domain(actor, hosting, domain)
        after = {"domain": hosting.domain, "username": hosting.username}
        if after == before:
            raise Invalid("unchanged", _("The account has these names already; give another one."), "domain")
        clean_or_invalid(hosting)
        with integrity_as_conflict(_("This user name is taken."), field="username"):
            hosting.save(update_fields=["domain", "username"])
        audit.record(actor, "account.rename", hosting, audit.difference(before, after))
        is_other = after["domain"] != before["domain"]
        operation = operations.start(
            actor=actor,
            verb="account.rename",
            subject=f"{before['domain']} → {after['domain']}" if is_other else hosting.domain,
            organization=hosting.organization,
            hosting=hosting,
        )
        slices = intents.add(hosting, operation=operation, confirmed=True)
        _keep_moves(slices, moves)
    return operation


def _keep_moves(slices: list[Slice], moves: list[tuple[str, str]]) -> None:
    Move.objects.bulk_create(
        Move(slice=part, from_key=source, to_key=target) for part in slices for source, target in moves
    )


def _rename_user(hosting: HostingAccount, wanted: str) -> list[tuple[str, str]]:
    """Give the account another user name; returns what its servers have to move."""
    old, new = hosting.username, usernames.free(wanted, but=hosting)
    if new == old:
        return []
    hosting.username = new
    return [
        (f"user:{old}", f"user:{new}"),
        (f"directory:/home/{old}", f"directory:/home/{new}"),
        (f"directory:{paths.logs(old)}", f"directory:{paths.logs(new)}"),
    ]


def _rename_domain(actor: Actor, hosting: HostingAccount, wanted: str) -> None:
    domain = Domain.objects.get(hosting=hosting, kind=Domain.Kind.PRIMARY)
    old, new = domain.name, normal("domain", names.hostname, wanted)
    if new == old:
        return
    domains.rename(actor=actor, domain=domain, name=new)
    hosting.domain = new
    _rename_sites(actor, domain, old)
    _rename_zone(domain)
    _rename_targets(hosting, old, new)
    _rename_mail(hosting, domain, old)


def _rename_sites(actor: Actor, domain: Domain, old: str) -> None:
    """The names of sites that stand at or below the domain, in the order in which none takes the place of another."""
    grows = len(domain.name) > len(old)
    for served in sorted(SiteName.objects.filter(domain=domain), key=lambda row: len(row.hostname), reverse=grows):
        served.hostname = normal("domain", names.hostname, _below(served.hostname, old, domain.name))
        domains.refuse_platform(actor=actor, name=served.hostname, field="domain")
        with integrity_as_conflict(_("A name below this domain is already served here."), field="domain"):
            served.save(update_fields=["hostname"])


def _rename_zone(domain: Domain) -> None:
    """The zone keeps its own records, which are relative to it, and its serial."""
    for zone in Zone.objects.filter(domain=domain):
        zone.name = domain.name
        with integrity_as_conflict(_("This zone exists already."), field="domain"):
            zone.save(update_fields=["name"])


def _rename_targets(hosting: HostingAccount, old: str, new: str) -> None:
    """Records of the account that point to a name at or below the old domain: whoever registers it next must not get
    what is asked for there.
    """
    for record in Record.objects.filter(zone__hosting=hosting).select_related("zone"):
        content = record.content
        if record.type in WITH_TARGET:
            start, space, target = content.rpartition(" ")
            content = f"{start}{space}{_below(target.removesuffix('.'), old, new)}."
        try:
            content = names.record(record.type, record.name, content, record.zone.name).content
        except names.NameInvalid as error:
            words = _("The DNS record %(record)s can't stand there: %(rule)s")
            raise Invalid(error.rule, words % {"record": record, "rule": error.message}, "domain") from error
        if content != record.content:
            record.content = content
            with integrity_as_conflict(_("Two DNS records would become the same; remove one of them."), field="domain"):
                record.save(update_fields=["content"])


def _rename_mail(hosting: HostingAccount, domain: Domain, old: str) -> None:
    """Mailboxes keep their directory; whether mail for the new name is taken here is to be shown anew."""
    for mail_domain in MailDomain.objects.filter(domain=domain):
        for local in [*mail_domain.mailboxes.values_list("local", flat=True), *_aliases(mail_domain)]:
            normal("domain", names.mail_address, f"{local}@{domain.name}")
        store = mail_domain.store or mail_domain.name
        mail_domain.name = domain.name
        mail_domain.store = "" if store == domain.name else store
        mail_domains.forget_delivery(mail_domain)
        with integrity_as_conflict(_("This mail domain exists already."), field="domain"):
            mail_domain.save(update_fields=["name", "store", "delivery", "vouched_by", "checked_at"])
    ending = re.compile(f"@{re.escape(old)}\\Z")
    for alias in MailAlias.objects.filter(mail_domain__hosting=hosting):
        destinations = [ending.sub(f"@{domain.name}", destination) for destination in alias.destinations]
        if destinations != alias.destinations:
            alias.destinations = destinations
            alias.save(update_fields=["destinations"])


def _aliases(mail_domain: MailDomain) -> list[str]:
    return list(mail_domain.aliases.values_list("local", flat=True))


def _below(name: str, old: str, new: str) -> str:
    """`name` with the domain it stands at or below replaced; another name is as it was."""
    if name == old:
        return new
    return f"{name.removesuffix(f'.{old}')}.{new}" if name.endswith(f".{old}") else name
