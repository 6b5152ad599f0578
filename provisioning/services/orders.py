"""Orders of several things at once: made in one transaction, they reach the server in one run."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from panel.core.actors import Actor
from provisioning.models import DatabaseUser, HostingAccount, Operation
from provisioning.services import database_users, databases, hosting_accounts


def account(
    *, actor: Actor, database: dict[str, str] | None = None, **order: Any
) -> tuple[HostingAccount, Operation, list[Operation]]:
    """Order a hosting account and, in the same run, a database with a login of the same name that may use it.

    `database` has `name`, `password` and, unless the login is for the server itself, `host`. Returns the account, its
    own operation, and those of what is in it. Everything is ordered, or nothing.
    """
    with transaction.atomic():
        hosting, operation = hosting_accounts.create(actor=actor, **order)
        if database is None:
            return hosting, operation, []
        made, first = databases.create(actor=actor, hosting=hosting, name=database["name"])
        _user, second = database_users.create(
            actor=actor,
            hosting=hosting,
            name=database["name"],
            password=database["password"],
            databases=[made],
            host=database.get("host", DatabaseUser.Host.LOCAL),
        )
    return hosting, operation, [first, second]
