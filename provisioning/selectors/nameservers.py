"""Name servers of a brand: which addresses they should have, what is seen of them, and what is left to do."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q

from accounts.models import Brand, Organization
from panel.core.public_suffixes import registrable
from panel.core.scoping import everything
from provisioning.models import Address, NameServerCheck, Record, Server, Zone
from provisioning.nameserver_look import Finding


@dataclass(frozen=True)
class NameServer:
    """A name server as it should be and as it was last seen.

    `state` is right, missing (no address in the DNS), wrong (other addresses), glue (the registrar's host object is
    missing or differs) or unknown (never looked, or nobody answered). `in_bailiwick`: the domain is delegated to it.
    `shared`: it is the installation's, or a brand's above, who see to it.
    """

    host: str
    domain: str
    addresses: tuple[str, ...]
    zone: Zone | None
    seen: Finding | None
    has_records: bool
    shared: bool = False

    @property
    def zone_id(self) -> str | None:
        """The id of the zone here that it stands in."""
        return self.zone.pk if self.zone else None

    @property
    def in_bailiwick(self) -> bool:
        """Whether the domain that it stands in is itself served by it, so that the registrar needs its addresses."""
        return self.seen is not None and self.host in self.seen.delegated

    @property
    def state(self) -> str:
        """Return right, missing, wrong, glue or unknown."""
        if self.seen is None or not self.addresses:
            return "unknown"
        wanted = set(self.addresses)
        if self.seen.found and set(self.seen.found) != wanted:
            return "wrong"
        if self.in_bailiwick and set(self.seen.glue) != wanted:
            return "glue"
        if not self.seen.found:
            return "missing"
        return "right"

    @property
    def records(self) -> list[tuple[str, str, str]]:
        """Return the address records that its domain needs: name, type, address."""
        return [(self.host, "AAAA" if ":" in address else "A", address) for address in self.addresses]


@dataclass(frozen=True)
class Overview:
    """The name servers of a brand, when they were looked at, and what is unwise about them all."""

    servers: list[NameServer]
    checked_at: datetime | None
    warnings: list[str]

    @property
    def addable(self) -> list[NameServer]:
        """Return those whose records can be added here."""
        own = [server for server in self.servers if not server.shared]
        return [server for server in own if server.zone is not None and not server.has_records]

    @property
    def complete(self) -> bool:
        """Whether all are right."""
        return bool(self.servers) and all(server.state == "right" for server in self.servers)


def overview(brand: Brand) -> Overview:
    """Return the brand's name servers with what is known of them."""
    check = NameServerCheck.objects.filter(brand=brand).first()
    seen = {found.host: found for found in map(Finding.read, check.findings)} if check else {}
    seen_to_by = holders(brand)
    wanted = addresses_for(brand, seen_to_by)
    own = {host: addresses for host, addresses in wanted.items() if seen_to_by[host] == brand}
    zones = own_zones(brand, list(own))
    held = _address_records(list(zones.values()))
    servers = []
    for host in hosts(brand):
        zone = next((zones[name] for name in above(host) if name in zones), None)
        has = zone is not None and {(kind, address) for _name, kind, address in _typed(host, wanted[host])} <= held.get(
            (zone.pk, _relative(host, zone)), set()
        )
        servers.append(
            NameServer(
                host,
                registrable(host) or host,
                tuple(wanted[host]),
                zone,
                seen.get(host),
                has_records=has,
                shared=seen_to_by[host] != brand,
            )
        )
    return Overview(servers, check.checked_at if check else None, _warnings(own))


def hosts(brand: Brand) -> list[str]:
    """Return the names of a brand's name servers; the provider sees to those of the installation, too."""
    own = brand.organization.kind == Organization.Kind.PROVIDER
    return list(dict.fromkeys([*brand.nameservers, *(settings.NEUTRAL_NAMESERVERS if own else [])]))


def holders(brand: Brand) -> dict[str, Brand]:
    """Return who sees to each name server that the brand or one above has: the highest brand with the name."""
    with everything("brands above"):
        rows = Brand.objects.select_related("organization").filter(organization__in=brand.organization.lineage)
    found: dict[str, Brand] = {}
    for row in sorted(rows, key=lambda row: row.organization.path):
        for host in hosts(brand if row.pk == brand.pk else row):
            found.setdefault(host, row)
    return found


