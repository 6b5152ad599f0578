"""The brands of many organizations at once, and what zones and mail take from them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import Brand, Organization
from panel.core.scoping import everything
from provisioning.models import HostingAccount


def accounts_of(brand: Brand) -> QuerySet[HostingAccount]:
    """The live accounts that stand under `brand`, whatever the tenant scope of whoever asks."""
    with everything("a brand reaches all accounts below it"):
        live = HostingAccount.objects.exclude(status=HostingAccount.Status.TERMINATED)
        below = Organization.objects.filter(path__startswith=brand.organization.path, hosting_accounts__in=live)
        branded = [owner for owner, found in of_organizations(below.distinct()).items() if found.pk == brand.pk]
        return live.filter(organization__in=branded)


def of_organizations(organizations: Iterable[Organization], using: str = "default") -> dict[str, Brand]:
    """Return the brand of each organization by its id: its own or its nearest ancestor's. One query."""
    lineages = {organization.id: organization.path.strip("/").split("/") for organization in organizations}
    wanted = {ancestor for lineage in lineages.values() for ancestor in lineage}
    with everything("a brand may belong to an ancestor"):
        rows = Brand.objects.using(using).filter(organization_id__in=wanted)
        brands = {brand.organization_id: brand for brand in rows}
    found = {}
    for organization_id, lineage in lineages.items():
        nearest = next((brands[ancestor] for ancestor in reversed(lineage) if ancestor in brands), None)
        if nearest is not None:
            found[organization_id] = nearest
    return found
