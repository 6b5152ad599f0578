"""Operations: where they stand after each outcome, and what people may do about them."""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.scoping import everything
from provisioning.models import HostingAccount, Intent, Lease, Operation, OperationTarget, Run, Server, Slice, Zone
from provisioning.selectors import servers as selectors
from provisioning.services import hosting_accounts, leases, operations, runs
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, last_operation, refused, touch


def carry(
    ground: Ground, statuses: dict[str, str], *, server: Server | None = None, code: str = "check", **more: Any
) -> Run:
    """Record a run over every pending intent of a server, as the worker does, with a status for each slice by name."""
    server = server or ground.server
    with everything("test"):
        held = leases.acquire(server.id)
        assert held is not None
        parts = {part.id: part for part in Slice.objects.filter(server=server, intents__isnull=False).distinct()}
        rows = Intent.objects.filter(slice__in=parts, retry_at=None).order_by("id")
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in rows]
        runs.give_generations(held, list(parts))
        run = runs.begin(held, taken, len(parts))
        outcomes = {
            part.id: runs.Outcome(statuses[part.name], code, "nginx: [emerg] in b-site.org", {"k": "h"}, **more)
            for part in parts.values()
        }
        report = {"slices": {name: {"changes": [{}]} for name in statuses}, "reloads": {"nginx": 1}}
        runs.finish(held, run, taken, outcomes, report)
        leases.release(held)
    return run


def shown(operation: Operation) -> tuple[str, str, str]:
    """Return status, reason and detail as they are now."""
    now = Operation._base_manager.get(pk=operation.pk)
    return now.status, now.reason, now.detail


def names(ground: Ground, of_a: str, of_b: str = "applied") -> dict[str, str]:
    """Return statuses by slice name."""
    return {ground.account_a.id: of_a, ground.account_b.id: of_b}


def test_an_operation_ends_as_its_slice_does(ground: Ground):
    good, bad = last_operation(ground.account_b), last_operation(ground.account_a)
    run = carry(ground, names(ground, "rejected"))
    assert shown(good) == ("applied", "", "")
    assert shown(bad) == ("rejected", runs.REASONS["check"], "nginx: [emerg] in b-site.org")
    assert run.status == "partial"
    assert (run.changes, run.reloads) == (2, {"nginx": 1})
    assert not Intent.objects.exists()
    part = Slice.objects.get(hosting=ground.account_a)
    assert (part.applied, part.generation, part.manifest, part.rejected_reason) == (
        0,
        1,
        {},
        "nginx: [emerg] in b-site.org",
    )
    assert Slice.objects.get(hosting=ground.account_b).applied == 1


def test_the_last_good_state_stays_known_when_a_later_change_is_rejected(ground: Ground):
    carry(ground, names(ground, "applied"))
    touch(ground.account_a)
    carry(ground, names(ground, "rejected"))
    part = Slice.objects.get(hosting=ground.account_a)
    assert (part.manifest, part.applied, part.generation) == ({"k": "h"}, 1, 2)


def test_an_operation_on_two_servers_ends_when_both_have_reported(ground: Ground):
    other = factories.server(ground.cast.provider.organization, "two")
    operation = last_operation(ground.account_a)
    part = Slice.objects.create(server=other, hosting=ground.account_a)
    with everything("test"):
        Intent.objects.create(slice=part, operation=operation)
        OperationTarget.objects.create(operation=operation, slice=part)
    carry(ground, names(ground, "applied"))
    assert shown(operation)[0] == "running"
    carry(ground, {ground.account_a.id: "rejected"}, server=other)
    assert shown(operation)[0] == "rejected"
    assert Operation._base_manager.get(pk=operation.pk).finished_at is not None


def test_what_finds_no_room_waits_and_is_tried_again_by_itself(ground: Ground):
    waiting, good = last_operation(ground.account_a), last_operation(ground.account_b)
    carry(ground, names(ground, "rejected"), code="disk_full")
    assert shown(waiting)[:2] == ("waiting", runs.REASONS["disk_full"])
    assert shown(good)[0] == "applied"
    assert [intent.retry_at is not None for intent in dirty(ground.account_a)] == [True]
    Intent.objects.update(retry_at=None)
    carry(ground, names(ground, "applied"))
    assert shown(waiting)[:2] == ("applied", "")


@pytest.mark.parametrize(("status", "reason"), [("held", "held"), ("stale", "stale")])
def test_what_a_server_holds_back_waits_alone(ground: Ground, status: str, reason: str):
    waiting, good = last_operation(ground.account_a), last_operation(ground.account_b)
    carry(ground, names(ground, status))
    assert shown(waiting)[:2] == ("waiting", runs.REASONS[reason])
    assert shown(good)[0] == "applied"
    assert [intent.retry_at is not None for intent in dirty(ground.account_a)] == [True]
    assert Server.objects.get(pk=ground.server.pk).retry_at is None
    part = Slice.objects.get(hosting=ground.account_a)
    assert part.generation == (0 if status == "stale" else 1)


