"""Renaming and restoring accounts by API: bodies, answers, refusals, plans."""

from __future__ import annotations

from django.utils import timezone

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Move, Tombstone
from tests.provisioning.api.conftest import Stage, trace


def test_a_program_renames_an_account(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}"
    operation = program.post(f"{path}/rename", {"domain": "New-Example.org", "username": "newname"})["operation"]
    assert (operation["verb"], operation["subject"]) == ("account.rename", "a-example.org → new-example.org")
    shown = program.get(path)
    assert (shown["domain"], shown["username"], shown["home"]) == ("new-example.org", "newname", "/home/newname")
    assert Move.objects.count() == 3


def test_what_is_refused_names_its_field_and_changes_nothing(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}/rename"
    before = trace()
    assert program.post(path, {"domain": "b-example.org"}, 409)["field"] == "domain"
    assert program.post(path, {"username": "bexample"}, 409)["field"] == "username"
    assert program.post(path, {"username": "Not A Name"}, 400)["field"] == "username"
    assert program.post(path, {}, 400)["code"] == "unchanged"
    assert program.post(path, {"owner": "me"}, 400)["field"] == "owner"
    assert stage.program("client_a").post(path, {"username": "newname"}, 403)["code"] == "forbidden"
    assert stage.program("reseller_b").post(path, {"username": "newname"}, 404)["code"] == "not_found"
    assert trace() == before


def test_a_plan_of_a_rename_can_be_asked_for(stage: Stage):
    program = stage.program("reseller_a")
    arguments = {"account": stage.account_a.pk, "username": "newname"}
    made = program.post("/previews", {"verb": "account.rename", "arguments": arguments})
    assert (made["status"], made["arguments"]) == ("pending", arguments)


def test_a_termination_says_until_when_it_can_be_taken_back(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}"
    assert program.get(path)["purge_at"] is None
    program.post(f"{path}/terminate", {"confirm": "a-example.org"})
    ended = program.get(path)
    assert ended["status"] == "terminated"
    assert ended["purge_at"] > ended["terminated_at"]
    (listed,) = program.get("/accounts?status=terminated")["items"]
    assert listed["purge_at"] == ended["purge_at"]
    operation = program.post(f"{path}/restore")["operation"]
    assert operation["verb"] == "account.restore"
    back = program.get(path)
    assert (back["status"], back["terminated_at"], back["purge_at"]) == ("active", None, None)
    assert program.post(f"{path}/restore", status=409)["code"] == "not_terminated"


def test_a_reseller_does_not_undo_what_the_provider_ended(stage: Stage):
    path = f"/accounts/{stage.account_a.pk}"
    stage.program("provider").post(f"{path}/terminate", {"confirm": "a-example.org"})
    before = trace()
    assert stage.program("reseller_a").post(f"{path}/restore", status=403)["code"] == "forbidden"
    assert trace() == before
    assert stage.program("provider").post(f"{path}/restore")["operation"]["verb"] == "account.restore"


def test_what_is_destroyed_is_not_restored(stage: Stage):
    program, path = stage.program("reseller_a"), f"/accounts/{stage.account_a.pk}"
    program.post(f"{path}/terminate", {"confirm": "a-example.org"})
    Tombstone.objects.update(destroyed_at=timezone.now())
    assert program.get(path)["purge_at"] is None
    assert program.post(f"{path}/restore", status=409)["code"] == "grace_over"
    with everything("test"):
        assert HostingAccount.objects.get(pk=stage.account_a.pk).status == "terminated"
