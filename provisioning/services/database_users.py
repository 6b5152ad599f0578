"""Logins of an account's databases. The panel hashes a password when it is set and keeps only that."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Invalid, insert
from provisioning.models import Database, DatabaseUser, HostingAccount, Operation
from provisioning.selectors import packages
from provisioning.services import holding, passwords
from provisioning.services.databases import prefixed


def create(
    *,
    actor: Actor,
    hosting: HostingAccount,
    name: str,
    password: str,
    databases: Sequence[Database] = (),
    host: str = DatabaseUser.Host.LOCAL,
) -> tuple[DatabaseUser, Operation]:
    """Create the login `<user name>_<name>` with all rights on `databases`, all of this account."""
    passwords.check(password)
    with holding.changing(actor, "database_user.create", hosting, feature="databases") as hosting:
        if host == DatabaseUser.Host.ANY and "remote_databases" not in packages.features_of(hosting):
            raise Invalid("remote_databases", _("The account's package has no remote database logins."), "host")
        holding.take(hosting, "database_users")
        user = DatabaseUser(
            hosting=hosting,
            name=prefixed(hosting, "name", name, names.database_user),
            host=host,
            password_hash=passwords.mysql_native(password),
        )
        insert(user, taken=_("This user name is taken."), field="name")
        user.databases.add(*_own(hosting, databases))
        operation = holding.finish(
            actor=actor, action="database_user.create", hosting=hosting, obj=user, services=("database",)
        )
    return user, operation


def change(
    *, actor: Actor, user: DatabaseUser, password: str | None = None, databases: Sequence[Database] | None = None
) -> tuple[DatabaseUser, Operation]:
    """Set a new password, or the databases that the user may use."""
    if password is not None:
        passwords.check(password)
    with holding.changing(actor, "database_user.change", user.hosting) as hosting:
        user = holding.current(user)
        if password is not None:
            user.password_hash = passwords.mysql_native(password)
            user.save(update_fields=["password_hash"])
        if databases is not None:
            user.databases.set(_own(hosting, databases))
        operation = holding.finish(
            actor=actor,
            action="database_user.change",
            hosting=hosting,
            obj=user,
            services=("database",),
            changes={"password": ["old", "new"]} if password is not None else None,
        )
    return user, operation


def remove(*, actor: Actor, user: DatabaseUser) -> Operation:
    """Remove a login; sessions that it has open end."""
    with holding.changing(actor, "database_user.remove", user.hosting) as hosting:
        user = holding.current(user)
        holding.give_back(hosting, "database_users")
        operation = holding.finish(
            actor=actor, action="database_user.remove", hosting=hosting, obj=user, services=("database",)
        )
        user.delete()
    return operation


def _own(hosting: HostingAccount, databases: Sequence[Database]) -> list[Database]:
    wanted = {database.pk for database in databases}
    found = list(hosting.databases.filter(pk__in=wanted))
    if len(found) != len(wanted):
        raise Invalid("foreign", _("Choose databases of this account."), "databases")
    return found
