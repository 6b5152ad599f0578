"""Debian's own Chromium for the browser tests; nothing is downloaded, and a test that uses a page is marked `browser`.

Names below `localhost` lead to this machine in Chromium (RFC 6761), so every panel host needs no entry anywhere.
"""

import os
from typing import Any

import pytest

# Playwright keeps an event loop in the thread of the test, which Django takes for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox",  # Chromium's sandbox does not start for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the Chromium that Debian packages."""
    return {**browser_type_launch_args, "executable_path": "/usr/bin/chromium", "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A common desktop screen, English, and a clock that shows UTC."""
    size = {"width": 1280, "height": 800}
    return {**browser_context_args, "viewport": size, "locale": "en-GB", "timezone_id": "Etc/UTC"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser, before `-m` chooses."""
    for item in items:
        if {"page", "context", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
