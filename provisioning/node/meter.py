"""What was measured on this server so far, in a SQLite file of the node's own; not what is managed (see `state`).

Of web traffic and mail it holds sums by day that only grow, so that a report that got lost, or came twice, changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .homes import Counted
from .paths import Paths
from .store import Store

SCHEMA = """
CREATE TABLE home (slice TEXT PRIMARY KEY, disk_bytes INTEGER, inodes INTEGER, mail_bytes INTEGER, unread INTEGER,
    measured_at REAL, tried_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE stock (name TEXT PRIMARY KEY, slice TEXT NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE log (slice TEXT NOT NULL, site TEXT NOT NULL, length INTEGER NOT NULL, head TEXT NOT NULL,
    offset INTEGER NOT NULL, read_at REAL NOT NULL, PRIMARY KEY (slice, site, length, head)) WITHOUT ROWID;
CREATE TABLE web (slice TEXT NOT NULL, day TEXT NOT NULL, site TEXT NOT NULL, bytes INTEGER NOT NULL,
    requests INTEGER NOT NULL, PRIMARY KEY (slice, day, site)) WITHOUT ROWID;
CREATE TABLE run (name TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
LATER = """
CREATE TABLE IF NOT EXISTS mail (slice TEXT NOT NULL, day TEXT NOT NULL, sent INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL, received INTEGER NOT NULL, received_bytes INTEGER NOT NULL,
    PRIMARY KEY (slice, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (queue_id TEXT PRIMARY KEY, sender TEXT, size INTEGER, at REAL NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (log TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID;
"""
Sums = dict[str, tuple[int, int]]
"""Day (UTC, ISO 8601) → bytes sent and requests."""
MailSums = dict[tuple[str, str], tuple[int, int, int, int]]
"""Slice and day (UTC, ISO 8601) → mails sent, their bytes, mails received, their bytes."""


@dataclass(frozen=True)
class Queued:
    """A message on its way: the slice that sends it (None: from outside), its size once known, and since when."""

    sender: str | None
    size: int | None
    at: float


@dataclass(frozen=True)
class Place:
    """How far the journal was read: the cursor of the last entry, and its time in microseconds since 1970."""

    cursor: str
    at: int


@dataclass(frozen=True)
class Position:
    """How far a log was read. A log is known by its first `length` bytes, whatever its name is now."""

    length: int
    head: str
    offset: int


class Meter(Store):
    """The file of measurements. One process writes it, holding `usage.lock`; others read."""

    schema = SCHEMA
    later = LATER
    title = "the file of measurements"
    synchronous = "NORMAL"

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths.usage_database)

    # --- homes

    def tried(self) -> dict[str, float]:
        """Slice → when its home was last begun to be counted, in seconds since 1970."""
        return dict(self._connection.execute("SELECT slice, tried_at FROM home"))

    def try_home(self, slice_id: str, now: float) -> None:
        """Note that a home is being counted: one that never ends is begun last next time."""
        self._connection.execute(
            "INSERT INTO home (slice, tried_at) VALUES (?, ?) ON CONFLICT DO UPDATE SET tried_at = excluded.tried_at",
            (slice_id, now),
        )

    def put_home(self, slice_id: str, counted: Counted, now: float) -> None:
        """Keep what was counted in a home that was tried."""
        self._connection.execute(
            "UPDATE home SET disk_bytes = ?, inodes = ?, mail_bytes = ?, unread = ?, measured_at = ? WHERE slice = ?",
            (counted.disk_bytes, counted.inodes, counted.mail_bytes, counted.unread, now, slice_id),
        )

    def homes(self) -> dict[str, tuple[Counted, float]]:
        """Slice → what was counted last, and when."""
        query = (
            "SELECT slice, disk_bytes, inodes, mail_bytes, unread, measured_at FROM home WHERE measured_at IS NOT NULL"
        )
        return {row[0]: (Counted(*row[1:5]), row[5]) for row in self._connection.execute(query)}

    # --- databases

    def put_databases(self, sizes: Mapping[str, tuple[str, int]]) -> None:
        """Keep the sizes of all databases: name → slice and bytes."""
        with self.transaction():
            self._connection.execute("DELETE FROM stock")
            rows = [(name, slice_id, size) for name, (slice_id, size) in sizes.items()]
            self._connection.executemany("INSERT INTO stock VALUES (?, ?, ?)", rows)

    def databases(self) -> dict[str, dict[str, int]]:
        """Slice → name → bytes."""
        found: dict[str, dict[str, int]] = {}
        for name, slice_id, size in self._connection.execute("SELECT name, slice, bytes FROM stock"):
            found.setdefault(slice_id, {})[name] = size
        return found

    # --- web logs

    def positions(self, slice_id: str, site: str) -> list[Position]:
        """How far the logs of a site were read, those first of which more is known: two may begin alike."""
        query = "SELECT length, head, offset FROM log WHERE slice = ? AND site = ? ORDER BY length DESC, read_at DESC"
        return [Position(*row) for row in self._connection.execute(query, (slice_id, site))]

    def advance(self, slice_id: str, site: str, position: Position, sums: Sums, now: float) -> None:
        """Add what was read and remember how far that was, both or neither."""
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?)",
                (slice_id, site, position.length, position.head, position.offset, now),
            )
            self._connection.executemany(
                "INSERT INTO web VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET bytes = bytes + excluded.bytes, requests = requests + excluded.requests",
                [(slice_id, day, site, sent, requests) for day, (sent, requests) in sums.items()],
            )

    def web(self, since: str) -> dict[str, dict[str, dict[str, tuple[int, int]]]]:
        """Slice → day → site → bytes and requests, from the day `since` on."""
        found: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
        query = "SELECT slice, day, site, bytes, requests FROM web WHERE day >= ? ORDER BY slice, day, site"
        for slice_id, day, site, sent, requests in self._connection.execute(query, (since,)):
            found.setdefault(slice_id, {}).setdefault(day, {})[site] = (sent, requests)
        return found

    # --- mail

    def place(self) -> Place | None:
        """How far the journal was read for mail; None before the first time. What kept no time yet has 0."""
        rows = dict(self._connection.execute("SELECT log, place FROM cursor"))
        return Place(str(rows["mail"]), int(rows.get("mail at", 0))) if "mail" in rows else None

    def messages(self) -> dict[str, Queued]:
        """Queue id → message, of what was on its way at that place of the journal."""
        rows = self._connection.execute("SELECT queue_id, sender, size, at FROM message")
        return {row[0]: Queued(*row[1:]) for row in rows}

    def advance_mail(self, place: Place, sums: MailSums, messages: Mapping[str, Queued | None]) -> None:
        """Add what was read and remember how far that was, with the messages that changed; None: it has left."""
        gone = [(queue_id,) for queue_id, message in messages.items() if message is None]
        there = [(key, one.sender, one.size, one.at) for key, one in messages.items() if one is not None]
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO cursor VALUES (?, ?)", [("mail", place.cursor), ("mail at", str(place.at))]
            )
            self._connection.executemany("DELETE FROM message WHERE queue_id = ?", gone)
            self._connection.executemany("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?)", there)
            self._connection.executemany(
                "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " sent = sent + excluded.sent, sent_bytes = sent_bytes + excluded.sent_bytes,"
                " received = received + excluded.received, received_bytes = received_bytes + excluded.received_bytes",
                [(*key, *four) for key, four in sums.items()],
            )

    def forget_messages(self, before: float) -> None:
        """Forget messages on their way since before a time."""
        self._connection.execute("DELETE FROM message WHERE at < ?", (before,))

    def mail(self, since: str) -> dict[str, dict[str, tuple[int, int, int, int]]]:
        """Slice → day → mails sent, their bytes, mails received, their bytes, from the day `since` on."""
        found: dict[str, dict[str, tuple[int, int, int, int]]] = {}
        query = "SELECT slice, day, sent, sent_bytes, received, received_bytes FROM mail WHERE day >= ? ORDER BY 1, 2"
        for slice_id, day, *four in self._connection.execute(query, (since,)):
            found.setdefault(slice_id, {})[day] = (four[0], four[1], four[2], four[3])
        return found

    # --- runs

    def at(self, name: str) -> float:
        """When a part of the measuring was last done in full, in seconds since 1970; 0 for never."""
        row = self._connection.execute("SELECT at FROM run WHERE name = ?", (name,)).fetchone()
        return 0.0 if row is None else float(row[0])

    def done(self, name: str, now: float) -> None:
        """Note that a part of the measuring was done in full, as of `now`."""
        self._connection.execute("INSERT OR REPLACE INTO run VALUES (?, ?)", (name, now))

    def forget(self, slices: set[str], day: str, before: float) -> None:
        """Forget homes and databases of all but `slices`, sums before a day, and logs not read since `before`."""
        with self.transaction():
            for table in ("home", "stock"):
                rows = self._connection.execute(f"SELECT DISTINCT slice FROM {table}")  # noqa: S608 -- our own names
                gone = [row for row in rows.fetchall() if row[0] not in slices]
                self._connection.executemany(f"DELETE FROM {table} WHERE slice = ?", gone)  # noqa: S608
            self._connection.execute("DELETE FROM web WHERE day < ?", (day,))
            self._connection.execute("DELETE FROM mail WHERE day < ?", (day,))
            self._connection.execute("DELETE FROM log WHERE read_at < ?", (before,))
