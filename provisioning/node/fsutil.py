"""Files by descriptor: every function works on a name in an open directory and follows no link. Knows no resource."""

from __future__ import annotations

import base64
import contextlib
import errno
import itertools
import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .failpoints import failpoint

Snapshot = dict[str, Any]
"""What stood at a name: type none, file, link, directory or other, with mode, uid, gid, data (base64), target."""

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_SUFFIX = ".hostwright-new"
TRASH = ".hostwright-trash"
UNSYNCED_LIMIT = 128
READ_LIMIT = 16 * 1024 * 1024


class Unsynced:
    """Open files and directories whose content is to be durable by the next `flush`.

    Many at once cost little more than one: a file system puts what it is asked for together into one journal write.
    """

    def __init__(self) -> None:
        self._descriptors: dict[tuple[int, int], int] = {}

    def add(self, descriptor: int) -> None:
        """Remember what an open descriptor stands for; the descriptor itself may be closed."""
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) not in self._descriptors:
            self._descriptors[status.st_dev, status.st_ino] = os.dup(descriptor)
        if len(self._descriptors) >= UNSYNCED_LIMIT:
            self.flush()

    def flush(self) -> None:
        """Make everything remembered durable. OSError when the disk fails."""
        descriptors = list(self._descriptors.values())
        self._descriptors.clear()
        try:
            if len(descriptors) > 1:
                with ThreadPoolExecutor(min(16, len(descriptors))) as pool:
                    list(pool.map(os.fsync, descriptors))
            else:
                for descriptor in descriptors:
                    os.fsync(descriptor)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def temporary_name(name: str) -> str:
    """The name under which a new file or link is prepared; hidden, so that no daemon's include pattern matches it."""
    return f".{name}{NEW_SUFFIX}"


def read_all(descriptor: int, limit: int = READ_LIMIT) -> bytes:
    """The whole content of an open file. OSError EFBIG when it is longer than `limit` bytes."""
    chunks: list[bytes] = []
    left = limit + 1
    while left > 0:
        chunk = os.read(descriptor, min(left, 1 << 20))
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        left -= len(chunk)
    raise OSError(errno.EFBIG, f"is larger than {limit} bytes")


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte to an open file."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def snapshot(directory: int, name: str, *, content: bool = True) -> Snapshot:
    """What stands at `name` now, enough to bring it back by `restore`."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return {"type": "none"}
    found: Snapshot = {"mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid, "gid": status.st_gid}
    if stat.S_ISLNK(status.st_mode):
        return {**found, "type": "link", "target": os.readlink(name, dir_fd=directory)}
    if stat.S_ISDIR(status.st_mode):
        return {**found, "type": "directory"}
    if not stat.S_ISREG(status.st_mode):
        return {**found, "type": "other"}
    if not content:
        return {**found, "type": "file"}
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return {**found, "type": "other"}
        return {**found, "type": "file", "data": base64.b64encode(read_all(descriptor)).decode("ascii")}
    finally:
        os.close(descriptor)


def data_of(found: Snapshot) -> bytes:
    """The content that a snapshot of a file holds."""
    return base64.b64decode(found["data"])


def _own(descriptor: int, mode: int, uid: int, gid: int) -> None:
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (uid, gid):
        os.fchown(descriptor, uid, gid)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)


def stage_file(
    directory: int, name: str, data: bytes, mode: int, uid: int, gid: int, unsynced: Unsynced | None = None
) -> None:
    """Prepare a file beside its place, whole and never more readable than it will be (0600 until owned).

    It is durable when this returns, or with `unsynced` when that is flushed.
    """
    temporary = temporary_name(name)
    unlink(directory, temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    try:
        write_all(descriptor, data)
        _own(descriptor, mode, uid, gid)
        if unsynced is None:
            os.fsync(descriptor)
        else:
            unsynced.add(descriptor)
    finally:
        os.close(descriptor)


def stage_link(directory: int, name: str, target: str) -> None:
    """Prepare a symbolic link beside its place."""
    temporary = temporary_name(name)
    unlink(directory, temporary)
    os.symlink(target, temporary, dir_fd=directory)


def publish(directory: int, name: str) -> None:
    """Put what was staged in its place, atomically. The caller syncs the directory."""
    os.rename(temporary_name(name), name, src_dir_fd=directory, dst_dir_fd=directory)


def unlink(directory: int, name: str) -> bool:
    """Remove a file or link; whether there was one."""
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return False
    return True


def make_directory(directory: int, name: str, mode: int, uid: int, gid: int) -> None:
    """A directory with this mode and owner, made or changed. NotADirectoryError when a link or file is there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=directory)
    descriptor = os.open(name, DIRECTORY, dir_fd=directory)
    try:
        _own(descriptor, mode, uid, gid)
    finally:
        os.close(descriptor)


