"""Ownership of domain names: one function decides for web, DNS, mail, restore and API alike."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, insert, integrity_as_conflict
from provisioning.models import Domain, HostingAccount
from provisioning.selectors import ownership
from provisioning.services import counters
from provisioning.services.inputs import normal
from provisioning.spec import reserved_domains

# What stands below every domain has to fit into the 253 characters of a name: `www.`, `mail.`, `_dmarc.`, and the mail
# address `postmaster@` into 254.
LONGEST = 240


def may_hold(*, actor: Actor, organization: Organization, name: str, field: str = "domain") -> str:
    """Return the A-label of `name` if the client `organization` may hold it, else refuse.

    Raises Invalid for public suffixes, special-use names, mail providers' names and the installation's own hosts;
    Conflict, which tells nothing about the other holder, when an account holds the name already, or when one above or
    below it belongs to another client.
    """
    name = normal(field, names.hostname, name)
    if len(name) > LONGEST:
        raise Invalid("hostname_length", _("A domain may have at most %d characters here.") % LONGEST, field)
    if reserved_domains.is_public_suffix(name):
        raise Invalid("public_suffix", _("This is a public suffix; give a domain registered below it."), field)
    if reserved_domains.is_special_use(name):
        raise Invalid("special_use", _("This name is reserved by the DNS and can't be hosted."), field)
    if reserved_domains.is_mail_provider(name):
        raise Invalid("reserved", _("This domain belongs to a public mail provider and can't be hosted."), field)
    refuse_platform(actor=actor, name=name, field=field)
    for holder in ownership.holders(name):
        if holder.organization_id != organization.pk or holder.name == name:
            raise Conflict(
                _("This name, or one above or below it, is already in use here. If it is yours, ask support."),
                field=field,
                code="name_taken",
            )
    return name


def refuse_platform(*, actor: Actor, name: str, field: str) -> None:
    """Refuse a name that the installation lives on, and one above such a name to all but who run that part of it."""
    for platform in ownership.platform_names():
        if name == platform.name or name.endswith("." + platform.name):
            raise Invalid("reserved", _("This name is used by the panel itself. Choose another one."), field)
        if platform.name.endswith("." + name) and not (actor.is_system or platform.path.startswith(actor.path)):
            raise Invalid(
                "reserved", _("Names below this one are used by the panel itself. Choose another one."), field
            )


def claim(*, actor: Actor, hosting: HostingAccount, name: str, kind: str, field: str = "domain") -> Domain:
    """Claim `name` for an account.

    Runs in the caller's transaction; claims under one registered domain wait for each other.
    """
    name = normal(field, names.hostname, name)
    counters.hold_name(reserved_domains.registrable(name) or name)
    name = may_hold(actor=actor, organization=hosting.organization, name=name, field=field)
    domain = Domain(hosting=hosting, name=name, kind=kind)
    insert(domain, taken=_("This name is already in use here."), field=field)
    return domain


def rename(*, actor: Actor, domain: Domain, name: str, field: str = "domain") -> Domain:
    """Let a claim go for one on `name`, by the rules of a new one. Runs in the caller's transaction."""
    counters.hold_name(reserved_domains.registrable(name) or name)
    domain.name = may_hold(actor=actor, organization=domain.hosting.organization, name=name, field=field)
    clean_or_invalid(domain, exclude=["hosting"])
    with integrity_as_conflict(_("This name is already in use here."), field=field):
        domain.save(update_fields=["name"])
    return domain
