"""Sums up the bytes that web logs tell of, by site and day, across rotations and never twice. Changes no log.

A log is known by its first bytes, not by its name or inode: rotation renames and compresses it, and a new log may get
the inode of a compressed one. Logs lie in directories of root's own, where no tenant can make a name.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import BinaryIO, cast

from . import fsutil
from .meter import Meter, Position, Sums
from .paths import LOGS, Paths

NAME = re.compile(r"(?P<site>[A-Za-z0-9._-]+)\.access\.log(?P<generation>\.\d{1,4})?(?P<packed>\.gz)?")
LINE = re.compile(
    rb'[^"\\]*(?:\\.[^"\\]*)*\[(\d\d/[A-Z][a-z]{2}/\d{4}):(\d\d):(\d\d):\d\d ([+-]\d{4})\] '
    rb'"[^"\\]*(?:\\.[^"\\]*)*" \d{3} (\d{1,18}|-) '
)
"""A line of the combined format (https://httpd.apache.org/docs/2.4/logs.html#combined).

What a visitor sends is escaped by nginx and Apache alike, so that the first bare quotation mark begins the request.
"""
MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
HEAD = 256
CHUNK = 1 << 20
KEPT_EVERY = 32
"""So many chunks of a long log are read before what they told is kept."""
SLACK = 120.0
"""Seconds that a log's last change may lie before the last reading for it to be looked at again."""


def read_directory(paths: Paths, meter: Meter, slice_id: str, user: str, deadline: float) -> bool:
    """Read what is new in the logs of one account; whether that was all there is by `deadline` (monotonic)."""
    began = time.time()
    try:
        directory = _open(paths, user)
    except OSError:
        return True
    try:
        last, listed = meter.at(f"logs:{slice_id}"), _listed(directory)
        for name in sorted(listed):
            with _opened(directory, name, last - SLACK) as log:
                if log is not None and not _read(meter, slice_id, name, log, deadline):
                    return False
        if _listed(directory) == listed:
            meter.done(f"logs:{slice_id}", began)
    finally:
        os.close(directory)
    return True


def _listed(directory: int) -> dict[str, int]:
    """Name → inode of the logs: what is rotated while they are read is looked at again next time."""
    with os.scandir(directory) as entries:
        return {entry.name: entry.inode() for entry in entries if NAME.fullmatch(entry.name)}


def _open(paths: Paths, user: str) -> int:
    """An account's log directory: every directory on the way must be root's own."""
    base = os.open(paths.at(LOGS), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return fsutil.walk(base, [user], owner=os.geteuid())
    finally:
        os.close(base)


@contextmanager
def _opened(directory: int, name: str, since: float) -> Iterator[BinaryIO | None]:
    """A log that has changed after `since`, unpacked when it is; None for any other, and for what is no file."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        yield None
        return
    with os.fdopen(descriptor, "rb") as plain:
        status = os.fstat(plain.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mtime < since:
            yield None
        elif name.endswith(".gz"):
            with gzip.open(plain) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield plain


def _read(meter: Meter, slice_id: str, name: str, log: BinaryIO, deadline: float) -> bool:
    """Read a log from where it was left; whether its end was reached in time."""
    match = NAME.fullmatch(name)
    site = match.group("site") if match else name
    try:
        position = _find(meter.positions(slice_id, site), log)
        if position is None:
            return True
        log.seek(position.offset)
        return _go_on(meter, slice_id, site, position, log, deadline)
    except (OSError, EOFError, zlib.error):
        return True


def _find(known: list[Position], log: BinaryIO) -> Position | None:
    """How far this log was read; None when it holds no whole line yet."""
    head = log.read(HEAD)
    for position in known:
        if len(head) >= position.length and _digest(head[: position.length]) == position.head:
            return position
    return Position(len(head), _digest(head), 0) if b"\n" in head or len(head) == HEAD else None


def _go_on(meter: Meter, slice_id: str, site: str, position: Position, log: BinaryIO, deadline: float) -> bool:
    offset, rest, chunks = position.offset, b"", 0
    sums: Sums = {}
    while chunk := log.read(CHUNK):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        add_up(data[:end], sums)
        offset, rest = offset + end, data[end:]
        chunks += 1
        is_late = time.monotonic() > deadline
        if is_late or chunks % KEPT_EVERY == 0:
            meter.advance(slice_id, site, Position(position.length, position.head, offset), sums, time.time())
            sums = {}
        if is_late:
            return False
    if offset > position.offset:
        meter.advance(slice_id, site, Position(position.length, position.head, offset), sums, time.time())
    return True


def add_up(lines: bytes, sums: Sums) -> None:
    """Add the bytes of whole lines to the sums of their days; a line of another form counts for nothing."""
    for line in lines.split(b"\n"):
        found = LINE.match(line)
        day = _day(*found.group(1, 2, 3, 4)) if found else None
        if found and day is not None:
            sent, requests = sums.get(day, (0, 0))
            size = found.group(5)
            sums[day] = (sent + (0 if size == b"-" else int(size)), requests + 1)


@lru_cache(maxsize=4096)
def _day(date: bytes, hour: bytes, minute: bytes, zone: bytes) -> str | None:
    """The day in UTC of a minute in a zone; None for one that does not exist."""
    day, month, year = date.split(b"/")
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    try:
        local = datetime(int(year), MONTHS.get(month, 0), int(day), int(hour), int(minute), tzinfo=timezone.utc)
    except ValueError:
        return None
    return (local - (ahead if zone[:1] == b"+" else -ahead)).date().isoformat()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
