"""Which brand a host name, an organization or a user belongs to."""

from datetime import datetime, timedelta
from urllib.parse import urlunsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Brand, BrandImage, HostClaim, OldHost, Organization, User
from panel.core.scoping import everything

MOST_GIVEN = 100
"""So many brands get their neutral host at a time."""


def for_host(host: str) -> Brand | None:
    """Return the brand whose panel answers at `host` (lower case, no port), or None."""
    with everything("the request's host decides the tenant"):
        brands = Brand.objects.select_related("organization")
        if host in settings.PROVIDER_HOSTS:
            return brands.filter(organization__kind=Organization.Kind.PROVIDER).first()
        return brands.filter(_at(host)).first() if host else None


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

    It comes from rows, never from a request: the brand's own host, else its neutral one, else that of the nearest brand
    above which has one.
    """
    return url_at(host(brand) or host(_door(brand.organization)) or settings.PROVIDER_HOSTS[0])


def url_at(host: str) -> str:
    """Return the address of the panel at a host, without a trailing slash."""
    port = f":{settings.PANEL_PORT}" if settings.PANEL_PORT else ""
    return urlunsplit((settings.PANEL_SCHEME, f"{host}{port}", "", "", ""))


def host(brand: Brand) -> str:
    """Return the host name where the brand's people sign in: its own, else its neutral one; "" when it has none."""
    return brand.panel_host or brand.neutral_host


def root_for_member(organization: Organization) -> Organization:
    """Return the brand root of people who join `organization`.

    Clients' people belong to the brand they are sold under, a reseller's staff to its parent's, the provider's to its.
    A brand without a panel host in use or a neutral one has nowhere to sign in: until then its people belong to the
    next one above.
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
    """Tell whether `host` is a panel host of another brand, also a former one that is kept, or the provider's."""
    if not host or host == brand.panel_host:
        return False
    if host in settings.PROVIDER_HOSTS:
        return True
    with everything("a host name is one brand's only"):
        others = Brand.objects.filter(_at(host)).exclude(pk=brand.pk)
        return others.exists() or _kept().filter(host=host).exclude(brand=brand).exists()


def old_hosts(organization: Organization) -> QuerySet[OldHost]:
    """Return the former hosts of the organization's brand that still lead to the one in use."""
    return _kept().filter(brand__organization=organization)


def moved_from(host: str) -> Brand | None:
    """Return the brand whose panel was at `host` and has moved a short while ago, or None."""
    with everything("the request's host decides the tenant"):
        found = _kept().select_related("brand__organization").filter(host=host).first()
    return found.brand if found else None


def without_neutral_host() -> list[Organization]:
    """Return resellers whose brand has no host below the neutral domain, or who have no brand; those above first."""
    with everything("every brand has its own address"):
        rows = Organization.objects.filter(kind=Organization.Kind.RESELLER).exclude(status=Organization.Status.CLOSED)
        rows = rows.exclude(brand__neutral_host__endswith=f".{settings.NEUTRAL_PANEL_DOMAIN}")
        return list(rows.order_by("path")[:MOST_GIVEN])


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


def _at(host: str) -> Q:
    """Brands whose panel answers at `host`; put so that both partial indexes serve."""
    own = Q(panel_host=host) & ~Q(panel_host="")
    return own | (Q(neutral_host=host) & ~Q(neutral_host=""))


def _lineage(organization: Organization) -> list[Brand]:
    """Return the brands from the organization upwards to the provider's."""
    with everything("a brand may belong to an ancestor"):
        brands = Brand.objects.select_related("organization").filter(organization_id__in=organization.lineage)
        found = {brand.organization_id: brand for brand in brands}
    return [found[key] for key in reversed(organization.lineage) if key in found]


def _door(organization: Organization) -> Brand:
    """Return the nearest brand upwards that people can sign in at, else the provider's; raises Brand.DoesNotExist."""
    lineage = _lineage(organization)
    if not lineage:
        raise Brand.DoesNotExist
    return next((brand for brand in lineage if host(brand)), lineage[-1])


def _kept() -> QuerySet[OldHost]:
    """Former hosts whose time is not over."""
    return OldHost.objects.filter(until__gt=timezone.now())
