"""Which of a server's addresses a site is served on. Pure look-ups in the specification; no network."""

from __future__ import annotations

from provisioning.spec.account import SiteSpec
from provisioning.spec.checks import SpecInvalid
from provisioning.spec.server import ServerSpec


def dedicated(server: ServerSpec) -> tuple[str, ...]:
    """The server's dedicated addresses as its own interfaces carry them, IPv4 first, in order."""
    found = {(address.family, address.ip) for address in server.addresses if address.dedicated}
    return tuple(ip for _, ip in sorted(found))


def dedicated_to(server: ServerSpec, site: SiteSpec) -> tuple[str, ...]:
    """The addresses that only this site answers on; none means the shared ones.

    Raises SpecInvalid for an address that is not a dedicated one of this server: served there, the site would take
    over the requests of every other site.
    """
    known = dedicated(server)
    if not set(site.listen) <= set(known):
        raise SpecInvalid("listen", "is not a dedicated address of this server")
    return tuple(ip for ip in known if ip in site.listen)
