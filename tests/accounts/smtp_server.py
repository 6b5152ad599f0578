"""A mail server that takes everything, keeps what it was told, and can refuse recipients."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Taken:
    """What was said in one session."""

    helo: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    content: bytes = b""


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on the loopback interface; `answer` is what it says to every recipient."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.answer = b"250 ok\r\n"
        self.taken: list[Taken] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        taken = Taken()
        self.wfile.write(b"220 mail ESMTP\r\n")
        for line in self.rfile:
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    taken.helo = rest
                    self.wfile.write(b"250 mail\r\n")
                case "MAIL":
                    taken.sender = rest
                    self.wfile.write(b"250 ok\r\n")
                case "RCPT":
                    taken.recipients.append(rest)
                    self.wfile.write(self.server.answer)
                case "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    taken.content = self._data()
                    self.server.taken.append(taken)
                    self.wfile.write(b"250 taken\r\n")
                case "QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 ok\r\n")

    def _data(self) -> bytes:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


@contextmanager
def running() -> Iterator[MailServer]:
    """Run one."""
    server = MailServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
