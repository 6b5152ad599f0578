"""Measures what accounts use, in a process of its own beside the daemons: politely, within a time, resumable.

Started by the verb `usage`, it goes on when the panel has gone. What it finds is in the file of `meter` at once; what
it does not come to is first the next time.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone

from . import quota
from .accounts import Accounts
from .homes import Counted, acting_as, count
from .maillogs import read_journal
from .makers.acting import open_home
from .mariadb import Connection, MariadbError
from .meter import Meter
from .paths import LOGS, Paths
from .state import State
from .weblogs import read_directory

SECONDS = 900
"""What one run may take."""
HOME_SECONDS = 300
"""What one home may take; it is tried again in the next run."""
PATIENCE = 60
"""A process that hangs in a system call beyond its time is ended so many seconds later."""
KEPT_DAYS = 62
SIZES = (
    "SELECT SUBSTRING_INDEX(name, '/', 1), SUM(file_size) FROM information_schema.innodb_sys_tablespaces"
    " WHERE name LIKE '%/%' GROUP BY 1"
    " UNION ALL SELECT table_schema, SUM(data_length + index_length) FROM information_schema.tables"
    " WHERE engine <> 'InnoDB' AND table_type = 'BASE TABLE' GROUP BY 1"
)
"""Bytes of files by database: of InnoDB without opening a table, of other engines as they say themselves."""


@contextmanager
def alone(paths: Paths) -> Iterator[int | None]:
    """Be the one process that measures: gives the lock's descriptor, and None when another one is at it.

    Whoever inherits the descriptor goes on holding the lock (flock(2)).
    """
    descriptor = os.open(paths.usage_lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def is_measuring(paths: Paths) -> bool:
    """Whether a process measures now."""
    with alone(paths) as lock:
        return lock is None


def measure(paths: Paths, slices: frozenset[str] | None = None) -> None:
    """Measure the accounts of `slices`, or all. The caller is `alone`."""
    state, meter = State(paths), Meter(paths)
    try:
        _Run(paths, state, meter, slices).measure()
    finally:
        state.close()
        meter.close()


def measure_politely(paths: Paths, slices: frozenset[str] | None) -> None:
    """Measure at the lowest priority, within a time; for a process of its own that has inherited the lock."""
    os.nice(19)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS + PATIENCE)
    measure(paths, slices)


class _Run:
    def __init__(self, paths: Paths, state: State, meter: Meter, slices: frozenset[str] | None) -> None:
        self._paths = paths
        self._state = state
        self._meter = meter
        self._deadline = time.monotonic() + SECONDS
        users = [(slice_id, name) for slice_id, name in state.named("user:") if slices is None or slice_id in slices]
        tried = meter.tried()
        self._users = sorted(users, key=lambda item: tried.get(item[0], 0.0))
        self._logs = [item for item in state.named(f"directory:{LOGS}/") if slices is None or item[0] in slices]
        self._databases = {name: slice_id for slice_id, name in state.named("database:")}
        self._slices = {slice_id for slice_id, _name in state.named("user:")}
        self._is_all = slices is None

    def measure(self) -> None:
        """Logs first, since they go away; then databases; then homes, which may take long."""
        began = time.time()
        is_whole = True
        for slice_id, user in self._logs:
            is_whole = read_directory(self._paths, self._meter, slice_id, user, self._deadline) and is_whole
        is_whole = self._read_mail() and is_whole
        self._weigh_databases()
        is_whole = self._count_homes() and is_whole
        if self._is_all:
            today = datetime.now(timezone.utc).date()
            oldest = (today - timedelta(days=KEPT_DAYS)).isoformat()
            self._meter.forget(self._slices | set(self._databases.values()), oldest, began - KEPT_DAYS * 86400)
            if is_whole:
                self._meter.done("all", began)

    def _read_mail(self) -> bool:
        """Whether the journal was read to its end; a server without one has no mail to count."""
        try:
            return read_journal(self._paths, self._meter, self._state, self._deadline)
        except FileNotFoundError:
            return True
        except (OSError, ValueError) as error:
            sys.stderr.write(f"mails were not counted: {error}\n")
            return False

    def _weigh_databases(self) -> None:
        if not self._databases:
            return
        try:
            with Connection(self._paths, seconds=float(SECONDS)) as connection:
                told = connection.run(SIZES)
        except (OSError, MariadbError) as error:
            sys.stderr.write(f"databases were not measured: {error}\n")
            return
        sizes = {name: (slice_id, 0) for name, slice_id in self._databases.items()}
        for name, size in told:
            if name in sizes:
                slice_id, before = sizes[name]
                sizes[name] = (slice_id, before + int(float(size or 0)))
        self._meter.put_databases(sizes)
        self._meter.done("databases", time.time())

    def _count_homes(self) -> bool:
        """Whether all homes were counted."""
        accounts, is_whole = Accounts(self._paths), True
        for slice_id, name in self._users:
            uid = accounts.extra_users().get(name)
            if uid is None:
                continue
            if time.monotonic() > self._deadline:
                return False
            self._meter.try_home(slice_id, time.time())
            with suppress(FileNotFoundError):
                is_whole = self._count_home(slice_id, name, uid, accounts.gid(name)) and is_whole
        return is_whole

    def _count_home(self, slice_id: str, name: str, uid: int, gid: int) -> bool:
        home = open_home(self._paths, name, uid)
        now = time.time()
        try:
            used = quota.used(home, uid)
            with acting_as(uid, gid):
                deadline = min(self._deadline, time.monotonic() + HOME_SECONDS)
                counted = count(home, deadline, only_mail=used is not None)
            if used is not None:
                counted = Counted(used[0], used[1], counted.mail_bytes, counted.unread)
        except (TimeoutError, OSError) as error:
            sys.stderr.write(f"/home/{name} was not measured: {error}\n")
            return False
        finally:
            os.close(home)
        self._meter.put_home(slice_id, counted, now)
        return True
