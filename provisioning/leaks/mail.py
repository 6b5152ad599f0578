"""Reads a mail as the one who gets it can: every header, every text, and how the sender introduced itself."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from typing import Any, cast

from provisioning.leaks.readings import Reading

TIMEOUT = 10.0
MOST_BYTES = 5_000_000
GREETING = b"220 reader.invalid ESMTP\r\n"


@dataclass
class Received:
    """A mail and what came before it: the EHLO name, the envelope's sender."""

    introduction: str = ""
    sender: str = ""
    message: bytes = field(default=b"", repr=False)


class Reader(socketserver.TCPServer):
    """Takes mail on a port of loopback and keeps it; delivers nothing (RFC 5321, the least that a client needs)."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.mails: list[Received] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def reader() -> Iterator[Reader]:
    """Give a Reader that listens inside the block."""
    with Reader() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(TIMEOUT)


def readings(subject: str, mail: Received) -> Iterator[Reading]:
    """What a mail tells: envelope, headers with encoded words decoded (RFC 2047), texts of all parts."""
    if mail.introduction or mail.sender:
        yield Reading("mail.envelope", subject, f"EHLO {mail.introduction}\nMAIL FROM {mail.sender}")
    message = BytesParser(policy=policy.default).parsebytes(mail.message)
    for part in message.walk():
        headers = [f"{name}: {value}" for name, value in part.items()]
        if headers:
            yield Reading("mail.header", subject, "\n".join(headers))
        if part.get_content_maintype() == "text":
            yield Reading("mail.body", subject, str(part.get_content()))


class _Dialogue(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = TIMEOUT

    def handle(self) -> None:
        """Take mails until the client says QUIT or nothing more."""
        kept = cast("Any", self.server).mails
        self.wfile.write(GREETING)
        current = Received()
        try:
            while line := self.rfile.readline(1024):
                verb = line[:4].upper()
                if verb in (b"EHLO", b"HELO"):
                    current.introduction = line[4:].strip().decode("ascii", "replace")
                elif verb == b"MAIL":
                    current.sender = line.partition(b":")[2].strip().decode("utf-8", "replace")
                elif verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    current.message = self._content()
                    kept.append(current)
                    current = Received(current.introduction)
                elif verb == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 reader.invalid\r\n")
        except (TimeoutError, ConnectionError):
            return

    def _content(self) -> bytes:
        """The lines up to the dot, dots at their starts undoubled."""
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline(MOST_BYTES)) not in (b".\r\n", b""):
            size += len(line)
            if size <= MOST_BYTES:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)
