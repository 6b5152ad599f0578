"""From what a server and an account should be to the resources that make it so. Pure: nothing is read or written."""

from __future__ import annotations

from provisioning.drivers import apache, bind, certificates, mail, mariadb, nginx, php, unix
from provisioning.planning.resources import Resource, by_key
from provisioning.spec import AccountSpec, ServerSpec

__all__ = ["for_account", "for_server"]

_DRIVERS = (unix, certificates, php, apache, nginx, bind, mariadb, mail)


def for_account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """The whole slice of an account on a server, the same for the same specification.

    Raises ValueError when the specification cannot be made real, and DuplicateResource when it names one thing twice.
    """
    return list(by_key(resource for driver in _DRIVERS for resource in driver.account(server, account)).values())


def for_server(server: ServerSpec) -> list[Resource]:
    """The server's own slice: packages, base configuration and the virtual host that belongs to nobody."""
    return list(by_key(resource for driver in _DRIVERS for resource in driver.base(server)).values())
