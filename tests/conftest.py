"""What all tests share: the real servers, and the marks of each test in its report."""

import pytest

pytest_plugins = ["tests.cast", "tests.servers.fixtures"]

KINDS = ("server", "browser", "concurrency", "long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the kind of each test into the report that script/test counts."""
    for item in items:
        kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
        item.user_properties.append(("kinds", " ".join(kinds)))
