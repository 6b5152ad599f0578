"""Which brands' pages a server shows, and how they look."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Brand, BrandImage, BrandPages, Organization, Skeleton
from provisioning.brand_pages import Look, inline
from provisioning.models import HostingAccount, Placement, Server
from provisioning.selectors import brands


def of_server(server: Server, using: str = "default") -> list[Look]:
    """Return the looks of the brands whose accounts' sites `server` carries, by the brands' ids. A fixed number of
    queries.
    """
    there = Placement._base_manager.using(using).filter(server=server, service=Placement.Service.WEB)
    alive = there.exclude(hosting__status=HostingAccount.Status.TERMINATED)
    owners = Organization._base_manager.using(using).filter(pk__in=alive.values("hosting__organization"))
    found = {brand.pk: brand for brand in brands.of_organizations(owners, using).values()}
    return looks([found[key] for key in sorted(found)], using)


def looks(found: Iterable[Brand], using: str = "default") -> list[Look]:
    """Return how each brand's pages look."""
    rows = list(found)
    pages = {row.brand_id: row for row in BrandPages._base_manager.using(using).filter(brand__in=rows)}
    images = BrandImage._base_manager.using(using).filter(brand__in=rows, name__in=[row.logo for row in rows])
    logos = {(image.brand_id, image.name): inline(image.content_type, bytes(image.content)) for image in images}
    return [
        Look(brand, pages.get(brand.pk) or BrandPages(brand=brand), logos.get((brand.pk, brand.logo), ""))
        for brand in rows
    ]


def skeletons(ids: Iterable[str | None], using: str = "default") -> dict[str, Skeleton]:
    """Return skeletons by id."""
    wanted = {key for key in ids if key}
    return {row.pk: row for row in Skeleton._base_manager.using(using).filter(pk__in=wanted)} if wanted else {}


def newest_skeleton(brand: Brand) -> Skeleton | None:
    """Return the files that a new account of the brand begins with."""
    return Skeleton._base_manager.filter(brand=brand).order_by("-id").first()
