"""Previews by program: asked for, watched, confirmed. How a plan is worked out is tested with real servers."""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.scoping import everything
from provisioning.api.previews import ARGUMENTS
from provisioning.models import DatabaseUser, HostingAccount, Preview
from provisioning.services import previews, verbs
from tests.provisioning import plans
from tests.provisioning.api.conftest import Stage, trace

PLAN = {
    "servers": [
        {
            "server": "web1",
            "changes": [
                {"key": "file:/etc/x", "change": "add", "subject": "a-example.org", "service": "nginx", "diff": "+x"}
            ],
            "reloads": ["nginx"],
            "removals": 0,
            "resources": 3,
        }
    ]
}


def order(stage: Stage) -> dict[str, Any]:
    arguments = {
        "client": stage.cast.client_a.organization.pk,
        "package": stage.package_a.pk,
        "domain": "fresh-example.org",
    }
    return {"verb": "account.create", "arguments": arguments}


def test_an_order_is_shown_before_it_is_made(stage: Stage):
    program, wanted = stage.program("reseller_a"), order(stage)
    before = trace()
    response = program.send("POST", "/previews", wanted)
    assert response.status_code == 202
    made = response.json()
    assert response["Location"] == made["url"]
    assert (made["status"], made["verb"], made["arguments"]) == ("pending", "account.create", wanted["arguments"])
    assert (made["servers"], made["refusal"], made["reason"]) == ([], None, "")
    assert program.post(f"{made['url']}/confirm", status=409)["code"] == "expired"
    assert {**trace(), "previews": 0} == {**before, "previews": 0}
    plans.ready(made["id"], PLAN)
    shown = program.get(made["url"])
    assert shown["status"] == "ready"
    assert shown["servers"][0]["changes"][0]["diff"] == "+x"
    confirmed = program.post(f"{made['url']}/confirm")
    assert confirmed["operation"]["verb"] == "account.create"
    with everything("test"):
        assert HostingAccount.objects.get(pk=confirmed["made"]).domain == "fresh-example.org"


def test_a_refusal_names_fields_as_they_were_given(stage: Stage):
    program = stage.program("reseller_a")
    made = program.post("/previews", order(stage))
    result = {"code": "kind", "message": "No.", "field": "organization", "errors": {"organization": ["No."]}}
    previews.answer(preview_id=made["id"], status=Preview.Status.REFUSED, result=result)
    shown = program.get(made["url"])["refusal"]
    assert shown == {"code": "kind", "detail": "No.", "field": "client", "errors": {"client": ["No."]}}
    previews.answer(preview_id=made["id"], status=Preview.Status.FAILED, result={"message": "web1 can't be reached."})
    assert program.get(made["url"])["reason"] == "web1 can't be reached."


def test_only_who_asked_sees_and_confirms_it(stage: Stage):
    made = stage.program("client_a").post(
        "/previews", {"verb": "database.create", "arguments": {"account": stage.account_a.pk, "name": "shop"}}
    )
    plans.ready(made["id"], PLAN)
    before = trace()
    for who in ("provider", "reseller_a", "client_b"):
        stage.program(who).get(made["url"], 404)
        stage.program(who).post(f"{made['url']}/confirm", status=404)
    stage.program("readonly_a").post("/previews", order(stage), 403)
    assert trace() == before


def test_passwords_are_not_kept_and_asked_for_again(stage: Stage):
    program = stage.program("client_a")
    arguments = {"account": stage.account_a.pk, "name": "shop", "password": "a-Long-enough-9", "databases": []}
    made = program.post("/previews", {"verb": "database_user.create", "arguments": arguments})
    assert "password" not in made["arguments"]
    with everything("test"):
        assert "a-Long-enough-9" not in str(Preview.objects.values_list("arguments"))
    plans.ready(made["id"], PLAN)
    before = trace()
    assert program.post(f"{made['url']}/confirm", status=400)["field"] == "password"
    assert program.post(f"{made['url']}/confirm", {"password": "short"}, 400)["field"] == "password"
    assert trace() == before
    confirmed = program.post(f"{made['url']}/confirm", {"password": "a-Long-enough-9"})
    with everything("test"):
        assert DatabaseUser.objects.get(pk=confirmed["made"]).name == "aexample_shop"


def test_a_password_is_refused_where_none_is_taken(stage: Stage):
    program = stage.program("client_a")
    made = program.post(
        "/previews", {"verb": "database.create", "arguments": {"account": stage.account_a.pk, "name": "shop"}}
    )
    plans.ready(made["id"], PLAN)
    assert program.post(f"{made['url']}/confirm", {"password": "a-Long-enough-9"}, 400)["field"] == "password"


def test_refused_questions_leave_nothing(stage: Stage, subtests: pytest.Subtests):
    program, before = stage.program("client_a"), trace()
    own, foreign = stage.account_a.pk, stage.account_b.pk
    for verb, arguments, status, field in [
        ("format.disk", {}, 400, "verb"),
        ("database.create", {"account": own}, 400, "arguments.name"),
        ("database.create", {"account": own, "name": "a\nb", "uid": 0}, 400, "arguments.uid"),
        ("database.create", {"hosting": own, "name": "shop"}, 400, "arguments.hosting"),
        ("database.create", {"account": foreign, "name": "shop"}, 404, "arguments.account"),
        ("database.create", {"account": {"$ne": 1}, "name": "shop"}, 400, "arguments.account"),
        ("database.create", [], 400, "arguments"),
        ("account.suspend", {"account": own}, 403, None),
        ("account.suspend", {"account": foreign}, 404, "arguments.account"),
        ("account.terminate", {"account": own, "confirm": "a-example.org", "purge_at": "2000-01-01"}, 400, None),
    ]:
        with subtests.test(f"{verb} {arguments}"):
            problem = program.post("/previews", {"verb": verb, "arguments": arguments}, status)
            assert field is None or problem["field"] == field
            assert trace() == before


def test_every_verb_that_can_be_previewed_has_its_arguments():
    assert set(ARGUMENTS) == set(verbs.VERBS)
    for verb, known in verbs.VERBS.items():
        fields = ARGUMENTS[verb]().fields
        assert set(known.objects) <= {field.source for field in fields.values()}, verb
        assert known.secret <= set(fields), verb
