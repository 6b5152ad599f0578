"""Applying bundles to a machine without daemons: what is made, kept, refused, removed and remembered."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from provisioning.node.errors import NodeError
from tests.node.bundles import Machine, directory, file, home, payload, request, resource, slice_of, user

SITE = "/etc/hostwright/site.conf"


def status(report: dict[str, Any], slice_id: str = "acc_a") -> str:
    return str(report["slices"][slice_id]["status"])


def code(report: dict[str, Any], slice_id: str = "acc_a") -> str | None:
    found: str | None = report["slices"][slice_id]["code"]
    return found


def account(*more: dict[str, Any], name: str = "alice", uid: int = 20001) -> tuple[dict[str, Any], ...]:
    return (
        user(name, uid),
        home(name),
        directory(f"/home/{name}/public_html", owner=name, group="www-data", mode="0750", **{"as": name}),
        file(f"/home/{name}/public_html/index.html", "hello\n", owner=name, group=name, once=True, **{"as": name}),
        *more,
    )


def test_a_file_is_written_with_its_mode(machine: Machine) -> None:
    report = machine.apply(slice_of("acc_a", file(SITE, "one\n", mode="0640", group="www-data")))
    assert report["status"] == "applied"
    assert report["slices"]["acc_a"]["changes"] == [{"key": f"file:{SITE}", "change": "add"}]
    found = machine.at(SITE)
    assert found.read_text() == "one\n"
    assert (stat.S_IMODE(found.stat().st_mode), found.stat().st_gid) == (0o640, 33)


def test_the_same_again_changes_nothing(machine: Machine) -> None:
    bundle = slice_of("acc_a", *account(file(SITE)))
    assert machine.apply(bundle)["status"] == "applied"
    before = machine.tree()
    report = machine.apply(bundle)
    assert report["status"] == "unchanged"
    assert report["steps"] == []
    assert machine.tree() == before


def test_an_account_gets_user_home_and_its_own_files(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    assert (
        "alice:x:20001:20001::/home/alice:/usr/sbin/nologin"
        in machine.at("/var/lib/extrausers/passwd").read_text().splitlines()
    )
    assert stat.S_IMODE(machine.at("/var/lib/extrausers/shadow").stat().st_mode) == 0o640
    public = machine.at("/home/alice/public_html").stat()
    assert (public.st_uid, public.st_gid, stat.S_IMODE(public.st_mode)) == (20001, 33, 0o750)
    assert machine.at("/home/alice/public_html/index.html").stat().st_uid == 20001


def test_what_is_no_longer_listed_goes(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE), file("/etc/hostwright/b.conf"), directory("/etc/hostwright/d")))
    report = machine.apply(slice_of("acc_a", file(SITE), generation=2))
    assert sorted(change["key"] for change in report["slices"]["acc_a"]["changes"]) == [
        "directory:/etc/hostwright/d",
        "file:/etc/hostwright/b.conf",
    ]
    assert machine.at(SITE).exists()
    assert not machine.at("/etc/hostwright/b.conf").exists()
    assert not machine.at("/etc/hostwright/d").exists()
    assert report["removals"] == 2


def test_absence_never_removes_data(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account(file(SITE))))
    report = machine.apply(slice_of("acc_a", generation=2))
    assert not machine.at(SITE).exists()
    assert machine.at("/home/alice/public_html/index.html").exists()
    assert machine.at("/home/alice").exists()
    assert machine.users() == ["alice"]
    assert all(change["change"] == "remove" for change in report["slices"]["acc_a"]["changes"])


def test_a_once_file_stays_the_tenants(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    page = machine.at("/home/alice/public_html/index.html")
    page.write_text("mine\n")
    changed = list(account())
    changed[3] = file(
        "/home/alice/public_html/index.html",
        "new default\n",
        owner="alice",
        group="alice",
        once=True,
        **{"as": "alice"},
    )
    assert status(machine.apply(slice_of("acc_a", *changed, generation=2))) == "applied"
    assert page.read_text() == "mine\n"
    machine.apply(slice_of("acc_a", *changed[:3], generation=3))
    assert page.read_text() == "mine\n"


def test_a_tombstone_destroys_the_home_and_then_the_user(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    outside = machine.at("/etc/hostwright/precious")
    outside.mkdir()
    (outside / "keep").write_text("keep\n")
    nest = machine.at("/home/alice")
    for _ in range(60):
        nest = nest / "deep"
        nest.mkdir()
    (machine.at("/home/alice") / "link").symlink_to(outside)
    machine.apply(slice_of("acc_a", generation=2))
    report = machine.apply(
        slice_of("acc_a", generation=3, tombstones=["directory:/home/alice", "user:alice", "database:gone"])
    )
    assert {change["change"] for change in report["slices"]["acc_a"]["changes"]} == {"destroy"}
    assert not machine.at("/home/alice").exists()
    assert not machine.at("/home/.hostwright-trash").exists()
    assert (outside / "keep").read_text() == "keep\n"
    assert machine.users() == []
    assert machine.apply(slice_of("acc_a", generation=4))["status"] == "unchanged"


def test_orphaned_data_comes_back_with_its_slice(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    machine.apply(slice_of("acc_a", generation=2))
    report = machine.apply(slice_of("acc_a", *account(), generation=3))
    assert report["status"] == "applied"
    assert machine.apply(slice_of("acc_a", *account(), generation=3))["status"] == "unchanged"


@pytest.mark.parametrize("name", ["root", "www-data", "mail"])
def test_a_system_name_is_never_taken(machine: Machine, name: str) -> None:
    report = machine.apply(slice_of("acc_a", user(name), home(name)))
    assert (status(report), code(report)) == ("rejected", "foreign")
    assert not machine.at(f"/home/{name}").exists()


def test_a_foreign_uid_or_row_is_never_taken(machine: Machine) -> None:
    machine.at("/var/lib/extrausers/passwd").write_text("bob:x:20009:20009::/home/bob:/bin/sh\n")
    report = machine.apply(slice_of("acc_a", user("bob", 20010)), slice_of("acc_b", user("carol", 20009)))
    assert (code(report), code(report, "acc_b")) == ("foreign", "foreign")
    assert machine.at("/var/lib/extrausers/passwd").read_text() == "bob:x:20009:20009::/home/bob:/bin/sh\n"


def test_a_foreign_home_is_never_taken(machine: Machine) -> None:
    machine.at("/home/alice").mkdir()
    report = machine.apply(slice_of("acc_a", *account()))
    assert (status(report), code(report)) == ("rejected", "foreign")
    assert machine.users() == []


def test_a_foreign_file_is_kept_unless_adopted(machine: Machine) -> None:
    machine.at(SITE).write_text("somebody's\n")
    assert code(machine.apply(slice_of("acc_a", file(SITE, "ours\n")))) == "foreign"
    assert machine.at(SITE).read_text() == "somebody's\n"
    machine.apply(slice_of("server", file(SITE, "ours\n", adopt=True)))
    assert machine.at(SITE).read_text() == "ours\n"
    assert machine.at("/var/lib/hostwright/originals" + SITE).read_text() == "somebody's\n"
    machine.apply(slice_of("server", file(SITE, "ours, changed\n", adopt=True), generation=2))
    machine.apply(slice_of("server", generation=3))
    assert machine.at(SITE).read_text() == "somebody's\n"


def test_an_absent_link_is_kept_and_comes_back(machine: Machine) -> None:
    default = machine.at("/etc/nginx/sites-enabled/default")
    default.symlink_to("/etc/nginx/sites-available/default")
    machine.apply(slice_of("server", resource("absent", "/etc/nginx/sites-enabled/default", adopt=True)))
    assert not default.is_symlink()
    machine.apply(slice_of("server", generation=2))
    assert str(default.readlink()) == "/etc/nginx/sites-available/default"


def test_a_file_becomes_a_link_in_one_apply(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE)))
    machine.apply(slice_of("acc_a", resource("link", SITE, target="/etc/hostwright/other.conf"), generation=2))
    assert str(machine.at(SITE).readlink()) == "/etc/hostwright/other.conf"
    machine.apply(slice_of("acc_a", file(SITE, "again\n"), generation=3))
    assert machine.at(SITE).read_text() == "again\n"


def test_one_path_belongs_to_one_slice(machine: Machine) -> None:
    report = machine.apply(slice_of("acc_a", file(SITE, "a\n")), slice_of("acc_b", file(SITE, "b\n")))
    assert (status(report), code(report, "acc_b")) == ("applied", "foreign")
    assert report["status"] == "partial"
    report = machine.apply(slice_of("acc_c", resource("link", SITE, target="/etc/hostwright/x")))
    assert code(report, "acc_c") == "foreign"
    assert machine.at(SITE).read_text() == "a\n"


def test_a_bad_slice_stops_no_other(machine: Machine) -> None:
    report = machine.apply(slice_of("acc_a", file("/etc/passwd")), slice_of("acc_b", file(SITE)))
    assert (code(report), status(report, "acc_b")) == ("invalid", "applied")
    assert "file:/etc/passwd" in report["slices"]["acc_a"]["reason"]


def test_a_slice_is_whole_or_not_at_all(machine: Machine) -> None:
    before = machine.tree()
    report = machine.apply(slice_of("acc_a", *account(file(SITE), file("/etc/hostwright/missing/x"))))
    assert (status(report), code(report)) == ("rejected", "failed")
    assert "file:/etc/hostwright/missing/x: No such file or directory" in report["slices"]["acc_a"]["reason"]
    assert machine.tree() == before


def test_root_writes_into_no_directory_of_somebody_else(machine: Machine) -> None:
    machine.at("/etc/hostwright/theirs").mkdir()
    os.chown(machine.at("/etc/hostwright/theirs"), 20001, 20001)
    report = machine.apply(slice_of("acc_a", file("/etc/hostwright/theirs/x")))
    assert status(report) == "rejected"
    assert not machine.at("/etc/hostwright/theirs/x").exists()


def test_root_follows_no_link_below_a_managed_root(machine: Machine) -> None:
    machine.at("/etc/secret").mkdir()
    machine.at("/etc/hostwright/way").symlink_to(machine.at("/etc/secret"))
    assert status(machine.apply(slice_of("acc_a", file("/etc/hostwright/way/x")))) == "rejected"
    assert list(machine.at("/etc/secret").iterdir()) == []


def test_a_tenants_link_leads_nowhere(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    target = machine.at("/etc/hostwright/target")
    target.mkdir()
    os.chown(target, 20001, 20001)
    machine.at("/home/alice/public_html/index.html").unlink()
    machine.at("/home/alice/public_html").rmdir()
    machine.at("/home/alice/public_html").symlink_to(target)
    more = file("/home/alice/public_html/app.php", owner="alice", group="alice", **{"as": "alice"})
    report = machine.apply(slice_of("acc_a", *account(more), generation=2))
    assert status(report) == "rejected"
    assert list(target.iterdir()) == []


def test_a_tenant_cannot_keep_the_node_from_undoing(machine: Machine) -> None:
    """What a tenant makes of its own home between an apply and its undo is the tenant's business, nobody else's."""
    machine.apply(slice_of("acc_a", *account()))
    own = {"owner": "alice", "group": "alice", "as": "alice"}
    more = file("/home/alice/public_html/app.php", **own)
    machine.spawn(request("apply", payload(slice_of("acc_a", *account(more), generation=2))), failpoint="before-commit")
    public = machine.at("/home/alice/public_html")
    public.rename(machine.at("/home/alice/away"))
    public.symlink_to(machine.at("/etc/hostwright"))
    report = machine.apply(slice_of("acc_b", file(SITE)))
    assert status(report, "acc_b") == "applied"


def test_a_slice_names_only_its_own_user(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", *account()))
    thief = file("/home/alice/.ssh/authorized_keys", owner="alice", group="alice", **{"as": "alice"})
    report = machine.apply(slice_of("acc_b", thief))
    assert (status(report, "acc_b"), code(report, "acc_b")) == ("rejected", "foreign")


def test_an_older_generation_is_stale(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE, "two\n"), generation=2))
    report = machine.apply(slice_of("acc_a", file(SITE, "one\n"), generation=1))
    assert (status(report), report["status"]) == ("stale", "rejected")
    assert machine.at(SITE).read_text() == "two\n"


def test_an_older_epoch_is_refused_and_a_newer_one_is_kept(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE)), epoch=5)
    with pytest.raises(NodeError, match="epoch 4 is older than 5") as caught:
        machine.apply(slice_of("acc_a", generation=2), epoch=4)
    assert (caught.value.code, caught.value.detail) == ("stale_epoch", {"epoch": 5})
    machine.apply(slice_of("acc_a", file(SITE)), epoch=6)
    with pytest.raises(NodeError, match="epoch 5 is older than 6"):
        machine.apply(slice_of("acc_a", file(SITE)), epoch=5)


def test_another_servers_bundle_is_refused(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE)))
    with pytest.raises(NodeError, match="belongs to srv_1"):
        machine.apply(slice_of("acc_a", generation=2), server="srv_2")
    assert machine.at(SITE).exists()


def test_a_missing_body_is_needed(machine: Machine) -> None:
    bundle = slice_of("acc_a", file(SITE), file("/etc/hostwright/b"))
    without = {**bundle, "resources": {}}
    report = machine.apply(without)
    assert (report["status"], report["slices"]["acc_a"]["need"]) == (
        "need",
        ["file:/etc/hostwright/b", f"file:{SITE}"],
    )
    assert not machine.at(SITE).exists()
    machine.apply(bundle)
    assert machine.apply(without)["status"] == "unchanged"
    wrong = {**bundle, "resources": {f"file:{SITE}": file(SITE, "other\n")}, "manifest": {f"file:{SITE}": "0" * 64}}
    assert machine.apply({**wrong, "generation": 2})["status"] == "need"


def test_too_many_removals_are_held(machine: Machine) -> None:
    files = [file(f"/etc/hostwright/{number}") for number in range(30)]
    machine.apply(slice_of("acc_a", *files))
    limit = {"percent": 30, "from": 10}
    report = machine.apply(slice_of("acc_a", *files[:15], generation=2), confirmed=False, removal_limit=limit)
    assert (report["status"], status(report), report["removals"]) == ("held", "held", 15)
    assert machine.at("/etc/hostwright/29").exists()
    report = machine.apply(slice_of("acc_a", *files[:24], generation=2), confirmed=False, removal_limit=limit)
    assert report["status"] == "applied"
    report = machine.apply(slice_of("acc_a", generation=3), confirmed=True, removal_limit=limit)
    assert (report["status"], report["removals"]) == ("applied", 24)


def test_nothing_left_of_several_accounts_is_held(machine: Machine) -> None:
    """However few they are: an empty desired set looks like a database that lost its rows."""
    first, second = (slice_of(name, file(f"/etc/hostwright/{name}")) for name in ("acc_a", "acc_b"))
    machine.apply(first, second)
    empty = [slice_of(name, generation=2) for name in ("acc_a", "acc_b")]
    report = machine.apply(*empty, confirmed=False)
    assert (report["status"], report["removals"]) == ("held", 2)
    reasons = {name: report["slices"][name]["reason"] for name in ("acc_a", "acc_b")}
    assert reasons["acc_b"] == "1 of 1 resources of acc_b would be removed; confirm it to go on"
    assert machine.at("/etc/hostwright/acc_a").exists()
    assert machine.apply(empty[0], confirmed=False)["status"] == "applied"
    assert machine.apply(empty[1], confirmed=True)["status"] == "applied"


def test_one_epoch_in_two_hands_is_stale(machine: Machine) -> None:
    machine.apply(slice_of("acc_a"), epoch=5, holder="one")
    machine.apply(slice_of("acc_a"), epoch=5, holder="one")
    with pytest.raises(NodeError) as refused:
        machine.apply(slice_of("acc_a"), epoch=5, holder="two")
    assert refused.value.code == "stale_epoch"
    assert machine.apply(slice_of("acc_a"), epoch=6, holder="two")["epoch"] == 6


def test_verify_brings_back_what_was_changed_by_hand(machine: Machine) -> None:
    bundle = slice_of("acc_a", *account(file(SITE, "ours\n"), file("/etc/hostwright/gone")))
    machine.apply(bundle)
    machine.at(SITE).write_text("edited\n")
    machine.at("/etc/hostwright/gone").unlink()
    machine.at("/home/alice/public_html").chmod(0o777)
    assert machine.apply(bundle)["status"] == "unchanged"
    plan = machine.plan(bundle, verify=True)["slices"]["acc_a"]
    assert {change["key"]: change["change"] for change in plan["changes"]} == {
        "directory:/home/alice/public_html": "change",
        "file:/etc/hostwright/gone": "add",
        f"file:{SITE}": "change",
    }
    assert all(change["reason"] == "drift" for change in plan["changes"])
    report = machine.apply(bundle, verify=True)
    assert len(report["slices"]["acc_a"]["changes"]) == 3
    assert machine.at(SITE).read_text() == "ours\n"
    assert machine.at("/etc/hostwright/gone").exists()
    assert machine.apply(bundle, verify=True)["status"] == "unchanged"


def test_steps_are_told_while_they_happen(machine: Machine) -> None:
    report = machine.apply(slice_of("acc_a", file(SITE)))
    assert [(event["step"], event["status"]) for event in machine.events] == [("write", "started"), ("write", "ok")]
    assert [(step["step"], step["status"]) for step in report["steps"]] == [("write", "ok")]
