"""Operations by program: watched, tried again, cancelled."""

from __future__ import annotations

import pytest

from panel.core.scoping import everything
from provisioning.models import Intent, Operation, OperationTarget, Run, RunStep
from provisioning.services import reasons, runs
from tests.provisioning.api.conftest import Stage, trace


def of_account_a(stage: Stage) -> Operation:
    with everything("test"):
        return Operation.objects.get(hosting=stage.account_a)


def test_the_list_is_the_callers_subtree(stage: Stage):
    operation = of_account_a(stage)
    assert [item["id"] for item in stage.program("client_a").get("/operations")["items"]] == [operation.pk]
    assert len(stage.program("provider").get("/operations")["items"]) == 2
    program = stage.program("reseller_a")
    assert len(program.get("/operations?q=a-example&status=pending")["items"]) == 1
    assert len(program.get(f"/operations?account={stage.account_a.pk}")["items"]) == 1
    assert program.get("/operations?status=applied")["items"] == []
    program.get(f"/operations?account={stage.account_b.pk}", 404)
    program.get("/operations?verb=x", 400)
    stage.program("client_b").get(f"/operations/{operation.pk}", 404)


def test_steps_are_shown_to_all_and_their_details_to_the_provider(stage: Stage):
    operation = of_account_a(stage)
    with everything("test"):
        run = Run.objects.create(server=stage.server, epoch=1)
        RunStep.objects.create(run=run, position=1, name="check nginx", status="ok", ms=14, detail="nginx: secret path")
        OperationTarget.objects.filter(operation=operation).update(run=run)
    step = {"name": "check nginx", "status": "ok", "ms": 14.0}
    shown = stage.program("client_a").get(f"/operations/{operation.pk}")["targets"]
    assert [part["steps"] for part in shown] == [[{**step, "detail": None}]]
    shown = stage.program("provider").get(f"/operations/{operation.pk}")["targets"]
    assert [part["steps"] for part in shown] == [[{**step, "detail": "nginx: secret path"}]]


def test_progress_log_and_remedy_are_told(stage: Stage):
    operation = of_account_a(stage)
    path = f"/operations/{operation.pk}"
    shown = stage.program("client_a").get(path)
    progress = {"over": 0, "slices": 1, "percent": 0, "waiting_since": None, "next_try_at": None}
    assert (shown["progress"], shown["remedy"]) == (progress, "")
    assert [(entry["kind"], entry["by"]) for entry in shown["log"]] == [("queued", "")]
    with everything("test"):
        Operation.objects.filter(pk=operation.pk).update(status="rejected", reason=runs.REASONS["check"])
    assert stage.program("client_a").get(path)["remedy"] == reasons.remedy(runs.REASONS["check"])
    assert stage.program("reseller_a").get(f"/operations?status=open&account={stage.account_a.pk}")["items"] == []
    provider = stage.program("provider")
    assert len(provider.get(f"/operations?server={stage.server.pk}")["items"]) == 2
    stage.program("reseller_a").get(f"/operations?server={stage.server.pk}", 404)


def test_who_waits_is_answered_when_it_is_over(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    operation = of_account_a(stage)
    program, asleep = stage.program("client_a"), []

    def sleep(seconds: float) -> None:
        asleep.append(seconds)
        with everything("test"):
            Operation.objects.filter(pk=operation.pk).update(status="applied")

    monkeypatch.setattr("provisioning.api.operations.time.sleep", sleep)
    assert program.get(f"/operations/{operation.pk}?wait=5")["status"] == "applied"
    assert program.get(f"/operations/{operation.pk}?wait=5")["status"] == "applied"
    assert len(asleep) == 1
    for wrong in ("6", "-1", "x"):
        assert program.get(f"/operations/{operation.pk}?wait={wrong}", 400)["field"] == "wait"


def test_retry_and_cancel(stage: Stage):
    operation = of_account_a(stage)
    program, path = stage.program("reseller_a"), f"/operations/{operation.pk}"
    assert program.post(f"{path}/cancel", status=200)["status"] == "cancelled"
    before = trace()
    assert program.post(f"{path}/cancel", status=409)["code"] == "not_cancellable"
    assert program.post(f"{path}/retry", {"force": True}, 400)["field"] == "force"
    assert trace() == before
    response = program.send("POST", f"{path}/retry", {})
    assert (response.status_code, response["Location"]) == (202, f"/api/v1{path}")
    assert response.json()["operation"]["status"] == "pending"
    with everything("test"):
        assert Intent.objects.filter(operation=operation).count() == 2  # What was cancelled stays ordered.
        Operation.objects.filter(pk=operation.pk).update(status="applied")
    assert program.post(f"{path}/retry", status=409)["code"] == "not_retryable"


def test_a_held_operation_is_let_go_on_by_the_provider(stage: Stage):
    operation = of_account_a(stage)
    path = f"/operations/{operation.pk}"
    before = trace()
    stage.program("reseller_a").post(f"{path}/confirm", status=403)
    assert stage.program("provider").post(f"{path}/confirm", status=409)["code"] == "not_waiting"
    assert trace() == before
    with everything("test"):
        Operation.objects.filter(pk=operation.pk).update(status="waiting")
        OperationTarget.objects.filter(operation=operation).update(status="waiting", reason=runs.REASONS["held"])
    assert stage.program("provider").post(f"{path}/confirm")["operation"]["status"] == "pending"


def test_operations_of_others_are_not_there(stage: Stage):
    path = f"/operations/{of_account_a(stage).pk}"
    before = trace()
    for verb in ("retry", "cancel"):
        stage.program("client_b").post(f"{path}/{verb}", status=404)
        stage.program("reseller_b").post(f"{path}/{verb}", status=404)
        stage.program("readonly_a").post(f"{path}/{verb}", status=403)
    assert trace() == before