def addresses_for(brand: Brand, seen_to_by: Mapping[str, Brand]) -> dict[str, list[str]]:
    """Return the public addresses that each name server of a brand should have; `seen_to_by` are its `holders`.

    The names of a holder are dealt out over its DNS servers; with fewer servers than names, names share.
    """
    found: dict[str, list[str]] = {}
    for row in {seen_to_by[host] for host in hosts(brand)}:
        pool = pools(row, "dns")
        own = [host for host in seen_to_by if seen_to_by[host] == row]
        found |= {host: pool[place % len(pool)] if pool else [] for place, host in enumerate(own)}
    return {host: found[host] for host in hosts(brand)}


def pools(brand: Brand, service: str) -> list[list[str]]:
    """Return the shared public addresses of each server for `service` (dns, mail …) that the brand's accounts are on,
    or, while it has none, could be on. For mail an address that the brand was given there stands for the shared ones of
    its family.
    """
    with everything("servers are the provider's"):
        ready = Server.objects.filter(**{f"role_{service}": True}).exclude(state=Server.State.RETIRED)
        inside = Q(placements__hosting__organization__path__startswith=brand.organization.path)
        used = ready.filter(inside & Q(placements__service=service)).distinct().order_by("id")
        mine = Q(reserved_for=None) | Q(reserved_for__in=brand.organization.lineage)
        servers = list(used) or list(ready.filter(mine, closed=False).distinct().order_by("id"))
        by_server: dict[str, list[str]] = {server.pk: [] for server in servers}
        own = Q(brand=brand) if service == "mail" else Q(pk__in=[])
        rows = Address.objects.filter(Q(kind=Address.Kind.SHARED) | own, server__in=servers).order_by("family", "id")
        given = {(row.server_id, row.family) for row in rows if row.brand_id}
        for row in rows:
            if row.brand_id or (row.server_id, row.family) not in given:
                by_server[row.server_id].append(row.public)
    return [found for found in by_server.values() if found]


def due(now: datetime, later: datetime, sooner: datetime) -> list[Brand]:
    """Return brands whose name servers are to be looked at: never seen, or not since `later`, or when something was
    missing since `sooner`."""
    with everything("looking at name servers"):
        rows = Brand.objects.select_related("organization").exclude(nameservers=[])
        never = Q(nameserver_check=None)
        old = Q(nameserver_check__checked_at__lt=later)
        left = Q(nameserver_check__complete=False, nameserver_check__checked_at__lt=sooner)
        return list(rows.filter(never | old | left).order_by("id")[:20])


def own_zones(brand: Brand, hosts: list[str]) -> dict[str, Zone]:
    """Return the zones of the brand's own tree that `hosts` may stand in, by name."""
    names = {name for host in hosts for name in above(host)}
    rows = Zone.objects.filter(name__in=names, hosting__organization__path__startswith=brand.organization.path)
    return {zone.name: zone for zone in rows.select_related("hosting__organization", "hosting__package")}


def above(host: str) -> list[str]:
    """Return the names that a host may stand in, the nearest first, top-level domains left out."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels) - 1)]


def _address_records(zones: list[Zone]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    rows = Record.objects.filter(zone__in=zones, type__in=("A", "AAAA"))
    for zone_id, name, kind, content in rows.values_list("zone_id", "name", "type", "content"):
        found.setdefault((zone_id, name), set()).add((kind, content))
    return found


def _relative(host: str, zone: Zone) -> str:
    return host.removesuffix(f".{zone.name}")


def _typed(host: str, addresses: list[str]) -> list[tuple[str, str, str]]:
    return [(host, "AAAA" if ":" in address else "A", address) for address in addresses]


def _warnings(wanted: dict[str, list[str]]) -> list[str]:
    """Return what RFC 2182 §3.1 warns of: `no_addresses`, `one_address`, `one_network`."""
    if not wanted:
        return []
    if not all(wanted.values()):
        return ["no_addresses"]
    pools = {tuple(addresses) for addresses in wanted.values()}
    if len(pools) == 1:
        return ["one_address"]
    networks = [{_network(address) for address in pool} for pool in pools]
    return ["one_network"] if set.intersection(*networks) and len(set.union(*networks)) <= 2 else []


def _network(address: str) -> str:
    return str(ipaddress.ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))
