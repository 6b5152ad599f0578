"""Scans of brands as pages and the API read them, and what a scan looks at and for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import Brand, Membership, Organization
from accounts.selectors import brands as brand_selectors
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.leaks.lexicon import Kind, Lexicon, Word
from provisioning.leaks.readings import Finding
from provisioning.leaks.subject import Machine, MailDomain, Site, Subject, Zone
from provisioning.leaks.web import Front
from provisioning.models import Address, BrandScan, HostingAccount, Placement, Server
from provisioning.models import Zone as ZoneRow
from provisioning.selectors import brands
from provisioning.spec.reserved_domains import is_mail_provider, is_public_suffix, registrable

SOFTWARE = "hostwright"
MOST_ACCOUNTS = 3
"""Of so many accounts, the newest, zones and sites are looked at: all are made by the same rules."""
MOST_CANDIDATES = 500


def listed() -> QuerySet[BrandScan]:
    """All scans, newest first."""
    return BrandScan.objects.select_related("organization")


def scannable() -> QuerySet[Organization]:
    """Sellers whose brand has a panel of its own, be it at a neutral host, by name."""
    hostless = Q(brand__panel_host="", brand__neutral_host="")
    return Organization.objects.exclude(brand=None).exclude(hostless).order_by("name")


def findings(scan: BrandScan, actor: Actor) -> list[Finding]:
    """Return what a scan found, as `actor` may know it.

    Who sold to the actor's organization is no secret to it, nor is what lies below it, nor the software. Other names
    are the provider's to know: they are masked wherever they stand, and belong to nobody.
    """
    found = [Finding(**row) for row in scan.findings]
    if actor.kind in ("provider", "system"):
        return found
    owners = {finding.owner for finding in found}
    known = {"", *actor.path.strip("/").split("/")[-2:]}
    known |= set(Organization.objects.filter(pk__in=owners, path__startswith=actor.path).values_list("pk", flat=True))
    hidden = {Word(finding.name, cast("Kind", finding.kind)) for finding in found if finding.owner not in known}
    lexicon = Lexicon(hidden)
    return [_masked(finding, lexicon, whole=finding.owner not in known) for finding in found]


def subject(brand: Brand) -> Subject:
    """Return what a scan of `brand` looks at and for, whatever the tenant scope."""
    with everything("a scan compares a brand with all others"):
        hostings = _hostings(brand)
        places = list(
            Placement.objects.filter(hosting__in=hostings, server__state=Server.State.READY).select_related("server")
        )
        addresses = _addresses({place.server for place in places})
        at: dict[tuple[str, str], list[str]] = {}
        for place in places:
            if place.server_id in addresses:
                at.setdefault((place.hosting_id, place.service), []).append(addresses[place.server_id])
        return Subject(
            name=brand.name,
            front=_front(brand),
            words=tuple(words(brand)),
            own=tuple(dict.fromkeys((brand.name, brand.organization.name))),
            machines=tuple(
                Machine(addresses[server.id], server.roles, server.port)
                for server in sorted({place.server for place in places}, key=lambda server: server.name)
                if server.id in addresses
            )
            + _own_machines(brand, {place.server for place in places}),
            zones=tuple(
                Zone(zone.name, tuple(at.get((zone.hosting_id, "dns"), ())))
                for zone in ZoneRow.objects.filter(hosting__in=hostings).order_by("-id")[:MOST_ACCOUNTS]
            ),
            sites=tuple(
                Site(hosting.domain, address, hosting.status == HostingAccount.Status.SUSPENDED)
                for hosting in hostings
                for address in at.get((hosting.id, "web"), ())
            ),
            mail_domains=tuple(
                MailDomain(hosting.domain, address)
                for hosting in hostings
                for address in at.get((hosting.id, "mail"), ())
            ),
            resolvers=tuple(settings.PUBLIC_RESOLVERS),
        )


def words(brand: Brand) -> Iterator[Word]:
    """Yield the names that must not show under `brand`: the software's, and those of all other brands.

    Of the provider also the mail domains of its people. The installation's shared name servers are left out, and so are
    the domain of the brand's own panel and hosts that both brands name; not so those of brands above: a brand below
    their domain, or with their name servers, shows them.
    """
    yield Word(SOFTWARE, "software")
    shared = set(_hosts(brand))
    seen: set[tuple[str, str]] = set()
    for other in Brand.objects.exclude(pk=brand.pk).select_related("organization").order_by("id"):
        organization = other.organization
        above = brand.organization.path.startswith(organization.path)
        for name in (other.name, organization.name):
            if name.lower() not in (brand.name.lower(), brand.organization.name.lower()):
                yield from _once(seen, Word(name, "name", organization.id))
        people = _people(organization) if organization.kind == Organization.Kind.PROVIDER else []
        for host in [host for host in _hosts(other) if host not in settings.NEUTRAL_NAMESERVERS] + people:
            domain = _domain(host)
            if above or not (host in shared or domain == _domain(brand.panel_host)):
                yield from _once(seen, Word(domain, "host", organization.id))


def _masked(finding: Finding, lexicon: Lexicon, *, whole: bool) -> Finding:
    shown = replace(finding, subject=lexicon.mask(finding.subject), excerpt=lexicon.mask(finding.excerpt))
    return replace(shown, name="", owner="") if whole else replace(shown, name=lexicon.mask(shown.name))


def _once(seen: set[tuple[str, str]], word: Word) -> Iterator[Word]:
    key = (word.kind, word.shown.lower())
    if word.shown and key not in seen:
        seen.add(key)
        yield word


def _hosts(brand: Brand) -> list[str]:
    """The host names that a brand shows, those of mail providers that anybody uses left out."""
    mails = [address.rpartition("@")[2] for address in (brand.hostmaster, brand.support_email)]
    site = urlsplit(brand.support_url).hostname or ""
    found = [brand.panel_host, brand.mail_host, *brand.nameservers, *mails, site]
    return [host for host in found if host and not is_mail_provider(host)]


def _people(organization: Organization) -> list[str]:
    rows = Membership.objects.filter(organization=organization).values_list("user__email", flat=True)
    return [host for email in rows if (host := email.rpartition("@")[2]) and not is_mail_provider(host)]


def _domain(host: str) -> str:
    """The domain that somebody registered for a host; the host itself where there is none."""
    return host if is_public_suffix(host) else registrable(host) or host


def _front(brand: Brand) -> Front:
    """The panel at the address that the operator says it has: never where a name that a tenant chose leads."""
    panel = urlsplit(settings.SCAN_URL)
    tls = panel.scheme == "https"
    return Front(panel.hostname or "", panel.port or (443 if tls else 80), brand_selectors.host(brand), tls)


def _hostings(brand: Brand) -> list[HostingAccount]:
    """Accounts whose people live under the brand: the newest few, and a suspended one."""
    below = HostingAccount.objects.filter(organization__path__startswith=brand.organization.path)
    live = below.exclude(status=HostingAccount.Status.TERMINATED).select_related("organization").order_by("-id")
    candidates = list(live[:MOST_CANDIDATES])
    owners = brands.of_organizations({hosting.organization for hosting in candidates})
    own = [hosting for hosting in candidates if owners[hosting.organization_id].pk == brand.pk]
    shut = [hosting for hosting in own if hosting.status == HostingAccount.Status.SUSPENDED]
    return list(dict.fromkeys([*own[:MOST_ACCOUNTS], *shut[:1]]))


def _own_machines(brand: Brand, servers: Iterable[Server]) -> tuple[Machine, ...]:
    """The addresses that the brand has to itself there, where its mail host is the only name that may show."""
    rows = Address.objects.filter(brand=brand, server__in=servers).select_related("server").order_by("family", "id")
    return tuple(Machine(row.public, row.server.roles, row.server.port, brand.mail_host) for row in rows)


def _addresses(servers: Iterable[Server]) -> dict[str, str]:
    """The shared address of each server that the world sees, IPv4 first."""
    rows = Address.objects.filter(server__in=servers, kind=Address.Kind.SHARED).order_by("server", "-family", "id")
    return {row.server_id: row.public for row in rows}
