"""Zones as they are served: default records merged with the ones that people added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Brand
from provisioning.models import Address, MailDomain, Placement, Record, SiteName, Zone
from provisioning.selectors import brands
from provisioning.spec import RecordSpec
from provisioning.spec.reserved_domains import registrable
from provisioning.spec.zone_defaults import ZoneFacts, default_records, merge


@dataclass(frozen=True)
class ServedRecord:
    """A record as it is served; `record_id` is empty for a default one."""

    name: str
    type: str
    ttl: int
    content: str
    record_id: str = ""


def records(zone: Zone) -> list[ServedRecord]:
    """Return what `zone` serves, apex first, with the ids of the records that people added."""
    own = {(row.name, row.type, row.content): row.id for row in zone.records.all()}
    served = specs([zone])[zone.id]
    return sorted(
        (
            ServedRecord(
                item.name, item.type, item.ttl, item.content, own.get((item.name, item.type, item.content), "")
            )
            for item in served
        ),
        key=lambda item: (item.name != "@", item.name, item.type, item.content),
    )


def defaults(zone: Zone) -> list[RecordSpec]:
    """Return the records that `zone` would have without any that people added."""
    return default_records(_facts([zone], "default")[zone.id])


def own_records() -> QuerySet[Record]:
    """Records that people added, within the scope."""
    return Record.objects.select_related("zone__hosting__organization", "zone__hosting__package")


def specs(zones: Sequence[Zone], using: str = "default") -> dict[str, tuple[RecordSpec, ...]]:
    """Return each zone's records by zone id, in a number of queries that does not depend on how many zones there
    are.
    """
    zones = list(zones)
    facts = _facts(zones, using)
    custom: dict[str, list[RecordSpec]] = defaultdict(list)
    rows = Record._base_manager.using(using).filter(zone__in=[zone.pk for zone in zones]).order_by("id")
    for row in rows:
        custom[row.zone_id].append(RecordSpec(row.name, row.type, row.ttl, row.content))
    return {zone.id: merge(default_records(facts[zone.id]), custom[zone.id]) for zone in zones}


def _facts(zones: list[Zone], using: str) -> dict[str, ZoneFacts]:
    hostings = {zone.hosting_id for zone in zones}
    organizations = {zone.hosting.organization for zone in zones}
    branded = brands.of_organizations(organizations, using)
    brand_ids = {
        zone.hosting_id: branded[zone.hosting.organization_id].id
        for zone in zones
        if zone.hosting.organization_id in branded
    }
    web, mail = public_addresses(hostings, using, brand_ids)
    with_mail = set(MailDomain._base_manager.using(using).filter(hosting__in=hostings).values_list("name", flat=True))
    aliases = _aliases(zones, using)
    found = {}
    for zone in zones:
        brand = branded.get(zone.hosting.organization_id)
        spf = registrable(brand.mail_host) if brand and brand.mail_host else None
        found[zone.id] = ZoneFacts(
            zone=zone.name,
            nameservers=_nameservers(brand),
            web=tuple(web[zone.hosting_id]),
            mail=tuple(mail[zone.hosting_id]),
            spf_include=f"_spf.{spf}" if spf else "",
            has_mail=zone.name in with_mail,
            aliases=tuple(aliases[zone.domain_id]),
        )
    return found


def _nameservers(brand: Brand | None) -> tuple[str, ...]:
    """A brand's name servers; whether each is a host name is judged with the zone that it would stand in."""
    hosts = brand.nameservers if brand is not None else []
    return tuple(str(host) for host in hosts) if isinstance(hosts, list) else ()


def public_addresses(
    hostings: Iterable[str], using: str, brands: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Public addresses of each account's web and mail: of a family its dedicated one, which is for its web alone, else
    its brand's on that server, else the server's shared ones. `brands` are the ids of the accounts' brands.
    """
    placed = list(
        Placement._base_manager.using(using)
        .filter(hosting__in=list(hostings), service__in=["web", "mail"])
        .values_list("hosting_id", "service", "server_id")
    )
    by_server: dict[str, list[Address]] = defaultdict(list)
    for address in Address.objects.using(using).filter(server__in={row[2] for row in placed}).order_by("family", "id"):
        by_server[address.server_id].append(address)
    found: dict[str, dict[str, list[str]]] = {"web": defaultdict(list), "mail": defaultdict(list)}
    for hosting_id, service, server_id in placed:
        here = by_server[server_id]
        own = [item for item in here if item.hosting_id == hosting_id and service == "web"]
        brand = brands.get(hosting_id)
        ranked = [
            own,
            [item for item in here if brand is not None and item.brand_id == brand],
            [item for item in here if item.kind == Address.Kind.SHARED],
        ]
        chosen = [_first([[item for item in rank if item.family == family] for rank in ranked]) for family in (4, 6)]
        found[service][hosting_id] = [item.public for items in chosen for item in items]
    return found["web"], found["mail"]


def _first(ranked: list[list[Address]]) -> list[Address]:
    """The first of some lists that is not empty."""
    return next((items for items in ranked if items), [])


def _aliases(zones: list[Zone], using: str) -> dict[str, list[str]]:
    """Names of sites below each zone, relative to it, other than its apex and `www`."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = (
        SiteName._base_manager.using(using)
        .filter(domain__in=[zone.domain_id for zone in zones])
        .order_by("id")
        .values_list("domain_id", "hostname", "domain__name")
    )
    for domain_id, hostname, name in rows:
        relative = hostname.removesuffix(f".{name}")
        if hostname != name and relative != "www":
            found[domain_id].append(relative)
    return found
