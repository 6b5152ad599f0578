"""A proxy between a browser and the panel that keeps every byte which the panel sends, by the host that was asked.

It stands in for the public DNS as well: whatever host is asked for, the panel answers.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

TIMEOUT = 30.0
CHUNK = 65_536


@dataclass
class Tape:
    """What was received: host, path and the answer's bytes, headers included."""

    port: int = 0
    answers: list[tuple[str, str, bytes]] = field(default_factory=list)

    def under(self, host: str) -> list[tuple[str, bytes]]:
        """Return path and bytes of every answer that came under a host."""
        return [(path, data) for name, path, data in self.answers if name == host]


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, panel_port: int, tape: Tape) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.panel_port = panel_port
        self.tape = tape


class _Exchange(socketserver.StreamRequestHandler):
    """One request: the address in absolute form (RFC 9112 §3.2.2) becomes a path, and the connection ends after it."""

    timeout = TIMEOUT

    def handle(self) -> None:
        """Pass a request on and its answer back."""
        proxy = cast("Any", self.server)
        method, target, version = self.rfile.readline(CHUNK).decode("latin-1").split() or ("", "", "")
        parts = urlsplit(target)
        headers, length = [], 0
        while (line := self.rfile.readline(CHUNK)) not in (b"\r\n", b""):
            name, _colon, value = line.decode("latin-1").partition(":")
            if name.lower() == "content-length":
                length = int(value)
            if name.lower() not in ("connection", "proxy-connection", "accept-encoding"):
                headers.append(line)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        head = f"{method} {path} {version}\r\n".encode("latin-1") + b"".join(headers) + b"Connection: close\r\n\r\n"
        received = bytearray()
        with socket.create_connection(("127.0.0.1", proxy.panel_port), TIMEOUT) as panel:
            panel.sendall(head + self.rfile.read(length))
            while data := panel.recv(CHUNK):
                received += data
                self.wfile.write(data)
        proxy.tape.answers.append((parts.hostname or "", path, bytes(received)))


@contextmanager
def recording(panel_port: int) -> Iterator[Tape]:
    """Give a tape and, at its port, the proxy that fills it."""
    tape = Tape()
    with _Proxy(panel_port, tape) as proxy:
        tape.port = int(proxy.server_address[1])
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield tape
        finally:
            proxy.shutdown()
            thread.join(TIMEOUT)
