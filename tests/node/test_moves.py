"""Moves: a user's name changes with all that it holds; the same person, the same data, nothing removed and added."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.node.bundles import Body, Machine, directory, file, home, renaming, slice_of, tenant, user

OLD = slice_of("acc_a", *tenant("alice"))
PAGE = "/home/{}/public_html/index.html"


def new(*more: Body, moves: Any = None, **attributes: Any) -> dict[str, Any]:
    """The same account under another name."""
    moves = renaming("alice", "anna") if moves is None else moves
    return slice_of("acc_a", *tenant("anna", 20001, *more, **attributes), generation=2, moves=moves)


def fill(machine: Machine) -> None:
    """What a tenant and the daemons have put there."""
    machine.apply(OLD)
    machine.at(PAGE.format("alice")).write_text("mine\n")
    machine.at("/var/log/hostwright/alice/access.log").write_text("GET /\n")


def the_slice(report: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = report["slices"]["acc_a"]
    return part


def test_a_user_moves_with_all_that_it_holds(machine: Machine) -> None:
    fill(machine)
    was = machine.at("/home/alice").stat()
    report = machine.apply(new())
    assert the_slice(report)["changes"] == [
        {"key": "move:user:alice", "change": "move"},
        {"key": "move:directory:/home/alice", "change": "move"},
        {"key": "move:directory:/var/log/hostwright/alice", "change": "move"},
        {"key": "link:/home/anna/logs", "change": "change"},
    ]
    assert machine.users() == ["anna"]
    passwd = machine.at("/var/lib/extrausers/passwd").read_text()
    assert passwd == "anna:x:20001:20001::/home/anna:/usr/sbin/nologin\n"
    now = machine.at("/home/anna").stat()
    assert (now.st_ino, now.st_uid, now.st_gid) == (was.st_ino, 20001, 20001)
    assert machine.at(PAGE.format("anna")).read_text() == "mine\n"
    assert machine.at("/var/log/hostwright/anna/access.log").read_text() == "GET /\n"
    assert str(machine.at("/home/anna/logs").readlink()) == "/var/log/hostwright/anna"
    assert not machine.at("/home/alice").exists()
    assert not machine.at("/var/log/hostwright/alice").exists()


def test_what_was_moved_is_as_if_it_had_always_had_its_name(machine: Machine) -> None:
    fill(machine)
    machine.apply(new())
    again = machine.apply(new(), verify=True)
    assert (again["status"], again["steps"]) == ("unchanged", [])
    gone = slice_of("acc_a", generation=3, tombstones=[*new()["manifest"]])
    machine.apply(gone)
    assert machine.users() == []
    assert list(machine.at("/home").iterdir()) == []


def test_moves_that_are_done_or_were_never_needed_do_nothing(machine: Machine) -> None:
    report = machine.apply(new())
    assert "move" not in {change["change"] for change in the_slice(report)["changes"]}
    before = machine.tree()
    assert machine.apply(new())["status"] == "unchanged"
    assert machine.tree() == before


def test_there_and_back_before_the_server_heard_of_it_is_nothing(machine: Machine) -> None:
    fill(machine)
    before = machine.tree()
    moves = [*renaming("alice", "anna"), *renaming("anna", "alice")]
    report = machine.apply(slice_of("acc_a", *tenant("alice"), generation=2, moves=moves))
    assert report["status"] == "unchanged"
    assert machine.tree() == before


def test_two_moves_before_the_server_heard_of_them_are_one(machine: Machine) -> None:
    fill(machine)
    moves = [*renaming("alice", "agnes"), *renaming("agnes", "anna")]
    assert machine.apply(new(moves=moves))["status"] == "applied"
    assert machine.at(PAGE.format("anna")).read_text() == "mine\n"
    assert machine.users() == ["anna"]


def test_a_plan_shows_moves_and_touches_nothing(machine: Machine) -> None:
    fill(machine)
    before = machine.tree()
    plan = machine.plan(new())
    changes = {change["key"]: change for change in the_slice(plan)["changes"]}
    assert changes["move:directory:/home/alice"]["diff"] == "-directory:/home/alice\n+directory:/home/anna\n"
    assert changes["link:/home/anna/logs"]["diff"] == (
        "@@ -1,2 +1,2 @@\n as: anna\n-target: /var/log/hostwright/alice\n+target: /var/log/hostwright/anna\n"
    )
    assert (plan["removals"], machine.tree()) == (0, before)


@pytest.mark.parametrize("obstacle", ["home", "logs", "user", "group", "system user"])
def test_a_name_that_is_there_already_is_foreign(machine: Machine, obstacle: str) -> None:
    fill(machine)
    if obstacle in ("home", "logs"):
        machine.at("/home/anna" if obstacle == "home" else "/var/log/hostwright/anna").mkdir()
    elif obstacle == "system user":
        with machine.at("/etc/passwd").open("a") as passwd:
            passwd.write("anna:x:1001:1001::/home/anna:/bin/sh\n")
    else:
        line = "anna:x:1001:1001::/:/bin/sh\n" if obstacle == "user" else "anna:x:1001:\n"
        name = "passwd" if obstacle == "user" else "group"
        with machine.at(f"/var/lib/extrausers/{name}").open("a") as rows:
            rows.write(line)
    before = machine.tree()
    assert the_slice(machine.plan(new()))["code"] == "foreign"
    part = the_slice(machine.apply(new()))
    assert (part["status"], part["code"]) == ("rejected", "foreign")
    assert machine.tree() == before


def test_another_slices_name_is_foreign(machine: Machine) -> None:
    fill(machine)
    machine.apply(slice_of("acc_b", *tenant("anna", 20002)))
    before = machine.tree()
    assert the_slice(machine.apply(new()))["code"] == "foreign"
    theft = slice_of("acc_b", *tenant("alina", 20002), generation=2, moves=renaming("alice", "alina"))
    assert machine.apply(theft)["slices"]["acc_b"]["code"] == "foreign"
    assert machine.tree() == before


def test_a_refused_move_is_undone_and_spares_what_the_tenant_made(machine: Machine) -> None:
    """A checker refuses when all is moved. What the tenant made where the panel wants something stays the tenant's."""
    fill(machine)
    machine.at("/home/alice/blog").mkdir()
    machine.at("/home/alice/note").write_text("mine\n")
    for name in ("blog", "note"):
        os.chown(machine.at(f"/home/alice/{name}"), 20001, 20001)
    before = machine.tree()
    own = {"owner": "anna", "group": "anna", "as": "anna"}
    wanted = new(
        directory("/home/anna/blog", **own),
        file("/home/anna/note", "ours\n", once=True, **own),
        file("/home/anna/added", "ours\n", **own),
        file("/etc/nginx/sites-enabled/a.conf", "server {}\n", service="nginx"),
    )
    part = the_slice(machine.apply(wanted))
    assert (part["status"], part["code"]) == ("rejected", "check")
    assert machine.tree() == before


