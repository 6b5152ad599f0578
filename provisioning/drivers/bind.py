"""What BIND reads: its whole configuration, and the account's zones. Not who may delegate to it."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.render.zones import master_file
from provisioning.spec import AccountSpec, ServerSpec


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """The account's zones, also while it is suspended: names, mail routing and challenges go on.

    Raises provisioning.render.zones.ZoneInvalid for a zone that cannot be served as described.
    """
    if "dns" not in account.services & server.roles:
        return []
    return [
        kinds.zone(zone.name, master_file(zone), serial_floor=zone.serial_floor)
        for zone in sorted(account.zones, key=lambda zone: zone.name)
    ]


def base(server: ServerSpec) -> list[Resource]:
    """An authoritative server alone: it resolves nothing for anybody and says nothing of itself."""
    if "dns" not in server.roles:
        return []
    return [
        kinds.package("bind9"),
        kinds.package("bind9-utils"),
        kinds.file("/etc/bind/named.conf", render("bind/named.conf.j2"), service="named", adopt=True),
        kinds.service("named.service"),
    ]
