"""Looks below many tenants' homes from one child process, below each with that tenant's rights. Changes nothing.

A child for every tenant costs a thousand forks. Here one child takes each tenant's groups, gid and uid in turn as its
effective ones (setresuid(2)): the kernel then judges every access as the tenant's own and drops root's capabilities.
Its real and saved ids stay root's, so no tenant can send it a signal or trace it. It may only look: what is made,
changed or removed is done by a child that has become the tenant for good (`tenant.perform_as`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import fsutil
from .fsutil import Unsynced
from .tenant import Operation, Outcome, open_below, perform

SECONDS = 60
"""What all homes together may take; one that does not answer must not keep the others from being looked at for ever."""

OpenHome = Callable[[str, int], int]


@dataclass(frozen=True)
class Visit:
    """What to look at below one tenant's home: `snapshot` operations only."""

    user: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    operations: list[Operation]


def visit(visits: list[Visit], open_home: OpenHome) -> Callable[[], list[list[Outcome]]]:
    """Start the child; what waits for its end gives the outcomes of each visit, in order.

    They are ENOENT for all of a visit whose home is not there, and ETIMEDOUT for what was not come to in time.
    """
    if not visits:
        return list
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(visits, open_home, writer)
    os.close(writer)
    return functools.partial(_outcomes, visits, child, reader)


def _outcomes(visits: list[Visit], child: int, reader: int) -> list[list[Outcome]]:
    try:
        lines = _read_lines(reader)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    found = [[Outcome(item[0], tuple(item[1]) if item[1] else None) for item in json.loads(line)] for line in lines]
    late = Outcome(error=(errno.ETIMEDOUT, "the home directory does not answer"))
    return found + [[late] * len(item.operations) for item in visits[len(found) :]]


def _child(visits: list[Visit], open_home: OpenHome, writer: int) -> None:
    """The child's whole life; never returns."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        for item in visits:
            told = [[outcome.value, outcome.error] for outcome in _look(item, open_home)]
            fsutil.write_all(writer, json.dumps(told).encode("utf-8") + b"\n")
    finally:
        os._exit(0)


def _look(item: Visit, open_home: OpenHome) -> list[Outcome]:
    try:
        home = open_home(item.user, item.uid)
    except OSError as error:
        return [Outcome(error=(error.errno or errno.EIO, error.strerror or str(error))) for _ in item.operations]
    os.setgroups(sorted({item.gid, *item.groups}))
    os.setegid(item.gid)
    os.seteuid(item.uid)
    try:
        return perform(item.operations, lambda parent: open_below(home, parent), Unsynced())
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.close(home)


def _read_lines(reader: int) -> list[bytes]:
    """The whole lines that come before the end, or before the time is over."""
    data = bytearray()
    deadline = time.monotonic() + SECONDS
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(reader, 1 << 20) if ready else b""
        if not chunk:
            return bytes(data).split(b"\n")[:-1]
        data += chunk
