"""What this machine knows about its test servers: one file for each under /run, so that nothing survives a reboot.

Every change is made under one lock, so that test workers, the demo and the reaper do not cross each other.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

RUN = Path("/run/hostwright-servers")


@dataclass(frozen=True)
class Process:
    """A process by id and start time, so that a reused id is not taken for it."""

    pid: int
    started: int

    @classmethod
    def find(cls, pid: int) -> Self | None:
        """The living process with this id; a zombie counts as gone."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = text.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @classmethod
    def current(cls) -> Self:
        """This very process."""
        found = cls.find(os.getpid())
        assert found is not None
        return found

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return Process.find(self.pid) == self


@dataclass
class State:
    """One server: what was made for it, and the process it belongs to (none: it stays until it is taken down)."""

    name: str
    index: int
    flavour: str
    directory: str
    keep_directory: bool
    nat: bool
    owner: Process | None
    nspawn: Process | None = None

    @property
    def path(self) -> Path:
        """The file that holds this state."""
        return RUN / f"{self.name}.json"

    @property
    def orphaned(self) -> bool:
        """Whether the process that it belongs to is gone."""
        return self.owner is not None and not self.owner.alive

    def save(self) -> None:
        """Write the state, whole or not at all."""
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self)))
        partial.rename(self.path)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The state in a file; None when it is gone."""
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        for key in ("owner", "nspawn"):
            values[key] = Process(**values[key]) if values[key] else None
        return cls(**values)


def every() -> list[State]:
    """The states of all servers on this machine."""
    found = [State.load(path) for path in sorted(RUN.glob("*.json"))]
    return [state for state in found if state]


@contextmanager
def locked() -> Iterator[None]:
    """Hold the one lock over states, addresses and the packet filter."""
    RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