def test_a_held_operation_goes_on_when_the_provider_confirms(ground: Ground):
    operation = last_operation(ground.account_a)
    carry(ground, names(ground, "held"))
    with everything("test"):
        with refused("forbidden", None, 403):
            operations.confirm(actor=ground.cast.reseller_a.actor, operation=operation)
        operations.confirm(actor=ground.cast.provider.actor, operation=operation)
        with refused("not_waiting", None, 409):
            operations.confirm(actor=ground.cast.provider.actor, operation=operation)
    assert [(intent.confirmed, intent.operation_id) for intent in dirty(ground.account_a)][-1] == (True, operation.id)
    assert shown(operation)[0] == "pending"
    assert entries("operation.confirm") == 1


def test_only_what_is_held_can_be_confirmed(ground: Ground):
    """Else somebody could confirm removals that nobody has counted yet."""
    operation = last_operation(ground.account_a)
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        runs.postpone(held, runs.begin(held, taken, 1), taken, "No connection: refused")
        with refused("not_waiting", None, 409):
            operations.confirm(actor=ground.cast.provider.actor, operation=operation)


def test_a_server_out_of_reach_makes_operations_wait_with_doubling_delay(ground: Ground):
    operation = last_operation(ground.account_a)
    delays = []
    with everything("test"):
        for _attempt in range(9):
            held = leases.acquire(ground.server.id)
            assert held is not None
            taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in Intent.objects.all()]
            run = runs.begin(held, taken, 2)
            delays.append(runs.postpone(held, run, taken, "No connection: refused").total_seconds())
            leases.release(held)
            assert shown(operation) == ("waiting", runs.REASON_UNREACHABLE, "No connection: refused")
    longest = [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert [most * 0.8 <= delay <= most for delay, most in zip(delays, longest, strict=True)] == [True] * 9
    assert delays != longest, "every server would be asked at the same time again"
    server = Server.objects.get(pk=ground.server.pk)
    assert list(selectors.allowed(ground.cast.client_a.organization, ())) == []
    assert Intent.objects.count() == 2
    carry(ground, names(ground, "applied"))
    server.refresh_from_db()
    assert (server.attempts, server.retry_at) == (0, None)
    assert list(selectors.allowed(ground.cast.client_a.organization, ())) == [server]
    assert shown(operation)[0] == "applied"


def test_a_rejected_operation_can_be_tried_again(ground: Ground):
    operation = last_operation(ground.account_a)
    carry(ground, names(ground, "rejected"))
    with acting(ground.cast.client_a):
        operations.retry(actor=ground.cast.client_a.actor, operation=operation)
        assert shown(operation) == ("pending", "", "")
        with refused("not_retryable", None, 409):
            operations.retry(actor=ground.cast.client_a.actor, operation=operation)
    carry(ground, names(ground, "applied"))
    assert shown(operation)[0] == "applied"
    with acting(ground.cast.client_a), refused("not_retryable", None, 409):
        operations.retry(actor=ground.cast.client_a.actor, operation=operation)
    assert entries("operation.retry") == 1


def test_a_cancelled_operation_stays_cancelled_though_a_run_carries_its_change(ground: Ground):
    operation = last_operation(ground.account_a)
    with acting(ground.cast.client_a):
        operations.cancel(actor=ground.cast.client_a.actor, operation=operation)
    assert len(dirty(ground.account_a)) == 1
    carry(ground, names(ground, "applied"))
    assert shown(operation)[0] == "cancelled"
    assert Slice.objects.get(hosting=ground.account_a).applied == 1
    with acting(ground.cast.client_a):
        operations.retry(actor=ground.cast.client_a.actor, operation=operation)
    carry(ground, names(ground, "unchanged"))
    assert shown(operation)[0] == "applied"


def test_what_was_cancelled_between_reading_and_sending_stays_cancelled(ground: Ground):
    operation = last_operation(ground.account_a)
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        operations.cancel(actor=ground.cast.client_a.actor, operation=operation)
        run = runs.begin(held, taken, 1)
        runs.finish(held, run, taken, {taken[0].slice_id: runs.Outcome("applied", manifest={})}, {"slices": {}})
    assert shown(operation)[0] == "cancelled"
    assert dirty(ground.account_a) == []


def test_of_an_operation_that_has_begun_the_rest_can_be_cancelled(ground: Ground):
    carry(ground, names(ground, "applied"))
    operation = touch(ground.account_a, ground.account_b)
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        run = runs.begin(held, taken, 1)
        operations.cancel(actor=ground.cast.provider.actor, operation=operation)
        assert shown(operation)[0] == "running"
        assert dirty(ground.account_b) == []  # A comparison orders nothing, so that nothing is left to be carried.
        with refused("not_cancellable", None, 409):
            operations.cancel(actor=ground.cast.provider.actor, operation=operation)
        runs.finish(held, run, taken, {taken[0].slice_id: runs.Outcome("applied", manifest={})}, {"slices": {}})
        leases.release(held)
        assert shown(operation)[0] == "cancelled"
        assert [target.status for target in operation.targets.order_by("id")] == ["applied", "cancelled"]
        operations.retry(actor=ground.cast.provider.actor, operation=operation)
        assert [(row.slice.hosting, row.verify) for row in Intent.objects.all()] == [(ground.account_b, True)]


def test_what_has_begun_can_not_be_cancelled(ground: Ground):
    operation = last_operation(ground.account_a)
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        runs.begin(held, taken, 1)
        assert shown(operation)[0] == "running"
        with refused("not_cancellable", None, 409):
            operations.cancel(actor=ground.cast.client_a.actor, operation=operation)
        with refused("not_retryable", None, 409):
            operations.retry(actor=ground.cast.client_a.actor, operation=operation)


def test_an_operation_without_targets_can_be_neither_cancelled_nor_tried_again(ground: Ground):
    with everything("test"):
        operation = operations.start(
            actor=ground.cast.provider.actor,
            verb="server.bootstrap",
            subject="x",
            organization=ground.cast.provider.organization,
            server=ground.server,
        )
        with refused("not_cancellable", None, 409):
            operations.cancel(actor=ground.cast.provider.actor, operation=operation)
        Operation.objects.filter(pk=operation.pk).update(status="rejected")
        with refused("not_retryable", None, 409):
            operations.retry(actor=ground.cast.provider.actor, operation=operation)


def test_intents_that_arrive_during_a_run_stay_for_the_next(ground: Ground):
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in dirty(ground.account_a)]
        run = runs.begin(held, taken, 1)
        late = hosting_accounts.suspend(actor=ground.cast.reseller_a.actor, hosting=ground.account_a)
        runs.finish(held, run, taken, {taken[0].slice_id: runs.Outcome("applied", manifest={})}, {"slices": {}})
    assert [intent.operation_id for intent in dirty(ground.account_a)] == [late.id]
    assert shown(late)[0] == "pending"


