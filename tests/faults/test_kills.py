"""Worker or node program killed at every point of their work: another one carries on, and every invariant holds."""

from __future__ import annotations

import pytest

from panel.core.failpoints import FAILPOINTS as WORKER
from provisioning import tasks, transport
from provisioning.desired import target
from provisioning.models import Operation
from provisioning.models import Server as Row
from provisioning.node.failpoints import FAILPOINTS as NODE
from provisioning.services import drift_checks, servers
from tests.faults.bed import AUTHORIZED, Bed
from tests.faults.orders import Orders, account
from tests.provisioning.engine_world import SYSTEM, settled

SEED = 3
PROGRAM = "/usr/lib/hostwright/hostwright_node"
OF_POSTPONING = ["before-postpone-commit", "after-postpone-commit"]
STEPS_OF_SET_UP = [f"bootstrap-step:{number}" for number in range(1, 7)]
OF_SET_UP = ["bootstrap-begun", *STEPS_OF_SET_UP, "bootstrap-installed", "bootstrap-ordered", "bootstrap-finished"]
OF_DRIFT = [point for point in WORKER if point.startswith("drift")]
ELSEWHERE = [point for point in WORKER if "rebuild" in point or point in ("standoff-begun", "node-upgraded")]
"""Points of what these orders never come to; test_x13… below, test_rebuilds.py and test_standoffs.py do."""
OF_RUNS = [
    point
    for point in WORKER
    if not point.startswith("bootstrap") and point not in (*OF_POSTPONING, *OF_DRIFT, *ELSEWHERE)
]
OF_UNDOING = [point for point in NODE if point.startswith(("undo", "recover"))]
OF_APPLY = [point for point in NODE if point not in OF_UNDOING]
SHORT = {"request-sent", "reload-sent"}


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
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.some(3)
        orders.give(account)
        with bed.node_dies_at("after-journal"):
            bed.killed_worker(point)


@pytest.mark.parametrize("point", loop(OF_DRIFT))
def test_a_worker_killed_at_every_point_of_a_drift_check(bed: Bed, point: str):
    with bed.trial(f"worker killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.some(2)
        bed.converge()
        trial.accepted.append(drift_checks.request(actor=SYSTEM, server=bed.world.row).id)
        bed.killed_worker(point, "drift", bed.world.row.id)
        bed.hurry()
        tasks.check_drift(bed.world.row.id)
        orders.some(2)


@pytest.mark.parametrize("point", loop(OF_APPLY))
def test_a_node_program_killed_at_every_point(bed: Bed, point: str):
    with bed.trial(f"node killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.full()
        with bed.node_dies_at(point) as has_died:
            bed.world.reconcile()
            assert has_died(), f"{point}: the node program never came there"
        orders.some(2)


@pytest.mark.parametrize("point", loop(OF_UNDOING))
def test_a_node_program_killed_while_it_undoes(bed: Bed, point: str):
    with bed.trial(f"node killed at {point}", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.full()
        with bed.node_dies_at("move-half" if "move" in point else "before-commit") as has_died:
            bed.world.reconcile()
            assert has_died()
        bed.hurry()
        with bed.node_dies_at(point) as has_died:
            bed.world.reconcile()
            assert has_died(), f"{point}: the node program never came there"
        orders.some(2)


@pytest.mark.long
@pytest.mark.parametrize("point", OF_SET_UP)
def test_a_worker_killed_at_every_point_of_a_set_up(bed: Bed, point: str):
    """The server has lost its node program and is set up again; its accounts are served all the while."""
    with bed.trial(f"worker killed at {point}", SEED) as trial:
        make_bare(bed)
        operation = servers.bootstrap(actor=SYSTEM, server=Row.objects.get(pk=bed.world.row.pk))
        trial.accepted.append(operation.id)
        bed.killed_worker(point, "bootstrap", operation.id, "")
        bed.hurry()
        tasks.bootstrap(operation.id, "")
        bed.hurry()
        tasks.reconcile(bed.world.row.id)
        settled(operation)
        assert Row.objects.get(pk=bed.world.row.pk).state == Row.State.READY
        Orders(bed.world, trial.history, trial.accepted).some(2)


def make_bare(bed: Bed) -> None:
    """Take the node program off the server, and the fetters off the panel's key."""
    machine = bed.world.machine
    transport.forget(target(bed.world.row))
    machine.run(["rm", "-rf", PROGRAM])
    machine.run(["sed", "-i", 's/^restrict,command="[^"]*" //', AUTHORIZED])


@pytest.mark.long
def test_x13_a_worker_killed_after_it_upgraded_a_node_with_orders_waiting(bed: Bed):
    """The server still has another program when orders wait for it; they are carried by the new one."""
    with bed.trial("worker killed at node-upgraded", SEED) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.some(3)
        bed.world.machine.run(["sh", "-c", f"echo '# another' >> {PROGRAM}/rules.py"])
        transport.forget(target(bed.world.row))
        bed.killed_worker("node-upgraded")
        orders.some(2)
        waiting = Operation._base_manager.filter(pk__in=trial.accepted, status__in=Operation.OPEN)
        assert waiting.exists()
