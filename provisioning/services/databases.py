"""MariaDB databases of an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from panel.core import names
from panel.core.actors import Actor
from panel.core.errors import Invalid, insert
from provisioning.models import Database, HostingAccount, Operation, Tombstone
from provisioning.services import holding
from provisioning.services.inputs import normal


def create(*, actor: Actor, hosting: HostingAccount, name: str) -> tuple[Database, Operation]:
    """Create the database `<user name>_<name>`; a name that has the prefix already keeps it.

    One that was removed lately, and whose data no server has destroyed yet, comes back with its data.
    """
    with holding.changing(actor, "database.create", hosting, feature="databases") as hosting:
        holding.take(hosting, "databases")
        database = Database(hosting=hosting, name=prefixed(hosting, "name", name, names.database_name))
        insert(database, taken=_("This database name is taken."), field="name")
        Tombstone.objects.filter(slice__hosting=hosting, key=f"database:{database.name}", destroyed_at=None).delete()
        operation = holding.finish(
            actor=actor, action="database.create", hosting=hosting, obj=database, services=("database",)
        )
    return database, operation


def remove(*, actor: Actor, database: Database, confirm: str) -> Operation:
    """Remove a database: nobody can use it from now on, its data is destroyed after the grace period.

    `confirm` must be the database's name.
    """
    if confirm != database.name:
        raise Invalid("confirm", _("Type the database's name to confirm."), "confirm")
    with holding.changing(actor, "database.remove", database.hosting) as hosting:
        database = holding.current(database)
        holding.give_back(hosting, "databases")
        due = timezone.now() + timedelta(days=settings.TERMINATION_GRACE_DAYS)
        for part in hosting.slices.filter(server__placements__hosting=hosting, server__placements__service="database"):
            Tombstone.objects.get_or_create(
                slice=part, key=f"database:{database.name}", destroyed_at=None, defaults={"due_at": due}
            )
        operation = holding.finish(
            actor=actor, action="database.remove", hosting=hosting, obj=database, services=("database",)
        )
        database.delete()
    return operation


def prefixed(hosting: HostingAccount, field: str, name: str, rule: Callable[[str], str]) -> str:
    """Return `name` below the account's own prefix, so that accounts can't take each other's names."""
    prefix = f"{hosting.username}_"
    own = name.removeprefix(prefix)
    if not own:
        raise Invalid("required", _("Give a name; it gets the prefix %s.") % prefix, field)
    full: str = normal(field, rule, f"{prefix}{own}")
    return full
