"""One real Debian server: boots in seconds on an overlay of an image, with its own network, disk and SSH key.

The server is a systemd-nspawn(1) container started by root; it belongs to the process that made it and goes with it.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import cgroup, image, reaper
from tests.servers.commands import CommandError, call, spawn
from tests.servers.network import LAST_INDEX, Network, free_index, resolvers
from tests.servers.state import RUN, Process, State, every, locked

BOOT_SECONDS = 60.0
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


class ServerError(CommandError):
    """A test server did not do what was asked; the message says what it did."""


class Server:
    """A server that runs: `with Server() as server: server.run(["nginx", "-t"])`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._network = Network(state.index)
        self.directory = Path(state.directory)

    # Making one ------------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        flavour: str = "full",
        *,
        name: str | None = None,
        nat: bool = False,
        persistent: bool = False,
        directory: Path | None = None,
    ) -> Self:
        """Make and boot a server; returns when it answers by SSH (two to three seconds once the image is built).

        `nat` gives it a way out under this machine's address. `persistent`: it stays until `remove()`, otherwise it
        goes with this process. `directory`: keep its disk there and start from that disk again next time, with the same
        address if that is free. Raises `CommandError` when the machine cannot do it.
        """
        if os.geteuid() != 0:
            raise ServerError("test servers need root: they use mount, network namespaces and systemd-nspawn")
        remembered = _Remembered.read(directory)
        root = image.ensure(flavour)
        if remembered and (image.images_directory() / remembered.image).is_dir():
            root = image.images_directory() / remembered.image
        with locked():
            reaper.reap()
            state = _claim(flavour, name, nat, persistent, directory, remembered)
            server = cls(state)
            try:
                server._network.build()
                if nat:
                    server._network.open_nat(RUN)
                server._prepare_disk(root)
            except BaseException:
                reaper.tear_down(state)
                raise
        if not persistent:
            reaper.spawn_watcher(state.name)
        try:
            server.start()
        except BaseException:
            server.remove()
            raise
        return server

    @classmethod
    def attach(cls, name: str) -> Self:
        """The server of this name that runs on this machine, whoever made it."""
        state = State.load(RUN / f"{name}.json")
        if state is None:
            raise ServerError(f"there is no server {name!r}; script/server list shows those there are")
        return cls(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    # What it is ------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name on this machine (not its host name)."""
        return self._state.name

    @property
    def address(self) -> str:
        """Its IPv4 address, reached from this machine only."""
        return self._network.address

    @property
    def address6(self) -> str:
        """Its IPv6 address."""
        return self._network.address6

    @property
    def gateway(self) -> str:
        """This machine's IPv4 address as the server sees it."""
        return self._network.gateway

    @property
    def root(self) -> Path:
        """Its root tree as seen from this machine; read it, write with `put`."""
        return self.directory / "root"

    @property
    def private_key(self) -> Path:
        """The SSH private key that opens root's shell."""
        return self.directory / "key"

    @property
    def host_public_key(self) -> str:
        """Its SSH host key as `ssh-ed25519 AAAA…`."""
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    @property
    def host_key(self) -> str:
        """The fingerprint of its SSH host key, `SHA256:…`."""
        return call("ssh-keygen", "-l", "-f", self.directory / "host_key.pub").split()[1]

    @property
    def running(self) -> bool:
        """Whether it is switched on."""
        return self._state.nspawn is not None and self._state.nspawn.alive

    def ssh_argv(self, *command: str) -> list[str]:
        """The ssh(1) command that runs `command` as root there, or opens a shell; checks the host key."""
        known = self.directory / "known_hosts"
        known.write_text(f"{self.address} {self.host_public_key}\n")
        options = [
            "-F",
            "none",
            "-i",
            str(self.private_key),
            "-o",
            f"UserKnownHostsFile={known}",
            "-o",
            "IdentitiesOnly=yes",
        ]
        return [
            "ssh",
            *options,
            "-o",
            "ConnectTimeout=10",
            f"root@{self.address}",
            *([shlex.join(command)] if command else []),
        ]

    # Power -----------------------------------------------------------------------------------------------------------

    def start(self, timeout: float = BOOT_SECONDS) -> None:
        """Switch it on and wait until it answers by SSH; raises `ServerError` with its console's end if it does not."""
        if self.running:
            return
        enter = " ".join(str(path) for path in cgroup.create(self.name))
        argv = ["sh", "-c", 'for file in $1; do echo $$ > "$file"; done; shift; exec "$@"', "enter", enter]
        argv += ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", f"--machine={self.name}"]
        argv += [f"--directory={self.root}", f"--network-namespace-path={self._network.namespace_path}"]
        argv += ["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only"]
        environment = dict(os.environ)
        if cgroup.hybrid():
            environment["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"] = "1"
        self._state.nspawn = Process.find(spawn(argv, environment, self.directory / "console.log"))
        with locked():
            self._state.save()
        self._wait_for_ssh(timeout)

    def stop(self, timeout: float = 30) -> None:
        """Shut it down in order, as `poweroff` does; after `timeout` seconds it loses power. The disk stays."""
        if self.running and self._state.nspawn:
            os.kill(self._state.nspawn.pid, signal.SIGTERM)
            _wait(lambda: not self.running, timeout)
        self.kill()

    def kill(self) -> None:
        """Cut its power: every process dies at once. Disk and addresses stay; `start()` boots it again."""
        reaper.power_off(self._state)

    def remove(self) -> None:
        """Cut its power and remove all that was made for it (its disk too, unless it was given a directory)."""
        with locked():
            reaper.tear_down(self._state)

    def freeze(self) -> None:
        """Stop its SSH daemon where it stands: connections hang, as on an overloaded server."""
        self._signal_sshd(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its SSH daemon go on."""
        self._signal_sshd(signal.SIGCONT)

    def wait_booted(self, timeout: float = 60) -> str:
        """Wait until all its services have started; returns systemd's word: `running`, or `degraded` if one failed."""
        done = self.run(["systemctl", "is-system-running", "--wait"], check=False, timeout=timeout)
        return done.stdout.strip()

    # Work on it ------------------------------------------------------------------------------------------------------

    def run(
        self, argv: Sequence[str], *, input: str | bytes | None = None, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it as root (not by SSH, so it works while SSH does not); output is decoded as UTF-8.

        Raises `ServerError` when `check` and the command fails, and when it takes longer than `timeout` seconds.
        """
        whole = ["nsenter", f"--target={self._leader()}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        whole += ["--root", "--wd=/", "--", *argv]
        data = input.encode() if isinstance(input, str) else (input or b"")
        try:
            done = subprocess.run(
                whole, input=data, capture_output=True, env=_ENVIRONMENT, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ServerError(f"{shlex.join(argv)} on {self.name}: no end within {timeout:.0f} s") from error
        result = subprocess.CompletedProcess(
            list(argv), done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if check and result.returncode:
            words = (result.stderr or result.stdout).strip()[-2000:]
            raise ServerError(f"{shlex.join(argv)} on {self.name}: exit {result.returncode}: {words}")
        return result

    def in_network(self, argv: Sequence[str]) -> None:
        """Run a command of this machine in the server's network; raises `CommandError` when it fails."""
        call("nsenter", f"--net={self._network.namespace_path}", "--", *argv)

    def put(self, path: str, content: str | bytes, mode: str = "0644") -> None:
        """Write a file there, owned by root; the directory must exist."""
        self.run(["sh", "-c", 'umask 077; cat > "$1" && chmod "$2" "$1"', "put", path, mode], input=content)

    def _leader(self) -> int:
        nspawn = self._state.nspawn
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children") if nspawn else None
        if children is None or not self.running:
            raise ServerError(f"server {self.name} is switched off")
        for child in children.read_text().split():
            if _namespace_ids(child)[1:] == ["1"]:
                return int(child)
        raise ServerError(f"server {self.name} has no first process yet")

    def _signal_sshd(self, number: signal.Signals) -> None:
        for pid in cgroup.members(self.name):
            try:
                if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                    os.kill(pid, number)
            except (FileNotFoundError, ProcessLookupError):
                continue

    def _wait_for_ssh(self, timeout: float) -> None:
        if _wait(lambda: not self.running or self._answers(), timeout) and self.running:
            return
        console = (self.directory / "console.log").read_text(errors="replace")[-3000:]
        raise ServerError(
            f"server {self.name} did not answer by SSH within {timeout:.0f} s; its console ends:\n{console}"
        )

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, 22), timeout=1) as connection:
                return connection.recv(8) == b"SSH-2.0-"
        except OSError:
            return False

    def _prepare_disk(self, lower: Path) -> None:
        for name in ("upper", "work", "root"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={lower},upperdir={self.directory}/upper,workdir={self.directory}/work"
        # A disk that is thrown away need not survive this machine's own crash: no waiting for it to be written.
        volatile = "" if self._state.keep_directory else ",volatile"
        call("mount", "-t", "overlay", "-o", options + volatile, f"hostwright-{self.name}", self.root)
        if not self.private_key.exists():
            self._first_boot()
        resolver = resolvers() if self._state.nat else "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
        (self.root / "etc/resolv.conf").write_text(resolver)
        _Remembered(self._state.index, lower.name).write(self.directory)

    def _first_boot(self) -> None:
        for key in (self.private_key, self.directory / "host_key"):
            call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
        for suffix, mode in (("", 0o600), (".pub", 0o644)):
            target = self.root / f"etc/ssh/ssh_host_ed25519_key{suffix}"
            shutil.copyfile(self.directory / f"host_key{suffix}", target)
            target.chmod(mode)
        authorized = self.root / "root/.ssh/authorized_keys"
        shutil.copyfile(f"{self.private_key}.pub", authorized)
        authorized.chmod(0o600)
        (self.root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")


def _namespace_ids(pid: str) -> list[str]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return []
    return next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))


@dataclass(frozen=True)
class _Remembered:
    """What a kept disk needs to be used again: its address's index and the image that it lies on."""

    index: int
    image: str

    @classmethod
    def read(cls, directory: Path | None) -> Self | None:
        path = directory / "server.json" if directory else None
        return cls(**json.loads(path.read_text())) if path and path.exists() else None

    def write(self, directory: Path) -> None:
        (directory / "server.json").write_text(json.dumps(asdict(self)))


def _claim(
    flavour: str,
    name: str | None,
    nat: bool,
    persistent: bool,
    directory: Path | None,
    remembered: _Remembered | None,
) -> State:
    states = every()
    # A server that keeps its disk wants to keep its address too, so it takes one that others come to last.
    kept = remembered.index if remembered else LAST_INDEX if directory else None
    index = free_index({state.index for state in states}, kept)
    name = name or f"server-{index}"
    if any(state.name == name for state in states):
        raise ServerError(f"there is a server {name!r} already; take it down with: script/server down {name}")
    place = directory or image.cache_directory() / "servers" / name
    if directory is None:
        shutil.rmtree(place, ignore_errors=True)
    owner = None if persistent else Process.current()
    state = State(name, index, flavour, str(place), directory is not None, nat, owner)
    state.save()
    return state


def _wait(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
