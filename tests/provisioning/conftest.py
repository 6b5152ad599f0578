"""Fixtures of provisioning's tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests import cast
from tests.provisioning import ground as grounds
from tests.provisioning.ground import Ground


@pytest.fixture(scope="module")
def prepared_ground(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Ground]:
    """The ground, made once for the tests of a module; each test's changes are rolled back to it."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            made = grounds.make(cast.make())
            with django_db_blocker.block():
                yield made
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)


@pytest.fixture
def ground(prepared_ground: Ground, db: None) -> Ground:
    """The cast with a server and accounts; what the test changes does not stay."""
    return copy.deepcopy(prepared_ground)
