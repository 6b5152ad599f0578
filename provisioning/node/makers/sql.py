"""Makes databases and database users: all statements of an apply in one session over the local socket."""

from __future__ import annotations

import json

from .. import sql
from ..changes import ADD, DESTROY, REMOVE, Change
from ..daemons import daemon, ensure_running
from ..errors import Failures, RefusedError
from ..failpoints import failpoint
from ..kinds.services import PRIVILEGES
from ..mariadb import Connection, MariadbError
from ..node import Node
from ..rules import Body
from ..state import Remembered
from .base import Extra, Failing, Known, Maker

NATIVE = "mysql_native_password"
SESSION = "SET SESSION sql_mode='STRICT_ALL_TABLES';"


def execute(node: Node, statements: list[str]) -> tuple[list[list[str]], dict[int, str]]:
    """Run statements in one session, going on after a refused one; all rows, and index of statement → its error.

    RefusedError when the server cannot be reached at all, or goes away.
    """
    rows: list[list[str]] = []
    errors: dict[int, str] = {}
    try:
        with _connect(node) as connection:
            connection.run(SESSION)
            for position, statement in enumerate(statements):
                try:
                    rows += connection.run(statement)
                except MariadbError as error:
                    errors[position] = f"MariaDB: {error}"
    except (OSError, MariadbError) as error:
        raise RefusedError("failed", f"MariaDB: {error}") from error
    return rows, errors


def _connect(node: Node) -> Connection:
    """A session; MariaDB is started for it if need be."""
    try:
        return Connection(node.paths)
    except OSError:
        ensure_running(node, "mariadb")
        return Connection(node.paths)


def query(node: Node, statements: list[str]) -> list[list[str]]:
    """The rows of some SELECTs. RefusedError when one fails."""
    rows, errors = execute(node, statements)
    if errors:
        raise RefusedError("failed", next(iter(errors.values())))
    return rows


class Sql(Maker):
    """Kinds: database, database_user."""

    name = "sql"
    is_checked = False

    def before(self, node: Node, changes: list[Change]) -> Failures:
        for change in changes:
            change.before = {"old": change.old}
        added = [change for change in changes if change.change == ADD]
        if not added:
            return {}
        failing = Failing()
        try:
            existing = self._existing(node, added)
        except RefusedError as error:
            return {change.slice: error for change in added}
        for change in added:
            if change.key in existing and not change.adopts:
                failing.add(change, RefusedError("foreign", f"{change.key}: it exists and is not managed by the panel"))
        for change in added:
            if change.key in existing and change.adopts:
                change.before["old"] = _actual_databases(node)[change.name]
        return failing.found

    def _existing(self, node: Node, changes: list[Change]) -> set[str]:
        names = [change.name for change in changes if change.kind == "database"]
        logins = [change.body for change in changes if change.kind == "database_user"]
        statements = []
        if names:
            statements.append(sql.existing_databases(names))
        if logins:
            statements.append(sql.existing_logins(logins))
        return {row[0] for row in query(node, statements)}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        owners: list[Change] = []
        statements: list[str] = []
        for change in sorted(changes, key=lambda change: change.kind):
            for statement in _making(change):
                owners.append(change)
                statements.append(statement)
        failing = _run_for(node, owners, statements)
        failpoint("after-sql")
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        if node.is_booting:
            return
        owners: list[Change] = []
        statements: list[str] = []
        created = [change for change in changes if change.kind == "database" and change.before["old"] is None]
        used = _with_tables(node, created)
        for change in sorted(changes, key=lambda change: change.kind, reverse=True):
            if change.key in used:
                continue
            for statement in _undoing(change):
                owners.append(change)
                statements.append(statement)
        failing = _run_for(node, owners, statements)
        if failing.found:
            raise failing.found.popitem()[1]

    def finish(self, node: Node, changes: list[Change]) -> dict[str, str]:
        owners: list[Change] = []
        statements: list[str] = []
        for change in sorted(changes, key=lambda change: change.kind, reverse=True):
            if change.kind == "database" and change.change != DESTROY:
                continue
            wanted = [sql.drop_database(change.name)] if change.kind == "database" else sql.drop_user(change.body)
            owners += [change] * len(wanted)
            statements += wanted
        failing = _run_for(node, owners, statements)
        return {change.key: failing.found[change.slice].reason for change in owners if change in failing}

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        databases, logins = _actual(node)
        found: dict[str, Body | None] = {}
        for resource in resources:
            kind, _, name = resource.key.partition(":")
            actual: Body | None = databases.get(name) if kind == "database" else logins.get(name)
            wanted = resource.body if kind == "database" else _comparable(resource.body)
            if actual is None:
                found[resource.key] = None
            elif differing := {field: told for field, told in actual.items() if told != wanted[field]}:
                found[resource.key] = {**resource.body, **differing}
        return found

    def extras(self, node: Node, known: Known) -> list[Extra]:
        """Databases and logins that begin with a managed user's name and `_`."""
        if not is_installed(node):
            return []
        found = []
        databases, logins = _actual(node)
        for name, body in databases.items():
            near = "" if f"database:{name}" in known.slices else known.prefixed(name)
            if near:
                found.append(Extra(f"database:{name}", {"kind": "database", "name": name, **body}, near))
        for name, body in logins.items():
            near = "" if f"database_user:{name}" in known.slices else known.prefixed(name)
            if near:
                login, _, host = name.rpartition("@")
                told = {"kind": "database_user", "name": name, "user": login, "host": host, **body}
                found.append(Extra(f"database_user:{name}", told, near))
        return found