def test_a_worker_that_lost_the_lease_records_nothing(ground: Ground):
    with everything("test"):
        held = leases.acquire(ground.server.id)
        assert held is not None
        assert leases.acquire(ground.server.id) is None
        taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in Intent.objects.all()]
        run = runs.begin(held, taken, 2)
        Lease.objects.update(expires_at="2026-01-01T00:00:00Z")
        other = leases.acquire(ground.server.id)
        assert other is not None
        assert other.epoch == held.epoch + 1
        assert not leases.renew(held)
        leases.release(held)
        assert leases.renew(other)
        for record in (
            lambda: runs.give_generations(held, [taken[0].slice_id]),
            lambda: runs.begin(held, taken, 2),
            lambda: runs.finish(held, run, taken, {}, {}),
            lambda: runs.postpone(held, run, taken, "x"),
        ):
            with pytest.raises(runs.LeaseLost):
                record()
        assert Intent.objects.count() == 2
        runs.begin(other, taken, 2)
    run.refresh_from_db()
    assert (run.status, run.reason) == ("failed", runs.REASON_LEFT)


def test_served_serials_only_grow(ground: Ground):
    for reported, kept in ((2026112101, 2026112101), (5, 2026112101), (2026112105, 2026112105)):
        touch(ground.account_a, ground.account_b)
        served = {"zone:a-site.org": {"serial": reported}, "zone:gone.org": {"serial": 1}}
        carry(ground, names(ground, "applied"), served=served)
        assert Zone._base_manager.get(name="a-site.org").serial == kept


def test_an_account_lets_go_of_its_names_once_its_data_is_destroyed(ground: Ground):
    carry(ground, names(ground, "applied"))
    with everything("test"):
        hosting_accounts.terminate(actor=ground.cast.reseller_a.actor, hosting=ground.account_a, confirm="a-site.org")
        keys = hosting_accounts.data_keys(ground.account_a)
    carry(ground, names(ground, "applied"), destroyed=keys)
    with everything("test"):
        assert ground.account_a.domains.exists()  # The deadline had not come.
        ground.account_a.slices.get().tombstones.update(due_at="2026-01-01T00:00:00Z")
        touch(ground.account_a)
    carry(ground, names(ground, "applied"), destroyed=keys)
    with everything("test"):
        assert not ground.account_a.domains.exists()
        assert not ground.account_a.placements.exists()
        assert HostingAccount.objects.get(pk=ground.account_a.pk).status == "terminated"


def test_a_destroyed_database_leaves_a_living_account_alone(ground: Ground):
    with everything("test"):
        part = Slice.objects.get(hosting=ground.account_a)
        part.tombstones.create(key="database:asite_shop", due_at="2026-01-01T00:00:00Z")
    carry(ground, names(ground, "applied"), destroyed=["database:asite_shop"])
    assert part.tombstones.get().destroyed_at is not None
    with everything("test"):
        assert ground.account_a.domains.exists()


def test_others_can_neither_see_nor_touch_an_operation(ground: Ground):
    operation = last_operation(ground.account_a)
    with everything("test"):
        for person in (ground.cast.client_b, ground.cast.reseller_b, ground.cast.outsider):
            with refused("not_found", None, 404):
                operations.cancel(actor=person.actor, operation=operation)
            with refused("not_found", None, 404):
                operations.retry(actor=person.actor, operation=operation)
        with refused("forbidden", None, 403):
            operations.cancel(actor=ground.cast.readonly_a.actor, operation=operation)
