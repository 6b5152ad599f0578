"""What is forgotten after a while, and what never."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from panel.core import ids
from panel.core.scoping import everything
from provisioning.models import Operation, OperationEvent, OperationTarget, Run, RunStep
from provisioning.services import pruning
from tests.provisioning.ground import Ground, last_operation, touch
from tests.provisioning.test_operations import carry, names

OLD = timezone.now() - timedelta(days=91)


@pytest.fixture
def aged(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Whatever is there was made 91 days ago."""
    monkeypatch.setattr(ids, "first", lambda prefix, moment: f"{prefix}_z")
    return ground


def test_what_ended_long_ago_is_forgotten_with_all_that_belongs_to_it(aged: Ground):
    run = carry(aged, names(aged, "applied"))
    RunStep.objects.create(run=run, position=0, name="write", status="ok")
    Operation._base_manager.update(finished_at=OLD)
    Run.objects.update(finished_at=OLD)
    with everything("test"):
        assert pruning.prune() == 3
        assert pruning.prune() == 0
    for model in (Operation, OperationEvent, OperationTarget, Run, RunStep):
        assert not model._base_manager.exists()


def test_what_is_open_or_ended_lately_stays(aged: Ground):
    run = carry(aged, names(aged, "held"))
    Operation._base_manager.filter(status="applied").update(finished_at=OLD)
    Operation._base_manager.filter(status="waiting").update(finished_at=OLD)  # As no service would leave it.
    Run.objects.update(finished_at=OLD)
    with everything("test"):
        assert pruning.prune() == 1
        assert [str(operation) for operation in Operation.objects.all()] == ["account.create a-site.org"]
        assert Run.objects.get() == run
        assert OperationTarget.objects.get().run == run


def test_a_cancelled_operation_whose_change_is_still_to_be_carried_stays(aged: Ground):
    Operation._base_manager.update(status="cancelled", finished_at=OLD)
    with everything("test"):
        assert pruning.prune() == 0
    carry(aged, names(aged, "applied"))
    with everything("test"):
        assert pruning.prune() == 2


def test_a_sweep_forgets_a_batch_at_a_time(aged: Ground, monkeypatch: pytest.MonkeyPatch):
    carry(aged, names(aged, "applied"))
    touch(aged.account_a)
    carry(aged, names(aged, "applied"))
    monkeypatch.setattr(pruning, "BATCH", 1)
    Operation._base_manager.update(finished_at=OLD)
    Run.objects.update(finished_at=OLD)
    with everything("test"):
        assert [pruning.prune() for _sweep in range(4)] == [2, 2, 1, 0]


def test_only_old_rows_are_looked_at(ground: Ground):
    carry(ground, names(ground, "applied"))
    Operation._base_manager.update(finished_at=OLD)
    with everything("test"):
        assert pruning.prune() == 0
    now = timezone.now()
    before, made, after = (
        ids.first("opr", now - timedelta(seconds=1)),
        ids.new("opr"),
        ids.first("opr", now + timedelta(1)),
    )
    assert before < made < after
    assert len(before) == len(made)
    assert last_operation(ground.account_a).pk < made