def _making(change: Change) -> list[str]:
    if change.change == REMOVE:
        return []
    if change.kind == "database":
        add = change.before["old"] is None
        return [(sql.create_database if add else sql.alter_database)(change.name, change.body)]
    if change.change == ADD or change.old is None:
        return sql.create_user(change.body)
    if change.is_drift:
        return sql.reset_user(change.body)
    return sql.change_user(change.old, change.body)


def _undoing(change: Change) -> list[str]:
    old = change.before["old"]
    if change.kind == "database":
        return [sql.drop_database(change.name)] if old is None else [sql.alter_database(change.name, old)]
    return sql.drop_user(change.body) if old is None else sql.reset_user(old)


def _with_tables(node: Node, changes: list[Change]) -> set[str]:
    """Those of some databases that hold tables already: what somebody uses is not dropped by an undo."""
    if not changes:
        return set()
    return {row[0] for row in query(node, [sql.databases_with_tables([change.name for change in changes])])}


def _run_for(node: Node, owners: list[Change], statements: list[str]) -> Failing:
    """Run statements that belong to changes; a failed one fails its change's slice, the others go on."""
    failing = Failing()
    if not statements:
        return failing
    try:
        _rows, errors = execute(node, statements)
    except RefusedError as error:
        for change in owners:
            failing.add(change, error)
        return failing
    for position, message in errors.items():
        failing.add(owners[max(0, min(position, len(owners) - 1))], RefusedError("failed", message))
    return failing


def is_installed(node: Node) -> bool:
    """Whether this server has MariaDB at all."""
    return daemon("mariadb").is_installed(node)


def _actual(node: Node) -> tuple[dict[str, Body], dict[str, Body]]:
    """All databases and all logins, as MariaDB has them."""
    return node.seen("sql", lambda: (_actual_databases(node), _actual_logins(node)))


def _actual_databases(node: Node) -> dict[str, Body]:
    """Name → character set and collation, as MariaDB has them."""
    columns = "schema_name, default_character_set_name, default_collation_name"
    rows = query(node, [f"SELECT {columns} FROM information_schema.schemata;"])  # noqa: S608 -- fixed names
    return {row[0]: {"charset": row[1], "collation": row[2]} for row in rows}


def _actual_logins(node: Node) -> dict[str, Body]:
    """user@host → its password, lock and grants, as MariaDB has them; `*` stands for rights on every database."""
    logins: dict[str, Body] = {}
    rights: dict[str, dict[str, set[str]]] = {}
    for user, host, priv in query(node, ["SELECT User, Host, Priv FROM mysql.global_priv;"]):
        told = json.loads(priv)
        secret = told.get("authentication_string", "")
        is_native = told.get("plugin", NATIVE) == NATIVE and secret not in ("", sql.IMPOSSIBLE_PASSWORD)
        password = secret if is_native else None
        logins[f"{user}@{host}"] = {"password_hash": password, "locked": bool(told.get("account_locked"))}
        if told.get("access"):
            rights.setdefault(f"{user}@{host}", {})["*"] = {f"access {told['access']}"}
    statement = "SELECT grantee, table_schema, privilege_type FROM information_schema.schema_privileges;"
    for grantee, schema, privilege in query(node, [statement]):
        databases = rights.setdefault(grantee.replace("'", ""), {})
        databases.setdefault(sql.database_of(schema), set()).add(privilege)
    for name, login in logins.items():
        login["grants"] = _grants(rights.get(name, {}))
    return logins


def _grants(rights: dict[str, set[str]]) -> list[Body]:
    """Rights in the form of a body, sorted; what makes up `ALL` in every version of MariaDB is told as `ALL`."""
    every = set(PRIVILEGES) - {"ALL"}
    return [
        {"database": database, "privileges": ["ALL"] if words >= every or "ALL" in words else sorted(words)}
        for database, words in sorted(rights.items())
    ]


def _comparable(body: Body) -> Body:
    """A wanted login in the form of `_actual_logins`."""
    rights: dict[str, set[str]] = {}
    for grant in body["grants"]:
        rights.setdefault(grant["database"], set()).update(grant["privileges"])
    return {
        "password_hash": body.get("password_hash"),
        "locked": bool(body.get("locked")) or body.get("password_hash") is None,
        "grants": _grants(rights),
    }
