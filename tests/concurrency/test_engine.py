"""Workers beside each other, stopped, killed and started again; rings that come twice, late or never."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connections
from django.utils import timezone

from panel.celery import app
from panel.core.actors import Actor
from panel.core.errors import Conflict
from panel.core.scoping import everything
from provisioning import compile as compiling
from provisioning import reconcile, tasks, transport
from provisioning.models import Intent, Lease, Operation, Run, Server, Slice
from provisioning.services import hosting_accounts, leases, mailboxes, operations, runs
from tests.concurrency.field import Field, database_url, together, until
from tests.provisioning import factories
from tests.provisioning.engine import REPOSITORY, nothing_left, statuses
from tests.provisioning.ground import last_operation

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def box(field: Field, local: str) -> Operation:
    """Add a mailbox to client A's account."""
    return mailboxes.create(actor=SYSTEM, mail_domain=field.ground.mail_domain, local=local, password=PASSWORD)[1]


def work(field: Field) -> Any:
    """Reconcile in this process."""
    return reconcile.reconcile(field.ground.server.id)


def expire() -> None:
    """Let every lease have run out."""
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def without_overlap(field: Field) -> None:
    """No two runs of the server were ever open at once, and epochs only grew."""
    rows = list(Run.objects.filter(server=field.ground.server).order_by("id"))
    assert [run.epoch for run in rows] == sorted(run.epoch for run in rows)
    for earlier, later in itertools.pairwise(rows):
        assert earlier.finished_at is not None
        assert earlier.finished_at <= later.created_at


def test_many_workers_on_one_server_take_turns(field: Field):
    """X9: six workers ring at once while accounts are ordered; runs never overlap and nothing is left undone."""

    def order() -> None:
        burst(field, 10)

    def ring() -> None:
        for _number in range(10):
            work(field)
            time.sleep(0.02)

    results = together([order, *[ring] * 6])
    assert [item for item in results if item is not None] == []
    work(field)
    assert set(statuses().values()) == {"applied"}
    assert nothing_left(field.ground)
    assert len(field.users()) == len(set(field.users())) == 12
    without_overlap(field)


@pytest.mark.parametrize("fault", ["killed-before-sending", "killed-at-an-event", "killed-before-recording"])
def test_x1_a_killed_worker_is_followed_by_another(field: Field, fault: str):
    box(field, "anna")
    field.finished(field.worker("reconcile", fault), -signal.SIGKILL)
    assert Intent.objects.exists()
    assert set(statuses().values()) == {"running"}
    assert field.finished(field.worker("reconcile")) == "None\n"
    assert set(statuses().values()) == {"running"}  # The lease of the dead still holds.
    expire()
    field.finished(field.worker("reconcile"))
    assert set(statuses().values()) == {"applied"}
    assert nothing_left(field.ground)
    assert field.mail_rows() == ["anna@a-site.org"]
    assert sorted(field.users()) == ["asite", "bsite"]
    assert list(Run.objects.order_by("id").values_list("status", flat=True)) == ["failed", "applied"]


@pytest.mark.parametrize("fault", ["stopped-before-sending", "stopped-before-recording"])
def test_x11_a_worker_that_wakes_up_after_its_lease_changes_nothing(field: Field, fault: str):
    """SIGSTOP past the lease, another worker does newer work, SIGCONT: the server's epoch check and the lease hold."""
    box(field, "anna")
    first = field.worker("reconcile", fault)
    field.stopped(first)
    expire()
    box(field, "berta")
    field.finished(field.worker("reconcile"))
    applied = {part.pk: (part.generation, part.applied, part.manifest) for part in Slice.objects.all()}
    assert field.mail_rows() == ["anna@a-site.org", "berta@a-site.org"]
    first.send_signal(signal.SIGCONT)
    assert "None" in field.finished(first)
    assert {part.pk: (part.generation, part.applied, part.manifest) for part in Slice.objects.all()} == applied
    assert field.mail_rows() == ["anna@a-site.org", "berta@a-site.org"]
    assert set(statuses().values()) == {"applied"}
    assert nothing_left(field.ground)
    assert Lease.objects.get().owner == ""


