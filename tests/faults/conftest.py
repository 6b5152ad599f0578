"""Fixtures of the fault tests: one bed for all, on PostgreSQL, Redis and a real server, each of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import services
from pytest_django import DjangoDbBlocker

from tests.faults import bed as beds
from tests.faults.bed import Bed
from tests.provisioning import engine_world
from tests.servers import Server


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a bed, before `-m` chooses."""
    for item in items:
        if "bed" in getattr(item, "fixturenames", ()):
            item.add_marker("faults")
            item.add_marker("server")


@pytest.fixture(scope="package")
def bed(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Bed]:
    """A server that was set up over SSH, shared by all fault tests, with its panel on PostgreSQL."""
    with (
        Server.create() as machine,
        services.cluster() as cluster,
        services.redis() as redis,
        beds.database(cluster.url, django_db_blocker),
        beds.made(engine_world.make(machine), cluster, redis, tmp_path_factory.mktemp("panel")) as made,
    ):
        yield made
