"""Which of a server's addresses a site is served on, and whose they are. Pure look-ups in the specification."""

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
    _require_known(site.listen, known)
    return tuple(ip for ip in known if ip in site.listen)


def besides(server: ServerSpec, site: SiteSpec) -> tuple[str, ...]:
    """The addresses of its brand that a site answers on besides the shared ones or its own.

    Raises SpecInvalid as `dedicated_to` does.
    """
    known = dedicated(server)
    _require_known(site.also, known)
    return tuple(ip for ip in known if ip in site.also and ip not in site.listen)


def nobodys(server: ServerSpec) -> tuple[str, ...]:
    """The dedicated addresses that no brand was given."""
    given = {ip for identity in server.identities for ip in identity.ips}
    return tuple(ip for ip in dedicated(server) if ip not in given)


def own(server: ServerSpec) -> tuple[str, ...]:
    """The addresses that are the platform's: all but those that a brand was given, IPv4 first, in order."""
    given = {ip for identity in server.identities for ip in identity.ips}
    found = {(address.family, address.ip) for address in server.addresses if address.ip not in given}
    return tuple(ip for _, ip in sorted(found))


def shared(server: ServerSpec, family: int) -> str:
    """The first shared address of a family as the server's interface carries it; empty without one."""
    return next((item.ip for item in server.addresses if item.family == family and not item.dedicated), "")


def _require_known(wanted: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not set(wanted) <= set(known):
        raise SpecInvalid("listen", "is not a dedicated address of this server")
