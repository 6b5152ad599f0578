"""Use is measured by the real node program, kept by day whatever comes twice or late, and summed up the tree."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import LimitCounter
from accounts.services import plans
from panel.core import ids, queue
from panel.core.errors import Forbidden, NotFound
from panel.core.scoping import everything, tenant
from provisioning import desired, tasks, transport
from provisioning import usage as engine
from provisioning.models import HostingAccount, Operation, Server, ServerReading, UsageDay, UsageMonth, UsageNow
from provisioning.selectors import usage as selectors
from provisioning.services import runs
from provisioning.services import usage as service
from provisioning.spec import AccountSpec
from tests.provisioning.engine import Bench, bench, unreachable
from tests.provisioning.ground import Ground, refused

__all__ = ["bench"]

NOW = int(datetime.now(UTC).timestamp())
TODAY = datetime.fromtimestamp(NOW, UTC).date()
GB = 10**9


def told(hosting: HostingAccount, **more: Any) -> dict[str, Any]:
    """What a server tells of one account."""
    part = {"measured_at": NOW, "disk_bytes": 1000, "inodes": 10, "mail_bytes": 100, "unread": 0}
    return {hosting.id: {**part, "databases": {}, "web": {}, **more}}


def record(ground: Ground, accounts: dict[str, Any], at: int = NOW, server: Server | None = None) -> None:
    service.record((server or ground.server).id, {"at": at, "accounts": accounts})


def now_of(hosting: HostingAccount) -> selectors.Use:
    with everything("test"):
        return selectors.now_of([hosting])[hosting.pk]


@contextmanager
def queries(count: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as seen:
        yield
    assert len(seen) == count, [query["sql"] for query in seen]


def measured(bench: Bench) -> ServerReading:
    """Measure the bench's server as the task does, to its end."""
    while engine.measure(bench.server.id) is not None:
        time.sleep(0.02)
    return ServerReading.objects.latest("id")


def test_a_measuring_brings_what_is_on_the_server(bench: Bench):
    bench.run()
    hosting = bench.ground.account_a
    store = bench.at(f"/home/{hosting.username}/mail/a-site.org/info")
    store.mkdir(parents=True)
    (store / "message").write_bytes(b"x" * 400_000)
    os.chown(store / "message", hosting.uid, hosting.uid)
    reading = measured(bench)
    assert (reading.reason, reading.finished_at is not None) == ("", True)
    found = now_of(hosting)
    assert 400_000 <= found.mail_bytes < 420_000
    assert found.disk_bytes >= found.mail_bytes
    assert found.inodes >= 4
    assert found.measured_at is not None
    load = selectors.server_load(bench.server)
    assert load is not None
    assert load.processors == os.cpu_count()
    assert (load.memory_bytes or 0) > (load.memory_free_bytes or 0) > 0
    assert (load.disk_bytes or 0) > (load.disk_free_bytes or 0) > 0
    assert load.figures["accounts"] == 2
    assert not load.is_enforced


def test_one_account_is_measured_by_itself(bench: Bench):
    bench.run()
    hosting = bench.ground.account_a
    again = False
    while engine.measure_account(bench.server.id, hosting.id, again=again):
        again = True
    assert now_of(hosting).disk_bytes > 0
    assert now_of(bench.ground.account_b).measured_at is None
    assert not ServerReading.objects.exists()


