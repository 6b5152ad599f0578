"""Mail domains, mailboxes and aliases by program."""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import Mailbox, MailDomain
from tests.provisioning.api.conftest import Program, Stage, trace

PASSWORD = "a-Long-enough-9"
HOSTILE = [
    "|cmd",
    "/etc/passwd",
    ":include:/etc/passwd",
    '"x|id;$(id)"',
    "a b",
    "a;b",
    "a`id`",
    "a\n",
    "a\r\nRCPT TO",
    "a\x00",
    "-x",
    "a..b",
    ".a",
    "a@b",
    "{{7*7}}",
    "\u0661",
    "a\uff0e",
    "a" * 65,
    "",
]


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("client_a")


@pytest.fixture
def domain(stage: Stage) -> str:
    with everything("test"):
        return MailDomain.objects.get(name="a-example.org").pk


@pytest.fixture
def foreign(stage: Stage) -> str:
    with everything("test"):
        return MailDomain.objects.get(name="b-example.org").pk


def mailbox(program: Program, domain: str, status: int = 202, **values: Any) -> Any:
    return program.post("/mailboxes", {"mail_domain": domain, "local": "anna", "password": PASSWORD, **values}, status)


def alias(program: Program, domain: str, status: int = 202, **values: Any) -> Any:
    body = {"mail_domain": domain, "local": "info", "destinations": ["anna@a-example.org"], **values}
    return program.post("/aliases", body, status)


def test_a_mailbox_from_cradle_to_grave(stage: Stage, program: Program, domain: str):
    made = mailbox(program, domain, quota_bytes=10**9)["mailbox"]
    assert (made["address"], made["quota_bytes"], made["enabled"]) == ("anna@a-example.org", 10**9, True)
    assert made["account"] == stage.account_a.pk
    path = f"/mailboxes/{made['id']}"
    changed = program.patch(path, {"password": "another-Long-1", "quota_bytes": None, "enabled": False})["mailbox"]
    assert (changed["quota_bytes"], changed["enabled"]) == (None, False)
    assert program.get(path) == changed
    assert program.get("/mailboxes?q=ANNA")["items"] == [changed]
    assert program.get("/mailboxes?q=anna@a-ex")["items"] == [changed]
    assert program.get("/mailboxes?q=bert")["items"] == []
    assert program.get(f"/mailboxes?account={stage.account_a.pk}&mail_domain={domain}")["items"] == [changed]
    before = trace()
    assert program.delete(path, 400)["field"] == "confirm"
    assert program.delete(f"{path}?confirm=anna", 400)["field"] == "confirm"
    assert trace() == before
    assert program.delete(f"{path}?confirm=anna@a-example.org")["operation"]["verb"] == "mailbox.remove"
    program.get(path, 404)


def test_no_answer_and_no_audit_entry_holds_a_password(program: Program, domain: str):
    made = program.send("POST", "/mailboxes", {"mail_domain": domain, "local": "anna", "password": PASSWORD})
    changed = program.send("PATCH", f"/mailboxes/{made.json()['mailbox']['id']}", {"password": PASSWORD + "x"})
    with everything("test"):
        kept = Mailbox.objects.get().password_hash
        said = [made.content.decode(), changed.content.decode(), *map(str, AuditEntry.objects.values_list("changes"))]
    for text in said:
        assert PASSWORD not in text
        assert kept not in text


def test_an_alias_from_cradle_to_grave(program: Program, domain: str):
    made = alias(program, domain, destinations=["Anna@A-Example.org", "bert@elsewhere.example", "anna@a-example.org"])
    made = made["alias"]
    assert made["destinations"] == ["anna@a-example.org", "bert@elsewhere.example"]
    path = f"/aliases/{made['id']}"
    changed = program.patch(path, {"destinations": ["bert@elsewhere.example"]})["alias"]
    assert program.get(path) == changed
    assert program.get("/aliases?q=info")["items"] == [changed]
    assert program.delete(path)["operation"]["verb"] == "alias.remove"
    program.get(path, 404)


def test_hostile_local_parts_are_refused(program: Program, domain: str, subtests: pytest.Subtests):
    before = trace()
    for local in HOSTILE:
        with subtests.test(repr(local)):
            assert mailbox(program, domain, 400, local=local)["field"] == "local"
            assert alias(program, domain, 400, local=local)["field"] == "local"
    for local in ("postmaster", "Postmaster", "abuse", "hostmaster"):
        with subtests.test(local):
            assert mailbox(program, domain, 400, local=local)["code"] == "role_name"
    assert trace() == before


