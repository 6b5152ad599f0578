"""Starts a Docker engine of the tests' own in a network namespace; the machine's own stays as it is.

Follows dockerd(8). Images stay in the cache directory, containers and networks do not outlive the engine.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import image, reaper
from tests.servers.commands import CommandError
from tests.servers.network import Network, free_index
from tests.servers.state import Process, State, every, locked

RUN = Path("/run/hostwright-engine")
START_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    """A running engine: what DOCKER_HOST is to be, and the address where published ports are found."""

    docker_host: str
    address: str


def _claim() -> State:
    """Take an address for the engine, which the servers' reaper frees should this process be killed."""
    with locked():
        reaper.reap()
        states = every()
        if any(state.name == "engine" for state in states):
            raise CommandError("another private engine runs; wait until it has ended")
        index = free_index({state.index for state in states}, None)
        state = State("engine", index, "engine", str(RUN), False, False, Process.current())
        state.save()
        Network(index).build()
    reaper.spawn_watcher(state.name)
    return state


def _wait_for_leftover() -> None:
    """Wait until an engine whose starter was killed has ended: it was told to."""
    pid_file = RUN / "pid"
    deadline = time.monotonic() + START_SECONDS
    while pid_file.exists() and Process.find(int(pid_file.read_text())):
        if time.monotonic() > deadline:
            raise CommandError(f"the engine with process id {pid_file.read_text()} does not end")
        time.sleep(0.1)


def compose_argv() -> list[str]:
    """The Compose that this machine has: version 2 as a plugin or by its old name, or version 1.29."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise CommandError("Compose is not installed; run script/setup compose")


@contextmanager
def engine() -> Iterator[Engine]:
    """A private engine; raises `CommandError` when it does not start. It ends with this process, however that ends."""
    _wait_for_leftover()
    state = _claim()
    network = Network(state.index)
    RUN.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = f"unix://{RUN}/docker.sock"
    argv = ["setpriv", "--pdeathsig=TERM", "--", "nsenter", f"--net={network.namespace_path}", "dockerd"]
    argv += [f"--data-root={image.cache_directory() / 'engine'}", f"--exec-root={RUN}/exec", f"--pidfile={RUN}/pid"]
    argv += [f"--host={socket}", "--bridge=none", "--default-address-pool=base=203.0.113.128/25,size=28"]
    log = RUN / "log"
    with log.open("w") as out:
        daemon = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(["docker", "--host", socket, "info"], capture_output=True, check=False).returncode:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise CommandError(f"the Docker engine did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield Engine(socket, network.address)
    finally:
        daemon.terminate()
        daemon.wait(timeout=START_SECONDS)
        with locked():
            reaper.tear_down(state)
        _remove_groups()


def _remove_groups() -> None:
    """Remove the control groups that target servers made for themselves (docker/target-start)."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for root in [Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"]:
        for group in root.glob("hostwright-container-*"):
            for member in sorted(group.rglob("cgroup.procs"), key=lambda path: len(path.parts), reverse=True):
                member.parent.rmdir()
