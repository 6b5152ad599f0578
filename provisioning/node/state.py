"""What the node remembers: slices, resources, served serials and the open journal, in one SQLite file. Not what is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .paths import Paths
from .rules import Body
from .store import Store

LIVE, ORPHANED, REMOVING, DESTROYING = "live", "orphaned", "removing", "destroying"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE slice (slice TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE resource (key TEXT PRIMARY KEY, slice TEXT NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL,
    body TEXT NOT NULL, extra TEXT NOT NULL);
CREATE INDEX resource_slice ON resource (slice, key, hash, state);
CREATE INDEX resource_leaving ON resource (state) WHERE state IN ('removing', 'destroying');
CREATE TABLE claim (claim TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX claim_key ON claim (key);
CREATE TABLE serial (zone TEXT PRIMARY KEY, serial INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (seq INTEGER PRIMARY KEY, slice TEXT NOT NULL, key TEXT NOT NULL, change TEXT NOT NULL,
    body TEXT NOT NULL, before TEXT NOT NULL);
PRAGMA user_version = 1;
"""


@dataclass(frozen=True)
class Remembered:
    """A resource as it was last applied. `extra` is what the node noted about it (an original kept, made by us)."""

    key: str
    slice: str
    hash: str
    state: str
    body: Body
    extra: dict[str, Any]