def test_a_run_sees_one_state_of_the_database(field: Field, monkeypatch: pytest.MonkeyPatch):
    """A change that is committed between the reading of intents and of rows belongs whole to the next run."""
    original = compiling.compile_slices
    payloads: list[Any] = []

    def compile_slices(*args: Any) -> Any:
        if not payloads:
            thread = threading.Thread(target=lambda: together([lambda: box(field, "late")]))
            thread.start()
            thread.join(30)
        return original(*args)

    call = transport.call

    def record(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        payloads.append(payload)
        report: dict[str, Any] = call(target, verb, payload, on_event)
        return report

    monkeypatch.setattr(reconcile, "compile_slices", compile_slices)
    monkeypatch.setattr(transport, "call", record)
    work(field)
    seen = ["late@a-site.org" in str(payload["slices"]) for payload in payloads]
    assert seen == [False, True]
    assert set(statuses().values()) == {"applied"}


def test_people_and_worker_never_lock_each_other_out(field: Field, monkeypatch: pytest.MonkeyPatch):
    """Retry, cancel, order and carry at once, with outcomes of every kind: no deadlock, no operation forgotten."""
    for number in range(8):
        box(field, f"b{number}")
    outcomes = ["applied", "rejected", "held", "stale"]
    stop = threading.Event()

    def carry() -> None:
        turn = 0
        while not stop.is_set():
            held = leases.acquire(field.ground.server.id)
            assert held is not None
            rows = list(Intent.objects.filter(retry_at=None))
            taken = [runs.Taken(row.id, row.slice_id, row.operation_id) for row in rows]
            slices = {row.slice_id for row in rows}
            runs.give_generations(held, list(slices))
            run = runs.begin(held, taken, len(slices))
            turn += 1
            if turn % 5 == 0:
                runs.postpone(held, run, taken, "out of reach")
            else:
                made = {part: runs.Outcome(outcomes[turn % 4], manifest={}) for part in slices}
                runs.finish(held, run, taken, made, {"slices": {}})
            leases.release(held)

    def push(act: Any) -> Any:
        def run() -> None:
            for _number in range(15):
                for operation in Operation.objects.order_by("?")[:4]:
                    try:
                        act(actor=SYSTEM, operation=operation)
                    except Conflict:
                        continue

        return run

    def order() -> None:
        for number in range(6):
            box(field, f"n{number}")
            hosting_accounts.suspend(actor=SYSTEM, hosting=field.ground.account_b)
            hosting_accounts.unsuspend(actor=SYSTEM, hosting=field.ground.account_b)

    pushing = [push(operations.retry), push(operations.cancel), push(operations.confirm), push(operations.retry), order]

    def until_pushed() -> None:
        results = together(pushing)
        stop.set()
        assert [item for item in results if isinstance(item, Exception)] == []

    results = together([carry, until_pushed])
    assert [item for item in results if isinstance(item, Exception)] == []
    Intent.objects.update(retry_at=None)
    Server.objects.update(retry_at=None)
    work(field)
    left = Operation.objects.filter(status__in=Operation.OPEN, intents=None)
    assert list(left) == []
    assert not Intent.objects.exists()


def burst(field: Field, count: int = 12, name: str = "burst") -> None:
    """Order accounts one after the other."""
    client, package = field.ground.cast.client_a.organization, field.ground.package_a
    for number in range(count):
        factories.account(client, package, f"{name}{number}.org")


def all_applied() -> bool:
    """Whether every operation has been applied."""
    return set(statuses().values()) == {"applied"}


@pytest.fixture
def store() -> Any:
    """The tests' own Redis, emptied before and after."""
    client = redis.Redis.from_url(os.environ["HOSTWRIGHT_TEST_REDIS_URL"])
    client.flushall()
    yield client
    client.flushall()
    client.close()


def test_x2_an_emptied_redis_loses_nothing(field: Field, store: redis.Redis):
    """Redis is flushed again and again in the middle of a burst; what rings were lost, the sweep rings again."""
    field.worker("celery")
    burst(field, 3)
    for number in range(9):
        store.flushall()
        burst(field, 1, f"late{number}-")
        store.flushall()

    def swept() -> bool:
        if all_applied():
            return True
        tasks.sweep()
        return False

    until("everything is applied", swept)
    assert len(field.users()) == len(set(field.users())) == 14
    without_overlap(field)


def test_x9_every_message_delivered_three_times(field: Field, store: redis.Redis, monkeypatch: pytest.MonkeyPatch):
    original = app.send_task

    def thrice(*args: Any, **kwargs: Any) -> None:
        for _number in range(3):
            original(*args, **kwargs)

    monkeypatch.setattr(app, "send_task", thrice)
    field.worker("celery")
    field.worker("celery")
    burst(field)
    until("everything is applied", all_applied)
    assert len(field.users()) == len(set(field.users())) == 14
    assert nothing_left(field.ground)
    without_overlap(field)


def test_x2_orders_are_taken_while_redis_is_down(field: Field):
    script = """
import django, time
django.setup()
from panel.core.scoping import everything
from panel.celery import app
from panel.core.actors import Actor
from provisioning.models import MailDomain
from provisioning.services import mail_aliases
with everything("test"):
    began = time.monotonic()
    domain = MailDomain.objects.get(name="a-site.org")
    mail_aliases.create(actor=Actor.system("test"), mail_domain=domain, local="x", destinations=["y@z.org"])
    assert time.monotonic() - began < 30
"""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "panel.settings.test",
        "HOSTWRIGHT_TEST_DATABASE_URL": database_url(),
        "HOSTWRIGHT_TEST_REDIS_URL": "redis://127.0.0.1:9/0",
    }
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=REPOSITORY, check=True, timeout=90)
    operation = last_operation(field.ground.account_a)
    assert (operation.verb, operation.status) == ("alias.create", "pending")
    work(field)
    assert all_applied()


def test_connections_are_given_back(field: Field):
    """The lease's keeper and the snapshot leave no session in a transaction behind."""
    work(field)
    with everything("test"), connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'")
        assert cursor.fetchone()[0] == 0
