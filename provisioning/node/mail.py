"""The mail database that Postfix and Dovecot query live: its schema, its changes, and the process that holds it open.

It is in WAL mode (https://sqlite.org/wal.html). A reader that may not write the directory can use it only while `-wal`
and `-shm` exist, so one process (`hold`) keeps a connection open while the daemons run. Never replaced by rename.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import urllib.parse
from typing import Any

from .accounts import Accounts
from .paths import Paths

COLUMNS: dict[str, tuple[str, ...]] = {
    "domain": ("name", "deliver"),
    "mailbox": (
        "address",
        "domain",
        "local",
        "username",
        "uid",
        "gid",
        "home",
        "maildir",
        "password_hash",
        "quota_bytes",
        "enabled",
    ),
    "alias": ("address", "destinations"),
    "sender": ("domain", "transport"),
}
"""Table → its columns, the primary key first."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS domain (name TEXT PRIMARY KEY, deliver INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS mailbox (address TEXT PRIMARY KEY, domain TEXT NOT NULL, local TEXT NOT NULL,"
    " username TEXT, uid INTEGER NOT NULL, gid INTEGER NOT NULL, home TEXT NOT NULL, maildir TEXT NOT NULL,"
    " password_hash TEXT, quota_bytes INTEGER, enabled INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS mailbox_domain ON mailbox (domain)",
    "CREATE TABLE IF NOT EXISTS alias (address TEXT PRIMARY KEY, destinations TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sender (domain TEXT PRIMARY KEY, transport TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS generation (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO generation VALUES (1, 0)",
)

DEFAULTS = {"deliver": 1, "enabled": 1}

Row = dict[str, Any]


def open_database(paths: Paths) -> sqlite3.Connection:
    """Open the mail database for writing; made when missing: 0640 root:mail, in a directory 0750 root:mail."""
    path = paths.mail_database
    gid = Accounts(paths).gid("mail")
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        os.makedirs(os.path.dirname(directory), mode=0o755, exist_ok=True)
        os.mkdir(directory, 0o700)
        os.chown(directory, 0, gid)
        os.chmod(directory, 0o750)  # noqa: S103 -- what the readers' group needs
    is_new = not os.path.exists(path)
    if is_new:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchown(descriptor, 0, gid)
        os.fchmod(descriptor, 0o640)
        os.close(descriptor)
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def read_row(connection: sqlite3.Connection, table: str, key: str) -> Row | None:
    """One row as {column: value}. `table` must be a key of COLUMNS."""
    columns = COLUMNS[table]
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {columns[0]} = ?"  # noqa: S608 -- names from COLUMNS
    row = connection.execute(query, (key,)).fetchone()
    return None if row is None else {column: row[position] for position, column in enumerate(columns)}


def read_all(paths: Paths) -> dict[tuple[str, str], Row]:
    """Every row by table and primary key; writes nothing, not even the schema."""
    connection = sqlite3.connect(f"file:{urllib.parse.quote(paths.mail_database)}?mode=rw", timeout=10, uri=True)
    try:
        connection.execute("PRAGMA query_only = ON")
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            (table, row[0]): dict(zip(columns, row))
            for table, columns in COLUMNS.items()
            if table in there
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 -- from COLUMNS
        }
    finally:
        connection.close()


def full_row(table: str, key: str, values: Row) -> Row:
    """The row that a resource's values make: every column, absent ones null, true and false as 1 and 0."""
    defaults: Row = {"mailbox": {"enabled": 1}, "domain": {"deliver": 1}}.get(table, {})
    row = {column: values.get(column, defaults.get(column)) for column in COLUMNS[table]}
    row[COLUMNS[table][0]] = key
    return {column: int(value) if isinstance(value, bool) else value for column, value in row.items()}


def write_rows(connection: sqlite3.Connection, rows: list[tuple[str, str, Row | None]]) -> None:
    """Set (table, key, row) or, with None, delete it: all in one transaction, which also bumps the generation."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, key, row in rows:
            columns = COLUMNS[table]
            if row is None:
                connection.execute(f"DELETE FROM {table} WHERE {columns[0]} = ?", (key,))  # noqa: S608 -- as above
            else:
                marks = ", ".join("?" * len(columns))
                query = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
                connection.execute(query, [row[column] for column in columns])
        connection.execute("UPDATE generation SET value = value + 1")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def hold(paths: Paths) -> None:
    """Keep the mail database open until SIGTERM or SIGINT, so that its readers need no write access.

    Tells systemd when it is ready (sd_notify(3)): a reader that comes too early remembers its failure.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    connection = open_database(paths)
    connection.execute("SELECT value FROM generation").fetchone()
    _notify_ready()
    stopped.wait()
    connection.close()


def _notify_ready() -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(b"READY=1")
