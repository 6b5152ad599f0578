"""Starts a PostgreSQL and a Redis of the tests' own, on random loopback ports; both end with their starter.

Follows postgres(1), initdb(1), redis-server(1) and setpriv(1); nothing of the machine's own databases is touched.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PREFIX = "hostwright-services-"
START_SECONDS = 30


class ServiceError(RuntimeError):
    """A service did not start; the message says why."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _clear_leftovers() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _directory(user: str | None) -> Iterator[Path]:
    _clear_leftovers()
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        if user:
            shutil.chown(path, user, user)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _as(user: str | None, end_with: str) -> list[str]:
    """Run as `user`, and get the signal `end_with` when this process dies, however it dies."""
    become = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return ["setpriv", *become, f"--pdeathsig={end_with}", "--"]


@contextmanager
def _process(argv: list[str], log: Path, stdin: str, ready: Callable[[], bool]) -> Iterator[None]:
    with log.open("w") as out, tempfile.TemporaryFile("w+") as words:
        words.write(stdin)
        words.seek(0)
        process = subprocess.Popen(argv, stdin=words, stdout=out, stderr=out, cwd="/")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"{argv[argv.index('--') + 1]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Cluster:
    """A running PostgreSQL: `url` of an empty database, and a way to end it as suddenly as a power cut does."""

    def __init__(self, url: str, control: list[str], argv: list[str], log: Path, ready: Callable[[], bool]) -> None:
        self.url = url
        self._control = control
        self._start = (argv, log, "", ready)
        self._stack = ExitStack()

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self._stack.enter_context(_process(*self._start))

    def restart_at_once(self) -> None:
        """`pg_ctl stop -m immediate`, which saves nothing, and a start with recovery (pg_ctl(1))."""
        stopped = subprocess.run(self._control, capture_output=True, text=True, cwd="/", check=False)
        if stopped.returncode:
            raise ServiceError(f"pg_ctl: {stopped.stderr[-2000:]}")
        self.stop()
        self.start()

    def stop(self) -> None:
        """End it."""
        self._stack.close()


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL that does not wait for the disk; yields the URL of an empty database."""
    with cluster() as made:
        yield made.url


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that does not wait for the disk, and can be restarted."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not binaries:
        raise ServiceError("PostgreSQL is not installed; run script/setup test")
    binary = binaries[-1].parent
    user = "postgres" if os.geteuid() == 0 else None
    name = user or pwd.getpwuid(os.geteuid()).pw_name
    password = secrets.token_hex(16)
    with _directory(user) as directory:
        data, words = directory / "data", directory / "password"
        words.write_text(password)
        if user:
            shutil.chown(words, user, user)
        initdb = [str(binary / "initdb"), "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
        made = subprocess.run(
            [*_as(user, "KILL"), *initdb, f"--username={name}", f"--pwfile={words}", str(data)],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if made.returncode:
            raise ServiceError(f"initdb failed:\n{made.stderr[-2000:]}")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(directory),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "100",
        }
        argv = [*_as(user, "QUIT"), str(binary / "postgres"), "-D", str(data)]
        argv += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        control = [*_as(user, "KILL"), str(binary / "pg_ctl"), "-D", str(data), "stop", "-m", "immediate"]
        url = f"postgresql://{name}:{password}@127.0.0.1:{port}/postgres"
        running = Cluster(url, control, argv, directory / "log", lambda: _accepts(binary, directory, port))
        try:
            running.start()
            yield running
        finally:
            running.stop()


def _accepts(binary: Path, directory: Path, port: int) -> bool:
    ask = [str(binary / "pg_isready"), "--quiet", "--host", str(directory), "--port", str(port)]
    return subprocess.run(ask, check=False).returncode == 0


@contextmanager
def redis() -> Iterator[str]:
    """A Redis that keeps nothing; yields its URL."""
    if not shutil.which("redis-server"):
        raise ServiceError("Redis is not installed; run script/setup test")
    port, password = free_port(), secrets.token_hex(16)
    with _directory(None) as directory:
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"requirepass {password}",
            'save ""',
            "appendonly no",
            f"dir {directory}",
        ]
        argv = [*_as(None, "KILL"), "redis-server", "-"]
        with _process(argv, directory / "log", "\n".join(lines) + "\n", lambda: _listening(port)):
            yield f"redis://:{password}@127.0.0.1:{port}/0"
