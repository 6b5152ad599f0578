"""Mailboxes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import Mailbox, MailDomain, Operation
from provisioning.services import holding, passwords
from provisioning.services.inputs import normal

# RFC 2142: mail for these names must reach whoever runs the domain, so they are aliases, never somebody's private
# mailbox.
ROLE_NAMES = frozenset({"abuse", "hostmaster", "mailer-daemon", "postmaster"})


def create(
    *, actor: Actor, mail_domain: MailDomain, local: str, password: str, quota_bytes: int | None = None
) -> tuple[Mailbox, Operation]:
    """Create the mailbox `local` @ the domain; a quota of None is unlimited."""
    passwords.check(password)
    local = normal("local", names.local_part, local)
    normal("local", names.mail_address, f"{local}@{mail_domain.name}")
    if "+" in local:
        raise Invalid(
            "plus", _("Mail for name+anything arrives at name, so a mailbox can't have a + in its name."), "local"
        )
    if local in ROLE_NAMES:
        raise Invalid(
            "role_name", _("Mail for this name must reach those who run the domain; make an alias of it."), "local"
        )
    _check_quota(quota_bytes)
    hashed = passwords.mail(password)
    with holding.changing(actor, "mailbox.create", mail_domain.hosting, feature="mail") as hosting:
        mail_domain = holding.current(mail_domain)
        holding.take(hosting, "mailboxes")
        if mail_domain.aliases.filter(local=local).exists():
            raise Conflict(_("An alias of this name exists. Remove it first or choose another name."), field="local")
        mailbox = Mailbox(mail_domain=mail_domain, local=local, password_hash=hashed, quota_bytes=quota_bytes)
        clean_or_invalid(mailbox)
        with integrity_as_conflict(_("This mailbox exists already."), field="local"):
            mailbox.save(force_insert=True)
        operation = holding.finish(
            actor=actor, action="mailbox.create", hosting=hosting, obj=mailbox, services=("mail",)
        )
    return mailbox, operation


def change(*, actor: Actor, mailbox: Mailbox, **values: Any) -> tuple[Mailbox, Operation]:
    """Set `password`, `quota_bytes` or `enabled` of a mailbox."""
    unknown = sorted(set(values) - {"password", "quota_bytes", "enabled"})
    if unknown:
        raise Invalid("unknown", _("A mailbox has no such field."), unknown[0])
    if "password" in values:
        passwords.check(values["password"])
    _check_quota(values.get("quota_bytes"))
    with holding.changing(actor, "mailbox.change", mailbox.mail_domain.hosting) as hosting:
        mailbox = holding.current(mailbox)
        changes = {
            field: ["old" if field == "password" else getattr(mailbox, field), values[field]] for field in values
        }
        if "password" in values:
            mailbox.password_hash = passwords.mail(values.pop("password"))
        for field, value in values.items():
            setattr(mailbox, field, value)
        clean_or_invalid(mailbox)
        mailbox.save()
        operation = holding.finish(
            actor=actor, action="mailbox.change", hosting=hosting, obj=mailbox, services=("mail",), changes=changes
        )
    return mailbox, operation


def remove(*, actor: Actor, mailbox: Mailbox, confirm: str) -> Operation:
    """Remove a mailbox: it takes no mail from now on; what it holds stays in the account's home.

    `confirm` is its address.
    """
    if confirm != mailbox.address:
        raise Invalid("confirm", _("Type the mailbox's address to confirm."), "confirm")
    with holding.changing(actor, "mailbox.remove", mailbox.mail_domain.hosting) as hosting:
        mailbox = holding.current(mailbox)
        holding.give_back(hosting, "mailboxes")
        operation = holding.finish(
            actor=actor, action="mailbox.remove", hosting=hosting, obj=mailbox, services=("mail",)
        )
        mailbox.delete()
    return operation


def _check_quota(quota_bytes: object) -> None:
    if quota_bytes is None:
        return
    if isinstance(quota_bytes, bool) or not isinstance(quota_bytes, int) or not 0 < quota_bytes < 2**63:
        raise Invalid("quota", _("Give a size of at least one byte, or none for unlimited."), "quota_bytes")
