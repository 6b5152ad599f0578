"""The engine with the real node program on a directory: leases, epochs, generations, intents, outcomes."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from panel.core.actors import Actor
from provisioning import preview as preview_engine
from provisioning import tasks, transport
from provisioning.models import (
    Intent,
    Lease,
    MailAlias,
    Operation,
    Preview,
    Run,
    RunStep,
    Server,
    Slice,
    Tombstone,
)
from provisioning.services import (
    dues,
    hosting_accounts,
    leases,
    mail_aliases,
    mailboxes,
    operations,
    previews,
    runs,
    servers,
)
from provisioning.transport import local
from tests.provisioning import factories
from tests.provisioning.engine import (
    Bench,
    bench,
    directory,
    last_run,
    nothing_left,
    program,
    statuses,
    unreachable,
    use,
)
from tests.provisioning.ground import last_operation, rows, touch

__all__ = ["bench"]

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def box(bench: Bench, local_part: str = "anna") -> Operation:
    """Add a mailbox to client A's account."""
    return mailboxes.create(actor=SYSTEM, mail_domain=bench.ground.mail_domain, local=local_part, password=PASSWORD)[1]


def mail_rows(bench: Bench, table: str = "mailbox", column: str = "address") -> list[str]:
    """Return what the server's mail database holds."""
    path = bench.at("/var/lib/hostwright/mail/mail.sqlite")
    with sqlite3.connect(path) as database:
        return sorted(row[0] for row in database.execute(f"SELECT {column} FROM {table}"))  # noqa: S608


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], *, before: bool = False) -> None:
    """Let something happen once during the next apply: before it reaches the server, or after it has been done."""
    original = transport.call
    done: list[int] = []

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        first = not done
        done.append(1)
        if before and first:
            act()
        report: dict[str, Any] = original(target, verb, payload, on_event)
        if not before and first:
            act()
        return report

    monkeypatch.setattr(transport, "call", call)


def is_about(delay: timedelta, seconds: float) -> bool:
    """Whether a delay is at most `seconds`, and shorter by a random part at most."""
    return timedelta(seconds=seconds * runs.LEAST_OF_DELAY) <= delay <= timedelta(seconds=seconds)


def test_an_order_reaches_the_server_and_a_second_run_changes_nothing(bench: Bench):
    assert bench.run() is None
    assert statuses() == {"account.create a-site.org": "applied", "account.create b-site.org": "applied"}
    assert "asite:x:" in bench.at("/var/lib/extrausers/passwd").read_text()
    assert bench.at("/home/asite/mail").is_dir()
    assert mail_rows(bench, "domain", "name") == ["a-site.org", "b-site.org"]
    assert nothing_left(bench.ground)
    assert [step.name for step in RunStep.objects.filter(run=last_run())] == ["read desired state", "write"]
    before = bench.tree()
    touch(bench.ground.account_a)
    bench.run()
    assert bench.reports[-1]["status"] == "unchanged"
    assert bench.applies()[-1]["slices"][0]["resources"] == {}
    assert bench.tree() == before


def test_x9_duplicate_and_late_rings_do_nothing(bench: Bench):
    for _ring in range(3):
        assert bench.run() is None
    assert len(bench.applies()) == 1
    assert Run.objects.count() == 1


def test_a_burst_costs_one_run_and_what_comes_during_it_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    ordered = [box(bench, f"box{number}") for number in range(5)]
    late: list[Operation] = []
    meanwhile(monkeypatch, lambda: late.append(box(bench, "late")))
    bench.run()
    assert len(bench.applies()) == 2
    assert [payload["slices"][0]["generation"] for payload in bench.applies()] == [1, 2]
    assert mail_rows(bench) == sorted([*(f"box{number}@a-site.org" for number in range(5)), "late@a-site.org"])
    ended = Operation.objects.filter(pk__in=[item.pk for item in [*ordered, *late]])
    assert set(ended.values_list("status", flat=True)) == {"applied"}
    assert not Intent.objects.exists()