def restore(directory: int, name: str, was: Snapshot, unsynced: Unsynced | None = None) -> None:
    """Make `name` what `was` says. A directory's content stays; one that was not there goes only when empty."""
    unlink(directory, temporary_name(name))
    now = snapshot(directory, name)
    if now == was:
        return
    if was["type"] == "directory":
        make_directory(directory, name, was["mode"], was["uid"], was["gid"])
        return
    if now["type"] == "directory":
        remove_empty(directory, name)
    if was["type"] == "file":
        stage_file(directory, name, data_of(was), was["mode"], was["uid"], was["gid"], unsynced)
        publish(directory, name)
    elif was["type"] == "link":
        stage_link(directory, name, was["target"])
        publish(directory, name)
    elif was["type"] == "none" and now["type"] != "directory":
        unlink(directory, name)


def remove_empty(directory: int, name: str) -> bool:
    """Remove a directory unless it holds something; whether it is gone."""
    try:
        os.rmdir(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
            return False
        raise
    return True


def walk(descriptor: int, parts: list[str], *, owner: int | None = None) -> int:
    """Open the directory that `parts` lead to below an open one, following no link; a new descriptor.

    With `owner`, every directory on the way must belong to that uid and be nobody else's to write:
    PermissionError otherwise, since whoever owns a directory decides what its names mean.
    """
    current = os.dup(descriptor)
    try:
        for part in parts:
            following = os.open(part, DIRECTORY, dir_fd=current)
            os.close(current)
            current = following
            if owner is not None:
                _require_owner(current, part, owner)
    except BaseException:
        os.close(current)
        raise
    return current


def _require_owner(descriptor: int, part: str, owner: int) -> None:
    status = os.fstat(descriptor)
    if status.st_uid != owner or status.st_mode & 0o002:
        raise PermissionError(errno.EPERM, f"its parent directory {part!r} is not root's own")


def write_atomically(path: str, data: bytes, mode: int, gid: int, unsynced: Unsynced) -> None:
    """Replace one file of root's, whole, in a directory that only root writes; durable when `unsynced` is flushed."""
    parent, name = os.path.split(path)
    directory = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        stage_file(directory, name, data, mode, 0, gid, unsynced)
        publish(directory, name)
        unsynced.add(directory)
    finally:
        os.close(directory)


def remove_tree(directory: int, name: str) -> None:
    """Remove a file or a directory with all it holds, however deep, following no link and crossing no file system.

    It is first renamed into a trash directory beside it, which is then emptied: so what is half removed has no name
    any more, and a second call goes on where a first one was cut off. OSError when something stays: another file
    system mounted inside, an immutable file.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(TRASH, 0o700, dir_fd=directory)
    trash = os.open(TRASH, DIRECTORY, dir_fd=directory)
    try:
        if os.fstat(trash).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"{TRASH} belongs to somebody else")
        with contextlib.suppress(FileNotFoundError):
            os.rename(name, f"{time.time_ns()}", src_dir_fd=directory, dst_dir_fd=trash)
        os.fsync(directory)
        failpoint("home-renamed")
        _empty(trash)
    finally:
        os.close(trash)
    os.rmdir(TRASH, dir_fd=directory)


def _empty(trash: int) -> None:
    """Empty a directory. What is nested is first moved up, so that depth costs neither descriptors nor stack."""
    device = os.fstat(trash).st_dev
    waiting = os.listdir(trash)
    numbers = itertools.count(time.time_ns())
    failed: OSError | None = None
    while waiting:
        current = waiting.pop()
        try:
            if stat.S_ISDIR(os.stat(current, dir_fd=trash, follow_symlinks=False).st_mode):
                waiting += _flatten(trash, current, device, numbers)
                os.rmdir(current, dir_fd=trash)
            else:
                os.unlink(current, dir_fd=trash)
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed


def _flatten(trash: int, name: str, device: int, numbers: Iterator[int]) -> list[str]:
    """Unlink the files of a directory and move its subdirectories up; their new names."""
    moved: list[str] = []
    try:
        descriptor = os.open(name, DIRECTORY, dir_fd=trash)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=trash)
        descriptor = os.open(name, DIRECTORY, dir_fd=trash)
    try:
        if os.fstat(descriptor).st_dev != device:
            raise OSError(errno.EXDEV, f"another file system is mounted at {name!r}")
        for entry in os.listdir(descriptor):
            if stat.S_ISDIR(os.stat(entry, dir_fd=descriptor, follow_symlinks=False).st_mode):
                moved.append(f"nested.{next(numbers)}")
                os.rename(entry, moved[-1], src_dir_fd=descriptor, dst_dir_fd=trash)
            else:
                os.unlink(entry, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    return moved
