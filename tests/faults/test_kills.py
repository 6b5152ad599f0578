"""Worker or node program killed at every point of their work: another one carries on, and every invariant holds."""

from __future__ import annotations

import pytest

from panel.core.failpoints import FAILPOINTS as WORKER
from provisioning.node.failpoints import FAILPOINTS as NODE
from tests.faults.bed import Bed
from tests.faults.orders import Orders

SEED = 3
OF_POSTPONING = ["before-postpone-commit", "after-postpone-commit"]
OF_RUNS = [point for point in WORKER if not point.startswith("bootstrap") and point not in OF_POSTPONING]
OF_UNDOING = [point for point in NODE if point.startswith(("undo", "recover"))]
OF_APPLY = [point for point in NODE if point not in OF_UNDOING]
SHORT = {"request-sent", "intents-deleted", "tree-half-renamed", "reload-sent", "finish-half"}


def loop(points: list[str]) -> list[object]:
    """All points; those that are not in the short form are marked `long`."""
    return [pytest.param(point, marks=() if point in SHORT else pytest.mark.long) for point in points]


@pytest.mark.parametrize("point", loop(OF_RUNS))
def test_a_worker_killed_at_every_point(bed: Bed, point: str):
    with bed.trial(f"worker killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.some(5)
        bed.killed_worker(point)
        orders.some(2)


@pytest.mark.parametrize("point", loop(OF_POSTPONING))
def test_a_worker_killed_while_it_notes_that_it_failed(bed: Bed, point: str):
    with bed.trial(f"worker killed at {point}", SEED) as trial:
        Orders(bed.world, trial.history, trial.accepted).some(3)
        with bed.node_dies_at("after-journal"):
            bed.killed_worker(point)


@pytest.mark.parametrize("point", loop(OF_APPLY))
def test_a_node_program_killed_at_every_point(bed: Bed, point: str):
    with bed.trial(f"node killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.full()
        with bed.node_dies_at(point):
            assert bed.world.reconcile() is not None, f"{point}: the node program never came there"
        orders.some(2)


@pytest.mark.parametrize("point", loop(OF_UNDOING))
def test_a_node_program_killed_while_it_undoes(bed: Bed, point: str):
    with bed.trial(f"node killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.full()
        with bed.node_dies_at("before-commit"):
            assert bed.world.reconcile() is not None
        bed.hurry()
        with bed.node_dies_at(point):
            assert bed.world.reconcile() is not None, f"{point}: the node program never came there"
        orders.some(2)
