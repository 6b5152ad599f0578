"""Clears away what test servers made: on request, when their owner dies, and what a killed machine-mate left behind.

Each server has a watcher, a small process of its own session that outlives the owner: `kill -9` of a test run leaves
nothing behind for longer than a second. Should the watcher die too, the next start of any server clears up.
"""

import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.servers import cgroup, network
from tests.servers.commands import CommandError, call
from tests.servers.state import RUN, State, every, locked

_REPOSITORY = Path(__file__).resolve().parents[2]


def power_off(state: State, timeout: float = 10) -> None:
    """Kill every process of the server at once and wait until they are gone; its disk and addresses stay."""
    cgroup.kill(state.name)
    deadline = time.monotonic() + timeout
    while state.nspawn and state.nspawn.alive:
        if time.monotonic() > deadline:
            raise CommandError(f"process {state.nspawn.pid} of server {state.name} does not die")
        try:
            os.waitpid(state.nspawn.pid, os.WNOHANG)
        except ChildProcessError:
            time.sleep(0.01)
    cgroup.remove(state.name)


def unmount(root: Path, timeout: float = 10) -> None:
    """Unmount the server's root tree, however often it is mounted."""
    deadline = time.monotonic() + timeout
    while os.path.ismount(root):
        try:
            call("umount", root)
        except CommandError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def tear_down(state: State) -> None:
    """Remove everything that belongs to a server; may be repeated. The caller holds the lock."""
    power_off(state)
    directory = Path(state.directory)
    unmount(directory / "root")
    link = network.Network(state.index)
    if state.nat:
        link.close_nat()
    link.remove()
    if not state.keep_directory:
        shutil.rmtree(directory, ignore_errors=True)
    state.path.unlink(missing_ok=True)
    if not any(other.nat for other in every()):
        network.remove_shared(RUN)


def reap() -> list[str]:
    """Tear down every server whose owner is gone and return their names. The caller holds the lock."""
    names = []
    for state in every():
        if state.orphaned:
            tear_down(state)
            names.append(state.name)
    return names


def watch(name: str) -> None:
    """Wait until the owner of a server dies, then clear up; ends by itself when the server is taken down before."""
    path = RUN / f"{name}.json"
    state = State.load(path)
    if state is None or state.owner is None:
        return
    try:
        owner = os.pidfd_open(state.owner.pid)
    except ProcessLookupError:
        owner = None
    poll = select.poll()
    if owner is not None:
        poll.register(owner, select.POLLIN)
    while path.exists() and state.owner.alive:
        poll.poll(2000)
    with locked():
        reap()


def spawn_watcher(name: str) -> None:
    """Start the watcher of a server, free of this process's session and files and not its child."""
    argv = ["setsid", "--fork", sys.executable, "-m", "tests.servers.reaper", name]
    quiet = subprocess.DEVNULL
    subprocess.run(argv, cwd=_REPOSITORY, stdin=quiet, stdout=quiet, stderr=quiet, check=True)


if __name__ == "__main__":
    watch(sys.argv[1])
