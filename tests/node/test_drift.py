"""What differs from what was applied is found, and nothing is touched by looking."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import pytest

from provisioning.node.errors import NodeError
from provisioning.node.paths import Paths
from tests.node.bundles import Machine, digest, directory, file, home, resource, slice_of, user

SITES = "/etc/nginx/hostwright/sites"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def base(*more: dict[str, Any], generation: int = 1) -> dict[str, Any]:
    return slice_of(
        "server",
        directory("/etc/nginx/hostwright"),
        directory(SITES),
        directory("/var/lib/hostwright/mail", group="mail", mode="0750"),
        *more,
        generation=generation,
    )


def alice(*more: dict[str, Any], generation: int = 1) -> dict[str, Any]:
    return slice_of(
        "acc_a",
        user("alice"),
        home("alice"),
        directory("/home/alice/www", owner="alice", group="alice", **{"as": "alice"}),
        file(f"{SITES}/alice.conf", "one\ntwo\nthree\n"),
        resource("row", "domain:example.org", table="domain", key="example.org", values={"deliver": True}),
        *more,
        generation=generation,
    )


@pytest.fixture
def served(machine: Machine) -> Machine:
    report = machine.apply(base(), alice())
    assert report["status"] == "applied", report
    return machine


def found(machine: Machine, **more: Any) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in machine.drift(**more)["items"]}


def write_row(machine: Machine, statement: str) -> None:
    connection = sqlite3.connect(Paths(str(machine.root)).mail_database)
    with connection:
        connection.execute(statement)
    connection.close()


def test_what_is_as_it_was_applied_is_no_drift(served: Machine) -> None:
    before = served.tree()
    report = served.drift()
    assert report["items"] == []
    assert report["checked"] == 8
    assert report["slices"]["acc_a"]["generation"] == 1
    assert not report["truncated"]
    assert all(step["status"] == "ok" for step in report["steps"])
    assert served.tree() == before


def test_an_edited_file_shows_what_was_applied_and_what_is_there(served: Machine) -> None:
    served.at(f"{SITES}/alice.conf").write_text("one\n2\nthree\n")
    item = found(served)[f"file:{SITES}/alice.conf"]
    assert (item["slice"], item["drift"]) == ("acc_a", "changed")
    assert "-two" in item["diff"].splitlines()
    assert "+2" in item["diff"].splitlines()
    assert item["actual"] is None


def test_an_edit_that_changes_neither_size_nor_time_is_found(served: Machine) -> None:
    path = served.at(f"{SITES}/alice.conf")
    status = path.stat()
    path.write_text("one\ntwO\nthree\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert found(served)[f"file:{SITES}/alice.conf"]["drift"] == "changed"


def test_a_deleted_file_is_missing(served: Machine) -> None:
    served.at(f"{SITES}/alice.conf").unlink()
    item = found(served)[f"file:{SITES}/alice.conf"]
    assert (item["drift"], item["digest"]) == ("missing", EMPTY)


@pytest.mark.parametrize(
    ("key", "path", "mode"),
    [
        (f"file:{SITES}/alice.conf", f"{SITES}/alice.conf", 0o666),
        ("directory:/home/alice", "/home/alice", 0o755),
        ("directory:/home/alice/www", "/home/alice/www", 0o777),
    ],
)
def test_permissions_alone_are_told_apart(served: Machine, key: str, path: str, mode: int) -> None:
    served.at(path).chmod(mode)
    item = found(served)[key]
    assert item["drift"] == "mode"
    assert f"+mode: {mode:04o}" in item["diff"]


def test_another_owner_is_told(served: Machine) -> None:
    os.chown(served.at(f"{SITES}/alice.conf"), 33, 33)
    item = found(served)[f"file:{SITES}/alice.conf"]
    assert item["drift"] == "mode"
    assert "+owner: www-data" in item["diff"]


def test_a_link_in_a_home_is_not_followed(served: Machine) -> None:
    served.at("/home/alice/www").rmdir()
    served.at("/home/alice/www").symlink_to("/etc")
    item = found(served)["directory:/home/alice/www"]
    assert item["drift"] == "changed"
    assert "+target: /etc" in item["diff"]


def test_homes_are_looked_at_with_their_tenants_rights(served: Machine) -> None:
    """What a tenant keeps from itself cannot be looked at; root's eyes would have seen it."""
    inner = file("/home/alice/www/inner/page", owner="alice", group="alice", **{"as": "alice"})
    folder = directory("/home/alice/www/inner", owner="alice", group="alice", **{"as": "alice"})
    assert served.apply(alice(folder, inner, generation=2))["status"] == "applied"
    served.at("/home/alice/www/inner/page").write_text("other\n")
    assert "file:/home/alice/www/inner/page" in found(served)
    served.at("/home/alice/www/inner").chmod(0)
    assert found(served).keys() == {"directory:/home/alice/www/inner"}


