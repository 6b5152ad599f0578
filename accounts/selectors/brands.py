"""Which brand a host name, an organization or a user belongs to."""

from datetime import datetime, timedelta
from urllib.parse import urlunsplit

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from accounts.models import Brand, BrandImage, HostClaim, Organization, User
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
    lineage = _lineage(organization)
    if not lineage:
        raise Brand.DoesNotExist
    return lineage[0]


def own(organization: Organization) -> Brand | None:
    """Return the organization's own brand, if it has one."""
    return Brand.objects.filter(organization=organization).first()


def of_user(user: User) -> Brand:
    """Return the brand that a user was registered under; mail to the user speaks in its name."""
    return for_organization(user.brand_root)


def base_url(brand: Brand) -> str:
    """Return the address of the panel where the brand's people sign in, without a trailing slash.

    It comes from rows, never from a request: the brand's own host, else that of the nearest brand above which has one.
    """
    host = brand.panel_host or _door(brand.organization).panel_host or settings.PROVIDER_HOSTS[0]
    port = f":{settings.PANEL_PORT}" if settings.PANEL_PORT else ""
    return urlunsplit((settings.PANEL_SCHEME, f"{host}{port}", "", "", ""))


def root_for_member(organization: Organization) -> Organization:
    """Return the brand root of people who join `organization`.

    Clients' people belong to the brand they are sold under, a reseller's staff to its parent's, the provider's to its.
    A brand without a panel host in use has nowhere to sign in: until then its people belong to the next one above.
    """
    if organization.kind == Organization.Kind.RESELLER:
        return root_above(organization)
    return _door(organization).organization


def root_above(organization: Organization) -> Organization:
    """Return the brand root above an organization that is not the provider: the nearest with a panel of its own."""
    return _door(organization.ancestors()[-2]).organization


def above(organization: Organization) -> Brand | None:
    """Return the nearest brand above an organization, whatever the scope."""
    return next((brand for brand in _lineage(organization) if brand.organization_id != organization.pk), None)


def claim(organization: Organization) -> HostClaim | None:
    """Return the panel host that the organization's brand waits for, if it does."""
    return HostClaim.objects.select_related("brand__organization").filter(brand__organization=organization).first()


def claims_at(host: str) -> list[HostClaim]:
    """Return every brand's claim to `host`."""
    with everything("a host that is asked for its proof has no tenant yet"):
        return list(HostClaim.objects.filter(host=host)[:20])


def claims_due(now: datetime) -> list[HostClaim]:
    """Return claims to look at: not since five minutes on their first day, not since an hour later."""
    never = Q(checked_at=None)
    young = Q(created_at__gt=now - timedelta(days=1), checked_at__lt=now - timedelta(minutes=5))
    with everything("looking at claims"):
        rows = HostClaim.objects.select_related("brand__organization")
        return list(rows.filter(never | young | Q(checked_at__lt=now - timedelta(hours=1))).order_by("id")[:20])


def claimed_by_others(host: str, brand: Brand) -> bool:
    """Tell whether another brand waits for `host`, too; who it is stays untold."""
    with everything("a host that several want has to be proved in its own zone"):
        return HostClaim.objects.filter(host=host).exclude(brand=brand).exists()


def name_taken(host: str, brand: Brand) -> bool:
    """Tell whether `host` is the panel host of another brand or one of the provider's."""
    if not host or host == brand.panel_host:
        return False
    if host in settings.PROVIDER_HOSTS:
        return True
    with everything("a host name is one brand's only"):
        return Brand.objects.filter(panel_host=host).exclude(pk=brand.pk).exists()


def image(name: str) -> BrandImage | None:
    """Return a picture by the name that its address has; it says nothing of whose it is."""
    with everything("pictures of brands are public"):
        return BrandImage.objects.filter(name=name).first()


def file_url(name: str) -> str:
    """Return the address of a picture of a brand by its name, or "" when there is none."""
    return reverse("dashboard:brand_file", args=[name]) if name else ""


def favicon_url(brand: Brand | None) -> str:
    """Return the address of the brand's icon: its own, else one with its initial."""
    return file_url(brand.favicon if brand else "") or reverse("dashboard:brand_icon")


def _lineage(organization: Organization) -> list[Brand]:
    """Return the brands from the organization upwards to the provider's."""
    with everything("a brand may belong to an ancestor"):
        brands = Brand.objects.select_related("organization").filter(organization_id__in=organization.lineage)
        found = {brand.organization_id: brand for brand in brands}
    return [found[key] for key in reversed(organization.lineage) if key in found]


def _door(organization: Organization) -> Brand:
    """Return the nearest brand upwards that has a panel host, else the provider's; raises Brand.DoesNotExist."""
    lineage = _lineage(organization)
    if not lineage:
        raise Brand.DoesNotExist
    return next((brand for brand in lineage if brand.panel_host), lineage[-1])
