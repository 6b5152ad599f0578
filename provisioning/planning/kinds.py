"""Makes resources of each kind of docs/protocol.md with its attributes by name. Not for what a service needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provisioning.planning.resources import Resource

Scalar = str | int | bool | None

NO_PASSWORD = "!"  # noqa: S105 -- crypt(5): no password fits


def _given(**attributes: Any) -> dict[str, Any]:
    """Leave out what is absent, so that a body holds only what was said."""
    return {name: value for name, value in attributes.items() if value is not None and value is not False}


def package(name: str) -> Resource:
    """A Debian package that must be installed."""
    return Resource("package", name)


def user(
    name: str, *, uid: int, gid: int, home: str, shell: str, gecos: str = "", password: str = NO_PASSWORD
) -> Resource:
    """A Unix user with a group of the same name, in libnss-extrausers; `password` is a crypt(5) string."""
    return Resource(
        "user",
        name,
        {"uid": uid, "gid": gid, "home": home, "shell": shell, "gecos": gecos, "password": password},
    )


def quota(uid: int, *, user: str, size: int | None, inodes: int | None = None) -> Resource:
    """What the kernel lets a user take on the file system of the homes, in bytes; None is unlimited."""
    return Resource("quota", str(uid), {"user": user, "bytes": size, "inodes": inodes})


def membership(user: str, group: str, *, service: str) -> Resource:
    """A daemon's user in a group of the system, so that it may read what that group may."""
    return Resource("membership", f"{user}:{group}", {"user": user, "group": group, "service": service})


def certificate(name: str, host: str, *, services: Sequence[str]) -> Resource:
    """A self-signed certificate for `host` whose key the server makes and keeps; `services` read its file."""
    return Resource("certificate", name, {"host": host, "services": list(services)})


def directory(
    path: str,
    *,
    owner: str = "root",
    group: str = "root",
    mode: str = "0755",
    as_: str | None = None,
    data: bool = False,
) -> Resource:
    """A directory; with `as_` that user makes it, not root. `data` outlives its absence until a tombstone names it."""
    return Resource(
        "directory", path, {"owner": owner, "group": group, "mode": mode, **_given(**{"as": as_, "data": data})}
    )


def file(
    path: str,
    text: str,
    *,
    service: str | None = None,
    owner: str = "root",
    group: str = "root",
    mode: str = "0644",
    as_: str | None = None,
    once: bool = False,
    adopt: bool = False,
) -> Resource:
    """A file whole; `once`: only where nothing is, then the tenant's; `adopt`: may replace what a package put there."""
    optional = _given(**{"service": service, "as": as_, "once": once, "adopt": adopt})
    return Resource("file", path, {"text": text, "owner": owner, "group": group, "mode": mode, **optional})


def link(path: str, target: str, *, as_: str | None = None) -> Resource:
    """A symbolic link."""
    return Resource("link", path, {"target": target, **_given(**{"as": as_})})


def zone(name: str, text: str, *, serial_floor: int = 0) -> Resource:
    """A primary zone; the node writes the serial where `text` says `@SERIAL@`, never below `serial_floor`."""
    hint = {"serial_floor": serial_floor} if serial_floor else {}
    return Resource("zone", name, {"service": "named", "text": text}, hint)


def database(name: str, *, charset: str, collation: str) -> Resource:
    """A MariaDB database (data: only a tombstone drops it)."""
    return Resource("database", name, {"service": "mariadb", "charset": charset, "collation": collation})


def database_user(
    name: str, host: str, *, password_hash: str | None, databases: Sequence[str], locked: bool
) -> Resource:
    """A MariaDB login from `host` with every right on `databases` and on nothing else; `locked` refuses its log-in."""
    return Resource(
        "database_user",
        f"{name}@{host}",
        {
            "service": "mariadb",
            "user": name,
            "host": host,
            "password_hash": password_hash,
            "grants": [{"database": database, "privileges": ["ALL"]} for database in databases],
            "locked": locked,
        },
    )


def row(table: str, key: str, values: Mapping[str, Scalar]) -> Resource:
    """A row of the mail database; Postfix and Dovecot read it live, so no daemon is reloaded."""
    return Resource("row", f"{table}:{key}", {"table": table, "key": key, "values": dict(values)})


def service(unit: str) -> Resource:
    """A systemd unit that starts with the machine and runs now."""
    return Resource("service", unit, {"enabled": True, "running": True})
