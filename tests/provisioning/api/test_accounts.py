"""Hosting accounts by program: ordered, listed, suspended, terminated; refusals leave nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import LimitUse
from accounts.services import limits
from panel.core.scoping import everything
from provisioning.models import Domain, HostingAccount, Intent, Operation, Package
from tests.provisioning import factories
from tests.provisioning.api.conftest import Stage, trace

EVERYTHING = "Server for web sites, databases, DNS and mail"
"""What somebody reads who may not see servers: nothing that the provider calls it."""


def order(stage: Stage, **changes: Any) -> dict[str, Any]:
    given = {
        "client": stage.cast.client_a.organization.pk,
        "package": stage.package_a.pk,
        "domain": "fresh-example.org",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def test_an_order_answers_202_with_account_and_operation(stage: Stage):
    program = stage.program("reseller_a")
    response = program.send("POST", "/accounts", order(stage, username="fresh"))
    assert response.status_code == 202
    body = response.json()
    assert body["account"]["domain"] == "fresh-example.org"
    assert body["account"]["username"] == "fresh"
    assert body["account"]["client"] == stage.cast.client_a.organization.pk
    assert body["operation"]["verb"] == "account.create"
    assert body["operation"]["status"] == "pending"
    assert response["Location"] == body["operation"]["url"]
    watched = program.get(response["Location"])
    assert watched["account"] == body["account"]["id"]
    assert [part["server"] for part in watched["targets"]] == [EVERYTHING]
    with everything("test"):
        assert Intent.objects.filter(operation_id=body["operation"]["id"]).count() == 1


def test_an_order_may_bring_a_database_and_its_login(stage: Stage):
    program = stage.program("reseller_a")
    first = {"name": "shop", "password": "a-Pass.word'1"}
    account = program.post("/accounts", order(stage, username="fresh", database=first), 202)["account"]["id"]
    (database,) = program.get(f"/accounts/{account}/databases")["items"]
    assert (database["name"], [user["name"] for user in database["users"]]) == ("fresh_shop", ["fresh_shop"])
    with everything("test"):
        waiting = Intent.objects.filter(slice__hosting=account).select_related("operation", "slice")
        assert {item.operation.verb for item in waiting} == {
            "account.create",
            "database.create",
            "database_user.create",
        }
        assert len({item.slice_id for item in waiting}) == 1


def test_an_order_whose_database_is_refused_orders_nothing(stage: Stage):
    program = stage.program("reseller_a")
    before, accounts = trace(), HostingAccount._base_manager.count()
    refused = {"name": "shop;drop", "password": "a-Pass.word'1"}
    program.post("/accounts", order(stage, username="fresh", database=refused), 400)
    remote = {"name": "shop", "password": "a-Pass.word'1", "host": "%"}
    assert program.post("/accounts", order(stage, username="fresh", database=remote), 400)["field"] == "host"
    assert trace() == before
    assert HostingAccount._base_manager.count() == accounts


def test_an_account_shows_servers_addresses_and_usage(stage: Stage):
    shown = stage.program("client_a").get(f"/accounts/{stage.account_a.pk}")
    assert shown["servers"] == [EVERYTHING]
    assert shown["addresses"] == ["198.51.100.2"]
    assert shown["usage"]["records"] == {"used": 0, "limit": 500}
    assert shown["usage"]["mailboxes"] == {"used": 0, "limit": None}


REFUSED: list[tuple[dict[str, Any], str, int]] = [
    # D1, D2, K3, K4: names that are commands, options, system users or look-alikes
    ({"domain": "shop.org;id"}, "domain", 400),
    ({"domain": "$(id).org"}, "domain", 400),
    ({"domain": "a.org`id`"}, "domain", 400),
    ({"domain": "a.org|id"}, "domain", 400),
    ({"domain": "a.org\n"}, "domain", 400),
    ({"domain": "a.org\r\nb.org"}, "domain", 400),
    ({"domain": " a.org"}, "domain", 400),
    ({"domain": "-oProxyCommand=x.org"}, "domain", 400),
    ({"domain": "--checkpoint=1"}, "domain", 400),
    ({"domain": "a.org\x00"}, "domain", 400),
    ({"domain": "{{7*7}}{% %}$()%0a;}#\"'\\"}, "domain", 400),
    ({"domain": "a" * 64 + ".org"}, "domain", 400),
    ({"domain": ".".join(["a" * 60] * 5) + ".org"}, "domain", 400),
    ({"domain": ""}, "domain", 400),
    ({"domain": 7}, "domain", 400),
    ({"domain": ["a.org"]}, "domain", 400),
    ({"domain": None}, "domain", 400),
    # G2, G4, B8: public suffixes, names of mail providers and of the panel itself
    ({"domain": "co.uk"}, "domain", 400),
    ({"domain": "com"}, "domain", 400),
    ({"domain": "gmail.com"}, "domain", 400),
    ({"domain": "panel.reseller-a.example"}, "domain", 400),
    ({"domain": "ns1.reseller-b.example"}, "domain", 400),
    ({"domain": "reseller-b.example"}, "domain", 400),
    ({"domain": "web1.platform.example"}, "domain", 400),
    # G1, G2, G7: another tenant's name, one below it, one above it, and its other spellings
    ({"domain": "b-example.org"}, "domain", 409),
    ({"domain": "B-Example.ORG"}, "domain", 409),
    ({"domain": "b-example.org."}, "domain", 409),
    ({"domain": "shop.b-example.org"}, "domain", 409),
    # K3, K4: user names
    ({"username": "root"}, "username", 400),
    ({"username": "www-data"}, "username", 400),
    ({"username": "mysql"}, "username", 400),
    ({"username": "_apt"}, "username", 400),
    ({"username": "0"}, "username", 400),
    ({"username": "abc\n"}, "username", 400),
    ({"username": "\u0661abc"}, "username", 400),
    ({"username": "a\u0661bc"}, "username", 400),
    ({"username": "abc\u212a"}, "username", 400),
    ({"username": "abc\uff0e"}, "username", 400),
    ({"username": "-abc"}, "username", 400),
    ({"username": "a" * 17}, "username", 400),
    ({"username": "aexample"}, "username", 409),
    ({"username": "bexample"}, "username", 409),
    # F2, F3: fields that nobody may set
    ({"owner": "root"}, "owner", 400),
    ({"reseller_id": "1"}, "reseller_id", 400),
    ({"role": "admin"}, "role", 400),
    ({"is_staff": True}, "is_staff", 400),
    ({"quota": 1}, "quota", 400),
    ({"uid": 0}, "uid", 400),
    ({"home": "/root"}, "home", 400),
    ({"shell": "/bin/sh"}, "shell", 400),
    ({"organization": "x"}, "organization", 400),
    ({"client": {"id": 1}}, "client", 400),
    ({"package": None}, "package", 400),
]


def test_a_refused_order_names_the_field_and_leaves_nothing(stage: Stage, subtests: pytest.Subtests):
    program = stage.program("reseller_a")
    before, accounts = trace(), HostingAccount._base_manager.count()
    for changes, field, status in REFUSED:
        with subtests.test(repr(changes)):
            problem = program.post("/accounts", {**order(stage), **changes}, status)
            assert problem["field"] == field
            assert problem["detail"]
            assert "49" not in problem["detail"]
            assert trace() == before
            assert HostingAccount._base_manager.count() == accounts
            assert not Domain._base_manager.filter(name__contains="fresh").exists()
            if status == 409:
                assert not {"Bureau B", "Client of B", stage.account_b.pk} & set(str(problem).split())


def test_a_name_above_one_of_another_tenant_is_a_conflict(stage: Stage):
    factories.account(stage.cast.client_b.organization, stage.package_b, "sub.other-example.org")
    problem = stage.program("reseller_a").post("/accounts", order(stage, domain="other-example.org"), 409)
    assert (problem["code"], problem["field"]) == ("name_taken", "domain")


def test_foreign_ids_in_a_body_are_like_ids_of_nothing(stage: Stage):
    program = stage.program("reseller_a")
    before = trace()
    foreign = {
        "client": stage.cast.client_b.organization.pk,
        "package": stage.package_b.pk,
        "server": stage.server.pk,
    }
    for field, pk in foreign.items():
        problem = program.post("/accounts", order(stage, **{field: pk}), 404)
        nothing = program.post("/accounts", order(stage, **{field: pk[:4] + "0" * 26}), 404)
        assert problem == nothing
        assert problem["field"] == field
    assert trace() == before


def test_an_account_belongs_to_a_client(stage: Stage):
    problem = stage.program("reseller_a").post(
        "/accounts", order(stage, client=stage.cast.reseller_a.organization.pk), 400
    )
    assert (problem["code"], problem["field"]) == ("kind", "client")


def test_a_limit_says_rule_level_use_and_limit(stage: Stage):
    limits.set_limit(subject=stage.cast.reseller_a.organization.pk, resource="accounts", limit=1)
    before = trace()
    problem = stage.program("reseller_a").post("/accounts", order(stage), 409)
    assert problem["code"] == "limit_reached"
    assert (problem["rule"], problem["used"], problem["limit"]) == ("accounts", 1, 1)
    assert problem["level"] == "the reseller"
    assert trace() == before


def test_an_order_is_charged_to_the_caller_of_it(stage: Stage):
    stage.program("reseller_a").post("/accounts", order(stage))
    used = dict(LimitUse.objects.filter(resource="accounts").values_list("organization__name", "amount"))
    assert used == {"Client of A": 2, "Client of B": 1}


def test_the_provider_chooses_the_server(stage: Stage):
    other = factories.server(stage.cast.provider.organization, "web2", "198.51.100.3")
    made = stage.program("provider").post("/accounts", order(stage, server=other.pk))
    shown = stage.program("provider").get(f"/accounts/{made['account']['id']}")
    assert shown["servers"] == ["web2"]


def test_clients_order_nothing(stage: Stage):
    before = trace()
    assert stage.program("client_a").post("/accounts", order(stage), 403)["code"] == "forbidden"
    assert stage.program("readonly_a").post("/accounts", order(stage), 403)["code"] == "forbidden"
    assert stage.program("reseller_a", "account.view").post("/accounts", order(stage), 403)["code"] == "forbidden"
    assert stage.anonymous().post("/accounts", order(stage), 401)["code"] == "not_authenticated"
    assert trace() == before


def test_lists_search_filter_and_page(stage: Stage):
    made = [
        factories.account(stage.cast.client_a.organization, stage.package_a, f"n{number}-example.org")
        for number in range(5)
    ]
    program = stage.program("reseller_a")
    first = program.get("/accounts?limit=4")
    second = program.get(first["next"].removeprefix("http://panel.reseller-a.example"))
    seen = [item["domain"] for item in first["items"] + second["items"]]
    assert seen == [f"n{number}-example.org" for number in (4, 3, 2, 1, 0)] + ["a-example.org"]
    assert second["next"] is None
    assert [item["id"] for item in program.get("/accounts?q=N3-EXAMPLE")["items"]] == [made[3].pk]
    assert program.get("/accounts?status=suspended")["items"] == []
    assert program.get("/accounts?status=terminated")["items"] == []
    assert len(program.get(f"/accounts?client={stage.cast.client_a.organization.pk}")["items"]) == 6
    assert len(program.get(f"/accounts?package={stage.package_a.pk}")["items"]) == 6
    assert len(stage.program("provider").get(f"/accounts?server={stage.server.pk}")["items"]) == 7
    assert program.get(f"/accounts?server={stage.server.pk}", 404)["field"] == "server"
    assert program.get(f"/accounts?client={stage.cast.client_b.organization.pk}", 404)["field"] == "client"
    assert program.get("/accounts?state=active", 400)["field"] == "state"
    assert program.get("/accounts?status=odd", 400)["field"] == "status"
    assert program.get("/accounts?cursor='--", 400)["field"] == "cursor"
    assert program.get("/accounts?limit=100000", 400)["field"] == "limit"
    assert program.get("/accounts?q=%00", 400)["field"] == "q"


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("provider", {"a-example.org", "b-example.org"}),
        ("reseller_a", {"a-example.org"}),
        ("readonly_a", {"a-example.org"}),
        ("reseller_b", {"b-example.org"}),
        ("client_a", {"a-example.org"}),
        ("client_b", {"b-example.org"}),
        ("sub_reseller", set()),
        ("outsider", set()),
    ],
)
def test_everybody_sees_their_own_subtree(stage: Stage, who: str, seen: set[str]):
    assert {item["domain"] for item in stage.program(who).get("/accounts")["items"]} == seen


def test_suspend_and_release(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}"
    operation = program.post(f"{path}/suspend", {"reason": "unpaid"})["operation"]
    assert operation["verb"] == "account.suspend"
    shown = program.get(path)
    assert (shown["status"], shown["suspended_reason"]) == ("suspended", "unpaid")
    assert program.post(f"{path}/suspend", status=409)["code"] == "not_active"
    assert program.post(f"{path}/databases", {"name": "shop"}, 409)["code"] == "not_active"
    assert program.post(f"{path}/unsuspend")["operation"]["verb"] == "account.unsuspend"
    assert program.get(path)["status"] == "active"
    assert program.post(f"{path}/unsuspend", status=409)["code"] == "not_suspended"
    assert program.post(f"{path}/suspend", {"reason": "two\nlines"}, 400)["field"] == "reason"
    assert program.post(f"{path}/unsuspend", {"force": True}, 400)["field"] == "force"


def test_a_reseller_does_not_lift_the_providers_suspension(stage: Stage):
    path = f"/accounts/{stage.account_a.pk}"
    stage.program("provider").post(f"{path}/suspend", {"reason": "abuse"})
    before = trace()
    assert stage.program("reseller_a").post(f"{path}/unsuspend", status=403)["code"] == "forbidden"
    assert trace() == before


def test_termination_asks_for_the_domain(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}"
    before = trace()
    assert program.post(f"{path}/terminate", {}, 400)["field"] == "confirm"
    assert program.post(f"{path}/terminate", {"confirm": "b-example.org"}, 400)["field"] == "confirm"
    assert trace() == before
    assert program.post(f"{path}/terminate", {"confirm": "a-example.org"})["operation"]["verb"] == "account.terminate"
    assert program.get(path)["status"] == "terminated"
    assert program.get("/accounts")["items"] == []
    assert len(program.get("/accounts?status=terminated")["items"]) == 1


def test_a_failed_order_is_seen_with_its_reason_but_the_detail_is_the_providers(stage: Stage):
    with everything("test"):
        operation = Operation.objects.get(hosting=stage.account_a)
        Operation.objects.filter(pk=operation.pk).update(
            status="rejected", reason="The web server refused the site.", detail="nginx: [emerg] /etc/nginx/secret"
        )
    path = f"/operations/{operation.pk}"
    assert "nginx: [emerg]" in stage.program("provider").get(path)["detail"]
    for who in ("reseller_a", "client_a"):
        shown = stage.program(who).get(path)
        assert (shown["status"], shown["reason"]) == ("rejected", "The web server refused the site.")
        assert shown["detail"] is None


def test_packages_of_others_are_not_sold(stage: Stage):
    sub = stage.cast.sub_reseller.organization
    package = factories.package(sub, "Sub's own")
    problem = stage.program("reseller_a").post("/accounts", order(stage, package=package.pk), 400)
    assert (problem["code"], problem["field"]) == ("package", "package")
    with everything("test"):
        assert Package.objects.filter(pk=package.pk, archived_at=None).exists()
