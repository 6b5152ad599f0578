"""A proxy between a browser and the panel that keeps every byte which the panel sends, by the host that was asked.

It stands in for the public DNS as well: whatever host is asked for, the panel answers. What came by other protocols is
put on the same tape by those who asked.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from provisioning.leaks.lexicon import Lexicon, Word

TIMEOUT = 30.0
CHUNK = 65_536

Wire = Literal["HTTP", "DNS", "SMTP", "IMAP", "mail"]


@dataclass(frozen=True)
class Heard:
    """What somebody under a brand's host received: by which protocol, of what, and the bytes, headers included."""

    host: str
    wire: Wire
    what: str
    data: bytes = field(repr=False)


@dataclass
class Tape:
    """What was received, oldest first; `port` is the proxy's."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)

    def add(self, host: str, wire: Wire, what: str, data: bytes) -> None:
        """Keep something."""
        self.heard.append(Heard(host, wire, what, data))

    def under(self, host: str, wire: Wire) -> list[Heard]:
        """Return what came under a host by a protocol."""
        return [heard for heard in self.heard if (heard.host, heard.wire) == (host, wire)]

    def holding(self, host: str, words: Iterable[Word], own: str = "") -> dict[Wire, list[str]]:
        """Return, by protocol, what came under a host and holds one of `words` outside the name `own`."""
        lexicon = Lexicon(words, [own])
        found: dict[Wire, list[str]] = {}
        for heard in self.heard:
            if heard.host == host:
                for hit in lexicon.find(f"{heard.what}\n{heard.data.decode('utf-8', 'replace')}"):
                    found.setdefault(heard.wire, []).append(f"{heard.what}: {hit.word.shown}: {hit.excerpt}")
        return found


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
        try:
            with socket.create_connection(("127.0.0.1", proxy.panel_port), TIMEOUT) as panel:
                panel.sendall(head + self.rfile.read(length))
                while data := panel.recv(CHUNK):
                    received += data
                    self.wfile.write(data)
        finally:
            proxy.tape.add(parts.hostname or "", "HTTP", f"{method} {path}", bytes(received))


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
