"""Random orders and random faults, by seed: whatever comes together, every invariant holds in the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from panel.core.failpoints import FAILPOINTS as WORKER
from provisioning.node.failpoints import FAILPOINTS as NODE
from tests.faults.bed import Bed, Trial
from tests.faults.orders import Orders

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 9))]
ROUNDS = 4


def no_fault(bed: Bed, trial: Trial) -> None:
    """A worker does its work."""
    bed.worker("reconcile", bed.world.row.id).wait(120)


def killed_worker(bed: Bed, trial: Trial) -> None:
    """A worker dies somewhere, or comes through when it never comes there."""
    point = trial.history.random.choice(WORKER)
    trial.history.add("fault", worker=point)
    bed.worker("reconcile", bed.world.row.id, failpoint=point).wait(120)


def killed_node(bed: Bed, trial: Trial) -> None:
    """A node program dies somewhere."""
    point = trial.history.random.choice(NODE)
    trial.history.add("fault", node=point)
    with bed.node_dies_at(point):
        bed.world.reconcile()


def both_killed(bed: Bed, trial: Trial) -> None:
    """Both die, each somewhere."""
    ours, theirs = trial.history.random.choice(WORKER), trial.history.random.choice(NODE)
    trial.history.add("fault", worker=ours, node=theirs)
    with bed.node_dies_at(theirs):
        bed.worker("reconcile", bed.world.row.id, failpoint=ours).wait(120)


def two_workers(bed: Bed, trial: Trial) -> None:
    """A second worker takes the lease while the first one still works."""
    trial.history.add("fault", workers=2)
    first = bed.worker("reconcile", bed.world.row.id)
    for _number in range(3):
        bed.hurry()
        bed.world.reconcile()
    first.wait(120)


FAULTS: list[Callable[[Bed, Trial], None]] = [no_fault, killed_worker, killed_node, both_killed, two_workers]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_orders_and_faults(bed: Bed, seed: int):
    with bed.trial("history", seed) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        for _number in range(ROUNDS):
            orders.some(trial.history.random.randint(2, 6))
            trial.history.random.choice(FAULTS)(bed, trial)
            bed.hurry()
            trial.see()
