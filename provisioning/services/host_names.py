"""Judges the host names that brands want against what the installation and its tenants have."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from provisioning.selectors import ownership
from provisioning.spec import reserved_domains


def judge(actor: Actor, organization: Organization, host: str, field: str) -> bool:
    """Return whether a host name for the brand of `organization` lies in a zone of its own customers, hosted here.

    Raises Invalid for names that nobody can have and for a web site's own, Conflict, which tells nothing of the other
    holder, for those of other brands, servers and tenants. Name servers of a brand above may be shared.
    """
    if reserved_domains.is_public_suffix(host):
        raise Invalid("public_suffix", _("This is a public suffix; give a name below a domain of yours."), field)
    if reserved_domains.is_special_use(host):
        raise Invalid("special_use", _("This name is reserved by the DNS. Give one below a domain of yours."), field)
    if reserved_domains.is_mail_provider(host):
        raise Invalid("reserved", _("This name belongs to a public mail provider. Give one of yours."), field)
    taken = Conflict(_("This name is in use here already. Give another one of yours."), field=field, code="name_taken")
    platforms = [platform for platform in ownership.platform_names() if platform.covers(host)]
    shared = field == "nameservers" and any(
        platform.nameserver and organization.path.startswith(platform.path) for platform in platforms
    )
    for platform in platforms:
        if platform.path != organization.path and not (shared and platform.nameserver):
            raise taken
    own_zone = False
    for holder in ownership.holders(host):
        if not holder.path.startswith(organization.path):
            if holder.name == host or host.endswith(f".{holder.name}"):
                raise taken
        elif field == "panel_host" and holder.name == host:
            raise Invalid(
                "site", _("A web site of yours has this name. Give a free one such as panel.%s.") % host, field
            )
        else:
            own_zone = own_zone or (holder.has_zone and host.endswith(f".{holder.name}"))
    if field == "panel_host" and ownership.is_site(host):
        raise Invalid("site", _("A web site of yours has this name. Give another one."), field)
    return own_zone
