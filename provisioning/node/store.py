"""A SQLite file of the node program's own: opened safely, made once, written in transactions. Knows no table."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

VERSION = 1


class Store:
    """One file, readable by root only. A subclass gives its `schema`, whose statements end with `;` and a line end."""

    schema = ""
    later = ""
    """What files of older programs may lack, as `CREATE … IF NOT EXISTS`; older programs pass it over."""
    title = ""
    synchronous = "FULL"
    """PRAGMA synchronous: FULL where a transaction has to be durable when it returns."""

    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise RuntimeError(f"{self.title} has version {version}; this program knows {VERSION}")
            if version == 0:
                self._execute_all(self.schema)
            self._execute_all(self.later)

    def _execute_all(self, statements: str) -> None:
        for statement in statements.split(";\n"):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together, or none."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
