"""Operations on names in directories, and doing them as a tenant: in a child process that has become that user.

Operations are plain dicts, so that results can come back over a pipe; makers write them, never a payload.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import posixpath
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import fsutil
from .failpoints import failpoint
from .fsutil import Unsynced

Operation = dict[str, Any]
"""{"do": one of the names in `_DO`, "path": relative to where the opener starts, and that function's arguments}."""

OpenParent = Callable[[str], int]
SECONDS = 15
"""What a tenant's home may take. A tenant can stop a process of its own uid: that must delay nobody for long."""
REMOVAL_SECONDS = 600


def _snapshot(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> fsutil.Snapshot:
    return fsutil.snapshot(directory, name, content=operation.get("content", True))


def _mkdir(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    fsutil.make_directory(directory, name, operation["mode"], operation["uid"], operation["gid"])


def _stage_file(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    data = operation["text"].encode("utf-8")
    fsutil.stage_file(directory, name, data, operation["mode"], operation["uid"], operation["gid"], unsynced)


def _stage_link(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    fsutil.stage_link(directory, name, operation["target"])


def _publish(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    if operation.get("once") and fsutil.snapshot(directory, name, content=False)["type"] != "none":
        fsutil.unlink(directory, fsutil.temporary_name(name))
        return
    fsutil.publish(directory, name)


def _unlink(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    fsutil.unlink(directory, name)


def _restore(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    """With `moved`, what is not there was not moved here, or is back already: nothing is made of it."""
    if operation.get("moved") and fsutil.snapshot(directory, name, content=False)["type"] == "none":
        return
    fsutil.restore(directory, name, operation["was"], unsynced)


def _rmdir(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> bool:
    return fsutil.remove_empty(directory, name)


def _rmtree(directory: int, name: str, operation: Operation, unsynced: Unsynced) -> None:
    fsutil.remove_tree(directory, name)


_DO: dict[str, Callable[[int, str, Operation, Unsynced], Any]] = {
    "snapshot": _snapshot,
    "mkdir": _mkdir,
    "stage_file": _stage_file,
    "stage_link": _stage_link,
    "publish": _publish,
    "unlink": _unlink,
    "restore": _restore,
    "rmdir": _rmdir,
    "rmtree": _rmtree,
}
_FAILPOINTS = {"stage_file": "tree-half-staged", "publish": "tree-half-renamed"}
MISSING_PARENT_IS_FINE = ("snapshot", "unlink", "restore", "rmdir", "rmtree")


@dataclass(frozen=True)
class Outcome:
    """What one operation gave: a value, or an error number and text."""

    value: Any = None
    error: tuple[int, str] | None = None

    def as_error(self) -> OSError | None:
        return None if self.error is None else OSError(*self.error)


def perform(
    operations: Iterable[Operation], open_parent: OpenParent, unsynced: Unsynced, *, stop: bool = False
) -> list[Outcome]:
    """Do the operations in order; with `stop`, end at the first error. Durable when `unsynced` is flushed."""
    parents: dict[str, int] = {}
    outcomes: list[Outcome] = []
    try:
        for operation in operations:
            parent, name = posixpath.split(operation["path"])
            try:
                if parent not in parents:
                    parents[parent] = open_parent(parent)
                outcomes.append(Outcome(_DO[operation["do"]](parents[parent], name, operation, unsynced)))
                if operation["do"] not in ("snapshot", "stage_file", "stage_link"):
                    unsynced.add(parents[parent])
                failpoint(_FAILPOINTS.get(operation["do"], ""))
            except OSError as error:
                outcome = _without_parent(operation, error) if parent not in parents else None
                outcomes.append(outcome or Outcome(error=(error.errno or errno.EIO, error.strerror or str(error))))
                if stop and outcomes[-1].error is not None:
                    break
    finally:
        for descriptor in parents.values():
            os.close(descriptor)
    return outcomes


def _without_parent(operation: Operation, error: OSError) -> Outcome | None:
    """Where not even the directory is, there is nothing at the name; anything else is an error."""
    if error.errno != errno.ENOENT or operation["do"] not in MISSING_PARENT_IS_FINE:
        return None
    if operation["do"] == "restore" and operation["was"]["type"] != "none" and not operation.get("moved"):
        return None
    return Outcome({"type": "none"} if operation["do"] == "snapshot" else True)


@dataclass(frozen=True)
class Tenant:
    """A user as whom to act: below `home`, an open descriptor; `groups` are those that its files may be given."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: int


class Acting:
    """A child that does operations below a tenant's home, as the tenant. `stop`: at the first error.

    `keep` are descriptors that the child holds too: the lock, so that nobody else starts while the child still works.
    """

    def __init__(self, tenant: Tenant, operations: list[Operation], *, stop: bool, keep: Iterable[int] = ()) -> None:
        removes = any(operation["do"] == "rmtree" for operation in operations)
        self._seconds = REMOVAL_SECONDS if removes else SECONDS
        self._count = len(operations)
        self._reader, writer = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(self._seconds)
            _child(tenant, operations, writer, {writer, tenant.home, 0, 1, 2, *keep}, stop)
        os.close(writer)

    def outcomes(self) -> list[Outcome]:
        """Wait for its end; what it did is durable then."""
        try:
            data = _read_until_end(self._reader, self._seconds)
        finally:
            os.close(self._reader)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        if data is None:
            return [Outcome(error=(errno.ETIMEDOUT, "the home directory does not answer"))] * self._count
        return [Outcome(item["value"], tuple(item["error"]) if item["error"] else None) for item in json.loads(data)]


def perform_as(tenant: Tenant, operations: list[Operation], *, stop: bool, keep: Iterable[int] = ()) -> list[Outcome]:
    """Do operations below a tenant's home, as the tenant; durable when it returns."""
    return Acting(tenant, operations, stop=stop, keep=keep).outcomes()


def _child(tenant: Tenant, operations: list[Operation], writer: int, keep: set[int], stop: bool) -> None:
    """The child's whole life; never returns."""
    try:
        for entry in os.listdir("/proc/self/fd"):
            if int(entry) not in keep:
                with contextlib.suppress(OSError):
                    os.close(int(entry))
        os.setgroups(sorted({tenant.gid, *tenant.groups}))
        os.setresgid(tenant.gid, tenant.gid, tenant.gid)
        os.setresuid(tenant.uid, tenant.uid, tenant.uid)
        os.umask(0o077)
        unsynced = Unsynced()
        outcomes = perform(operations, lambda parent: open_below(tenant.home, parent), unsynced, stop=stop)
        unsynced.flush()
        report = [{"value": outcome.value, "error": outcome.error} for outcome in outcomes]
        fsutil.write_all(writer, json.dumps(report).encode("utf-8"))
    finally:
        os._exit(0)


def open_below(home: int, parent: str) -> int:
    """Open a directory below an open one, following no link; `parent` is relative, empty for the directory itself."""
    return fsutil.walk(home, [part for part in parent.split("/") if part])


def _read_until_end(reader: int, seconds: int) -> bytes | None:
    chunks: list[bytes] = []
    deadline = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        chunk = os.read(reader, 1 << 20)
        if not chunk:
            return b"".join(chunks) or None
        chunks.append(chunk)
