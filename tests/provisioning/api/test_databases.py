"""Databases and their users by program."""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import Database, DatabaseUser
from tests.provisioning import factories
from tests.provisioning.api.conftest import Program, Stage, trace

PASSWORD = "it's-a-Long-one\\%"
HOSTILE = [
    "a`b",
    "a'b",
    "a;b",
    "a\x00b",
    "a" * 65,
    "a b",
    "a-b",
    "DROP TABLE x",
    "a\n",
    "\u0661",
    "a\u212a",
    "{{7*7}}",
    "",
]


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("client_a")


@pytest.fixture
def account(stage: Stage) -> str:
    return f"/accounts/{stage.account_a.pk}"


def test_a_database_with_its_user(stage: Stage, program: Program, account: str):
    database = program.post(f"{account}/databases", {"name": "shop"})["database"]
    assert database["name"] == "aexample_shop"
    body = {"name": "shop", "password": PASSWORD, "databases": [database["id"]]}
    user = program.post(f"{account}/database-users", body)["database_user"]
    assert (user["name"], user["host"]) == ("aexample_shop", "localhost")
    assert user["databases"] == [{"id": database["id"], "name": "aexample_shop"}]
    assert program.get(f"{account}/databases")["items"][0]["users"] == [{"id": user["id"], "name": "aexample_shop"}]
    assert program.get(f"/databases/{database['id']}")["users"] == [{"id": user["id"], "name": "aexample_shop"}]
    changed = program.patch(f"/database-users/{user['id']}", {"databases": []})["database_user"]
    assert changed["databases"] == []
    program.patch(f"/database-users/{user['id']}", {"password": "another-Long-one"})
    program.delete(f"/database-users/{user['id']}")
    assert program.get(f"{account}/database-users")["items"] == []
    before = trace()
    assert program.delete(f"/databases/{database['id']}", 400)["field"] == "confirm"
    assert program.delete(f"/databases/{database['id']}?confirm=shop", 400)["field"] == "confirm"
    assert trace() == before
    operation = program.delete(f"/databases/{database['id']}?confirm=aexample_shop")["operation"]
    assert operation["verb"] == "database.remove"


def test_a_prefix_that_is_there_is_not_put_twice(program: Program, account: str):
    assert program.post(f"{account}/databases", {"name": "aexample_wp"})["database"]["name"] == "aexample_wp"


def test_no_answer_and_no_audit_entry_holds_a_password(program: Program, account: str):
    made = program.send("POST", f"{account}/database-users", {"name": "shop", "password": PASSWORD})
    changed = program.send(
        "PATCH", f"/database-users/{made.json()['database_user']['id']}", {"password": PASSWORD + "x"}
    )
    with everything("test"):
        kept = DatabaseUser.objects.get().password_hash
        said = [made.content.decode(), changed.content.decode(), *map(str, AuditEntry.objects.values_list("changes"))]
    for text in said:
        assert PASSWORD not in text
        assert kept not in text
        assert "password" not in text.replace(
            "{'password': ['\u2022\u2022\u2022\u2022', '\u2022\u2022\u2022\u2022']}", ""
        )


def test_hostile_names_are_refused(stage: Stage, program: Program, account: str, subtests: pytest.Subtests):
    before = trace()
    for name in HOSTILE:
        with subtests.test(repr(name)):
            assert program.post(f"{account}/databases", {"name": name}, 400)["field"] == "name"
            body = {"name": name, "password": PASSWORD}
            assert program.post(f"{account}/database-users", body, 400)["field"] == "name"
    with subtests.test("a name that is too long for a login"):
        body = {"name": "a" * 30, "password": PASSWORD}
        assert program.post(f"{account}/database-users", body, 400)["field"] == "name"
    assert trace() == before
    assert not Database._base_manager.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "a" * 73}, "password"),
        ({"password": "with a\nline-break"}, "password"),
        ({"password": "with a\x00nul-byte"}, "password"),
        ({"password": 1234567890}, "password"),
        ({"password": None}, "password"),
        ({"host": "%"}, "host"),
        ({"host": "x' IDENTIFIED BY"}, "host"),
        ({"host": "192.0.2.%"}, "host"),
        ({"password_hash": "*0"}, "password_hash"),
        ({"grants": ["ALL"]}, "grants"),
        ({"databases": "aexample_shop"}, "databases"),
        ({"databases": [1]}, "databases.0"),
    ],
)
def test_a_refused_user_leaves_nothing(program: Program, account: str, changes: dict[str, Any], field: str):
    before = trace()
    body = {"name": "shop", "password": PASSWORD, **changes}
    assert program.post(f"{account}/database-users", body, 400)["field"] == field
    assert trace() == before


