"""Resources that live inside a daemon: database, database user, zone, row of the mail database."""

from __future__ import annotations

import re

from .. import rules
from ..mail import COLUMNS
from ..rules import Body
from .base import Kind, Scope

SYSTEM_SCHEMAS = ("mysql", "sys", "information_schema", "performance_schema", "test")
SYSTEM_LOGINS = ("root", "mysql", "mariadb", "public", "debian-sys-maint")
PRIVILEGES = (
    "ALL", "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "EXECUTE", "EVENT",
    "TRIGGER", "CREATE TEMPORARY TABLES", "LOCK TABLES", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE",
)  # fmt: skip
NATIVE_HASH = re.compile(r"\*[0-9A-F]{40}")
TRANSPORT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
SERIAL = "@SERIAL@"
DIRECTIVE = re.compile(r"^\$(?!TTL\s|ORIGIN\s)", re.MULTILINE)


class Database(Kind):
    """A MariaDB database; its tables are the tenant's."""

    name = "database"
    maker = "sql"
    removed_late = True

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        rules.string({"name": name}, "name", rules.SQL_NAME, "must be letters, digits and underscores, at most 64")
        if name.lower() in SYSTEM_SCHEMAS:
            raise rules.invalid("name", f"{name} is one of MariaDB's own databases")
        rules.string(body, "charset", rules.SQL_WORD)
        rules.string(body, "collation", rules.SQL_WORD)

    def is_data(self, body: Body) -> bool:
        return True


class DatabaseUser(Kind):
    """A MariaDB login with its rights on databases of the same slice."""

    name = "database_user"
    maker = "sql"
    removed_late = True

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        user = rules.string(body, "user", rules.SQL_USER, "must be letters, digits and underscores, at most 32")
        host = rules.sql_host(body.get("host"))
        if name != f"{user}@{host}":
            raise rules.invalid("name", "must be user@host")
        if user.lower() in SYSTEM_LOGINS:
            raise rules.invalid("user", f"{user} is one of MariaDB's own logins")
        rules.optional_string(body, "password_hash", NATIVE_HASH, "must be * and 40 hexadecimal digits")
        rules.boolean(body, "locked")
        grants = body.get("grants")
        if not isinstance(grants, list):
            raise rules.invalid("grants", "must be a list")
        for grant in grants:
            self._check_grant(grant, scope)

    def _check_grant(self, grant: object, scope: Scope) -> None:
        if not isinstance(grant, dict) or not isinstance(grant.get("privileges"), list):
            raise rules.invalid("grants", "must hold objects with database and privileges")
        database = rules.string(grant, "database", rules.SQL_NAME)
        scope.require(f"database:{database}", "grants")
        unknown = [item for item in grant["privileges"] if item not in PRIVILEGES]
        if unknown or not grant["privileges"]:
            raise rules.invalid("grants", "privileges must be some of " + ", ".join(PRIVILEGES))


class Zone(Kind):
    """A primary zone; its SOA serial is the node's business and stands as @SERIAL@."""

    name = "zone"
    maker = "zones"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        rules.string({"name": name}, "name", rules.DOMAIN, "must be a lower-case A-label name without a dot at the end")
        text = rules.content(body)
        if text.count(SERIAL) != 1:
            raise rules.invalid("text", f"must hold {SERIAL} exactly once")
        if DIRECTIVE.search(text) or "\r" in text:
            raise rules.invalid("text", "may use no directive but $TTL and $ORIGIN")


class Row(Kind):
    """A row of the mail database that Postfix and Dovecot query live."""

    name = "row"
    maker = "rows"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        table, key = body.get("table"), rules.string(body, "key")
        if table not in COLUMNS:
            raise rules.invalid("table", "must be one of " + ", ".join(COLUMNS))
        if name != f"{table}:{key}":
            raise rules.invalid("name", "must be table:key")
        values = body.get("values")
        if not isinstance(values, dict):
            raise rules.invalid("values", "must be an object")
        columns = COLUMNS[table][1:]
        for column, value in values.items():
            if column not in columns and column != COLUMNS[table][0]:
                raise rules.invalid("values", f"{column} is no column of {table}")
            if isinstance(value, float) or not isinstance(value, (str, int, type(None))):
                raise rules.invalid(column, "must be a text, a whole number, true, false or null")
            if isinstance(value, str) and rules.CONTROL.search(value):
                raise rules.invalid(column, "must hold no control character")
        if values.get(COLUMNS[table][0], key) != key:
            raise rules.invalid("values", f"{COLUMNS[table][0]} must equal the key")
        getattr(self, f"_check_{table}")(key, values, scope)

    def _check_domain(self, key: str, values: Body, scope: Scope) -> None:
        rules.string({"key": key}, "key", rules.DOMAIN, "must be a domain")

    def _check_mailbox(self, key: str, values: Body, scope: Scope) -> None:
        domain = rules.address(key, "key")
        scope.require(f"row:domain:{domain}", "key")
        local = key.rpartition("@")[0]
        if (values.get("domain"), values.get("local")) != (domain, local):
            raise rules.invalid("values", "domain and local must be the parts of the address")
        rules.user_id(values, "uid")
        rules.user_id(values, "gid")
        home = rules.normalised(rules.string(values, "home"), "home")
        owner = home.split("/")[2] if home.startswith("/home/") else ""
        scope.require(f"user:{owner}", "home")
        maildir = rules.string(values, "maildir").rstrip("/").removeprefix("maildir:")
        if not rules.is_below(rules.normalised(maildir, "maildir"), f"/home/{owner}"):
            raise rules.invalid("maildir", f"must lie below /home/{owner}")

    def _check_alias(self, key: str, values: Body, scope: Scope) -> None:
        domain = rules.address(key, "key", catch_all=True)
        scope.require(f"row:domain:{domain}", "key")
        for destination in rules.string(values, "destinations").split(","):
            rules.address(destination.strip(), "destinations")

    def _check_sender(self, key: str, values: Body, scope: Scope) -> None:
        scope.require(f"row:domain:{key}", "key")
        rules.string(values, "transport", TRANSPORT, "must be the name of a service of master.cf")
