"""Who holds a domain name, looked up across all tenants. The one unscoped reader behind the one ownership function."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Brand
from panel.core.scoping import everything
from provisioning.models import Domain, Server


@dataclass(frozen=True)
class Holder:
    """An active claim that touches a name; `organization_id` is the client that holds it."""

    name: str
    hosting_id: str
    organization_id: str


def holders(name: str) -> list[Holder]:
    """Return every active claim on `name` (an A-label), on a name above it and on one below it."""
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(len(labels))]
    with everything("domain ownership"):
        rows = Domain.objects.filter(Q(name__in=above) | Q(name__endswith="." + name)).values_list(
            "name", "hosting_id", "hosting__organization_id"
        )
        return [Holder(*row) for row in rows]


@dataclass(frozen=True)
class PlatformName:
    """A host name that the installation itself lives on; `path` is the tree node that it belongs to."""

    name: str
    path: str


def platform_names() -> list[PlatformName]:
    """Return the panel, mail and name server hosts of every brand and the platform names of every server."""
    found: list[PlatformName] = []
    with everything("domain ownership"):
        for brand in Brand.objects.select_related("organization"):
            hosts = [brand.panel_host.partition(":")[0], brand.mail_host, *brand.nameservers]
            found += [PlatformName(host, brand.organization.path) for host in hosts if host]
        for name, path in Server.objects.values_list("platform_name", "organization__path"):
            found.append(PlatformName(name, path))
    return found
