"""A small client of the panel's API, for rehearsals: JSON in and out, and waiting for operations."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any


class ApiError(RuntimeError):
    """The panel refused, or did not do in time what it was asked; the message holds its words."""


@dataclass(frozen=True)
class Api:
    """The API of one panel host, as one token sees it."""

    address: str
    port: int
    host: str
    token: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request below /api/v1 and return the answer; raises `ApiError` for anything but 2xx."""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=30)
        headers = {"Host": self.host, "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body or {}) if method != "GET" else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status // 100 != 2:
            raise ApiError(f"{method} {path}: {answer.status} {text[:2000]}")
        found: dict[str, Any] = json.loads(text) if text else {}
        return found

    def get(self, path: str) -> dict[str, Any]:
        """Read."""
        return self.call("GET", path)

    def order(self, path: str, body: dict[str, Any] | None = None, seconds: float = 60) -> dict[str, Any]:
        """Ask for something that takes an operation and wait until that is done; returns the first answer."""
        started = self.call("POST", path, body)
        self.settle(started["operation"]["id"], seconds)
        return started

    def settle(self, operation: str, seconds: float) -> None:
        """Wait until an operation is applied; raises `ApiError` with its reason when it is not."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.get(f"/operations/{operation}")
            if found["status"] == "applied":
                return
            words = f"{found['verb']} {found['subject']}: {found['status']} {found['reason']} {found['detail'] or ''}"
            if found["status"] in ("rejected", "cancelled"):
                raise ApiError(f"{words}\n{json.dumps(found['targets'], indent=1)[-3000:]}")
            if time.monotonic() > deadline:
                raise ApiError(f"{words} after {seconds:.0f} s")
            time.sleep(0.1)
