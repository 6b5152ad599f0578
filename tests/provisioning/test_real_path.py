"""From an order to a live account and back to nothing, on a real server, as the worker does it over SSH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.provisioning import engine_world
from tests.provisioning.engine_world import World, prove, settled
from tests.servers import Server

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH, shared by this module: every test has accounts of its own."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def test_an_order_becomes_a_live_account(world: World) -> None:
    _hosting, operation, live = world.full("alpha.example")
    assert world.reconcile() is None
    settled(operation)
    prove(live)
