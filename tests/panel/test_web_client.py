"""Requests to foreign web services end, however slowly or oddly they are answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from panel.core import web_client


@pytest.fixture
def dripping() -> Iterator[str]:
    """A host that sends a header's letter whenever one is about to stop waiting, and never ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    try:
                        connection.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        over.set()
        thread.join(5)


def test_an_answer_that_never_ends_is_given_up(dripping: str) -> None:
    with pytest.raises(web_client.Unreachable):
        web_client.post(dripping, b"{}", {}, seconds=0.2, most_bytes=100, private_allowed=True)


def test_an_address_that_no_request_can_name_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/\u00fc"
        with pytest.raises(web_client.Unreachable):
            web_client.post(url, b"{}", {}, seconds=1, most_bytes=100, private_allowed=True)
