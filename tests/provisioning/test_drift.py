"""Drift on the panel's side: checks and their findings, restoring, exceptions, what the schedule asks for."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from panel.core.actors import Actor
from panel.core.failures import Temporary
from provisioning import drift as engine
from provisioning import tasks, transport
from provisioning.models import DriftCheck, DriftItem, Intent, Lease, Operation, Pin, Server, Slice
from provisioning.services import drift, drift_checks, leases, mail_aliases, operations, runs
from provisioning.transport.base import NodeError
from tests.cast import Person
from tests.provisioning import factories
from tests.provisioning.engine import Bench, bench
from tests.provisioning.ground import acting, dirty, entries, refused

__all__ = ["bench"]

SYSTEM = Actor.system("test")
VHOST = "file:/etc/nginx/hostwright-sites/a-site.org.conf"
NOTHING = hashlib.sha256(b"").hexdigest()


def difference(slice_name: str, key: str = VHOST, kind: str = "changed", **more: Any) -> dict[str, Any]:
    """An item of a report; its digest is of `found`."""
    found = more.pop("found", "listen 81;")
    digest = NOTHING if kind == "missing" else hashlib.sha256(found.encode()).hexdigest()
    shown = {"slice": slice_name, "key": key, "drift": kind, "service": "nginx", "diff": f"-listen 80;\n+{found}\n"}
    return {**shown, "digest": digest, "actual": None, **more}


@dataclass
class Node:
    """What the server says to the next checks; `asked` is what it was asked."""

    items: list[dict[str, Any]] = field(default_factory=list)
    slices: dict[str, dict[str, Any]] | None = None
    truncated: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    meanwhile: Callable[[], Any] = lambda: None

    def report(self) -> dict[str, Any]:
        """Return the report: what the panel knows of slices, unless the test says otherwise."""
        told = {
            part.name: {"generation": part.applied, "manifest": drift_checks.manifest_sum(part.manifest)}
            for part in Slice.objects.all()
        }
        slices = told if self.slices is None else self.slices
        return {"checked": 40, "slices": slices, "items": self.items, "truncated": self.truncated, "steps": self.steps}


@pytest.fixture
def node(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Node:
    """The bench, applied, with a server that answers `drift` as the test says."""
    bench.run()
    made = Node()
    original = transport.call

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        if verb != "drift":
            return original(target, verb, payload, on_event)
        made.asked.append(dict(payload))
        made.meanwhile()
        if made.error is not None:
            raise made.error
        if on_event is not None:
            on_event({"step": "compare files", "status": "ok", "ms": 3})
        return made.report()

    monkeypatch.setattr(transport, "call", call)
    return made


def check(bench: Bench) -> DriftCheck:
    """Look for drift, as the task does."""
    assert engine.check(bench.ground.server.id) is None
    return DriftCheck.objects.latest("id")


def found(bench: Bench, node: Node, *items: dict[str, Any]) -> list[DriftItem]:
    """Let the next check find these; the open findings."""
    node.items = list(items)
    check(bench)
    return list(DriftItem.objects.filter(state="open").order_by("id"))


def states() -> dict[str, str]:
    """Return the state of every finding by its key."""
    return dict(DriftItem.objects.order_by("id").values_list("key", "state"))


def test_a_clean_server_has_no_findings(bench: Bench, node: Node):
    made = check(bench)
    assert (made.status, made.checked, made.found, made.reason) == ("clean", 40, 0, "")
    assert node.asked[0]["server"] == bench.ground.server.id
    assert node.asked[0]["epoch"] == Lease.objects.get().epoch
    assert Lease.objects.get().owner == ""
    assert states() == {}


def test_a_finding_opens_once_follows_what_is_found_and_is_gone_when_it_is(bench: Bench, node: Node):
    (first,) = found(bench, node, difference(bench.ground.account_a.id))
    assert (first.kind, first.slice and first.slice.hosting, first.service) == (
        "changed",
        bench.ground.account_a,
        "nginx",
    )
    (second,) = found(bench, node, difference(bench.ground.account_a.id, found="listen 82;"))
    assert (second.pk, second.first_seen_at) == (first.pk, first.first_seen_at)
    assert second.digest != first.digest
    assert "+listen 82;" in second.diff
    assert DriftCheck.objects.latest("id").status == "drifted"
    assert found(bench, node) == []
    gone = DriftItem.objects.get()
    assert (gone.state, gone.closed_by) == ("gone", "")
    (again,) = found(bench, node, difference(bench.ground.account_a.id))
    assert again.pk != first.pk


def test_a_report_that_was_cut_closes_nothing(bench: Bench, node: Node):
    found(bench, node, difference(bench.ground.account_a.id))
    node.truncated = True
    assert len(found(bench, node, difference(bench.ground.account_b.id, key="file:/etc/x"))) == 2
    assert DriftCheck.objects.latest("id").truncated


def test_a_check_that_could_not_look_at_everything_closes_nothing_and_is_not_clean(bench: Bench, node: Node):
    found(bench, node, difference(bench.ground.account_a.id, key="database:asite_shop"))
    node.steps = [{"name": "look at sql", "status": "failed", "ms": 5, "detail": "MariaDB does not run"}]
    assert len(found(bench, node, difference(bench.ground.account_b.id))) == 2
    made = DriftCheck.objects.latest("id")
    assert (made.status, made.reason) == ("failed", drift_checks.REASON_PART)
    assert made.detail == "look at sql: MariaDB does not run"


def test_a_slice_with_a_change_on_its_way_is_left_as_it_was(bench: Bench, node: Node):
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    mail_aliases.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.example"])
    new = difference(bench.ground.account_a.id, key="file:/etc/new")
    other = difference(bench.ground.account_b.id, key="file:/etc/other")
    assert {row.key for row in found(bench, node, new, other)} == {item.key, "file:/etc/other"}


def test_no_apply_goes_on_during_a_check_and_what_came_is_rung_for(
    bench: Bench, node: Node, monkeypatch: pytest.MonkeyPatch
):
    def order() -> None:
        mail_aliases.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.example"])
        assert leases.acquire(bench.ground.server.id) is None
        bench.run()
        assert Intent.objects.exists()

    rung: list[str] = []
    monkeypatch.setattr(tasks.reconcile, "delay", rung.append)
    node.meanwhile = order
    tasks.check_drift(bench.ground.server.id)
    assert rung == [bench.ground.server.id]


def test_a_busy_server_is_asked_later(bench: Bench, node: Node):
    held = leases.acquire(bench.ground.server.id)
    assert held is not None
    assert engine.check(bench.ground.server.id) == timedelta(seconds=2)
    assert node.asked == []


def test_a_check_whose_lease_was_lost_records_nothing(bench: Bench, node: Node):
    def lose() -> None:
        Lease.objects.update(owner="another")

    node.meanwhile = lose
    node.items = [difference(bench.ground.account_a.id)]
    assert check(bench).status == "failed"
    assert states() == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Temporary("No connection."), runs.REASON_UNREACHABLE),
        (NodeError("unknown_verb", "drift"), drift_checks.REASON_TOO_OLD),
        (NodeError("busy", "Another apply is at work."), drift_checks.REASON_FAILED),
        (KeyError("items"), drift_checks.REASON_FAILED),
    ],
)
def test_a_check_that_fails_says_why_and_leaves_the_findings(bench: Bench, node: Node, error: Exception, reason: str):
    found(bench, node, difference(bench.ground.account_a.id))
    node.error = error
    operation = drift_checks.request(actor=SYSTEM, server=bench.server)
    made = check(bench)
    operation.refresh_from_db()
    assert (made.status, made.reason) == ("failed", reason)
    assert (operation.status, operation.reason) == ("rejected", reason)
    assert states() == {VHOST: "open"}


def test_a_check_that_a_dead_worker_left_is_closed_by_the_next(bench: Bench, node: Node):
    DriftCheck.objects.create(server=bench.server, next_at=timezone.now())
    check(bench)
    assert list(DriftCheck.objects.order_by("id").values_list("status", flat=True)) == ["failed", "clean"]


def test_what_was_asked_for_has_steps_and_an_end(bench: Bench, node: Node):
    operation = drift_checks.request(actor=SYSTEM, server=bench.server)
    assert drift_checks.request(actor=SYSTEM, server=bench.server) == operation
    assert list(drift_checks.due()) == [bench.ground.server.id]
    check(bench)
    operation.refresh_from_db()
    assert operation.status == "applied"
    assert [step.name for step in operation.runs.get().steps.all()] == ["compare files"]
    assert DriftCheck.objects.get().operation == operation
    assert drift_checks.request(actor=SYSTEM, server=bench.server) != operation


def test_the_panel_and_the_server_must_agree_on_what_was_made_so(bench: Bench, node: Node):
    report = node.report()["slices"]
    del report[bench.ground.account_a.id]
    report[bench.ground.account_b.id]["manifest"] = "0" * 64
    report["acc_stranger"] = {"generation": 3, "manifest": "1" * 64}
    node.slices = report
    made = {item.key: item.kind for item in found(bench, node)}
    assert made == {
        f"slice:{bench.ground.account_a.id}": "missing",
        f"slice:{bench.ground.account_b.id}": "changed",
        "slice:acc_stranger": "extra",
    }
    stranger = DriftItem.objects.get(key="slice:acc_stranger")
    with refused("unknown_slice", status=409):
        drift.restore(actor=SYSTEM, server=bench.server, items=[stranger])
    known = DriftItem.objects.get(key=f"slice:{bench.ground.account_a.id}")
    with refused("slice", status=409):
        drift.pin(actor=SYSTEM, item=known)


def test_restoring_compares_the_slice_and_the_next_check_closes_the_finding(bench: Bench, node: Node):
    operation_of_mail = mail_aliases.create(
        actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.example"]
    )[1]
    bench.run()
    database = bench.at("/var/lib/hostwright/mail/mail.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alias SET destinations = 'thief@evil.example'")
    key = "row:alias:x@a-site.org"
    (item,) = found(bench, node, difference(bench.ground.account_a.id, key=key))
    assert operation_of_mail.pk
    operation = drift.restore(actor=SYSTEM, server=bench.server, items=[item])
    assert [intent.verify for intent in dirty(bench.ground.account_a)] == [True]
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT destinations FROM alias WHERE address LIKE 'x@%'").fetchall() == [
            ("y@z.example",)
        ]
    assert states() == {key: "open"}
    assert list(drift_checks.due()) == [bench.ground.server.id]
    assert found(bench, node) == []
    assert states() == {key: "restored"}
    assert DriftItem.objects.get().closed_by == SYSTEM.label
    assert entries("drift.restore") == 1
    assert list(drift_checks.due()) == []


def test_what_is_still_there_after_restoring_is_open_again(bench: Bench, node: Node):
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    drift.restore(actor=SYSTEM, server=bench.server)
    with refused("not_open", status=409):
        drift.pin(actor=SYSTEM, item=item)
    bench.run()
    (still,) = found(bench, node, difference(bench.ground.account_a.id))
    assert (still.pk, still.operation) == (item.pk, None)
    drift.pin(actor=SYSTEM, item=still)


def test_what_is_not_ours_is_discarded_as_it_was_seen_and_only_by_who_asked(bench: Bench, node: Node):
    account = bench.ground.account_a.id
    extra = difference(account, key="row:alias:evil@a-site.org", kind="extra")
    other = difference(account, key="row:alias:other@a-site.org", kind="extra")
    first, _second = found(bench, node, extra, other)
    drift.restore(actor=SYSTEM, server=bench.server, items=[first])
    bench.run()
    (sent,) = bench.applies()[-1]["slices"]
    assert (sent["slice"], sent["discard"]) == (account, {extra["key"]: extra["digest"]})


def test_data_of_somebody_is_never_discarded(bench: Bench, node: Node):
    (item,) = found(bench, node, difference(bench.ground.account_a.id, key="database:asite_shop", kind="extra"))
    with refused("data", status=409):
        drift.restore(actor=SYSTEM, server=bench.server, items=[item])
    with refused("nothing", status=409):
        drift.restore(actor=SYSTEM, server=bench.server)
    other = factories.finding(Slice.objects.get(hosting=bench.ground.account_a))
    drift.restore(actor=SYSTEM, server=bench.server)
    assert set(DriftItem.objects.filter(operation__isnull=False)) == {other}


def test_an_exception_is_left_alone_until_it_changes_once_more(bench: Bench, node: Node):
    key = "directory:/home/asite/mail"
    (item,) = found(bench, node, difference(bench.ground.account_a.id, key=key, kind="mode"))
    pin = drift.pin(actor=SYSTEM, item=item, note=" Asked for by Lena ")
    assert (pin.note, pin.digest, pin.actor_label) == ("Asked for by Lena", item.digest, SYSTEM.label)
    assert found(bench, node, difference(bench.ground.account_a.id, key=key, kind="mode")) == []
    mail_aliases.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.example"])
    bench.run()
    assert bench.applies()[-1]["slices"][0]["pinned"] == [key]
    (changed,) = found(bench, node, difference(bench.ground.account_a.id, key=key, kind="mode", found="0777"))
    assert changed.pk != item.pk
    drift.restore(actor=SYSTEM, server=bench.server, items=[changed])
    assert not Pin.objects.exists()


def test_an_exception_for_what_no_slice_has_sends_nothing(bench: Bench, node: Node):
    extra = difference(bench.ground.account_a.id, key="row:alias:own@a-site.org", kind="extra")
    (item,) = found(bench, node, extra)
    drift.pin(actor=SYSTEM, item=item)
    mail_aliases.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.example"])
    bench.run()
    assert bench.applies()[-1]["slices"][0]["pinned"] == []


def test_an_exception_that_ends_is_drift_again(bench: Bench, node: Node):
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    pin = drift.pin(actor=SYSTEM, item=item)
    drift.unpin(actor=SYSTEM, pin=pin)
    assert states() == {VHOST: "open"}
    assert not Pin.objects.exists()
    assert entries("drift.unpin") == 1


def test_nobody_decides_on_what_they_have_not_seen(bench: Bench, node: Node):
    (seen,) = found(bench, node, difference(bench.ground.account_a.id))
    found(bench, node, difference(bench.ground.account_a.id, found="listen 82;"))
    with refused("changed", status=409):
        drift.pin(actor=SYSTEM, item=seen)
    found(bench, node)
    for decide in (
        lambda: drift.pin(actor=SYSTEM, item=seen),
        lambda: drift.adopt(actor=SYSTEM, item=seen),
        lambda: drift.restore(actor=SYSTEM, server=bench.server, items=[seen]),
    ):
        with refused("not_open", status=409):
            decide()
    with refused("nothing", status=409):
        drift.restore(actor=SYSTEM, server=bench.server)


def test_a_note_is_one_short_line(bench: Bench, node: Node):
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    with refused("label_length", "note"):
        drift.pin(actor=SYSTEM, item=item, note="x" * 101)
    with refused("label_characters", "note"):
        drift.pin(actor=SYSTEM, item=item, note="one\ntwo")


@pytest.mark.parametrize("name", ["reseller_a", "client_a"])
def test_drift_is_the_providers_affair(bench: Bench, node: Node, name: str):
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    person: Person = getattr(bench.ground.cast, name)
    for decide in (
        lambda: drift_checks.request(actor=person.actor, server=bench.server),
        lambda: drift.restore(actor=person.actor, server=bench.server),
        lambda: drift.adopt(actor=person.actor, item=item),
        lambda: drift.pin(actor=person.actor, item=item),
    ):
        with acting(person), refused("not_found", status=404):
            decide()


def test_the_schedule_asks_each_server_once_in_its_time(bench: Bench, node: Node, monkeypatch: pytest.MonkeyPatch):
    assert list(drift_checks.due()) == [bench.ground.server.id]
    made = check(bench)
    assert list(drift_checks.due()) == []
    minutes = (made.next_at - made.started_at).total_seconds() / 60
    assert 53 < minutes < 67
    DriftCheck.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert list(drift_checks.due()) == [bench.ground.server.id]
    rung: list[str] = []
    monkeypatch.setattr(tasks.check_drift, "delay", rung.append)
    monkeypatch.setattr(tasks.check_mail_domains, "delay", lambda: None)
    tasks.sweep()
    assert rung == [bench.ground.server.id]
    Server.objects.update(unreachable_since=timezone.now())
    assert list(drift_checks.due()) == []
    Server.objects.update(unreachable_since=None, state=Server.State.FAILED)
    assert list(drift_checks.due()) == []
    with refused("not_ready", status=409):
        drift_checks.request(actor=SYSTEM, server=bench.server)


def test_a_server_that_answers_is_not_unreachable(bench: Bench, node: Node):
    later = timezone.now() + timedelta(minutes=9)
    Server.objects.update(unreachable_since=timezone.now(), unreachable_reason="No route.", attempts=4, retry_at=later)
    drift_checks.request(actor=SYSTEM, server=bench.server)
    check(bench)
    now = bench.server
    assert (now.unreachable_since, now.unreachable_reason, now.attempts, now.retry_at) == (None, "", 0, None)


def test_history_is_kept_for_a_while(bench: Bench, node: Node):
    found(bench, node, difference(bench.ground.account_a.id))
    found(bench, node)
    long_ago = timezone.now() - timedelta(days=91)
    DriftItem.objects.update(closed_at=long_ago)
    DriftCheck.objects.update(finished_at=long_ago)
    last = check(bench)
    assert states() == {}
    assert list(DriftCheck.objects.all()) == [last]


def test_a_rejected_restore_can_be_tried_again(bench: Bench, node: Node):
    found(bench, node, difference(bench.ground.account_a.id))
    operation = drift.restore(actor=SYSTEM, server=bench.server)
    Intent.objects.all().delete()
    operation.targets.update(status="rejected")
    Operation.objects.filter(pk=operation.pk).update(status=Operation.Status.REJECTED)
    (item,) = found(bench, node, difference(bench.ground.account_a.id))
    assert item.operation == operation
    operations.retry(actor=SYSTEM, operation=operation)
    assert [intent.verify for intent in dirty(bench.ground.account_a)] == [True]
