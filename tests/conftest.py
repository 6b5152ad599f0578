"""What all tests share: the real servers, and the marks of each test in its report."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management.color import Style
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3.base import DatabaseWrapper
from hypothesis import Phase, settings

from billing import immutability
from panel.core import ids

# Machines are slow at times, so no example has a deadline; script/test long asks for many more examples.
# Where only whether a property fails is asked (tests/guarding.py), no smaller example is looked for.
LEFT_OUT = {Phase.shrink, Phase.explain} if "HOSTWRIGHT_NO_SHRINKING" in os.environ else set()
settings.register_profile(
    "hostwright",
    deadline=None,
    max_examples=int(os.environ.get("HOSTWRIGHT_EXAMPLES", "200")),
    phases=[phase for phase in Phase if phase not in LEFT_OUT],
)
settings.load_profile("hostwright")

pytest_plugins = ["tests.cast", "tests.mailbox", "tests.servers.fixtures"]

KINDS = ("server", "browser", "concurrency", "faults", "long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write the kind of each test into the report that script/test counts."""
    for item in items:
        kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
        item.user_properties.append(("kinds", " ".join(kinds)))


@pytest.fixture(autouse=True)
def _back_in_the_present() -> Iterator[None]:
    """Ids never go back within a process: what a test made in the future must not be before what later ones make."""
    yield
    if ids.new("now") > ids.first("now", datetime.now(UTC) + timedelta(minutes=1)):
        ids._last = 0


@pytest.fixture(autouse=True, scope="session")
def _papers_may_be_flushed() -> Iterator[None]:
    """Tests that commit are cleaned up by deleting every row, which the database refuses for issued papers: there, and
    only there, the triggers are taken away and put back.
    """
    operations = DatabaseWrapper.ops_class
    flushed = operations.sql_flush

    def sql_flush(self: BaseDatabaseOperations, style: Style, tables: list[str], **options: bool) -> list[str]:
        statements = flushed(self, style, tables, **options)
        return [*immutability.dropped("sqlite"), *statements, *immutability.created("sqlite")] if statements else []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", sql_flush)
        yield
