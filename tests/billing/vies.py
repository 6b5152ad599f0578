"""A stand-in for the Union's service for VAT numbers: says yes, says no, or does not answer, as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

UNAVAILABLE = {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}


@dataclass
class Vies:
    """What it was asked, and what it answers: a status and a body, by default that the number is valid."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    valid: bool = True

    def say(self, body: object, status: int = 200) -> None:
        """Answer so from now on."""
        self.status, self.body = status, body if isinstance(body, bytes) else json.dumps(body).encode()

    def is_down(self) -> None:
        """Answer as when the member state's own service is down."""
        self.say(UNAVAILABLE)

    def judge(self, *, valid: bool) -> None:
        """Answer yes or no."""
        self.status, self.body = 200, None
        self.valid = valid

    def answer(self, question: dict[str, Any]) -> bytes:
        """Return the body for a question."""
        self.asked.append(question)
        if self.body is not None:
            return self.body
        number = f"WAPIAAAA{len(self.asked)}" if "requesterNumber" in question else ""
        said = {
            "valid": self.valid,
            "requestDate": "2026-03-01T10:00:00Z",
            "requestIdentifier": number,
            "name": "Ännchen",
        }
        return json.dumps({**question, **said, "address": "1 Rue\nParis"}).encode()


@contextmanager
def stub() -> Iterator[Vies]:
    """Run it on the loopback interface."""
    vies = Vies()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = vies.answer(json.loads(self.rfile.read(size)))
            self.send_response(vies.status if self.path == "/check-vat-number" else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    vies.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield vies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
