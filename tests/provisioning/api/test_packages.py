"""Packages by program."""

from __future__ import annotations

import pytest

from tests.provisioning import factories
from tests.provisioning.api.conftest import Stage, trace


def test_a_package_from_cradle_to_grave(stage: Stage):
    program = stage.program("reseller_a")
    response = program.send("POST", "/packages", {"name": "Gold", "mailboxes": 10, "databases": None, "disk_bytes": 0})
    assert response.status_code == 201
    made = response.json()
    assert made["organization"] == stage.cast.reseller_a.organization.pk
    limits = {name: made[name] for name in ("mailboxes", "databases", "disk_bytes", "records")}
    assert limits == {"mailboxes": 10, "databases": None, "disk_bytes": 0, "records": 500}
    path = response["Location"]
    assert program.get(path) == made
    assert program.patch(path, {"mailboxes": 20}, 200) == {**made, "mailboxes": 20}
    assert [item["name"] for item in program.get("/packages?q=gold")["items"]] == ["Gold"]
    program.delete(path, 204)
    program.get(path, 404)


def test_the_number_of_accounts_is_shown(stage: Stage):
    assert stage.program("reseller_a").get(f"/packages/{stage.package_a.pk}")["account_count"] == 1


def test_a_reseller_makes_packages_for_resellers_below(stage: Stage):
    sub = stage.cast.sub_reseller.organization.pk
    made = stage.program("reseller_a").post("/packages", {"name": "Sub", "organization": sub}, 201)
    assert made["organization"] == sub
    found = stage.program("reseller_a").get(f"/packages?organization={sub}")["items"]
    assert [item["id"] for item in found] == [made["id"]]


REFUSED = [
    ({}, "name", 400),
    ({"name": ""}, "name", 400),
    ({"name": "two\nlines"}, "name", 400),
    ({"name": "x" * 300}, "name", 400),
    ({"name": "Gold", "mailboxes": -1}, "mailboxes", 400),
    ({"name": "Gold", "mailboxes": "10"}, "mailboxes", 400),
    ({"name": "Gold", "mailboxes": 2**64}, "mailboxes", 400),
    ({"name": "Gold", "mailboxes": 1.5}, "mailboxes", 400),
    ({"name": "Gold", "features": "dns"}, "features", 400),
    ({"name": "Gold", "price": 1}, "price", 400),
    ({"name": "Gold", "owner": "root"}, "owner", 400),
    ({"name": "Gold", "archived_at": None}, "archived_at", 400),
    ({"name": "Basic"}, "name", 409),
    ({"name": "bASIC"}, "name", 409),
]


def test_refused_packages_leave_nothing(stage: Stage, subtests: pytest.Subtests):
    program, before = stage.program("reseller_a"), trace()
    for body, field, status in REFUSED:
        with subtests.test(repr(body)):
            assert program.post("/packages", body, status)["field"] == field
            assert trace() == before


def test_negative_sizes_are_refused(stage: Stage):
    program, before = stage.program("reseller_a"), trace()
    for field in ("disk_bytes", "bandwidth_bytes"):
        program.post("/packages", {"name": "Gold", field: -1}, 400)
    assert trace() == before


def test_packages_of_others_are_not_there(stage: Stage):
    program, foreign = stage.program("reseller_a"), f"/packages/{stage.package_b.pk}"
    before = trace()
    program.get(foreign, 404)
    program.patch(foreign, {"name": "Mine"}, 404)
    program.delete(foreign, 404)
    other = {"name": "Mine", "organization": stage.cast.reseller_b.organization.pk}
    assert program.post("/packages", other, 404)["field"] == "organization"
    assert {item["id"] for item in program.get("/packages")["items"]} == {stage.package_a.pk}
    assert trace() == before


def test_clients_see_no_packages_and_readers_change_none(stage: Stage):
    before = trace()
    stage.program("client_a").get("/packages", 403)
    stage.program("client_a").get(f"/packages/{stage.package_a.pk}", 403)
    stage.program("client_a").post("/packages", {"name": "Free"}, 403)
    reader = stage.program("readonly_a")
    reader.get("/packages")
    reader.patch(f"/packages/{stage.package_a.pk}", {"mailboxes": 1}, 403)
    reader.delete(f"/packages/{stage.package_a.pk}", 403)
    assert trace() == before


def test_a_client_has_no_packages_of_its_own(stage: Stage):
    body = {"name": "Gold", "organization": stage.cast.client_a.organization.pk}
    assert stage.program("reseller_a").post("/packages", body, 400)["field"] == "organization"


def test_new_limits_hold_at_once(stage: Stage):
    program = stage.program("reseller_a")
    factories.account(stage.cast.client_a.organization, stage.package_a, "second-example.org")
    program.patch(f"/packages/{stage.package_a.pk}", {"databases": 0}, 200)
    assert program.post(f"/accounts/{stage.account_a.pk}/databases", {"name": "x"}, 409)["code"] == "limit_reached"
