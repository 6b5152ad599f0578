"""The triggers by which the database, SQLite or PostgreSQL, keeps issued papers and books as they were written.

What may be written is said by services; this is what holds when one of them, or a person with a console, is wrong. A
refusal is an IntegrityError on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

FUNCTION = "billing_refuse"


@dataclass(frozen=True)
class Guard:
    """One trigger: what (INSERT, UPDATE, DELETE) is refused on which table, `when` (SQL over OLD and NEW), and why."""

    table: str
    event: str
    why: str
    when: str = ""

    @property
    def name(self) -> str:
        """The trigger's name, one of its table and event."""
        return f"{self.table}_keep_{self.event.lower()}"


def _guards() -> Iterator[Guard]:
    for event in ("UPDATE", "DELETE"):
        yield Guard("billing_invoice", event, "an issued invoice is never changed or deleted", "OLD.status = 'issued'")
        for table, what in (
            ("billing_document", "a document"),
            ("billing_ledgerentry", "an entry of the books"),
            ("billing_allocation", "an allocation"),
            ("billing_charge", "a charge"),
        ):
            yield Guard(table, event, f"{what} is never changed or deleted")
    for table in ("billing_invoiceline", "billing_invoicetax"):
        for event, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            why = "nothing is added to, changed in or taken from an issued invoice"
            rows = f"({row}.invoice_id, NEW.invoice_id)" if event == "UPDATE" else f"({row}.invoice_id)"
            issued = f"EXISTS (SELECT 1 FROM billing_invoice WHERE id IN {rows} AND status = 'issued')"  # noqa: S608
            yield Guard(table, event, why, issued)
    draft = "NOT EXISTS (SELECT 1 FROM billing_invoice WHERE id = NEW.invoice_id AND status = 'issued')"
    yield Guard("billing_document", "INSERT", "only an issued invoice has a document", draft)


GUARDS = tuple(_guards())


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every trigger that is not there yet, and what it says anew on PostgreSQL. The tables must exist."""
    with connection.cursor() as cursor:
        for statement in created(connection.vendor):
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: before tables are made anew on SQLite, and to take the migration back."""
    with connection.cursor() as cursor:
        for statement in dropped(connection.vendor):
            cursor.execute(statement)


def created(vendor: str) -> list[str]:
    """Return the statements that make the triggers on a database of `vendor`."""
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {guard.name} BEFORE {guard.event} ON {guard.table} "
            + (f"WHEN {guard.when} " if guard.when else "")
            + f"BEGIN SELECT RAISE(ABORT, '{guard.why}'); END"
            for guard in GUARDS
        ]
    return [_FUNCTION, *(_postgresql(guard) for guard in GUARDS)]


def dropped(vendor: str) -> list[str]:
    """Return the statements that take the triggers away."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {guard.name}" for guard in GUARDS]
    return [f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}" for guard in GUARDS]


_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def _postgresql(guard: Guard) -> str:
    # A condition of CREATE TRIGGER can't look into other tables there: such a guard has a function of its own.
    if "EXISTS" not in guard.when:
        when = f"WHEN ({guard.when}) " if guard.when else ""
        return (
            f"CREATE OR REPLACE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH ROW {when}"
            f"EXECUTE FUNCTION {FUNCTION}('{guard.why}')"
        )
    row = "OLD" if guard.event == "DELETE" else "NEW"
    return f"""
CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {guard.when} THEN
        RAISE EXCEPTION '{guard.why}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN {row};
END
$$;
CREATE OR REPLACE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} FOR EACH ROW
    EXECUTE FUNCTION {guard.name}()
"""


def lay_aside(*, using: str, plan: list[tuple[Any, bool]], **_: object) -> None:
    """Before migrations of money on SQLite, which makes tables anew and would stumble over what refers to them."""
    from django.db import connections

    if connections[using].vendor == "sqlite" and any(migration.app_label == "billing" for migration, _back in plan):
        remove(connections[using])


def put_back(*, using: str, **_: object) -> None:
    """After migrations: make the triggers that went with a table."""
    from django.db import connections

    connection = connections[using]
    if {guard.table for guard in GUARDS} <= set(connection.introspection.table_names()):
        install(connection)
