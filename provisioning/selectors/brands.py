"""The brands of many organizations at once, and what zones and mail take from them."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Brand, Organization
from panel.core.scoping import everything


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
