"""Records that a brand's own domain needs beside its name servers: panel host, mail host, SPF of its mail."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Brand
from accounts.selectors import brands
from panel.core.public_suffixes import registrable
from panel.core.scoping import everything
from provisioning.models import Zone
from provisioning.selectors import nameservers, zones


@dataclass(frozen=True)
class BrandRecord:
    """A record that belongs into the DNS of the brand's domain; `purpose` is panel, mail or spf.

    `zone` is the zone for it that is hosted here, `present` whether that has it.
    """

    purpose: str
    name: str
    type: str
    content: str
    zone: Zone | None = None
    present: bool = False

    @property
    def zone_id(self) -> str | None:
        """The id of the zone here that it belongs into."""
        return self.zone.pk if self.zone else None

    @property
    def relative(self) -> str:
        """Its name within the zone."""
        return self.name.removesuffix(f".{self.zone.name}") if self.zone else self.name


def records(brand: Brand) -> list[BrandRecord]:
    """Return what the brand's names need; nothing for names that it does not have or servers that are not there."""
    wanted = _wanted(brand)
    found = nameservers.own_zones(brand, [record.name for record in wanted])
    with everything("default records come from the provider's servers"):
        served = {
            key: {(item.name, item.type, item.content) for item in items}
            for key, items in zones.specs(list(found.values())).items()
        }
    placed = []
    for record in wanted:
        zone = next((found[name] for name in nameservers.above(record.name) if name in found), None)
        if zone is not None:
            record = BrandRecord(record.purpose, record.name, record.type, record.content, zone)
            there = (record.relative, record.type, record.content) in served.get(zone.pk, set())
            record = BrandRecord(record.purpose, record.name, record.type, record.content, zone, present=there)
        placed.append(record)
    return placed


def _wanted(brand: Brand) -> list[BrandRecord]:
    claim = brands.claim(brand.organization)
    host = claim.host if claim else brand.panel_host
    found = [BrandRecord("panel", host, _type(ip), ip) for ip in settings.PANEL_ADDRESSES if host]
    pools = nameservers.pools(brand, "mail") if brand.mail_host else []
    addresses = list(dict.fromkeys(ip for pool in pools for ip in pool))
    found += [BrandRecord("mail", brand.mail_host, _type(ip), ip) for ip in addresses]
    domain = registrable(brand.mail_host) if brand.mail_host else None
    if domain and addresses:
        mechanisms = " ".join(f"ip6:{ip}" if ":" in ip else f"ip4:{ip}" for ip in addresses)
        found.append(BrandRecord("spf", f"_spf.{domain}", "TXT", f"v=spf1 {mechanisms} -all"))
    return found


def _type(ip: str) -> str:
    return "AAAA" if ":" in ip else "A"
