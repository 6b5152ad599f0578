"""Which brand a host name, an organization or a user belongs to."""

from urllib.parse import urlunsplit

from django.conf import settings

from accounts.models import Brand, Organization, User
from panel.core.scoping import everything


def for_host(host: str) -> Brand | None:
    """Return the brand whose panel answers at `host` (lower case, no port), or None."""
    with everything("the request's host decides the tenant"):
        brands = Brand.objects.select_related("organization")
        if host in settings.PROVIDER_HOSTS:
            return brands.filter(organization__kind=Organization.Kind.PROVIDER).first()
        return brands.filter(panel_host=host).exclude(panel_host="").first() if host else None


def for_organization(organization: Organization) -> Brand:
    """Return the brand that `organization` lives under: its own, or the nearest ancestor's.

    Raises Brand.DoesNotExist when not even the provider has one.
    """
    with everything("a brand may belong to an ancestor"):
        brands = Brand.objects.select_related("organization").filter(organization_id__in=organization.lineage)
        found = {brand.organization_id: brand for brand in brands}
    for key in reversed(organization.lineage):
        if key in found:
            return found[key]
    raise Brand.DoesNotExist


def own(organization: Organization) -> Brand | None:
    """Return the organization's own brand, if it has one."""
    return Brand.objects.filter(organization=organization).first()


def of_user(user: User) -> Brand:
    """Return the brand that a user was registered under; mail to the user speaks in its name."""
    return for_organization(user.brand_root)


def base_url(brand: Brand) -> str:
    """Return the address of the brand's panel, without a trailing slash; from its row, never from a request."""
    host = brand.panel_host or settings.PROVIDER_HOSTS[0]
    port = f":{settings.PANEL_PORT}" if settings.PANEL_PORT else ""
    return urlunsplit((settings.PANEL_SCHEME, f"{host}{port}", "", "", ""))


def root_for_member(organization: Organization) -> Organization:
    """Return the brand root of people who join `organization`.

    Clients' people belong to the brand they are sold under, a reseller's staff to its parent's, the provider's to its.
    """
    if organization.kind == Organization.Kind.RESELLER:
        return for_organization(organization.ancestors()[-2]).organization
    return for_organization(organization).organization
