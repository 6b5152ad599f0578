"""Rebuilds and held servers by program: the provider's alone."""

from __future__ import annotations

import pytest
from django.utils import timezone

from provisioning.models import OperationTarget, Server
from tests.provisioning import factories
from tests.provisioning.api.conftest import Program, Stage, trace


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("provider")


def test_a_server_takes_a_dead_ones_place(stage: Stage, program: Program):
    new = factories.server(stage.cast.provider.organization, "web2", "198.51.100.3")
    old = stage.server
    path = f"/servers/{new.pk}"
    before = trace()
    plan = program.post(f"{path}/rebuild-plan", {"old": old.pk}, 200)
    assert plan["counts"]["accounts"] >= 1
    assert {"old": old.host, "new": new.host, "account": None} in plan["addresses"]
    assert plan["losses"][0]["sites"] == 1
    assert program.post(f"{path}/rebuild", {"old": old.pk, "confirm": "web2"}, 400)["field"] == "confirm"
    wrong = {"old": old.pk, "confirm": old.name, "addresses": {old.host: "203.0.113.99"}}
    assert program.post(f"{path}/rebuild", wrong, 400)["field"] == "addresses"
    assert trace() == before
    started = program.post(f"{path}/rebuild", {"old": old.pk, "confirm": old.name}, 202)
    rebuild = program.get(f"/rebuilds/{started['rebuild']['id']}")
    assert (rebuild["state"], rebuild["accounts_live"], rebuild["operation"]) == (
        "switched",
        0,
        started["operation"]["id"],
    )
    assert len(rebuild["losses"]) == rebuild["accounts"]
    OperationTarget.objects.filter(operation=rebuild["operation"]).update(status="applied")
    assert program.get(f"/rebuilds/{rebuild['id']}")["accounts_live"] == rebuild["accounts"]
    assert program.get(f"/servers/{old.pk}")["state"] == "retired"
    assert program.post(f"/servers/{old.pk}/reconcile", status=409)["code"] == "retired"


def test_a_held_server_is_shown_and_overruled(stage: Stage, program: Program):
    server = stage.server
    shown = program.get(f"/servers/{server.pk}")
    assert (shown["held_since"], shown["ahead"]) == (None, {"newer": {}, "unknown": {}, "missing": []})
    body = {"confirm": server.name}
    assert program.post(f"/servers/{server.pk}/overrule", body, 409)["code"] == "not_held"
    ahead = {"epoch": 7, "uid": 0, "newer": {"server": 5}, "unknown": {"acc_unknown": 12}, "missing": []}
    Server.objects.filter(pk=server.pk).update(held_since=timezone.now(), ahead=ahead)
    shown = program.get(f"/servers/{server.pk}")
    assert (shown["ahead"]["newer"], shown["ahead"]["unknown"]) == ({"server": 5}, {"acc_unknown": 12})
    started = program.post(f"/servers/{server.pk}/overrule", body, 202)
    assert started["operation"]["verb"] == "server.overrule"
    assert program.get(f"/servers/{server.pk}")["held_since"] is None
