"""Text of SQL statements for MariaDB: quoting of names and strings, and what a login and a database need."""

from __future__ import annotations

from .rules import Body

IMPOSSIBLE_PASSWORD = "invalid"  # noqa: S105 -- MariaDB's word for a hash that no password has


def identifier(name: str) -> str:
    """A quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def pattern(name: str) -> str:
    """A database name in GRANT and REVOKE, where `_` and `%` are wildcards unless escaped."""
    escaped = name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return identifier(escaped)


def database_of(granted: str) -> str:
    """The database that a pattern of a grant names; the pattern itself, marked, when it names more than one."""
    name = granted.replace("\\_", "_").replace("\\%", "%")
    return name if pattern(name) == identifier(granted) else f"{granted} (pattern)"


def string(value: str) -> str:
    """A quoted string literal (backslash escapes are on: the session sets its own sql_mode)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def account(body: Body) -> str:
    """'user'@'host'."""
    return f"{string(body['user'])}@{string(body['host'])}"


def _list(names: list[str]) -> str:
    return "(" + ", ".join(string(name) for name in names) + ")"


def existing_databases(names: list[str]) -> str:
    """Which of some databases exist, as resource keys."""
    head = "SELECT CONCAT('database:', schema_name) FROM information_schema.schemata WHERE schema_name IN "
    return head + _list(names) + ";"


def existing_logins(bodies: list[Body]) -> str:
    """Which of some logins exist, as resource keys."""
    head = "SELECT CONCAT('database_user:', User, '@', Host) FROM mysql.global_priv WHERE CONCAT(User, '@', Host) IN "
    return head + _list([f"{body['user']}@{body['host']}" for body in bodies]) + ";"


def databases_with_tables(names: list[str]) -> str:
    """Which of some databases hold a table, as resource keys."""
    head = "SELECT DISTINCT CONCAT('database:', table_schema) FROM information_schema.tables WHERE table_schema IN "
    return head + _list(names) + ";"


def create_database(name: str, body: Body) -> str:
    return f"CREATE DATABASE {identifier(name)} CHARACTER SET {body['charset']} COLLATE {body['collation']};"


def alter_database(name: str, body: Body) -> str:
    return f"ALTER DATABASE {identifier(name)} CHARACTER SET {body['charset']} COLLATE {body['collation']};"


def drop_database(name: str) -> str:
    return f"DROP DATABASE IF EXISTS {identifier(name)};"


def _is_locked(body: Body) -> bool:
    return bool(body.get("locked")) or body.get("password_hash") is None


def _login(verb: str, body: Body) -> str:
    password = string(body.get("password_hash") or IMPOSSIBLE_PASSWORD)
    lock = "LOCK" if _is_locked(body) else "UNLOCK"
    return f"{verb} {account(body)} IDENTIFIED VIA mysql_native_password USING {password} ACCOUNT {lock};"


def grants(body: Body) -> set[tuple[str, str]]:
    """The login's rights as (database, privilege)."""
    return {(grant["database"], privilege) for grant in body["grants"] for privilege in grant["privileges"]}


def _privilege(word: str) -> str:
    return "ALL PRIVILEGES" if word == "ALL" else word


def _grant(body: Body, right: tuple[str, str]) -> str:
    return f"GRANT {_privilege(right[1])} ON {pattern(right[0])}.* TO {account(body)};"


def _revoke(body: Body, right: tuple[str, str]) -> str:
    return f"REVOKE {_privilege(right[1])} ON {pattern(right[0])}.* FROM {account(body)};"


def create_user(body: Body) -> list[str]:
    """A login that does not exist yet, with its rights."""
    return [_login("CREATE USER", body), *(_grant(body, right) for right in sorted(grants(body)))]


def change_user(old: Body, new: Body) -> list[str]:
    """From one state of a login to another; what both grant is never taken away in between."""
    statements = [_login("ALTER USER", new)]
    revoked = grants(old) - grants(new)
    statements += [_revoke(new, right) for right in sorted(revoked)]
    touched = {database for database, _privilege_word in revoked}
    wanted = {right for right in grants(new) if right not in grants(old) or right[0] in touched}
    statements += [_grant(new, right) for right in sorted(wanted)]
    if _is_locked(new) and not _is_locked(old):
        statements.append(kill_connections(new))
    return statements


def reset_user(body: Body) -> list[str]:
    """Bring a login to a state whatever it is now."""
    return [
        _login("CREATE USER IF NOT EXISTS", body),
        _login("ALTER USER", body),
        f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {account(body)};",
        *(_grant(body, right) for right in sorted(grants(body))),
    ]


def kill_connections(body: Body) -> str:
    """End the login's open connections: a lock or a drop alone lets them go on."""
    return f"KILL CONNECTION USER {account(body)};"


def drop_user(body: Body) -> list[str]:
    return [f"DROP USER IF EXISTS {account(body)};", kill_connections(body)]
