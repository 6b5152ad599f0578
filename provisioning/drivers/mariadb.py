"""What MariaDB is to hold: the account's databases and log-ins. Not what is in them."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, DatabaseUserSpec, ServerSpec

CHARSET = "utf8mb4"
COLLATION = "utf8mb4_unicode_ci"
SERVICE = "mariadb"

HOSTS = {"localhost": ("localhost", "127.0.0.1", "::1"), "%": ("%",)}
"""No name is resolved: a log-in of this machine over TCP comes from its loopback address, not from `localhost`."""


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """Databases, and log-ins with all rights on the account's own databases; while it is suspended they are locked."""
    if "database" not in account.services & server.roles:
        return []
    databases = sorted(database.name for database in account.databases)
    users = sorted(account.database_users, key=lambda user: (user.name, user.host))
    return [
        *(kinds.database(name, charset=CHARSET, collation=COLLATION) for name in databases),
        *(resource for user in users for resource in _logins(user, databases, locked=account.suspended)),
    ]


def _logins(user: DatabaseUserSpec, databases: list[str], *, locked: bool) -> list[Resource]:
    return [
        kinds.database_user(
            user.name,
            host,
            password_hash=user.password_hash,
            databases=[name for name in databases if name in user.databases],
            locked=locked or user.password_hash is None,
        )
        for host in HOSTS[user.host]
    ]


def base(server: ServerSpec) -> list[Resource]:
    """The database server, listening on every address: which log-ins may come from elsewhere is each user's host."""
    if "database" not in server.roles:
        return []
    return [
        kinds.package("mariadb-server"),
        kinds.file("/etc/mysql/mariadb.conf.d/99-hostwright.cnf", render("mariadb/hostwright.cnf.j2"), service=SERVICE),
        kinds.service("mariadb.service"),
    ]
