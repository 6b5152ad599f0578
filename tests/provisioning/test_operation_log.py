"""What is kept of an operation's life, and how far it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Operation, OperationEvent, RunStep, Server
from provisioning.selectors import operations as selectors
from provisioning.services import leases, operations, reasons, runs
from provisioning.web import progress
from tests.provisioning.ground import Ground, acting, dirty, last_operation, touch
from tests.provisioning.test_operations import carry, names


def kinds(operation: Operation) -> list[str]:
    """Return what happened to an operation, oldest first."""
    return list(OperationEvent.objects.filter(operation=operation).order_by("id").values_list("kind", flat=True))


def postponed(ground: Ground) -> None:
    """Let the server be out of reach once."""
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        run = runs.begin(held, taken, 1)
        runs.postpone(held, run, taken, "No connection: refused")
        leases.release(held)


def test_the_log_tells_an_operations_whole_life(ground: Ground):
    operation = last_operation(ground.account_a)
    postponed(ground)
    run = carry(ground, names(ground, "rejected"))
    RunStep.objects.create(run=run, position=0, name="check nginx", status="failed", ms=14.4, detail="[emerg]\nline 2")
    with everything("test"):
        operations.retry(actor=ground.cast.reseller_a.actor, operation=operation)
    carry(ground, names(ground, "applied"))
    assert kinds(operation) == ["queued", "taken", "waiting", "taken", "rejected", "retried", "taken", "applied"]
    with everything("test"):
        seen = progress.log(operation, ground.cast.provider.actor)
        text = progress.log_text(operation, seen)
        of_client = progress.log_text(operation, progress.log(operation, ground.cast.client_a.actor))
    assert [line.at for line in seen] == sorted(line.at for line in seen)
    assert seen[2].detail == "No connection: refused"
    assert f"Taken up by run {run.id} on web1, epoch 2" in text
    assert runs.REASONS["check"] in text
    assert "14 ms  Check nginx (failed)\n                [emerg]\n                line 2" in text
    assert f"To be tried again by {ground.cast.reseller_a.actor.label}" in text
    for hidden in ("[emerg]", "epoch", run.id, "refused\n", ground.cast.reseller_a.actor.label):
        assert hidden not in of_client


def test_cancelling_and_confirming_are_kept_too(ground: Ground):
    operation = last_operation(ground.account_a)
    carry(ground, names(ground, "held"))
    with everything("test"):
        operations.confirm(actor=ground.cast.provider.actor, operation=operation)
        operations.cancel(actor=ground.cast.provider.actor, operation=operation)
    assert kinds(operation) == ["queued", "taken", "waiting", "confirmed", "cancelled"]


def test_progress_counts_slices_and_says_when_it_goes_on(ground: Ground):
    carry(ground, names(ground, "applied"))
    operation = touch(ground.account_a, ground.account_b)
    assert selectors.standing(operation) == selectors.Standing(0, 2, None, None)
    postponed(ground)
    operation = Operation._base_manager.get(pk=operation.pk)
    found = selectors.standing(operation)
    server = Server.objects.get(pk=ground.server.pk)
    assert (found.over, found.next_try_at) == (0, server.retry_at)
    assert found.waiting_since is not None
    assert timezone.now() - found.waiting_since < timedelta(minutes=1)
    carry(ground, names(ground, "applied", "held"))
    found = selectors.standing(operation)
    assert (found.over, found.slices, found.percent) == (1, 2, 50)
    with everything("test"):
        (part,) = selectors.parts(operation, Actor.system("test"))
    assert (part.server, part.status, part.slices, part.over) == ("web1", "waiting", 2, 1)
    assert part.reason == runs.REASONS["held"]


def test_an_operation_on_many_slices_is_shown_once_per_run(ground: Ground, django_assert_num_queries):
    carry(ground, names(ground, "applied"))
    operation = touch(ground.account_a, ground.account_b)
    run = carry(ground, names(ground, "applied"))
    RunStep.objects.create(run=run, position=0, name="write", status="ok", ms=1)
    with everything("test"), django_assert_num_queries(4):
        (part,) = selectors.parts(operation, Actor.system("test"))
    assert [step.name for step in part.steps] == ["write"]


@pytest.mark.parametrize(
    "reason", [*runs.REASONS.values(), runs.REASON_UNREACHABLE, runs.REASON_BUSY, runs.REASON_OTHER]
)
def test_every_reason_has_a_remedy(ground: Ground, reason: str):
    operation = last_operation(ground.account_a)
    operation.status, operation.reason = "rejected", reason
    with acting(ground.cast.client_a), translation.override("en"):
        shown = progress.of(operation, ground.cast.client_a.actor)
    assert shown.remedy == reasons.remedy(reason)
    assert len(shown.remedy) > 20


def test_operations_are_found_by_the_server_that_they_reach(ground: Ground):
    with acting(ground.cast.provider):
        every = selectors.listed("/")
        assert list(selectors.reaching(every, ground.server.id)) == list(every)
        assert list(selectors.reaching(every, "srv_other")) == []