@pytest.mark.parametrize(
    "password", ["it's ten or more", 'say "friend" %s', "back\\slash\\\\0", "p%rc%nt _ `tick`", "\u00fcml\u00e4ut-pass"]
)
def test_passwords_are_hashed_whatever_they_hold(program: Program, account: str, password: str):
    program.post(f"{account}/database-users", {"name": "shop", "password": password})
    with everything("test"):
        kept = DatabaseUser.objects.get().password_hash
    assert kept.startswith("*")
    assert len(kept) == 41


def test_databases_of_others_are_not_there(stage: Stage, program: Program, account: str):
    theirs = stage.program("client_b").post(f"/accounts/{stage.account_b.pk}/databases", {"name": "b"})["database"]
    before = trace()
    program.get(f"/databases/{theirs['id']}", 404)
    program.delete(f"/databases/{theirs['id']}?confirm={theirs['name']}", 404)
    program.post(f"/accounts/{stage.account_b.pk}/databases", {"name": "mine"}, 404)
    body = {"name": "shop", "password": PASSWORD, "databases": [theirs["id"]]}
    problem = program.post(f"{account}/database-users", body, 404)
    body["databases"] = ["dbs_" + "0" * 26]
    assert problem == program.post(f"{account}/database-users", body, 404)
    assert problem["field"] == "databases"
    assert trace() == before


def test_one_tenant_of_the_same_reseller_uses_no_database_of_another(stage: Stage, program: Program):
    """The reseller sees both accounts and still can't join them."""
    other = factories.account(stage.cast.client_a.organization, stage.package_a, "second-example.org")
    reseller = stage.program("reseller_a")
    theirs = reseller.post(f"/accounts/{other.pk}/databases", {"name": "x"})["database"]
    before = trace()
    body = {"name": "shop", "password": PASSWORD, "databases": [theirs["id"]]}
    problem = reseller.post(f"/accounts/{stage.account_a.pk}/database-users", body, 400)
    assert (problem["code"], problem["field"]) == ("foreign", "databases")
    assert trace() == before


def test_taken_names_and_limits_are_conflicts(stage: Stage, program: Program, account: str):
    program.post(f"{account}/databases", {"name": "shop"})
    before = trace()
    assert program.post(f"{account}/databases", {"name": "shop"}, 409)["field"] == "name"
    stage.program("reseller_a").patch(f"/packages/{stage.package_a.pk}", {"databases": 1, "database_users": 0}, 200)
    problem = program.post(f"{account}/databases", {"name": "more"}, 409)
    assert (problem["code"], problem["level"], problem["used"]) == ("limit_reached", "this hosting account", 1)
    body = {"name": "shop", "password": PASSWORD}
    assert program.post(f"{account}/database-users", body, 409)["rule"] == "database_users"
    assert trace()["operations"] == before["operations"]
    assert trace()["intents"] == before["intents"]


def test_a_login_from_anywhere_is_for_packages_that_have_it(stage: Stage, program: Program, account: str):
    stage.program("reseller_a").patch(
        f"/packages/{stage.package_a.pk}", {"features": ["databases", "remote_databases"]}, 200
    )
    body = {"name": "shop", "password": PASSWORD, "host": "%"}
    assert program.post(f"{account}/database-users", body)["database_user"]["host"] == "%"