def test_secrets_are_masked_but_seen_to_change(served: Machine) -> None:
    secret = file("/etc/hostwright/key", "password=swordfish\n", secret=True, mode="0600")
    assert served.apply(base(secret, generation=2))["status"] == "applied"
    served.at("/etc/hostwright/key").write_text("password=mackerel\n")
    item = found(served)["file:/etc/hostwright/key"]
    assert item["drift"] == "changed"
    assert item["diff"] == "-••••\n+••••\n"


def test_a_changed_password_shows_that_it_changed(served: Machine) -> None:
    shadow = served.at("/var/lib/extrausers/shadow")
    shadow.write_text(shadow.read_text().replace("alice:!:", "alice:$6$salt$hash:"))
    item = found(served)["user:alice"]
    assert item["drift"] == "changed"
    assert "hash" not in item["diff"].replace("password_hash", "")
    assert "+password: ••••" in item["diff"]


def test_a_user_that_is_gone_and_one_that_nobody_asked_for(served: Machine) -> None:
    passwd = served.at("/var/lib/extrausers/passwd")
    passwd.write_text("mallory:x:20009:20009::/home/mallory:/bin/bash\n")
    items = found(served)
    assert items["user:alice"]["drift"] == "missing"
    assert items["user:mallory"]["drift"] == "extra"
    assert items["user:mallory"]["slice"] == "server"


def test_mail_rows_changed_missing_and_extra(served: Machine) -> None:
    write_row(served, "UPDATE domain SET deliver = 0")
    write_row(served, "INSERT INTO alias VALUES ('x@example.org', 'y@elsewhere.example')")
    items = found(served)
    changed, extra = items["row:domain:example.org"], items["row:alias:x@example.org"]
    assert (changed["drift"], changed["actual"]["values"]["deliver"]) == ("changed", 0)
    assert (extra["drift"], extra["slice"]) == ("extra", "acc_a")
    assert extra["actual"]["values"]["destinations"] == "y@elsewhere.example"
    write_row(served, "DELETE FROM domain")
    assert found(served)["row:domain:example.org"]["drift"] == "missing"


def test_no_password_leaves_the_server(served: Machine) -> None:
    values = ", ".join(f"'{value}'" for value in ("i@example.org", "example.org", "i", "alice"))
    write_row(served, f"INSERT INTO mailbox VALUES ({values}, 20001, 20001, '/h', '/m', '$2y$secret', NULL, 1)")  # noqa: S608
    report = served.drift()
    assert [item["key"] for item in report["items"]] == ["row:mailbox:i@example.org"]
    assert "$2y$secret" not in str(report)
    assert "password_hash" not in report["items"][0]["actual"]["values"]


def test_what_lies_in_our_own_directories_is_extra(served: Machine) -> None:
    served.at(f"{SITES}/stray.conf").write_text("root /home/alice/www;\n")
    served.at("/etc/nginx/sites-enabled/admin.conf").write_text("somebody's\n")
    items = found(served)
    assert items.keys() == {f"file:{SITES}/stray.conf"}
    item = items[f"file:{SITES}/stray.conf"]
    assert (item["slice"], item["drift"], item["service"]) == ("acc_a", "extra", "nginx")
    assert "+root /home/alice/www;" in item["diff"]