def test_an_unreachable_server_is_tried_again_in_its_time(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with unreachable(monkeypatch):
        assert engine.measure(bench.server.id) is None
    reading = ServerReading.objects.get()
    assert reading.reason == runs.REASON_UNREACHABLE
    assert selectors.server_load(bench.server) is None
    assert list(service.due()) == []


def test_a_node_program_that_cannot_measure_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    original = transport.call
    monkeypatch.setattr(transport, "call", lambda target, _verb, payload: original(target, "usage-x", payload))
    assert engine.measure(bench.server.id) is None
    assert ServerReading.objects.get().reason == service.REASON_TOO_OLD


def test_the_schedule_measures_each_server_in_its_time(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    with everything("test"):
        assert list(service.due()) == [ground.server.id]
        reading, is_new = service.begin(ground.server.id)
        assert is_new
        assert service.begin(ground.server.id) == (reading, False)
        assert list(service.due()) == [ground.server.id]
        service.fail(reading, "x")
        assert list(service.due()) == []
        assert 53 < (reading.next_at - reading.started_at).total_seconds() / 60 < 67
        ServerReading.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        assert list(service.due()) == [ground.server.id]
        Server.objects.update(state=Server.State.RETIRED)
        assert list(service.due()) == []


def test_a_reading_that_nobody_ended_is_given_up(ground: Ground):
    reading, _is_new = service.begin(ground.server.id)
    ServerReading.objects.update(started_at=timezone.now() - timedelta(hours=1))
    other, is_new = service.begin(ground.server.id)
    assert is_new
    assert other != reading
    reading.refresh_from_db()
    assert reading.reason == runs.REASON_LEFT


def test_the_sweep_rings_for_servers_that_are_due(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    rung: list[str] = []
    monkeypatch.setattr(tasks.measure_usage, "delay", rung.append)
    for task in (tasks.check_mail_domains, tasks.check_drift, tasks.reconcile):
        monkeypatch.setattr(task, "delay", lambda *_arguments: None)
    tasks.sweep()
    assert rung == [ground.server.id]


def test_a_reading_that_comes_again_changes_nothing(ground: Ground):
    web = {TODAY.isoformat(): {"a-site.org": [500, 5], "shop": [7, 1]}}
    accounts = told(ground.account_a, web=web, databases={"asite_shop": 50})
    record(ground, accounts)
    before = list(UsageDay._base_manager.values()), list(UsageNow._base_manager.values())
    record(ground, accounts)
    assert (list(UsageDay._base_manager.values()), list(UsageNow._base_manager.values())) == before
    found = now_of(ground.account_a)
    assert (found.disk_bytes, found.database_bytes, found.storage_bytes) == (1000, 50, 1050)
    assert (found.web_bytes, found.web_requests) == (507, 6)


def test_readings_may_come_in_any_order(ground: Ground):
    hosting, day = ground.account_a, TODAY.isoformat()
    later = told(hosting, disk_bytes=9000, web={day: {"a-site.org": [500, 5]}})
    earlier = told(hosting, measured_at=NOW - 60, disk_bytes=1, web={day: {"a-site.org": [300, 3]}})
    record(ground, later)
    record(ground, earlier)
    found = now_of(hosting)
    assert (found.disk_bytes, found.web_bytes, found.web_requests) == (9000, 500, 5)
    assert UsageDay._base_manager.get(hosting=hosting).disk_bytes == 9000


def test_mails_are_kept_by_day_and_only_grow(ground: Ground):
    hosting, yesterday = ground.account_a, TODAY - timedelta(days=1)
    days = {TODAY.isoformat(): [3, 3000, 5, 500], yesterday.isoformat(): [1, 10, 0, 0]}
    record(ground, told(hosting, mail=days))
    record(ground, told(hosting, mail=days))
    record(ground, told(hosting, mail={TODAY.isoformat(): [4, 3100, 1, 100]}))
    assert list(UsageDay._base_manager.order_by("date").values_list("mails_sent", "mails_received")) == [(1, 0), (4, 5)]
    found = now_of(hosting)
    before = 1 if yesterday.month == TODAY.month else 0
    assert (found.mails_sent, found.mails_sent_bytes) == (4 + before, 3100 + 10 * before)
    assert (found.mails_received, found.mails_received_bytes) == (5, 500)
    with everything("test"):
        assert [day.mails_sent for day in selectors.days_of(hosting, 2)] == [1, 4]
        assert [day.mails_sent for day in selectors.history_of(hosting, 100)] == [4, 1]
        assert selectors.history_of(ground.account_b, 100) == []
        assert selectors.totals(ground.server).mails_received == 5


def test_a_server_that_lost_its_sums_takes_nothing_away(ground: Ground):
    day = TODAY.isoformat()
    record(ground, told(ground.account_a, web={day: {"a-site.org": [500, 5]}}))
    record(ground, told(ground.account_a, web={day: {"a-site.org": [20, 1]}}))
    assert now_of(ground.account_a).web_bytes == 500


def test_what_was_never_measured_is_told_as_nothing(ground: Ground):
    record(ground, told(ground.account_a, measured_at=None, disk_bytes=None, inodes=None, mail_bytes=None))
    assert not UsageDay._base_manager.exists()
    assert now_of(ground.account_a) == selectors.Use()


def test_an_account_that_the_panel_does_not_know_is_passed_over(ground: Ground):
    record(ground, {"acc_unknown": told(ground.account_a)[ground.account_a.id]})
    assert not UsageNow._base_manager.exists()


def test_a_server_that_took_anothers_place_is_not_counted_beside_it(ground: Ground):
    day = TODAY.isoformat()
    record(ground, told(ground.account_a, web={day: {"a-site.org": [500, 5]}}))
    new = Server.objects.get(pk=ground.server.pk)
    new.pk, new.name = "srv_new", "web2"
    new.save(force_insert=True)
    Server.objects.filter(pk=ground.server.pk).update(state=Server.State.RETIRED)
    record(ground, told(ground.account_a, disk_bytes=1200, web={day: {"a-site.org": [20, 1]}}), server=new)
    found = now_of(ground.account_a)
    assert (found.disk_bytes, found.web_bytes) == (1200, 520)


def test_what_has_left_a_server_uses_nothing_there(ground: Ground):
    with everything("test"):
        reading, _is_new = service.begin(ground.server.id)
        figures = {"load": [0, 0.5, 0], "processors": 2, "memory_bytes": 2, "memory_free_bytes": 1, "disks": []}
        report = {"at": NOW, "measuring": False, "server": figures}
        service.finish(reading, {**report, "accounts": {**told(ground.account_a), **told(ground.account_b)}})
        service.finish(reading, {**report, "accounts": told(ground.account_b)})
    assert now_of(ground.account_a).disk_bytes == 0
    assert now_of(ground.account_b).disk_bytes == 1000


def test_traffic_of_another_month_is_none_of_this_one(ground: Ground):
    record(ground, told(ground.account_a, web={TODAY.isoformat(): {"a-site.org": [500, 5]}}))
    UsageNow._base_manager.update(month=date(2026, 1, 1))
    found = now_of(ground.account_a)
    assert (found.disk_bytes, found.web_bytes) == (1000, 0)


def test_sums_go_up_the_tree_and_no_further(ground: Ground):
    record(ground, {**told(ground.account_a), **told(ground.account_b, disk_bytes=5000, databases={"b_x": 70})})
    cast = ground.cast
    with everything("test"):
        assert selectors.totals(cast.provider.organization).storage_bytes == 6070
        assert selectors.totals(cast.provider.organization).accounts == 2
        assert selectors.totals(cast.reseller_a.organization).storage_bytes == 1000
        assert selectors.totals(cast.client_b.organization).storage_bytes == 5070
        assert selectors.totals(ground.server).storage_bytes == 6070
        owners = [cast.reseller_a.organization, cast.reseller_b.organization]
        with queries(1):
            by_owner = selectors.totals_of(owners)
    assert {key: use.storage_bytes for key, use in by_owner.items()} == {owners[0].pk: 1000, owners[1].pk: 5070}
    with tenant(cast.reseller_a.organization.path):
        assert selectors.now_of([ground.account_b])[ground.account_b.pk] == selectors.Use()
        assert selectors.totals(cast.provider.organization).storage_bytes == 1000


def test_days_are_whole_and_carry_sizes_on(ground: Ground):
    for back, size in ((40, 100), (5, 200), (1, 300)):
        day = TODAY - timedelta(days=back)
        sites = {"a-site.org": [back, 1]}
        UsageDay.objects.create(
            hosting=ground.account_a, server=ground.server, date=day, disk_bytes=size, inodes=1, mail_bytes=0,
            database_bytes=1, sites=sites, web_bytes=back, web_requests=1,
        )  # fmt: skip
    with everything("test"):
        with queries(1):
            days = selectors.days_of(ground.account_a, 30)
        assert [day.date for day in days] == [TODAY - timedelta(days=back) for back in range(29, -1, -1)]
        assert [day.disk_bytes for day in days] == [100] * 24 + [200] * 4 + [300] * 2
        assert sum(day.web_bytes for day in days) == 6
        assert selectors.days_of(ground.cast.reseller_a.organization, 30) == days
        assert selectors.days_of(ground.server, 30) == days
        assert all(day.disk_bytes is None for day in selectors.days_of(ground.account_b, 7))
        assert selectors.points(days, "storage_bytes")[-1] == selectors.Point(TODAY, 301)


def days(*sizes: int, last: date = TODAY) -> list[selectors.Day]:
    first = last - timedelta(days=len(sizes) - 1)
    return [selectors.Day(first + timedelta(days=n), size, 1, 0, 0) for n, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("known", "limit", "expected"),
    [
        (days(10, 20), 100, None),
        (days(10, 20, 30), 100, selectors.Forecast(10, TODAY + timedelta(days=7))),
        (days(10, 20, 30), 95, selectors.Forecast(10, TODAY + timedelta(days=7))),
        (days(10, 20, 30), None, selectors.Forecast(10, None)),
        (days(30, 30, 30), 100, selectors.Forecast(0, None)),
        (days(30, 20, 10), 100, selectors.Forecast(-10, None)),
        (days(10, 20, 30), 30, selectors.Forecast(10, TODAY)),
        (days(10, 20, 30), 10**9, selectors.Forecast(10, None)),
    ],
)
def test_where_disk_space_is_heading(known: list[selectors.Day], limit: int | None, expected: object):
    assert selectors.forecast(known, "disk_bytes", limit) == expected


def test_where_bandwidth_is_heading():
    tenth = date(2026, 11, 10)
    known = [selectors.Day(date(2026, 10, 31), web_bytes=10**6)]
    known += [selectors.Day(date(2026, 11, day), web_bytes=100) for day in range(1, 11)]
    assert selectors.forecast(known, "bandwidth_bytes", 2000) == selectors.Forecast(100, date(2026, 11, 20))
    assert selectors.forecast(known, "bandwidth_bytes", 5000) == selectors.Forecast(100, None)
    assert selectors.forecast(known, "bandwidth_bytes", 1000) == selectors.Forecast(100, tenth)
    assert selectors.forecast([], "bandwidth_bytes", 1000) is None


def test_traffic_by_site_and_databases_by_name(ground: Ground):
    web = {TODAY.isoformat(): {"a-site.org": [5, 1], "shop": [700, 2]}}
    record(ground, told(ground.account_a, web=web, databases={"asite_shop": 50}))
    with everything("test"):
        assert selectors.sites_of(ground.account_a) == [("shop", 700, 2), ("a-site.org", 5, 1)]
        assert selectors.databases_of(ground.account_a) == {"asite_shop": 50}


def old_day(hosting: HostingAccount, server: Server, day: int, **figures: int) -> None:
    """A day of May 2024, recorded then."""
    made_at = ids.first("usd", datetime(2024, 5, day, tzinfo=UTC))
    UsageDay.objects.create(id=made_at, hosting=hosting, server=server, date=date(2024, 5, day), **figures)


def test_old_days_become_months(ground: Ground):
    for day, size, sent in ((1, 100, 5), (2, 300, 6), (3, 200, 7)):
        old_day(ground.account_a, ground.server, day, disk_bytes=size, web_bytes=sent, web_requests=1, mails_sent=day)
    record(ground, told(ground.account_a))
    assert service.prune() == 3
    month = UsageMonth._base_manager.get()
    assert (month.month, month.disk_bytes, month.web_bytes, month.web_requests) == (date(2024, 5, 1), 300, 18, 3)
    assert month.mails_sent == 6
    old_day(ground.account_a, ground.server, 4, web_bytes=2)
    tasks.prune_usage()
    month.refresh_from_db()
    assert (month.disk_bytes, month.web_bytes) == (300, 20)
    assert UsageDay._base_manager.count() == 1


def test_old_readings_are_thinned_out(ground: Ground):
    now = timezone.now().replace(hour=12)
    for age in (timedelta(days=500), timedelta(days=40, hours=1), timedelta(days=40), timedelta(0)):
        made_at = ids.first("rdg", now - age)
        ServerReading.objects.create(id=made_at, server=ground.server, next_at=now, finished_at=now)
        ServerReading.objects.filter(pk=made_at).update(started_at=now - age)
    assert service.prune() == 2
    assert service.prune() == 0
    assert [(now - row.started_at) / timedelta(days=1) for row in ServerReading.objects.all()] == [0, 40]


def test_what_a_reseller_may_oversell_stands_against_what_its_plan_has(ground: Ground):
    cast = ground.cast
    reseller = cast.reseller_a.organization
    values = {"disk_bytes": 9 * GB, "bandwidth_bytes": 7 * GB, "oversell_disk": True}
    with everything("test"):
        plan = plans.create(actor=cast.provider.actor, organization=cast.provider.organization, name="Shared", **values)
        plans.assign(actor=cast.provider.actor, organization=reseller, plan=plan)
        reseller.refresh_from_db()
        assert selectors.limits_of_organization(reseller) == {"disk_bytes": 9 * GB, "bandwidth_bytes": 7 * GB}
        client = selectors.limits_of_organization(cast.client_a.organization)
    assert client == {"disk_bytes": None, "bandwidth_bytes": None}


def test_the_newest_reading_of_each_server_is_told_in_one_query(ground: Ground):
    reading(ground, "none")
    reading(ground, "enforced")
    with everything("test"), queries(1):
        loads = selectors.loads([ground.server])
    assert loads[ground.server.id].is_enforced


def test_who_may_ask_for_a_measuring(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(queue, "ring", lambda *arguments: rung.append(arguments))
    cast, hosting = ground.cast, ground.account_a
    with everything("test"):
        service.request_account(actor=cast.client_a.actor, hosting=hosting)
        service.request_account(actor=cast.reseller_a.actor, hosting=hosting)
        assert rung == [(service.ACCOUNT_TASK, ground.server.id, hosting.id)] * 2
        for actor, error in ((cast.readonly_a.actor, Forbidden), (cast.reseller_b.actor, NotFound)):
            with pytest.raises(error):
                service.request_account(actor=actor, hosting=hosting)
        with pytest.raises((Forbidden, NotFound)):
            service.request(actor=cast.reseller_a.actor, server=ground.server)
        service.request(actor=cast.provider.actor, server=ground.server)
        assert rung[-1] == (service.TASK, ground.server.id)
        Server.objects.update(state=Server.State.FAILED)
        ground.server.refresh_from_db()
        with refused("not_ready", status=409):
            service.request(actor=cast.provider.actor, server=ground.server)
        hosting.status = HostingAccount.Status.TERMINATED
        with refused("terminated", status=409):
            service.request_account(actor=cast.reseller_a.actor, hosting=hosting)


def reading(ground: Ground, quota: str) -> None:
    """A reading of the server that tells what its file system holds accounts to."""
    figures = {"load": [0, 0.5, 0], "processors": 2, "memory_bytes": 2, "memory_free_bytes": 1, "disks": []}
    report = {"at": NOW, "measuring": False, "server": {**figures, "quota": quota}, "accounts": {}}
    with everything("test"):
        service.finish(service.begin(ground.server.id)[0], report)


def held(ground: Ground) -> list[Operation]:
    return list(Operation._base_manager.filter(verb=service.HOLD))


def test_accounts_are_held_to_their_disk_space_once_the_file_system_can(ground: Ground):
    promised = LimitCounter.objects.filter(subject=ground.account_a.id, resource="disk_bytes")
    promised.update(limit=5 * GB)
    reading(ground, "none")
    assert not held(ground)
    with everything("test"):
        assert selectors.held_to(ground.server, [ground.account_a.id], "default") == {}
    reading(ground, "enforced")
    assert len(held(ground)) == 1
    assert {intent.slice.hosting_id for intent in held(ground)[0].intents.all()} == {
        None,
        ground.account_a.id,
        ground.account_b.id,
    }
    reading(ground, "enforced")
    assert len(held(ground)) == 1
    with everything("test"):
        assert selectors.held_to(ground.server, [ground.account_a.id], "default") == {ground.account_a.id: 5 * GB}
        assert selectors.is_enforced(ground.account_a)
        specs = desired.accounts(ground.server, [ground.account_a.id], "default")
    spec = specs[ground.account_a.id]
    assert isinstance(spec, AccountSpec)
    assert spec.disk_bytes == 5 * GB
    reading(ground, "counted")
    assert len(held(ground)) == 2


def test_a_limit_of_disk_space_reaches_the_server(bench: Bench):
    LimitCounter.objects.filter(subject=bench.ground.account_a.id, resource="disk_bytes").update(limit=5 * GB)
    reading(bench.ground, "enforced")
    bench.run()
    bodies = [body for payload in bench.applies() for part in payload["slices"] for body in part["resources"].items()]
    limits = {key: body["bytes"] for key, body in bodies if key.startswith("quota:")}
    assert limits == {f"quota:{bench.ground.account_a.uid}": 5 * GB}


def test_the_command_measures_and_prints(bench: Bench):
    bench.run()
    hosting = bench.ground.account_a
    store = bench.at(f"/home/{hosting.username}/mail/a-site.org")
    store.mkdir()
    (store / "message").write_bytes(b"x" * 7_000_000)
    printed = StringIO()
    call_command("usage", bench.server.name, stdout=printed)
    text = printed.getvalue().replace("\N{NO-BREAK SPACE}", " ")
    assert "a-site.org: 7.0 MB of files (mail 7.0 MB), 0 B of databases; this month 0 B sent by sites" in text
    assert ", 0 mails out, 0 in\n" in text
    assert f"{bench.server.name}: 7.0 MB in 2 accounts." in text


def test_the_command_says_what_it_cannot_do(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(CommandError) as unknown:
        call_command("usage", "nowhere")
    assert unknown.value.returncode == 2
    with unreachable(monkeypatch), pytest.raises(CommandError) as failed:
        call_command("usage", bench.server.name)
    assert (failed.value.returncode, str(failed.value)) == (2, runs.REASON_UNREACHABLE)
