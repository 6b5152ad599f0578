"""Fixtures of provisioning's tests."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from tests.provisioning import ground as grounds
from tests.provisioning.ground import Ground


@pytest.fixture
def ground(cast: Cast) -> Ground:
    """The cast with a server and accounts, fresh for the test."""
    return grounds.make(cast)