def test_an_extra_file_that_not_everybody_may_read_is_masked(served: Machine) -> None:
    served.at(f"{SITES}/stray.conf").write_text("password swordfish\n")
    served.at(f"{SITES}/stray.conf").chmod(0o600)
    item = found(served)[f"file:{SITES}/stray.conf"]
    assert "swordfish" not in item["diff"]
    assert "+••••" in item["diff"]


def test_the_digest_stands_for_what_was_found(served: Machine) -> None:
    path, key = served.at(f"{SITES}/alice.conf"), f"file:{SITES}/alice.conf"
    path.write_text("other\n")
    first = found(served)[key]["digest"]
    assert found(served)[key]["digest"] == first
    path.write_text("Other\n")
    second = found(served)[key]["digest"]
    path.chmod(0o600)
    assert len({first, second, found(served)[key]["digest"], EMPTY}) == 4


def test_some_slices_alone(served: Machine) -> None:
    served.at(f"{SITES}/alice.conf").write_text("other\n")
    served.at(f"{SITES}").chmod(0o700)
    assert found(served, slices=["acc_a"]).keys() == {f"file:{SITES}/alice.conf"}
    assert found(served, slices=["server"]).keys() == {f"directory:{SITES}"}
    assert found(served, slices=[]) == {}


def test_no_more_than_the_limit_is_told(served: Machine) -> None:
    for number in range(5):
        served.at(f"{SITES}/{number}.conf").write_text("stray\n")
    report = served.drift(limit=3)
    assert [item["key"][-6:] for item in report["items"]] == ["0.conf", "1.conf", "2.conf"]
    assert report["truncated"]


def test_a_once_file_is_its_tenants(served: Machine) -> None:
    page = file("/home/alice/www/index.html", owner="alice", group="alice", once=True, **{"as": "alice"})
    assert served.apply(alice(page, generation=2))["status"] == "applied"
    served.at("/home/alice/www/index.html").write_text("my own\n")
    assert found(served) == {}


def test_orphaned_data_is_neither_missing_nor_extra(served: Machine) -> None:
    assert served.apply(slice_of("acc_a", generation=2))["status"] in ("applied", "unchanged")
    assert found(served) == {}


def test_nothing_is_said_while_an_apply_goes_on(served: Machine) -> None:
    with served.locked(), pytest.raises(NodeError, match="apply goes on") as refused:
        served.drift()
    assert refused.value.code == "busy"


def test_an_older_epoch_and_another_server_are_refused(served: Machine) -> None:
    for more, code in (({"epoch": 0}, "stale_epoch"), ({"server": "srv_2"}, "bad_request")):
        with pytest.raises(NodeError) as refused:
            served.drift(**more)
        assert refused.value.code == code


@pytest.mark.parametrize(
    "payload",
    [{"server": ""}, {"epoch": True}, {"slices": "acc_a"}, {"slices": [1]}, {"limit": 0}, {"limit": 5001}],
)
def test_a_payload_of_another_shape_is_refused(served: Machine, payload: dict[str, Any]) -> None:
    with pytest.raises(NodeError) as refused:
        served.drift(**payload)
    assert refused.value.code == "bad_request"


def test_facts_tell_what_is_remembered(served: Machine) -> None:
    bundle = alice()
    told = served.facts()
    assert told["server"] == "srv_1"
    assert told["slices"]["acc_a"] == {
        "generation": 1,
        "manifest": digest(bundle["manifest"]),
        "resources": 5,
        "orphaned": 0,
        "leaving": 0,
    }
    assert told["users"] == {"alice": 20001}
    assert told["journal"] == 0
    served.apply(slice_of("acc_a", generation=2))
    assert served.facts()["slices"]["acc_a"]["orphaned"] == 2
    assert served.facts()["users"] == {"alice": 20001}
