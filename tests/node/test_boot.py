"""Recovery before the daemons start: files are old again, and what needs a daemon waits in the journal."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.node.bundles import (
    REPOSITORY,
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

OLD = slice_of(
    "acc_a",
    user("alice"),
    home("alice"),
    file("/etc/hostwright/one.conf", "old\n"),
    resource("row", "domain:example.org", table="domain", key="example.org", values={"deliver": False}),
)
NEW = slice_of(
    "acc_a",
    user("alice", gecos="Alice"),
    home("alice"),
    directory("/home/alice/www", owner="alice", group="alice", **{"as": "alice"}),
    file("/etc/hostwright/one.conf", "new\n"),
    resource("row", "domain:example.org", table="domain", key="example.org", values={"deliver": True}),
    generation=2,
)


def boot(machine: Machine, failpoint: str = "") -> int:
    """What the unit runs."""
    command = [sys.executable, "-m", "provisioning.node", "--root", str(machine.root), "recover", "--boot"]
    environment = {**os.environ, "HOSTWRIGHT_FAILPOINT": failpoint}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, timeout=60, check=False).returncode


@pytest.fixture
def trees(machine: Machine) -> dict[str, Any]:
    """What the machine looks like before; the change is interrupted when everything is made."""
    assert machine.apply(slice_of("server", directory("/var/lib/hostwright/mail", group="mail", mode="0750")), OLD)
    before = machine.tree()
    killed = machine.spawn(request("apply", payload(NEW)), failpoint="before-commit")
    assert killed.returncode == -9
    assert machine.tree() != before
    return before


def without_mail(tree: dict[str, Any]) -> dict[str, Any]:
    """Rows are compared by their values: a database file is not the same bytes after an undo."""
    return {name: entry for name, entry in tree.items() if "mail.sqlite" not in name}


def test_files_users_and_rows_are_old_before_any_daemon_starts(machine: Machine, trees: dict[str, Any]) -> None:
    assert boot(machine) == 0
    assert without_mail(machine.tree()) == without_mail(trees)
    assert machine.facts()["journal"] == 0
    assert machine.drift()["items"] == []


@pytest.mark.parametrize("point", ["undo-half", "recover-half", "recover-before-close"])
def test_a_second_power_cut_during_it(machine: Machine, trees: dict[str, Any], point: str) -> None:
    assert boot(machine, point) == -9
    assert boot(machine) == 0
    assert without_mail(machine.tree()) == without_mail(trees)


def test_what_needs_a_daemon_stays_in_the_journal(machine: Machine, trees: dict[str, Any]) -> None:
    body = resource("database", "alice_wp", charset="utf8mb4", collation="utf8mb4_unicode_ci")
    with machine.node() as node:
        node.state.write_journal([("acc_a", "database:alice_wp", "add", body, {"old": None})])
    assert boot(machine) == 0
    assert without_mail(machine.tree()) == without_mail(trees)
    assert machine.facts()["journal"] == 1


def test_nothing_to_undo_is_nothing_done(machine: Machine) -> None:
    machine.apply(OLD)
    before = machine.tree()
    assert boot(machine) == 0
    assert machine.tree() == before


def test_a_boot_while_an_apply_goes_on_does_not_wait(machine: Machine, trees: dict[str, Any]) -> None:
    """The unit is started by the very apply that brings it."""
    with machine.locked():
        assert boot(machine) == 0
    assert machine.facts()["journal"] > 0


def test_a_move_is_undone_after_a_boot_that_numbered_the_disks_anew(machine: Machine) -> None:
    """The journal knows the home again whatever its device is called now."""
    assert machine.apply(slice_of("acc_d", *tenant("dora", 20004)))["status"] == "applied"
    before = machine.tree()
    moved = slice_of("acc_d", *tenant("dana", 20004), generation=2, moves=renaming("dora", "dana"))
    assert machine.spawn(request("apply", payload(moved)), failpoint="before-commit").returncode == -9
    assert machine.at("/home/dana").is_dir()
    with machine.node() as node:
        befores = [before for _slice, _key, change, _body, before in node.state.journal() if change == "move"]
    assert [found["identity"] for found in befores if "identity" in found] == [
        machine.at(path).stat().st_ino for path in ("/home/dana", "/var/log/hostwright/dana")
    ]
    assert boot(machine) == 0
    assert machine.tree() == before
