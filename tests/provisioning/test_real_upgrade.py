"""The node program of a real server is upgraded over SSH with orders in flight; what is refused stops none of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from provisioning import transport, upgrade
from provisioning.desired import target
from provisioning.models import Operation, RunStep, Slice
from provisioning.models import Server as Row
from provisioning.node.facts import digest, digest_of
from tests.node.programs import OLDER, archive, copy
from tests.node.target import LIBRARY
from tests.provisioning import engine_world
from tests.provisioning.engine_world import World, fresh, prove, settled
from tests.servers import Server

pytestmark = pytest.mark.server

DIED = "/root/died"
SUICIDAL = f"""

def failpoint(name: str) -> None:
    if name == "upgrade-swapped":
        open("{DIED}", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
"""
BROKEN = {"apply.py": "import a_module_that_this_server_lacks\n"}


@pytest.fixture(scope="module")
def world(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """A server that was set up over SSH."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        yield engine_world.make(module_server)


def install(world: World, program: Path) -> str:
    """Put another node program on the server, as an older panel would have left it; its digest."""
    world.machine.run(["sh", "-c", f"rm -rf {LIBRARY}/hostwright_node && tar -x -C {LIBRARY}"], input=archive(program))
    transport.close_all()
    return digest_of(str(program))


def hello(world: World) -> dict[str, object]:
    with everything("test"):
        return transport.call(target(world.row), "hello", {})


def last_step() -> RunStep:
    return RunStep.objects.filter(name=upgrade.STEP).latest("id")


def test_a_server_that_was_just_set_up_shows_no_drift(world: World) -> None:
    """What drivers ask for is what daemons and packages leave as it is."""
    _hosting, operation, live = world.full("undrifted.example")
    world.reconcile()
    settled(operation)
    prove(live)
    with everything("test"):
        report = transport.call(target(world.row), "drift", {"server": world.row.id, "epoch": 1_000_000})
        facts = transport.call(target(world.row), "facts", {})
        parts = list(Slice.objects.filter(server=world.row))
    assert report["items"] == []
    assert [step for step in report["steps"] if step["status"] != "ok"] == []
    assert {part.name: len(part.manifest) for part in parts} == {
        name: told["resources"] for name, told in facts["slices"].items()
    }


def test_x13_an_order_that_was_made_for_an_older_node_is_carried_by_the_new_one(world: World, tmp_path: Path) -> None:
    before = install(world, copy(tmp_path / "older", OLDER))
    assert hello(world)["node"] == "0.9.0"
    _hosting, operation, live = world.full("upgraded.example")
    assert world.reconcile() is None
    settled(operation)
    prove(live)
    assert last_step().status == RunStep.Status.OK
    assert hello(world)["digest"] == digest()
    assert Row.objects.get(pk=world.row.pk).facts["digest"] == digest()
    kept = world.machine.run(
        ["env", f"PYTHONPATH={LIBRARY}/previous", "python3", "-m", "hostwright_node", "self-test"]
    ).stdout
    assert f'"digest": "{before}"' in kept


def test_x13_an_order_is_carried_though_the_server_refuses_the_new_program(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = install(world, copy(tmp_path / "older", OLDER))
    broken = copy(tmp_path / "broken", BROKEN)
    monkeypatch.setattr(upgrade, "SOURCE", broken)
    monkeypatch.setattr(upgrade, "digest", lambda: digest_of(str(broken)))
    _hosting, operation, live = world.full("refused.example")
    assert world.reconcile() is None
    assert fresh(operation).status == Operation.Status.APPLIED
    prove(live)
    assert last_step().status == RunStep.Status.FAILED
    assert "a_module_that_this_server_lacks" in last_step().detail
    assert "does not run on this server" in Row.objects.get(pk=world.row.pk).refused_upgrade_reason
    assert hello(world)["digest"] == before


def test_x13_a_node_that_is_killed_in_its_upgrade_is_asked_again(world: World, tmp_path: Path) -> None:
    """It dies without an answer, in the instant in which the new program has taken its place."""
    failpoints = (copy(tmp_path / "plain") / "failpoints.py").read_text() + SUICIDAL
    before = install(world, copy(tmp_path / "older", {**OLDER, "failpoints.py": failpoints}))
    _hosting, operation, live = world.full("killed.example")
    world.reconcile()
    settled(operation)
    prove(live)
    assert world.machine.run(["ls", DIED]).stdout.strip() == DIED
    assert hello(world)["digest"] == digest()
    kept = [f"PYTHONPATH={LIBRARY}/previous", "python3", "-m", "hostwright_node", "self-test"]
    assert before in world.machine.run(["env", *kept]).stdout
