"""Who holds a domain name, looked up across all tenants. The one unscoped reader behind the one ownership function."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from accounts.models import Brand, OldHost, Organization
from panel.core.scoping import everything
from provisioning.models import Domain, Server, SiteName


@dataclass(frozen=True)
class Holder:
    """An active claim that touches a name; `organization_id` is the client that holds it, `path` its place."""

    name: str
    hosting_id: str
    organization_id: str
    path: str
    has_zone: bool


def holders(name: str) -> list[Holder]:
    """Return every active claim on `name` (an A-label), on a name above it and on one below it."""
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(len(labels))]
    with everything("domain ownership"):
        rows = Domain.objects.filter(Q(name__in=above) | Q(name__endswith="." + name)).values_list(
            "name", "hosting_id", "hosting__organization_id", "hosting__organization__path", "zone"
        )
        return [Holder(*row[:4], has_zone=row[4] is not None) for row in rows]


def is_site(host: str) -> bool:
    """Whether a web site answers at `host`, whoever's it is."""
    with everything("domain ownership"):
        return SiteName.objects.filter(hostname=host).exists()


@dataclass(frozen=True)
class PlatformName:
    """A host name that the installation itself lives on; `path` is the tree node that it belongs to.

    With `below` every name below it is the installation's, too.
    """

    name: str
    path: str
    nameserver: bool = False
    below: bool = False

    def covers(self, host: str) -> bool:
        """Tell whether `host` is this name, or one below that goes with it."""
        return host == self.name or (self.below and host.endswith(f".{self.name}"))


def platform_names() -> list[PlatformName]:
    """Return the panel, mail and name server hosts of every brand, panel hosts that are kept for one, the domain of
    neutral ones, and the platform names of every server.
    """
    found: list[PlatformName] = []
    with everything("domain ownership"):
        for brand in Brand.objects.select_related("organization"):
            path = brand.organization.path
            own = (brand.panel_host, brand.neutral_host, brand.mail_host)
            found += [PlatformName(host, path) for host in own if host]
            found += [PlatformName(host, path, nameserver=True) for host in brand.nameservers]
            if brand.organization.kind == Organization.Kind.PROVIDER:
                found += [PlatformName(host, path, nameserver=True) for host in settings.NEUTRAL_NAMESERVERS]
                if settings.NEUTRAL_PANEL_DOMAIN:
                    found.append(PlatformName(settings.NEUTRAL_PANEL_DOMAIN, path, below=True))
        for name, path in Server.objects.values_list("platform_name", "organization__path"):
            found.append(PlatformName(name, path))
        for name, path in OldHost.objects.values_list("host", "brand__organization__path"):
            found.append(PlatformName(name, path))
    return found