def test_one_worker_per_server(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    box(bench)
    answers: list[Any] = []
    meanwhile(monkeypatch, lambda: answers.append((leases.acquire(bench.ground.server.id), bench.run())))
    bench.run()
    assert answers == [(None, None)]
    assert len(bench.applies()) == 1
    assert Lease.objects.get().owner == ""


def test_x11_a_worker_that_slept_past_its_lease_is_fenced_off(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """The other worker did its run meanwhile: the server refuses the older epoch, and nothing of it is recorded."""

    def overtaken() -> None:
        Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        box(bench, "later")
        bench.run()

    meanwhile(monkeypatch, overtaken, before=True)
    assert bench.run() is None
    assert [payload["epoch"] for payload in bench.applies()] == [2, 1]
    assert mail_rows(bench) == ["later@a-site.org"]
    assert len(bench.reports) == 1
    assert nothing_left(bench.ground)
    assert set(statuses().values()) == {"applied"}


def test_a_report_that_comes_after_the_lease_is_lost_is_not_recorded(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def lose() -> None:
        Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        leases.acquire(bench.ground.server.id)

    meanwhile(monkeypatch, lose)
    bench.run()
    assert Intent.objects.count() == 2
    assert set(statuses().values()) == {"running"}
    Lease.objects.update(owner="", expires_at=None)
    bench.run()
    assert bench.reports[-1]["status"] == "unchanged"
    assert set(statuses().values()) == {"applied"}
    assert list(Run.objects.order_by("id").values_list("status", flat=True)) == ["failed", "applied"]


def test_a_server_that_was_rebuilt_gets_all_bodies_again(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    bench.run()
    transport.close_all()
    bench.root = directory(tmp_path / "rebuilt")
    use(monkeypatch, bench.root)
    box(bench)
    bench.run()
    first, second = bench.applies()[-2:]
    assert bench.reports[-2]["slices"][bench.ground.account_a.id]["status"] == "need"
    assert len(first["slices"][0]["resources"]) < len(second["slices"][0]["resources"])
    assert [item["slice"] for item in second["slices"]] == [bench.ground.account_a.id]
    assert set(statuses().values()) == {"applied"}
    assert mail_rows(bench) == ["anna@a-site.org"]


def test_x19_a_panel_that_was_restored_does_not_undo_what_servers_have(bench: Bench):
    box(bench)
    bench.run()
    box(bench, "berta")
    bench.run()
    before = bench.tree()
    MailAlias.objects.all().delete()
    Slice.objects.update(generation=0, applied=0)
    operation = mail_aliases.create(
        actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="x", destinations=["y@z.org"]
    )[1]
    for _ring in range(3):
        bench.run()
        Intent.objects.update(retry_at=None)
    operation.refresh_from_db()
    assert (operation.status, operation.reason) == ("waiting", runs.REASONS["stale"])
    assert bench.tree() == before
    assert Slice.objects.get(hosting=bench.ground.account_a).generation == 0
    Lease.objects.update(epoch=0)
    Intent.objects.update(retry_at=None)
    assert is_about(bench.run(), 5)
    operation.refresh_from_db()
    assert (operation.status, operation.reason) == ("waiting", runs.REASONS["stale"])
    server = Server.objects.get(pk=bench.ground.server.pk)
    assert (server.unreachable_since, server.held_since is not None) == (None, True)


def test_x15_unusual_removals_wait_for_a_person_and_nobody_else_waits(bench: Bench):
    for number in range(12):
        mail_aliases.create(
            actor=SYSTEM, mail_domain=bench.ground.mail_domain, local=f"a{number}", destinations=["y@z.org"]
        )
    bench.run()
    MailAlias.objects.all().delete()
    held = hosting_accounts.suspend(actor=SYSTEM, hosting=bench.ground.account_a)
    other = hosting_accounts.suspend(actor=SYSTEM, hosting=bench.ground.account_b)
    bench.run()
    held.refresh_from_db()
    other.refresh_from_db()
    assert (held.status, held.reason, other.status) == ("waiting", runs.REASONS["held"], "applied")
    assert len(mail_rows(bench, "alias")) == 16
    for _ring in range(2):
        bench.run()
    assert last_run().status == "partial"
    operations.confirm(actor=bench.ground.cast.provider.actor, operation=held)
    bench.run()
    held.refresh_from_db()
    assert held.status == "applied"
    assert bench.applies()[-1]["confirmed"] is True
    assert len(mail_rows(bench, "alias")) == 4
    assert not Intent.objects.exists()


def test_a_termination_is_confirmed_by_who_asked_and_its_data_goes_when_due(bench: Bench):
    box(bench)
    for number in range(12):
        mail_aliases.create(
            actor=SYSTEM, mail_domain=bench.ground.mail_domain, local=f"a{number}", destinations=["y@z.org"]
        )
    bench.run()
    bench.at("/home/asite/mail/precious").write_text("mail")
    operation = hosting_accounts.terminate(actor=SYSTEM, hosting=bench.ground.account_a, confirm="a-site.org")
    hosting_accounts.suspend(actor=SYSTEM, hosting=bench.ground.account_b)
    before = len(bench.applies())
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    assert [payload["confirmed"] for payload in bench.applies()[before:]] == [False, True]
    assert mail_rows(bench, "domain", "name") == ["b-site.org"]
    assert bench.at("/home/asite/mail/precious").exists()
    Tombstone.objects.update(due_at=timezone.now())
    dues.destroy()
    bench.run()
    assert not bench.at("/home/asite").exists()
    assert "asite" not in bench.at("/var/lib/extrausers/passwd").read_text()
    assert not Tombstone.objects.filter(destroyed_at=None).exists()
    assert not bench.ground.account_a.domains.exists()
    again = factories.account(bench.ground.cast.client_b.organization, bench.ground.package_b, "a-site.org")
    bench.run()
    assert last_operation(again).status == "applied"
    assert mail_rows(bench, "domain", "name") == ["a-site.org", "b-site.org"]
    assert "asite1:x:" in bench.at("/var/lib/extrausers/passwd").read_text()


def test_k3_a_name_that_exists_on_the_server_is_not_adopted_and_others_go_live(bench: Bench):
    with bench.at("/etc/passwd").open("a") as passwd:
        passwd.write("asite:x:1001:1001::/home/asite:/bin/bash\n")
    bench.run()
    refused = last_operation(bench.ground.account_a)
    assert (refused.status, refused.reason) == ("rejected", runs.REASONS["foreign"])
    assert "asite" in refused.detail
    assert last_operation(bench.ground.account_b).status == "applied"
    assert not bench.at("/home/asite").exists()
    assert Slice.objects.get(hosting=bench.ground.account_a).manifest == {}
    assert last_run().status == "partial"


def test_a_server_out_of_reach_is_left_alone_until_its_time_and_then_goes_on_by_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    box(bench)
    with unreachable(monkeypatch):
        delays = []
        for _attempt in range(3):
            delays.append(bench.run())
            assert bench.run() is None  # Rings before its time do not even try.
            Server.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    assert all(is_about(delay, seconds) for delay, seconds in zip(delays, (5, 10, 20), strict=True))
    waiting = last_operation(bench.ground.account_a)
    assert (waiting.status, waiting.reason) == ("waiting", runs.REASON_UNREACHABLE)
    assert waiting.detail == "No connection to the server: refused."
    monkeypatch.setattr(tasks.reconcile, "delay", tasks.reconcile)
    monkeypatch.setattr(tasks.check_mail_domains, "delay", lambda: None)
    tasks.sweep()
    assert set(statuses().values()) == {"applied"}
    assert mail_rows(bench) == ["anna@a-site.org"]
    assert bench.server.unreachable_since is None


@pytest.mark.parametrize("point", ["after-journal", "after-users", "after-tree", "rows-committed", "after-commit"])
def test_a_node_that_dies_in_the_middle_is_asked_again(bench: Bench, monkeypatch: pytest.MonkeyPatch, point: str):
    """At once, for the connection was warm; the second finds nothing left to do when the first had committed."""
    box(bench)
    dying = ("/usr/bin/env", f"HOSTWRIGHT_FAILPOINT={point}", *program(bench.root))
    with monkeypatch.context() as patch:
        patch.setattr(local, "PROGRAM", dying)
        delay = bench.run()
    if point == "after-commit":
        assert delay is None
    else:
        assert is_about(delay, 5)
        assert set(statuses().values()) == {"waiting"}
        Server.objects.update(retry_at=None)
        assert bench.run() is None
    assert set(statuses().values()) == {"applied"}
    assert mail_rows(bench) == ["anna@a-site.org"]
    assert bench.at("/var/lib/extrausers/passwd").read_text().count("asite:x:") == 1
    touch(server=bench.server, verify=True)
    Intent.objects.filter(slice__hosting=None).delete()
    bench.run()
    assert bench.reports[-1]["status"] == "unchanged"


def test_a_program_that_is_none_makes_operations_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    for command in (("/nonexistent",), (sys.executable, "-c", "print('no message', flush=True)"), ("/bin/true",)):
        monkeypatch.setattr(local, "PROGRAM", command)
        assert bench.run() is not None
        assert set(statuses().values()) == {"waiting"}
        Server.objects.update(retry_at=None)


def test_whatever_goes_wrong_the_operation_says_that_it_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def broken(_server: Server) -> None:
        raise RuntimeError("the vault is locked")

    monkeypatch.setattr("provisioning.reconcile.target", broken)
    assert is_about(bench.run(), 5)
    operation = last_operation(bench.ground.account_a)
    assert (operation.status, operation.reason) == ("waiting", runs.REASON_BUSY)
    assert operation.detail == "RuntimeError: the vault is locked"


@pytest.mark.parametrize("state", ["new", "confirmed"])
def test_servers_that_are_not_set_up_are_not_spoken_to(bench: Bench, state: str):
    Server.objects.update(state=state)
    assert bench.run() is None
    assert bench.calls == []


def test_a_reconcile_by_hand_repairs_what_was_changed_on_the_server(bench: Bench):
    box(bench)
    bench.run()
    with sqlite3.connect(bench.at("/var/lib/hostwright/mail/mail.sqlite")) as database:
        database.execute("DELETE FROM mailbox")
    operation = servers.reconcile(actor=bench.ground.cast.provider.actor, server=bench.server)
    Intent.objects.filter(slice__hosting=None).delete()  # Its own slice would install packages.
    operation.targets.filter(slice__hosting=None).delete()
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    assert bench.applies()[-1]["verify"] is True
    assert mail_rows(bench) == ["anna@a-site.org"]


def test_a_preview_leaves_no_row_and_is_what_the_apply_then_does(bench: Bench):
    bench.run()
    actor = bench.ground.cast.reseller_a.actor
    preview = previews.request(
        actor=actor,
        verb="mailbox.create",
        arguments={"mail_domain": bench.ground.mail_domain.id, "local": "anna", "password": PASSWORD},
    )
    before, tree = rows(), bench.tree()
    preview_engine.build(preview.id)
    assert rows() == before
    assert bench.tree() == tree
    assert bench.calls[-1][0] == "plan"
    preview = Preview.objects.get(pk=preview.pk)
    assert preview.status == "ready"
    (plan,) = preview.result["servers"]
    assert plan["server"] == "web1"
    assert {change["subject"] for change in plan["changes"]} == {"a-site.org"}
    assert PASSWORD not in str(preview.result)
    assert "$2b$" not in str(preview.result)
    planned = sorted((change["key"], change["change"]) for change in plan["changes"])
    _made, operation = previews.confirm(actor=actor, preview=preview, secrets={"password": PASSWORD})
    assert operation is not None
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    done = bench.reports[-1]["slices"][bench.ground.account_a.id]["changes"]
    assert sorted((change["key"], change["change"]) for change in done) == planned
    assert plan["removals"] == bench.reports[-1]["removals"]
    assert plan["resources"] == bench.reports[-1]["resources"]


def test_a_preview_that_an_apply_overtakes_is_worked_out_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.run()
    actor = bench.ground.cast.reseller_a.actor
    preview = previews.request(
        actor=actor,
        verb="mailbox.create",
        arguments={"mail_domain": bench.ground.mail_domain.id, "local": "anna", "password": PASSWORD},
    )

    def overtake() -> None:
        for local_part in ("x", "y"):
            box(bench, local_part)
            bench.run()

    meanwhile(monkeypatch, overtake, before=True)
    preview_engine.build(preview.id)
    assert Preview.objects.get(pk=preview.pk).status == "ready"


def test_a_preview_says_what_stands_in_the_way(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    actor = bench.ground.cast.reseller_a.actor
    wanted = {"hosting": bench.ground.account_a.id, "reason": ""}
    preview = previews.request(actor=actor, verb="account.suspend", arguments=wanted)
    with unreachable(monkeypatch):
        preview_engine.build(preview.id)
    preview.refresh_from_db()
    assert (preview.status, preview.result) == ("failed", {"message": runs.REASON_UNREACHABLE})
    with bench.at("/etc/passwd").open("a") as passwd:
        passwd.write("asite:x:1001:1001::/home/asite:/bin/bash\n")
    preview = previews.request(actor=actor, verb="account.suspend", arguments=wanted)
    preview_engine.build(preview.id)
    preview.refresh_from_db()
    assert (preview.status, preview.result["message"]) == ("refused", runs.REASONS["foreign"])


def test_secrets_travel_in_bytes_and_stay_nowhere(bench: Bench):
    box(bench)
    bench.run()
    hashed = bench.ground.mail_domain.mailboxes.get().password_hash
    assert hashed in str(bench.applies()[0])
    said = [str(bench.reports), *RunStep.objects.values_list("detail", flat=True)]
    said += [str(row) for row in Operation.objects.values()] + [str(row) for row in Run.objects.values()]
    said += [str(row) for row in Slice.objects.values()]
    assert not any(hashed in text or PASSWORD in text for text in said)


@pytest.mark.parametrize("outcome", ["applied", "waiting"])
def test_the_number_of_queries_does_not_grow_with_the_slices(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, outcome: str
):
    """A run over twelve dirty slices takes as many queries as one over two (but for writes in blocks of 200 rows)."""
    bench.run()
    counts = []
    many = [bench.ground.account_a, bench.ground.account_b]
    for number in range(10):
        hosting = factories.account(bench.ground.cast.client_a.organization, bench.ground.package_a, f"n{number}.org")
        many.append(hosting)
    for dirty in (many[:2], many):
        for hosting in dirty:
            hosting.refresh_from_db()
            verb = hosting_accounts.unsuspend if hosting.status == "suspended" else hosting_accounts.suspend
            verb(actor=SYSTEM, hosting=hosting)
        Intent.objects.exclude(slice__hosting__in=dirty).delete()
        with CaptureQueriesContext(connection) as caught:
            if outcome == "waiting":
                with unreachable(monkeypatch):
                    bench.run()
            else:
                bench.run()
        counts.append(len([query for query in caught if "SAVEPOINT" not in query["sql"]]))
        Server.objects.update(retry_at=None, attempts=0)
        if outcome == "applied":
            assert len(bench.applies()[-1]["slices"]) == len(dirty)
    assert counts[1] - counts[0] <= 3, counts
