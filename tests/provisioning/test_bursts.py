"""Waiting for more orders: never for a lone account, until it is quiet in a burst, and never for long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioning.services import bursts
from tests.provisioning import factories
from tests.provisioning.ground import Ground, touch


class Clock:
    """Time that passes only while somebody sleeps; `meanwhile` happens in each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(bursts, "time", made)
    return made


def test_orders_for_one_account_wait_for_nobody(ground: Ground, clock: Clock) -> None:
    for _ in range(5):
        touch(ground.account_a)
    bursts.gather(ground.server.id)
    assert clock.now == 0


def test_a_burst_is_over_when_it_is_quiet(ground: Ground, clock: Clock) -> None:
    _burst(ground)
    bursts.gather(ground.server.id)
    assert clock.now == pytest.approx(bursts.QUIET_SECONDS, abs=2 * bursts.POLL_SECONDS)


def test_orders_that_never_cease_are_carried_all_the_same(ground: Ground, clock: Clock) -> None:
    _burst(ground)
    clock.meanwhile = lambda: touch(ground.account_a)
    bursts.gather(ground.server.id)
    assert clock.now == pytest.approx(bursts.MOST_SECONDS, abs=2 * bursts.POLL_SECONDS)


def _burst(ground: Ground) -> None:
    client, package = ground.account_a.organization, ground.package_a
    for name in ("one", "two", "three"):
        factories.account(client, package, f"{name}.example")
