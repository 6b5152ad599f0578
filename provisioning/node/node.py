"""What one run of the node program works with: places, memory, names, daemons, and the steps it tells of."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .accounts import Accounts
from .errors import NodeError, shorten
from .fsutil import Unsynced
from .paths import Paths
from .state import State

T = TypeVar("T")
Emit = Callable[[dict[str, Any]], None]
Stamps = dict[str, tuple[int, ...]]
"""Path → what changes whenever its file does."""


@dataclass
class Steps:
    """The steps of one request: told as events while they happen, listed in the report at the end."""

    emit: Emit
    done: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a step. Put a text under "detail", or False under "ok", into what is yielded, to tell of it."""
        self.emit({"step": name, "status": "started"})
        started = time.monotonic()
        told: dict[str, Any] = {"ok": True, "detail": None}
        try:
            yield told
        except BaseException:
            self._end(name, started, {"ok": False, "detail": told["detail"]})
            raise
        self._end(name, started, told)

    def note(self, name: str, seconds: float) -> None:
        """A step that went well beside others."""
        self._end(name, time.monotonic() - seconds, {"ok": True, "detail": None})

    def _end(self, name: str, started: float, told: dict[str, Any]) -> None:
        milliseconds = round((time.monotonic() - started) * 1000)
        status = "ok" if told["ok"] else "failed"
        detail = None if told["detail"] is None else shorten(str(told["detail"]))
        self.done.append({"step": name, "status": status, "ms": milliseconds, "detail": detail})
        self.emit({"step": name, "status": status, "ms": milliseconds})

    def progress(self, name: str, detail: str) -> None:
        """A line of a long step's output."""
        self.emit({"step": name, "status": "running", "detail": shorten(detail)})


def _silent(_event: dict[str, Any]) -> None:
    """Nobody listens."""


class Node:
    """One server, as this process sees it."""

    def __init__(self, paths: Paths | None = None) -> None:
        self.paths = paths or Paths()
        self.state = State(self.paths)
        self.accounts = Accounts(self.paths)
        self.steps = Steps(_silent)
        self.lock_descriptors: tuple[int, ...] = ()
        self.is_planning = False
        self.is_booting = False
        self._seen: dict[str, Any] | None = None
        self.unsynced = Unsynced()
        self.judged: dict[str, Stamps] = {}
        self.judging: dict[str, Stamps] = {}

    def tell(self, emit: Emit) -> None:
        """Start a new list of steps, told to `emit`."""
        self.steps = Steps(emit)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While inside, what `seen` was asked for is asked once only: nobody changes it meanwhile."""
        self._seen = {}
        try:
            yield
        finally:
            self._seen = None

    def seen(self, name: str, look: Callable[[], T]) -> T:
        """What a look at the whole server finds."""
        if self._seen is None:
            return look()
        if name not in self._seen:
            self._seen[name] = look()
        found: T = self._seen[name]
        return found

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one who changes this server. NodeError busy when another process already is."""
        descriptor = os.open(self.paths.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise NodeError(
                    "busy", "another apply is running on this server; try again when it has ended"
                ) from error
            self.lock_descriptors = (descriptor,)
            yield
        finally:
            self.lock_descriptors = ()
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a process changes this server now."""
        descriptor = os.open(self.paths.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def close(self) -> None:
        """Close the state file."""
        self.state.close()
