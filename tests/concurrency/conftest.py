"""What the concurrency tests share: PostgreSQL and Redis are required, and rows are really committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from panel.core.scoping import everything
from provisioning import transport
from tests.cast import Cast
from tests.concurrency.field import Field
from tests.provisioning import ground as grounds
from tests.provisioning.engine import directory, use, without_daemons
from tests.provisioning.ground import Ground


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder, before `-m` chooses."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("concurrency")
            item.add_marker(pytest.mark.django_db(transaction=True, databases=["default", "snapshot"]))


@pytest.fixture
def ground(cast: Cast) -> Ground:
    """The cast with a server and accounts, committed."""
    assert os.environ.get("HOSTWRIGHT_TEST_DATABASE_URL", "").startswith("postgres"), "run script/test concurrency"
    return grounds.make(cast)


@pytest.fixture
def field(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Field]:
    """The ground with a directory for a server, for workers in this process and in their own."""
    without_daemons(ground, monkeypatch)
    root = directory(tmp_path / "server")
    use(monkeypatch, root)
    made = Field(ground, root)
    with everything("test"):
        yield made
    made.end()
    transport.close_all()
