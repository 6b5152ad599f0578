"""Mail aliases: addresses whose mail goes on to others."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from provisioning.models import MailAlias, MailDomain, Operation
from provisioning.services import holding
from provisioning.services.inputs import normal

MOST_DESTINATIONS = 50


def create(
    *, actor: Actor, mail_domain: MailDomain, local: str, destinations: Sequence[str]
) -> tuple[MailAlias, Operation]:
    """Create the alias `local` @ the domain; `destinations` are full addresses, here or elsewhere."""
    local = normal("local", names.local_part, local)
    normal("local", names.mail_address, f"{local}@{mail_domain.name}")
    destinations = _destinations(f"{local}@{mail_domain.name}", destinations)
    with holding.changing(actor, "alias.create", mail_domain.hosting, feature="mail") as hosting:
        mail_domain = holding.current(mail_domain)
        holding.take(hosting, "aliases")
        if mail_domain.mailboxes.filter(local=local).exists():
            raise Conflict(_("A mailbox of this name exists. Choose another name."), field="local")
        alias = MailAlias(mail_domain=mail_domain, local=local, destinations=destinations)
        clean_or_invalid(alias)
        with integrity_as_conflict(_("This alias exists already."), field="local"):
            alias.save(force_insert=True)
        operation = holding.finish(
            actor=actor,
            action="alias.create",
            hosting=hosting,
            obj=alias,
            services=("mail",),
            changes={"destinations": [None, destinations]},
        )
    return alias, operation


def change(*, actor: Actor, alias: MailAlias, destinations: Sequence[str]) -> tuple[MailAlias, Operation]:
    """Send the alias's mail to other `destinations`."""
    destinations = _destinations(alias.address, destinations)
    with holding.changing(actor, "alias.change", alias.mail_domain.hosting) as hosting:
        alias = holding.current(alias)
        before, alias.destinations = alias.destinations, destinations
        alias.save(update_fields=["destinations"])
        operation = holding.finish(
            actor=actor,
            action="alias.change",
            hosting=hosting,
            obj=alias,
            services=("mail",),
            changes={"destinations": [before, destinations]},
        )
    return alias, operation


def remove(*, actor: Actor, alias: MailAlias) -> Operation:
    """Remove an alias; mail for it is refused from now on."""
    with holding.changing(actor, "alias.remove", alias.mail_domain.hosting) as hosting:
        alias = holding.current(alias)
        holding.give_back(hosting, "aliases")
        operation = holding.finish(
            actor=actor,
            action="alias.remove",
            hosting=hosting,
            obj=alias,
            services=("mail",),
            changes={"destinations": [alias.destinations, None]},
        )
        alias.delete()
    return operation


def _destinations(address: str, values: Sequence[str]) -> list[str]:
    if isinstance(values, str) or not values:
        raise Invalid("required", _("Give at least one address that the mail goes to."), "destinations")
    if len(values) > MOST_DESTINATIONS:
        raise Invalid("too_many", _("An alias may go to at most %d addresses.") % MOST_DESTINATIONS, "destinations")
    found = list(dict.fromkeys(normal("destinations", names.mail_address, value) for value in values))
    if address in found:
        raise Invalid("loop", _("An alias can't go to itself."), "destinations")
    return found
