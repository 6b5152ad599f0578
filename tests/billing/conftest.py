"""What tests of money share."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.billing import till as tills
from tests.billing.till import Till
from tests.cast import Cast
from tests.provisioning.conftest import ground, prepared_ground

__all__ = ["ground", "prepared_ground", "till"]


@pytest.fixture
def till(cast: Cast, settings: Settings) -> Iterator[Till]:
    """Reseller A takes cards by a stand-in for Stripe; client A buys."""
    with tills.stub() as server:
        settings.STRIPE_API = server.url
        yield tills.make(cast, server)