class State(Store):
    """The node's own database. Writes go through `transaction()`, which is durable when it returns."""

    schema = SCHEMA
    title = "the node's memory"

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths.database)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All reads inside see one moment."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def version(self) -> int:
        """A number that another one follows whenever another connection has written; not inside `reading()`."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    # --- who we are

    def meta(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def epoch(self) -> int:
        return int(self.meta("epoch") or 0)

    @property
    def server(self) -> str | None:
        return self.meta("server")

    def set_meta(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def forget_server(self) -> None:
        """Let another panel take this server; what is managed stays known."""
        with self.transaction():
            self._connection.execute("DELETE FROM meta WHERE key IN ('server', 'epoch', 'holder')")
            self._connection.execute("UPDATE slice SET generation = 0")

    # --- slices and resources

    def generation(self, slice_id: str) -> int | None:
        row = self._connection.execute("SELECT generation FROM slice WHERE slice = ?", (slice_id,)).fetchone()
        return None if row is None else int(row[0])

    def generations(self) -> dict[str, int]:
        """Slice → generation of every slice that was ever applied."""
        return {row[0]: int(row[1]) for row in self._connection.execute("SELECT slice, generation FROM slice")}

    def set_generation(self, slice_id: str, generation: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO slice VALUES (?, ?)", (slice_id, generation))

    def index(self, slice_id: str) -> dict[str, tuple[str, str]]:
        """Key → (hash, state) of a slice; no body is read."""
        rows = self._connection.execute("SELECT key, hash, state FROM resource WHERE slice = ?", (slice_id,))
        return {key: (digest, state) for key, digest, state in rows}

    def get(self, key: str) -> Remembered | None:
        """One resource, whatever its slice."""
        row = self._connection.execute(
            "SELECT key, slice, hash, state, body, extra FROM resource WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else _remembered(row)

    def owner(self, key: str) -> str | None:
        """The slice that holds a key."""
        row = self._connection.execute("SELECT slice FROM resource WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def live(self, slices: Iterable[str] | None = None) -> list[Remembered]:
        """The live resources of some slices, of all when None."""
        query = "SELECT key, slice, hash, state, body, extra FROM resource WHERE state = 'live'"
        if slices is None:
            return [_remembered(row) for row in self._connection.execute(query)]
        query += " AND slice IN (SELECT value FROM json_each(?))"
        return [_remembered(row) for row in self._connection.execute(query, (json.dumps(list(slices)),))]

    def known(self) -> list[tuple[str, str, str, str]]:
        """(slice, key, hash, state) of every resource, in order; no body is read."""
        rows = self._connection.execute("SELECT slice, key, hash, state FROM resource ORDER BY slice, key")
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def named(self, prefix: str) -> list[tuple[str, str]]:
        """(slice, rest of the key) of every resource whose key begins with `prefix`; no body is read."""
        query = "SELECT slice, substr(key, ?) FROM resource WHERE key >= ? AND key < ? ORDER BY key"
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        rows = self._connection.execute(query, (len(prefix) + 1, prefix, end))
        return [(row[0], row[1]) for row in rows]

    def users(self) -> dict[str, int]:
        """Name → uid of the managed users, orphaned ones included."""
        query = (
            "SELECT substr(key, 6), json_extract(body, '$.uid') FROM resource WHERE key >= 'user:' AND key < 'user;'"
        )
        return {name: int(uid) for name, uid in self._connection.execute(query)}

    def made(self) -> list[str]:
        """The paths of root's directories that the node made itself; homes, logs and other data are none of them."""
        query = (
            "SELECT substr(key, 11) FROM resource WHERE key >= 'directory:' AND key < 'directory;' AND state = 'live'"
            " AND json_extract(extra, '$.made') AND json_extract(body, '$.as') IS NULL"
            " AND json_extract(body, '$.data') IS NULL"
        )
        return [row[0] for row in self._connection.execute(query)]

    def leaving(self) -> list[Remembered]:
        """Resources whose removal was decided and is not finished."""
        rows = self._connection.execute(
            "SELECT key, slice, hash, state, body, extra FROM resource WHERE state IN ('removing', 'destroying')"
        )
        return [_remembered(row) for row in rows]

    def put(self, resource: Remembered) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, ?, ?)",
            (
                resource.key,
                resource.slice,
                resource.hash,
                resource.state,
                json.dumps(resource.body, ensure_ascii=False),
                json.dumps(resource.extra),
            ),
        )

    def set_state(self, key: str, state: str) -> None:
        self._connection.execute("UPDATE resource SET state = ? WHERE key = ?", (state, key))

    def drop(self, key: str) -> None:
        """Forget a resource and what it claimed."""
        self._connection.execute("DELETE FROM resource WHERE key = ?", (key,))
        self._connection.execute("DELETE FROM claim WHERE key = ?", (key,))

    def count(self) -> int:
        """How many resources are live on this node."""
        return int(self._connection.execute("SELECT count(*) FROM resource WHERE state = 'live'").fetchone()[0])

    # --- names that only one slice may use

    def claimant(self, claim: str) -> tuple[str, str] | None:
        """(key, slice) of the resource that uses a name."""
        row = self._connection.execute(
            "SELECT resource.key, slice FROM claim JOIN resource USING (key) WHERE claim = ?", (claim,)
        ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def set_claims(self, key: str, claims: Iterable[str]) -> None:
        self._connection.execute("DELETE FROM claim WHERE key = ?", (key,))
        self._connection.executemany("INSERT OR REPLACE INTO claim VALUES (?, ?)", [(claim, key) for claim in claims])

    # --- SOA serials, which outlive their zones: they never go back

    def serial(self, zone: str) -> int:
        row = self._connection.execute("SELECT serial FROM serial WHERE zone = ?", (zone,)).fetchone()
        return 0 if row is None else int(row[0])

    def set_serial(self, zone: str, serial: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO serial VALUES (?, ?)", (zone, serial))

    # --- the journal: what to undo when the process dies before its commit

    def write_journal(self, entries: Iterable[tuple[str, str, str, Body, Any]]) -> None:
        """Remember (slice, key, change, body, before) of every change, durable before the first one is made."""
        with self.transaction():
            self._connection.executemany(
                "INSERT INTO journal (slice, key, change, body, before) VALUES (?, ?, ?, ?, ?)",
                [
                    (slice_id, key, change, json.dumps(body, ensure_ascii=False), json.dumps(before))
                    for slice_id, key, change, body, before in entries
                ],
            )

    def journal(self) -> list[tuple[str, str, str, Body, Any]]:
        """The entries of an unfinished apply, oldest first."""
        rows = self._connection.execute("SELECT slice, key, change, body, before FROM journal ORDER BY seq")
        return [(row[0], row[1], row[2], json.loads(row[3]), json.loads(row[4])) for row in rows]

    def journal_length(self) -> int:
        """How many entries an unfinished apply has left."""
        return int(self._connection.execute("SELECT count(*) FROM journal").fetchone()[0])

    def keep_journalled(self, kinds: Iterable[str]) -> None:
        """Close the journal but for the entries of some kinds."""
        query = "DELETE FROM journal WHERE substr(key, 1, instr(key, ':') - 1) NOT IN (SELECT value FROM json_each(?))"
        self._connection.execute(query, (json.dumps(list(kinds)),))

    def clear_journal(self) -> None:
        self._connection.execute("DELETE FROM journal")


def _remembered(row: tuple[str, str, str, str, str, str]) -> Remembered:
    key, slice_id, digest, state, body, extra = row
    return Remembered(key, slice_id, digest, state, json.loads(body), {} if extra == "{}" else json.loads(extra))
