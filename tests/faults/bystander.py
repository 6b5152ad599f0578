"""Somebody who asks an account that nobody touches, again and again, while faults happen around it."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self

from panel.core.failures import Temporary
from panel.demo.proofs import http_get
from tests.faults import observed

EVERY_SECONDS = 0.02
PATIENCE = 5.0


class Bystander:
    """`with Bystander(address, domain) as asked:` asks for its page, its zone and the mail server's greeting every
    20 ms; `failures` holds each time that one did not come, `serials` what was served.
    """

    def __init__(self, address: str, domain: str) -> None:
        self.address = address
        self.domain = domain
        self.failures: list[str] = []
        self.serials: list[int] = []
        self.asked = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="bystander", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(30)

    def _ask_on(self) -> None:
        began = time.monotonic()
        while not self._end.wait(EVERY_SECONDS):
            for ask in (self._page, self._zone, self._greeting):
                try:
                    ask()
                except (OSError, Temporary) as error:
                    self.failures.append(f"{time.monotonic() - began:.2f} s, {ask.__name__}: {error!r}")
            self.asked += 1

    def _page(self) -> None:
        status, _headers, body = http_get(self.address, self.domain)
        if status != 200 or self.domain not in body:
            raise Temporary(f"status {status}, {body[:60]!r}")

    def _zone(self) -> None:
        serial = observed.soa(self.address, self.domain)
        if not serial:
            raise Temporary("not served")
        self.serials.append(serial)

    def _greeting(self) -> None:
        with socket.create_connection((self.address, 25), timeout=PATIENCE) as connection:
            if not connection.recv(4).startswith(b"220"):
                raise Temporary("no greeting")
            connection.sendall(b"QUIT\r\n")
