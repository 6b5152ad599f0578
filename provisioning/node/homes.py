"""Counts what lies in one tenant's home: bytes on the disk, inodes, and the mail store's share. Changes nothing.

The counting process takes the tenant's ids as its effective ones, and of root's powers keeps only that to read
directories, so that a closed directory hides nothing. Every directory is opened by its name in an open one, following
no link and entering no other file system: a link swapped in leads nowhere.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import fsutil
from .capabilities import only_reading

MAIL = "mail"
BLOCK = 512
DEEPEST = 400
"""Directories nested deeper than this are counted, but not what they hold."""
MOST_LINKED = 500_000
"""So many files with several names are remembered, to be counted once."""


@dataclass
class Counted:
    """`disk_bytes` is what the file system has given away, `unread` how many directories could not be looked into."""

    disk_bytes: int = 0
    inodes: int = 0
    mail_bytes: int = 0
    unread: int = 0


@contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Act as a tenant inside the block; of root's powers only that to look into directories is kept."""
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        only_reading()
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups([])


def count(home: int, deadline: float, *, only_mail: bool = False) -> Counted:
    """What lies below an open home, itself included, or with `only_mail` what its mail store holds.

    TimeoutError when it is not counted by `deadline` (monotonic).
    """
    status = os.fstat(home)
    walk = _Walk(status.st_dev, deadline)
    if only_mail:
        walk.descend(home, MAIL, depth=0, is_mail=True)
    else:
        walk.add(status, is_mail=False)
        walk.enter(os.dup(home), depth=0, is_mail=False)
    walk.run()
    return walk.counted


@dataclass
class _Directory:
    descriptor: int
    names: list[str]
    depth: int
    is_mail: bool


@dataclass
class _Walk:
    device: int
    deadline: float
    counted: Counted = field(default_factory=Counted)
    _open: list[_Directory] = field(default_factory=list)
    _linked: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Go through all that was entered, depth first: one descriptor for each level."""
        try:
            while self._open:
                current = self._open[-1]
                if current.names:
                    name = current.names.pop()
                    is_mail = current.is_mail or (current.depth == 0 and name == MAIL)
                    self.descend(current.descriptor, name, depth=current.depth + 1, is_mail=is_mail)
                else:
                    os.close(self._open.pop().descriptor)
        finally:
            for left in self._open:
                os.close(left.descriptor)

    def enter(self, descriptor: int, *, depth: int, is_mail: bool) -> None:
        """Count the entries of an open directory; its directories come later. It is closed by `run`."""
        if time.monotonic() > self.deadline:
            os.close(descriptor)
            raise TimeoutError("the home directory is not counted in time")
        names: list[str] = []
        self._open.append(_Directory(descriptor, names, depth, is_mail))
        with os.scandir(descriptor) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    names.append(entry.name)
                else:
                    self.add(status, is_mail=is_mail)

    def add(self, status: os.stat_result, *, is_mail: bool) -> None:
        """Count one inode, once."""
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if status.st_ino in self._linked:
                return
            if len(self._linked) < MOST_LINKED:
                self._linked.add(status.st_ino)
        size = status.st_blocks * BLOCK
        self.counted.disk_bytes += size
        self.counted.inodes += 1
        self.counted.mail_bytes += size if is_mail else 0

    def descend(self, parent: int, name: str, *, depth: int, is_mail: bool) -> None:
        """Count a directory and enter it, unless it is a link, a mount, closed to us or too deep."""
        try:
            descriptor = os.open(name, fsutil.DIRECTORY, dir_fd=parent)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            self.counted.unread += 1
            return
        status = os.fstat(descriptor)
        if status.st_dev != self.device:
            os.close(descriptor)
            return
        self.add(status, is_mail=is_mail)
        if depth >= DEEPEST:
            os.close(descriptor)
            self.counted.unread += 1
            return
        self.enter(descriptor, depth=depth, is_mail=is_mail)
