"""One small request to a web service whose host is looked up once, and has to be public unless its caller lets it be
private. Follows nothing anywhere.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from panel.core import outbound

MOST_STEPS = 3
"""A request ends after so many times what one of its steps may take."""


class Unreachable(Exception):
    """Nothing useful came back: no such host, no connection, no answer in time, or more than was asked for."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body whole."""

    status: int
    body: bytes


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    most_bytes: int,
    private_allowed: bool = False,
) -> Answer:
    """Send `body` to an http(s) address and return the answer; raises Unreachable, or Invalid where the host is not on
    the public Internet and `private_allowed` is not said. `seconds` is for each step; all of it ends after three times
    as long.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    addresses = outbound.resolve(host, port, private_allowed=private_allowed)
    connection: http.client.HTTPConnection = (
        _SecureAt(host, port, addresses[0], seconds) if secure else _At(host, port, addresses[0], seconds)
    )
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    late = threading.Event()
    watch = threading.Timer(MOST_STEPS * seconds, _hang_up, [connection, late])
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", target, body, {**headers, "Connection": "close"})
        found = connection.getresponse()
        text = found.read(most_bytes + 1)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Unreachable(type(error).__name__) from error
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():
        raise Unreachable("too slow")
    if len(text) > most_bytes:
        raise Unreachable("too long")
    return Answer(found.status, text)


def _hang_up(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End a connection under the hands of whoever waits for it: a host that sends a byte at a time never times out."""
    late.set()
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


class _At(http.client.HTTPConnection):
    """A connection to one address of a host, which is not looked up again."""

    def __init__(self, host: str, port: int, address: str, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self.address, self.seconds = address, seconds

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.create_connection((self.address, self.port), self.seconds)


class _SecureAt(_At):
    """The same with TLS, whose certificate has to be the host's."""

    default_port = 443

    def connect(self) -> None:
        """Open the connection and check the certificate."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
