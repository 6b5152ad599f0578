"""The plan: what would change, as text, with every secret masked, and nothing touched."""

from __future__ import annotations

from typing import Any

from provisioning.node.changes import Change
from provisioning.node.diff import masked, text_diff
from tests.node.bundles import Machine, file, home, resource, slice_of, user

SITE = "/etc/hostwright/site.conf"
MASK = "••••"


def changes(plan: dict[str, Any], slice_id: str = "acc_a") -> dict[str, dict[str, Any]]:
    return {change["key"]: change for change in plan["slices"][slice_id]["changes"]}


def test_a_plan_touches_nothing(machine: Machine) -> None:
    before = machine.tree()
    plan = machine.plan(slice_of("acc_a", user("alice"), home("alice"), file(SITE, service="nginx")))
    assert machine.tree() == before
    assert plan["slices"]["acc_a"]["status"] == "planned"
    assert {key: change["change"] for key, change in changes(plan).items()} == {
        "user:alice": "add",
        "directory:/home/alice": "add",
        f"file:{SITE}": "add",
    }
    assert (plan["reloads"], plan["removals"], plan["resources"]) == (["nginx"], 0, 3)


def test_a_plan_is_empty_after_its_apply(machine: Machine) -> None:
    bundle = slice_of("acc_a", user("alice"), home("alice"), file(SITE))
    machine.apply(bundle)
    plan = machine.plan(bundle, verify=True)
    assert plan["slices"]["acc_a"] == {
        "status": "unchanged",
        "generation": 1,
        "reason": None,
        "code": None,
        "need": [],
        "changes": [],
    }


def test_a_text_is_shown_as_a_unified_diff(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE, "one\ntwo\nthree\n")))
    plan = machine.plan(slice_of("acc_a", file(SITE, "one\n2\nthree\n", mode="0600"), generation=2))
    diff = changes(plan)[f"file:{SITE}"]["diff"]
    assert "-mode: 0644\n+mode: 0600\n" in diff
    assert "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n" in diff


def test_removals_are_told(machine: Machine) -> None:
    machine.apply(slice_of("acc_a", file(SITE, "one\n"), user("alice"), home("alice")))
    plan = machine.plan(slice_of("acc_a", generation=2, tombstones=["directory:/home/alice"]))
    assert {key: change["change"] for key, change in changes(plan).items()} == {
        f"file:{SITE}": "remove",
        "directory:/home/alice": "destroy",
    }
    assert plan["removals"] == 2
    assert "-one" in changes(plan)[f"file:{SITE}"]["diff"]


def test_what_would_be_refused_is_told(machine: Machine) -> None:
    machine.at(SITE).write_text("somebody's\n")
    plan = machine.plan(slice_of("acc_a", file(SITE)), slice_of("acc_b", file("/etc/passwd")))
    assert (plan["slices"]["acc_a"]["status"], plan["slices"]["acc_a"]["code"]) == ("rejected", "foreign")
    assert plan["slices"]["acc_b"]["code"] == "invalid"


def test_secrets_are_masked(machine: Machine) -> None:
    hashed = "$y$j9T$abcdefgh$secretsecret"
    machine.apply(
        slice_of("acc_a", file(SITE, "key one\n", secret=True), user("alice", password=hashed), home("alice"))
    )
    plan = machine.plan(
        slice_of(
            "acc_a",
            file(SITE, "key two\n", secret=True),
            user("alice", password=hashed.replace("secret", "newone")),
            home("alice"),
            generation=2,
        )
    )
    told = changes(plan)
    assert told[f"file:{SITE}"]["diff"] == f"-{MASK}\n+{MASK}\n"
    assert told["user:alice"]["diff"] == f"-password: {MASK}\n+password: {MASK}\n"
    assert "secretsecret" not in str(plan)
    assert "key two" not in str(plan)


def test_secrets_in_rows_are_masked() -> None:
    values = {"password_hash": "{BLF-CRYPT}$2y$x", "uid": 20001}
    body = resource("row", "mailbox:a@b.example", table="mailbox", key="a@b.example", values=values)
    diff = text_diff(Change("acc_a", "row:mailbox:a@b.example", "add", None, body))
    assert f"+password_hash: {MASK}\n" in diff
    assert "+uid: 20001\n" in diff
    assert "BLF-CRYPT" not in diff
    assert masked("cannot use {BLF-CRYPT}$2y$x", [Change("a", "row:x:y", "add", None, body)]) == f"cannot use {MASK}"
