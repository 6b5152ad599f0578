"""Killed at any point, the next start of the program leaves old or new, never something between."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from provisioning.node.failpoints import FAILPOINTS
from tests.node.bundles import (
    Machine,
    directory,
    file,
    home,
    payload,
    renaming,
    request,
    resource,
    slice_of,
    tenant,
    user,
)

NEEDS_DAEMONS = {"after-sql", "after-zone-files", "rows-committed", "zones-served", "reload-sent"}
"""Points that only real daemons lead past; tests/node/test_real.py kills there."""

OLD = slice_of(
    "acc_a",
    user("alice"),
    home("alice"),
    directory("/home/alice/public_html", owner="alice", group="www-data", mode="0750", **{"as": "alice"}),
    file("/home/alice/app.ini", "old\n", owner="alice", group="alice", **{"as": "alice"}),
    file("/etc/hostwright/changed.conf", "old\n", mode="0600"),
    file("/etc/hostwright/removed.conf", "removed\n"),
    directory("/etc/hostwright/emptied"),
    file("/etc/hostwright/becomes-link", "file\n"),
)
OLD_B = slice_of("acc_b", user("bob", 20002), home("bob"))
NEW = slice_of(
    "acc_a",
    user("alice", gecos="Alice"),
    home("alice"),
    directory("/home/alice/public_html", owner="alice", group="alice", mode="0700", **{"as": "alice"}),
    file("/home/alice/app.ini", "new\n", owner="alice", group="alice", **{"as": "alice"}),
    file("/home/alice/public_html/index.html", "hi\n", owner="alice", group="alice", once=True, **{"as": "alice"}),
    file("/etc/hostwright/changed.conf", "new\n", mode="0644"),
    file("/etc/hostwright/added.conf", "added\n"),
    resource("link", "/etc/hostwright/becomes-link", target="/etc/hostwright/added.conf"),
    generation=2,
)
NEW_B = slice_of("acc_b", generation=2, tombstones=["directory:/home/bob", "user:bob"])
OLD_D = slice_of("acc_d", *tenant("dora", 20004), file("/etc/hostwright/d.conf", "dora\n"))
NEW_D = slice_of(
    "acc_d",
    *tenant("dana", 20004, gecos="Dana"),
    file("/home/dana/new.ini", "dana\n", owner="dana", group="dana", **{"as": "dana"}),
    file("/etc/hostwright/d.conf", "dana\n"),
    generation=2,
    moves=renaming("dora", "dana"),
)
NEW_C = slice_of("acc_c", user("carol", 20003), home("carol"))

REACHED = [(point, 1) for point in FAILPOINTS if point not in NEEDS_DAEMONS]
AGAIN = [
    "after-maker",
    "move-half",
    "undo-move-half",
    "users-half-written",
    "tree-half-staged",
    "tree-half-renamed",
    "undo-half",
    "finish-half",
    "recover-half",
]
"""Points that are passed more than once: also killed at the second passing."""


def begin(machine: Machine) -> None:
    """What is there before: three accounts with something of their own."""
    machine.apply(OLD, OLD_B, OLD_D)
    machine.at("/home/bob/file").write_text("bob's\n")
    machine.at("/home/dora/public_html/file").write_text("dora's\n")
    machine.at("/var/log/hostwright/dora/access.log").write_text("GET /\n")


def outcome(machine: Machine) -> dict[str, Any]:
    """The machine's tree without what is no state: the trash of a home on its way out counts as its absence."""
    return {name: entry for name, entry in machine.tree().items() if "/.hostwright-trash" not in name}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the machine looks like before and after, made without any kill."""
    from tests.node.conftest import prepare

    machine = prepare(tmp_path_factory.mktemp("expected"))
    begin(machine)
    trees = {"old": outcome(machine)}
    machine.apply(NEW, NEW_B, NEW_C, NEW_D)
    trees["new"] = outcome(machine)
    assert trees["old"] != trees["new"]
    return trees


@pytest.mark.parametrize(("point", "nth"), [*REACHED, *((point, 2) for point in AGAIN)])
def test_old_or_new_after_a_kill(machine: Machine, expected: dict[str, Any], point: str, nth: int) -> None:
    begin(machine)
    change = request("apply", payload(NEW, NEW_B, NEW_C, NEW_D))
    is_undo = point in ("undo-half", "undo-move-half", "recover-half", "recover-before-close")
    if is_undo:
        machine.spawn(change, failpoint="before-check")
        killed = machine.spawn(failpoint=f"{point}:{nth}")
    else:
        killed = machine.spawn(change, failpoint=f"{point}:{nth}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert machine.spawn().returncode == 0
    tree = outcome(machine)
    assert tree in (expected["old"], expected["new"])
    assert not any(".hostwright-new" in name for name in tree)

    assert machine.apply(NEW, NEW_B, NEW_C, NEW_D)["status"] in ("applied", "unchanged")
    assert outcome(machine) == expected["new"]
    assert machine.apply(NEW, NEW_B, NEW_C, NEW_D)["status"] == "unchanged"
    assert machine.tree() == expected["new"]


def test_a_home_filled_before_the_kill_stays_and_is_taken_again(machine: Machine) -> None:
    """A site may have been live, and used, before the power went: what its tenant wrote is not thrown away."""
    bundle = slice_of("acc_a", user("alice"), home("alice"))
    machine.spawn(request("apply", payload(bundle)), failpoint="before-commit")
    machine.at("/home/alice/upload").write_text("precious\n")
    assert machine.spawn().returncode == 0
    assert machine.users() == []
    theft = machine.apply(slice_of("acc_b", user("alice"), home("alice")))
    assert theft["slices"]["acc_b"]["code"] == "foreign"
    assert machine.apply(bundle)["status"] == "applied"
    assert machine.at("/home/alice/upload").read_text() == "precious\n"


def test_a_lock_that_is_held_is_busy(machine: Machine) -> None:
    from provisioning.node.errors import NodeError
    from provisioning.node.node import Node
    from provisioning.node.paths import Paths

    node = Node(Paths(str(machine.root)))
    with node.lock(), pytest.raises(NodeError) as caught:
        machine.apply(OLD)
    node.close()
    assert caught.value.code == "busy"
