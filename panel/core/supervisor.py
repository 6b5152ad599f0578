"""Keeps a few child processes running until told to stop; knows nothing of what they do."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
SETTLED = 60.0
GRACE = 15.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Child:
    """A command to keep running, and how it went so far."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = FIRST_DELAY
    due: float = field(default=0.0)


class Supervisor:
    """Starts children, restarts what dies after a delay that doubles, stops them all together.

    Children are in sessions of their own, so that Ctrl-C reaches this process only, and get SIGTERM from the kernel
    when this process dies without a chance to stop them (Linux, prctl(2)).
    """

    def __init__(self, children: Sequence[Child], *, directory: Path, environment: Mapping[str, str]) -> None:
        self.children = children
        self.directory = directory
        self.environment = environment
        self.stopping = False

    def stop(self) -> None:
        """Make `run` stop the children and return; safe in a signal handler."""
        self.stopping = True

    def run(self, poll: float = 0.1) -> None:
        """Keep the children running until `stop`."""
        try:
            while not self.stopping:
                for child in self.children:
                    self._tend(child)
                time.sleep(poll)
        finally:
            self._end()

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        if now - child.started > SETTLED:
            child.delay = FIRST_DELAY
        log.warning("supervisor.died", child=child.name, code=code, again_in=child.delay)
        child.process, child.due = None, now + child.delay
        child.delay = min(child.delay * 2, LONGEST_DELAY)

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            list(child.command),
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
