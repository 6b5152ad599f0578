"""Runs programs: an argument list, no shell, C locale, bounded time, input on stdin. Knows no daemon."""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": SEARCH, "LC_ALL": "C", "LANG": "C", "HOME": "/root"}
PARALLEL = 8
FILES = 65_536


@dataclass(frozen=True)
class Command:
    """A program to run, what it reads, and its environment beyond `ENVIRONMENT`."""

    argv: list[str]
    stdin: bytes = b""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a program ended: exit code (negative: a signal; 127: not installed; 124: out of time) and what it said."""

    code: int
    output: str
    errors: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def words(self) -> str:
        """What it said, complaints first."""
        said = "\n".join(part for part in (self.errors.strip(), self.output.strip()) if part)
        return said or f"exit code {self.code}"


def _memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("hostwright"), "w+b")


class Running:
    """A started program. Its input and output are in memory files: it never waits for us, and no disk sees a secret."""

    def __init__(
        self, argv: list[str], stdin: bytes = b"", timeout: float = 60, environment: dict[str, str] | None = None
    ) -> None:
        self._deadline = time.monotonic() + timeout
        self._output: IO[bytes] = _memory()
        self._errors: IO[bytes] = _memory()
        self._process: subprocess.Popen[bytes] | None = None
        self._missing = ""
        with _memory() as source:
            source.write(stdin)
            source.seek(0)
            try:
                self._process = subprocess.Popen(
                    argv,
                    stdin=source,
                    stdout=self._output,
                    stderr=self._errors,
                    env={**ENVIRONMENT, **(environment or {})},
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._missing = f"{argv[0]}: {error.strerror}"
                self._output.close()
                self._errors.close()

    def poll(self) -> Result | None:
        """The result when it has ended (or was killed at the end of its time), None while it runs."""
        if self._process is None:
            return Result(127, "", self._missing)
        code = self._process.poll()
        if code is None and time.monotonic() >= self._deadline:
            self._process.kill()
            self._process.wait()
            code = 124
        return None if code is None else self._collect(code)

    def wait(self) -> Result:
        """Wait for its end."""
        if self._process is None:
            return Result(127, "", self._missing)
        try:
            code = self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = 124
        return self._collect(code)

    def _collect(self, code: int) -> Result:
        texts = []
        for stream in (self._output, self._errors):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
            stream.close()
        errors = texts[1] + ("\nstopped: it took too long" if code == 124 else "")
        return Result(code, texts[0], errors)


def run(
    argv: list[str], *, stdin: bytes = b"", timeout: float = 60, environment: dict[str, str] | None = None
) -> Result:
    """Run one program to its end; a missing program is a result with code 127, not an exception."""
    return Running(argv, stdin, timeout, environment).wait()


def run_together(
    commands: Iterable[Command], meanwhile: Callable[[], None] | None = None, *, timeout: float = 60
) -> list[Result]:
    """Run programs side by side, a few at a time, and `meanwhile` beside the first; results in the commands' order."""
    waiting = list(commands)
    results: list[Result] = []
    running: list[Running] = []
    while waiting or running:
        while waiting and len(running) < PARALLEL:
            command = waiting.pop(0)
            running.append(Running(command.argv, command.stdin, timeout, command.environment))
        if meanwhile is not None:
            meanwhile()
            meanwhile = None
        results.append(running.pop(0).wait())
    return results


def stream(
    argv: list[str], on_line: Callable[[str], None], *, timeout: float, environment: dict[str, str] | None = None
) -> int:
    """Run a long program and hand on each line of its output as it comes; its exit code (124: out of time)."""
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**ENVIRONMENT, **(environment or {})},
        cwd="/",
        start_new_session=True,
    )
    with process, selectors.DefaultSelector() as selector:
        output = process.stdout
        if output is None:
            raise RuntimeError("the program has no output")
        selector.register(output, selectors.EVENT_READ)
        rest = b""
        while time.monotonic() < deadline:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                continue
            chunk = os.read(output.fileno(), 65536)
            if not chunk:
                return process.wait()
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                on_line(line.decode("utf-8", "replace").rstrip())
        process.kill()
    return 124


def allow_files(pid: int = 0) -> None:
    """Let a process (0: this one and what it will start) open many files, as far as its hard limit allows.

    A web server and its checker open the logs of every site. OSError when the process is gone.
    """
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (wanted, hard))


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            return status.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listing:
            return [int(child) for child in listing.read().split()]
    except OSError:
        return [child for child in map(int, filter(str.isdigit, os.listdir("/proc"))) if _parent(child) == pid]


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            return int(status.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def command_line(pid: int) -> str:
    """A process's title or arguments; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return line.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as block:
            entries = block.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)
