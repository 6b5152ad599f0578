"""Pinned resources are left alone; extra things go when a person saw exactly them, and come back when a slice fails."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from provisioning.node.paths import Paths
from tests.node.bundles import Machine, answers, file, payload, request
from tests.node.test_drift import SITES, alice, base, found, write_row

STRAY = f"file:{SITES}/stray.conf"
FILE = f"file:{SITES}/alice.conf"


@pytest.fixture
def served(machine: Machine) -> Machine:
    assert machine.apply(base(), alice())["status"] == "applied"
    machine.at(f"{SITES}/stray.conf").write_text("stray\n")
    return machine


def verdicts(report: dict[str, Any], slice_id: str = "server") -> dict[str, str]:
    return dict(report["slices"][slice_id]["discarded"])


def digest_of(machine: Machine, key: str) -> str:
    return str(found(machine)[key]["digest"])


def test_a_file_that_was_seen_is_removed(served: Machine) -> None:
    discard = {STRAY: digest_of(served, STRAY)}
    planned = served.plan({**base(), "discard": discard})["slices"]["server"]["changes"]
    assert [(change["key"], change["change"], change["reason"]) for change in planned] == [(STRAY, "remove", "discard")]
    assert "-stray" in planned[0]["diff"]
    report = served.apply({**base(), "discard": discard})
    assert (report["status"], verdicts(report)) == ("applied", {STRAY: "removed"})
    assert found(served) == {}
    assert verdicts(served.apply({**base(), "discard": discard})) == {STRAY: "gone"}


def test_what_has_changed_since_stays(served: Machine) -> None:
    discard = {STRAY: digest_of(served, STRAY)}
    served.at(f"{SITES}/stray.conf").write_text("other\n")
    report = served.apply({**base(), "discard": discard})
    assert (report["status"], verdicts(report)) == ("unchanged", {STRAY: "changed"})
    assert served.at(f"{SITES}/stray.conf").read_text() == "other\n"


def test_what_a_slice_has_taken_over_stays(served: Machine) -> None:
    report = served.apply({**base(), "discard": {FILE: "0" * 64}})
    assert verdicts(report) == {FILE: "managed"}
    assert served.at(f"{SITES}/alice.conf").exists()


def test_a_discard_outside_our_places_finds_nothing(served: Machine) -> None:
    served.at("/etc/nginx/sites-enabled/admin.conf").write_text("somebody's\n")
    key = "file:/etc/nginx/sites-enabled/admin.conf"
    assert verdicts(served.apply({**base(), "discard": {key: "0" * 64}})) == {key: "gone"}
    assert served.at("/etc/nginx/sites-enabled/admin.conf").exists()


def test_a_user_and_a_row_go_too(served: Machine) -> None:
    passwd = served.at("/var/lib/extrausers/passwd")
    passwd.write_text(passwd.read_text() + "mallory:x:20009:20009::/home/mallory:/bin/bash\n")
    write_row(served, "INSERT INTO alias VALUES ('x@example.org', 'y@elsewhere.example')")
    items = found(served)
    user, row = "user:mallory", "row:alias:x@example.org"
    report = served.apply(
        {**base(), "discard": {user: items[user]["digest"]}}, {**alice(), "discard": {row: items[row]["digest"]}}
    )
    assert (verdicts(report), verdicts(report, "acc_a")) == ({user: "removed"}, {row: "removed"})
    assert served.users() == ["alice"]
    assert found(served).keys() == {STRAY}


@pytest.mark.parametrize(
    "key", ["database:alice_x", "database_user:alice_x@localhost", "directory:/etc/nginx/x", "x:y"]
)
def test_what_may_hold_data_is_refused(served: Machine, key: str) -> None:
    report = served.apply({**base(), "discard": {key: "0" * 64}})["slices"]["server"]
    assert (report["status"], report["code"]) == ("rejected", "invalid")
    assert "by hand" in report["reason"]


def test_a_removal_by_a_person_counts_for_no_limit(served: Machine) -> None:
    for number in range(20):
        served.at(f"{SITES}/{number}.conf").write_text("stray\n")
    discard = {key: item["digest"] for key, item in found(served).items()}
    report = served.apply({**base(), "discard": discard}, confirmed=False)
    assert (report["status"], report["removals"]) == ("applied", 0)
    assert found(served) == {}


@pytest.mark.parametrize("failpoint", ["after-journal", "after-tree", "after-users", "rows-committed", "before-commit"])
def test_a_kill_brings_everything_extra_back(served: Machine, failpoint: str) -> None:
    passwd = served.at("/var/lib/extrausers/passwd")
    passwd.write_text(passwd.read_text() + "mallory:x:20009:20009::/home/mallory:/bin/bash\n")
    write_row(served, "INSERT INTO alias VALUES ('x@example.org', 'y@elsewhere.example')")
    discard = {key: item["digest"] for key, item in found(served).items()}
    assert len(discard) == 3
    killed = served.spawn(request("apply", payload({**base(), "discard": discard})), failpoint=failpoint)
    assert killed.returncode == -9
    (answer,) = answers(served.spawn(request("facts", {})))
    assert answer["report"]["journal"] == 0
    assert {key: item["digest"] for key, item in found(served).items()} == discard


def test_a_pinned_resource_is_neither_verified_nor_changed(served: Machine) -> None:
    served.at(f"{SITES}/alice.conf").write_text("by hand\n")
    wanted = alice(file(f"{SITES}/alice.conf", "newer\n"), generation=2)
    report = served.apply({**wanted, "pinned": [FILE]}, verify=True)
    assert report["slices"]["acc_a"]["changes"] == []
    assert served.at(f"{SITES}/alice.conf").read_text() == "by hand\n"
    assert served.plan({**wanted, "pinned": [FILE]}, verify=True)["slices"]["acc_a"]["changes"] == []
    assert [change["key"] for change in served.apply(wanted)["slices"]["acc_a"]["changes"]] == [FILE]
    assert served.at(f"{SITES}/alice.conf").read_text() == "newer\n"


def test_a_pinned_body_need_not_be_sent(served: Machine) -> None:
    wanted = alice(file(f"{SITES}/alice.conf", "newer\n"), generation=2)
    del wanted["resources"][FILE]
    assert served.apply(wanted)["status"] == "need"
    assert served.apply({**wanted, "pinned": [FILE]})["status"] == "unchanged"


def test_a_pinned_resource_that_leaves_the_manifest_goes(served: Machine) -> None:
    wanted = alice(generation=2)
    del wanted["manifest"][FILE]
    report = served.apply({**wanted, "pinned": [FILE]})
    assert [change["change"] for change in report["slices"]["acc_a"]["changes"]] == ["remove"]
    assert not served.at(f"{SITES}/alice.conf").exists()


def test_rows_of_a_failed_slice_come_back(served: Machine) -> None:
    """The slice's user cannot be made; what it discarded is there again."""
    write_row(served, "INSERT INTO alias VALUES ('x@example.org', 'y@elsewhere.example')")
    key = "row:alias:x@example.org"
    served.at(f"{SITES}/new.conf").mkdir()
    wanted = alice(file(f"{SITES}/new.conf"), generation=2)
    report = served.apply({**wanted, "discard": {key: digest_of(served, key)}})["slices"]["acc_a"]
    assert (report["status"], report["discarded"]) == ("rejected", {})
    connection = sqlite3.connect(Paths(str(served.root)).mail_database)
    assert connection.execute("SELECT count(*) FROM alias").fetchone() == (1,)
    connection.close()