@pytest.mark.parametrize(
    ("moves", "says"),
    [
        ([["user:alice", "user:anna"]], "a user moves together with its home"),
        ([["directory:/home/alice", "directory:/home/anna"]], "a home moves together with its user"),
        ([["user:alice", "directory:/home/anna"]], "from one user to another"),
        ([["file:/home/alice/x", "file:/home/anna/x"]], "from one user to another"),
        ([["directory:/home/alice/public_html", "directory:/etc/nginx/x"]], "is no data"),
        ([["directory:/var/log/hostwright/alice", "directory:/etc/nginx/alice"]], "may only move below"),
        ([["directory:/var/log/hostwright/alice", "directory:/var/log/hostwright/../x"]], "not a normalised path"),
        ([["user:alice", "user:An na"], ["directory:/home/alice", "directory:/home/An na"]], "lower-case user name"),
    ],
)
def test_only_a_user_with_its_home_and_its_logs_can_move(machine: Machine, moves: Any, says: str) -> None:
    fill(machine)
    before = machine.tree()
    part = the_slice(machine.apply(new(moves=moves)))
    assert (part["status"], part["code"]) == ("rejected", "invalid")
    assert says in part["reason"]
    assert machine.tree() == before


def test_a_move_is_no_resource(machine: Machine) -> None:
    body = {"kind": "move", "name": "user:alice", "to": "user:anna"}
    part = the_slice(machine.apply(slice_of("acc_a", body)))
    assert (part["status"], part["code"]) == ("rejected", "invalid")


def test_what_a_move_brings_about_is_judged_as_a_body_is(machine: Machine) -> None:
    """What comes to be by the move alone has no body in the payload; its name is checked all the same."""
    machine.apply(slice_of("acc_a", user("alice"), home("alice")))
    moves = renaming("alice", "anna")
    wanted = slice_of("acc_a", home("anna"), generation=2, moves=moves)
    part = the_slice(machine.apply(wanted))
    assert (part["status"], part["code"]) == ("rejected", "foreign")
    assert machine.users() == ["alice"]


def test_an_account_that_ends_before_its_move_was_made_leaves_nothing(machine: Machine) -> None:
    """Its tombstones name what the panel knows: the new names."""
    fill(machine)
    keys = [key for key in new()["manifest"] if not key.startswith("link:")]
    ending = slice_of("acc_a", generation=2, moves=renaming("alice", "anna"), tombstones=keys)
    assert machine.apply(ending)["status"] == "applied"
    assert machine.users() == []
    assert list(machine.at("/home").iterdir()) == []
    assert list(machine.at("/var/log/hostwright").iterdir()) == []
    assert machine.apply(ending)["status"] == "unchanged"


def test_a_move_and_a_removal_in_one_keep_the_data_until_its_tombstone(machine: Machine) -> None:
    fill(machine)
    assert machine.apply(slice_of("acc_a", generation=2, moves=renaming("alice", "anna")))["status"] == "applied"
    assert machine.at(PAGE.format("anna")).read_text() == "mine\n"
    assert machine.users() == ["anna"]
    assert machine.apply({**new(), "generation": 3})["status"] == "applied"
    assert machine.at(PAGE.format("anna")).read_text() == "mine\n"
