"""Gives each test server a control group of its own, so that it can be killed whole and no two share one.

Follows cgroups(7): version 2, also where it is mounted beside version 1.
"""

import time
from pathlib import Path

from tests.servers.commands import CommandError


def _hierarchy() -> Path:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise CommandError("control groups version 2 are not mounted here; test servers need them")


def _named_systemd() -> Path | None:
    """The version 1 hierarchy that systemd uses beside version 2 on a mixed machine."""
    path = Path("/sys/fs/cgroup/systemd")
    return path if (path / "cgroup.procs").exists() else None


def hybrid() -> bool:
    """Whether this machine mixes versions 1 and 2."""
    return _named_systemd() is not None


def paths(name: str) -> list[Path]:
    """The control group directories of a server."""
    return [root / f"hostwright-{name}" for root in (_hierarchy(), _named_systemd()) if root]


def _groups(path: Path) -> list[Path]:
    return sorted((entry.parent for entry in path.rglob("cgroup.procs")), key=lambda p: len(p.parts), reverse=True)


def create(name: str) -> list[Path]:
    """Make the groups and return the files that a process writes its id to, to enter them."""
    for path in paths(name):
        path.mkdir(exist_ok=True)
    return [path / "cgroup.procs" for path in paths(name)]


def kill(name: str) -> None:
    """Kill every process of a server at once, as a power cut does."""
    path = paths(name)[0]
    if path.is_dir():
        (path / "cgroup.kill").write_text("1")


def members(name: str) -> list[int]:
    """The processes of a server, by this machine's ids."""
    return [int(pid) for group in _groups(paths(name)[0]) for pid in (group / "cgroup.procs").read_text().split()]


def remove(name: str, timeout: float = 10) -> None:
    """Remove the groups once their processes are gone; raises `CommandError` when they do not go."""
    deadline = time.monotonic() + timeout
    for path in paths(name):
        for member in _groups(path):
            while member.is_dir():
                try:
                    member.rmdir()
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise CommandError(
                            f"{member} still has processes {timeout:.0f} s after they were killed"
                        ) from error
                    time.sleep(0.02)
