"""What all tests share: the real servers, and the marks of each test in its report."""

import os

import pytest
from hypothesis import settings

# Machines are slow at times, so no example has a deadline; script/test long asks for many more examples.
settings.register_profile("hostwright", deadline=None, max_examples=int(os.environ.get("HOSTWRIGHT_EXAMPLES", "200")))
settings.load_profile("hostwright")

pytest_plugins = ["tests.cast", "tests.mailbox", "tests.servers.fixtures"]

KINDS = ("server", "browser", "concurrency", "faults", "long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the kind of each test into the report that script/test counts."""
    for item in items:
        kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
        item.user_properties.append(("kinds", " ".join(kinds)))
