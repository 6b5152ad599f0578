"""Reverse names of servers' addresses: which one each should have, and what the public DNS was last seen to say."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from accounts.models import Brand
from panel.core.scoping import everything
from provisioning.models import Address, Server

MOST_AT_ONCE = 20


@dataclass(frozen=True)
class Pointer:
    """The reverse name of an address: `record` is its name in the DNS (RFC 1035 §3.5, RFC 3596 §2.5), `wanted` what
    whoever owns the address should let it point to, `found` what it points to, None when nobody answered.
    """

    ip: str
    wanted: str
    found: list[str] | None
    checked_at: datetime | None

    @property
    def record(self) -> str:
        """The name that the PTR record has, without the dot at the end."""
        return ipaddress.ip_address(self.ip).reverse_pointer

    @property
    def state(self) -> str:
        """Return right, missing, wrong (another name, or several) or unknown (not looked yet, or nobody answered)."""
        if self.checked_at is None or self.found is None:
            return "unknown"
        if not self.found:
            return "missing"
        return "right" if self.found == [self.wanted] else "wrong"


def of(address: Address) -> Pointer:
    """Return the reverse name of an address: of a brand's its mail host, else the server's platform name."""
    brand = address.brand
    wanted = brand.mail_host if brand is not None and brand.mail_host else address.server.platform_name
    return Pointer(address.public, wanted, address.pointers, address.pointers_checked_at)


def given_to(brand: Brand) -> list[Pointer]:
    """Return the reverse names of the addresses that a brand was given, whatever the tenant scope."""
    with everything("addresses are the provider's"):
        rows = Address.objects.filter(brand=brand).select_related("brand", "server").order_by("family", "id")
        return [of(row) for row in rows]


def due(later: datetime, sooner: datetime) -> list[Address]:
    """Return addresses to be looked at, the longest waiting first: never seen or not since `later`, a brand's not since
    `sooner`.
    """
    live = Address.objects.exclude(server__state=Server.State.RETIRED).select_related("brand", "server")
    waits = Q(pointers_checked_at=None) | Q(pointers_checked_at__lt=later)
    waits |= Q(brand__isnull=False, pointers_checked_at__lt=sooner)
    return list(live.filter(waits).order_by(F("pointers_checked_at").asc(nulls_first=True), "id")[:MOST_AT_ONCE])
