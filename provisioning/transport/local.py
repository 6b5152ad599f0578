"""The node program of this machine, as a child process."""

from __future__ import annotations

import os
import selectors
import subprocess
import time

from panel.core.failures import Temporary
from provisioning.spec import Target
from provisioning.transport.base import Connection

PROGRAM = ("/usr/bin/python3", "-m", "hostwright_node", "serve")
LIBRARY = "/usr/lib/hostwright"


class LocalConnection(Connection):
    """A child process of the worker, which therefore has to run as root."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        try:
            self._process = subprocess.Popen(
                PROGRAM,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": LIBRARY, "LC_ALL": "C.UTF-8"},
                cwd="/",
            )
        except OSError as error:
            raise Temporary(f"The node program can't be started: {error.strerror}.") from error
        self._buffer = bytearray()

    def _send(self, line: bytes) -> None:
        if self._process.stdin is None:
            raise Temporary("The node program has ended.")
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError as error:
            raise Temporary("The node program has ended.") from error

    def _receive(self, timeout: float) -> bytes:
        if self._process.stdout is None:
            return b""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (end := self._buffer.find(b"\n")) < 0:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise Temporary("The node program does not answer.")
                chunk = os.read(self._process.stdout.fileno(), 1 << 16)
                if not chunk:
                    return b""
                self._buffer += chunk
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def close(self) -> None:
        self.closed = True
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
