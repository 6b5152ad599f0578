"""Fixtures that give a test a real Debian server; a test that uses one is marked `server` by itself.

They fail, and never skip, where servers cannot be made.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.servers import Server

FIXTURES = {"server", "module_server", "bare_server"}


@pytest.fixture
def server() -> Iterator[Server]:
    """A fresh server with every daemon, for this test alone."""
    with Server.create() as made:
        yield made


@pytest.fixture(scope="module")
def module_server() -> Iterator[Server]:
    """A server with every daemon that the tests of one module share: they must not mind one another."""
    with Server.create() as made:
        yield made


@pytest.fixture
def bare_server() -> Iterator[Callable[[str], Server]]:
    """Makes fresh minimal servers, `bare_server("bookworm")`, that reach their Debian mirror."""
    with ExitStack() as stack:

        def make(codename: str = "trixie") -> Server:
            return stack.enter_context(Server.create(f"bare-{codename}", nat=True))

        yield make


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a server, before `-m` chooses."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("server")