def test_hostile_destinations_are_refused(program: Program, domain: str, subtests: pytest.Subtests):
    before = trace()
    for text in [
        "|/bin/sh",
        "/etc/passwd",
        ":include:/x",
        "root",
        "a@b",
        "a@b.example\nc",
        '"x|id"@b.example',
        "a@localhost",
    ]:
        with subtests.test(repr(text)):
            assert alias(program, domain, 400, destinations=[text])["field"] == "destinations"
    for value, field in [([], "destinations"), ("a@b.example", "destinations"), ([1], "destinations.0")]:
        with subtests.test(repr(value)):
            assert alias(program, domain, 400, destinations=value)["field"] == field
    with subtests.test("to itself"):
        assert alias(program, domain, 400, destinations=["info@a-example.org"])["code"] == "loop"
    with subtests.test("too many"):
        many = [f"n{number}@b.example" for number in range(51)]
        assert alias(program, domain, 400, destinations=many)["field"] == "destinations"
    assert trace() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "a" * 73}, "password"),
        ({"quota_bytes": -1}, "quota_bytes"),
        ({"quota_bytes": "1"}, "quota_bytes"),
        ({"quota_bytes": 2**63}, "quota_bytes"),
        ({"enabled": True}, "enabled"),
        ({"uid": 0}, "uid"),
        ({"password_hash": "$2b$"}, "password_hash"),
        ({"mail_domain": 1}, "mail_domain"),
    ],
)
def test_a_refused_mailbox_leaves_nothing(program: Program, domain: str, changes: dict[str, Any], field: str):
    before = trace()
    assert mailbox(program, domain, 400, **changes)["field"] == field
    assert trace() == before


def test_a_name_is_mailbox_or_alias(program: Program, domain: str):
    mailbox(program, domain)
    alias(program, domain)
    before = trace()
    assert mailbox(program, domain, 409)["field"] == "local"
    assert alias(program, domain, 409)["field"] == "local"
    assert mailbox(program, domain, 409, local="INFO")["field"] == "local"
    assert alias(program, domain, 409, local="ANNA", destinations=["x@b.example"])["field"] == "local"
    assert trace() == before


def test_mail_of_others_is_not_there(stage: Stage, program: Program, domain: str, foreign: str):
    theirs = mailbox(stage.program("client_b"), foreign)["mailbox"]
    before = trace()
    nothing = mailbox(program, "mdo_" + "0" * 26, 404)
    assert mailbox(program, foreign, 404) == nothing
    assert nothing["field"] == "mail_domain"
    alias(program, foreign, 404)
    program.get(f"/mailboxes/{theirs['id']}", 404)
    program.patch(f"/mailboxes/{theirs['id']}", {"password": PASSWORD}, 404)
    program.delete(f"/mailboxes/{theirs['id']}?confirm={theirs['address']}", 404)
    program.get(f"/mailboxes?mail_domain={foreign}", 404)
    assert program.get("/mailboxes")["items"] == []
    assert trace() == before


def test_vouching_is_for_those_who_may(stage: Stage, program: Program, domain: str):
    path = f"/mail-domains/{domain}"
    assert program.get(path)["delivery"] == "pending"
    before = trace()
    assert program.post(f"{path}/vouch", status=403)["code"] == "forbidden"
    stage.program("reseller_b").post(f"{path}/vouch", status=403)
    assert trace() == before
    made = stage.program("provider").post(f"{path}/vouch")
    assert made["mail_domain"]["delivery"] == "vouched"
    assert made["operation"]["verb"] == "mail_domain.vouch"
    assert stage.program("provider").post(f"{path}/vouch", status=409)["code"] == "delivers"


def test_limits_are_kept(stage: Stage, program: Program, domain: str):
    stage.program("reseller_a").patch(f"/packages/{stage.package_a.pk}", {"mailboxes": 1, "aliases": 0}, 200)
    mailbox(program, domain)
    before = trace()
    assert mailbox(program, domain, 409, local="bert")["rule"] == "mailboxes"
    assert alias(program, domain, 409)["limit"] == 0
    assert trace() == before
