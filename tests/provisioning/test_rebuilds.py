"""A dead server's place taken by another one: what is refused, what moves, what is fenced, what is listed as lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning import reconcile as engine
from provisioning import tasks, transport
from provisioning.models import (
    Address,
    HostingAccount,
    Intent,
    Lease,
    Operation,
    OperationTarget,
    Placement,
    Rebuild,
    Record,
    Server,
    Slice,
    Zone,
)
from provisioning.services import leases, mailboxes, rebuilds, runs, servers
from tests import cast
from tests.provisioning import engine_world, factories
from tests.provisioning import ground as grounds
from tests.provisioning.engine import Bench, bench, directory, killed_at, use
from tests.provisioning.ground import Ground, entries, refused, touch

__all__ = ["bench"]

SYSTEM = Actor.system("test")
OLD_IP, NEW_IP = "198.51.100.2", "198.51.100.3"


@pytest.fixture
def spare(ground: Ground) -> Server:
    """A second server that is set up and carries nothing."""
    return factories.server(ground.cast.provider.organization, "web2", NEW_IP)


def start(ground: Ground, new: Server, **values: Any) -> Operation:
    """Let the provider put `new` in the place of the ground's server."""
    with everything("test"):
        return rebuilds.start(
            actor=ground.cast.provider.actor, old=ground.server, new=new, **{"confirm": ground.server.name, **values}
        )


def go_on() -> None:
    """Do what the sweep does."""
    with everything("test"):
        rebuilds.go_on()


def record(zone: Zone, name: str, content: str, kind: str = "A") -> Record:
    return Record._base_manager.create(zone=zone, name=name, type=kind, content=content)


# --- what is refused


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"state": "new"}, "new", "host key"),
        ({"state": "preparing"}, "new", "set-up"),
        ({"role_mail": False}, "roles", "mail"),
        ({"stack": "nginx"}, "stack", "web stack"),
        ({"php_versions": ["8.2"]}, "php_versions", "8.4"),
    ],
)
def test_a_server_that_cannot_carry_the_accounts_is_refused(
    ground: Ground, spare: Server, changes: dict[str, Any], field: str, says: str
):
    Server.objects.filter(pk=spare.pk).update(**changes)
    spare.refresh_from_db()
    code = {"new": "not_ready"}.get(field, field)
    with refused(code, field, 409, says=says):
        start(ground, spare)


def test_a_server_with_accounts_is_refused(ground: Ground, spare: Server):
    Slice.objects.create(server=spare, hosting=ground.account_a)
    with refused("in_use", "new", 409):
        start(ground, spare)


def test_itself_and_a_wrong_confirmation_are_refused(ground: Ground, spare: Server):
    with refused("same", "old"):
        start(ground, ground.server)
    with refused("confirm", "confirm"):
        start(ground, spare, confirm="web2")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"203.0.113.9": NEW_IP}, "no address of the server that is replaced"),
        ({OLD_IP: "203.0.113.9"}, "Add it there first"),
        ({OLD_IP: "2001:db8::3"}, "IPv4 to IPv4"),
        ({OLD_IP: "198.51.100.4"}, "share"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(ground: Ground, spare: Server, mapping: dict[str, str], says: str):
    Address.objects.create(server=spare, ip="2001:db8::3", family=6)
    Address.objects.create(server=spare, ip="198.51.100.4", family=4, kind="dedicated")
    with refused("addresses", "addresses", says=says):
        start(ground, spare, addresses=mapping)


def test_a_server_without_an_address_for_them_is_refused(ground: Ground, spare: Server):
    spare.addresses.update(family=6, ip="2001:db8::3")
    with refused("no_address", "addresses", 409):
        start(ground, spare)


# --- the switch


def test_everything_moves_and_the_old_server_is_fenced(ground: Ground, spare: Server):
    waiting = touch(ground.account_a)
    own = touch(server=ground.server)
    with everything("test"):
        held = leases.acquire(ground.server.id)
    assert held is not None
    Slice.objects.filter(hosting__isnull=False).update(manifest={"file:/x": "0" * 64}, generation=7, applied=7)
    operation = start(ground, spare)
    old = Server.objects.get(pk=ground.server.pk)
    assert (old.state, old.closed) == (Server.State.RETIRED, True)
    with everything("test"):
        assert set(Placement.objects.values_list("server", flat=True)) == {spare.id}
        with pytest.raises(runs.LeaseLost):
            runs.give_generations(held, [])
    moved = Slice.objects.filter(hosting__isnull=False)
    assert {(part.server_id, part.generation, str(part.manifest)) for part in moved} == {(spare.id, 7, "{}")}
    assert not Intent.objects.filter(slice__server=old).exists()
    assert set(operation.targets.values_list("slice__server", flat=True)) == {spare.id}
    assert operation.targets.count() == 3
    own.refresh_from_db()
    waiting.refresh_from_db()
    assert waiting.is_open
    targets = OperationTarget.objects.filter(operation=own, slice__hosting=None)
    assert [target.status for target in targets] == ["cancelled"]
    rebuild = Rebuild.objects.get(operation=operation)
    assert (rebuild.state, rebuild.accounts, rebuild.switched_at is not None) == ("switched", 2, True)
    assert {row["domain"]: row["sites"] for row in rebuild.lost} == {"a-site.org": 1, "b-site.org": 1}
    assert entries("server.rebuild") == entries("server.retire") == 1


def test_nothing_is_asked_of_a_replaced_server_any_more(ground: Ground, spare: Server):
    start(ground, spare)
    old = Server.objects.get(pk=ground.server.pk)
    actor = ground.cast.provider.actor
    with everything("test"):
        for ask in (servers.reconcile, servers.bootstrap):
            with refused("retired", None, 409):
                ask(actor=actor, server=old)
        with refused("retired", None, 409):
            servers.change(actor=actor, server=old, closed=False)
        with refused("retired", "old", 409):
            rebuilds.start(actor=actor, old=old, new=spare, confirm=old.name)
    assert engine.reconcile(old.id) is None
    assert not Lease.objects.filter(server=old).exclude(owner="").exists()


def test_an_order_that_waited_for_the_switch_is_refused(ground: Ground, spare: Server, monkeypatch: pytest.MonkeyPatch):
    """The account's server is chosen before the switch, its placements are written after it."""
    from provisioning.services import hosting_accounts

    start(ground, spare)
    monkeypatch.setattr(hosting_accounts, "_server", lambda *_: ground.server)
    with refused("no_server", "server", 409):
        factories.account(ground.cast.client_a.organization, ground.package_a, "late.org", username="late")


def test_records_follow_the_address_and_serials_rise(ground: Ground, spare: Server):
    Address.objects.create(server=ground.server, ip="2001:db8::2", family=6)
    Address.objects.create(server=spare, ip="2001:db8::3", family=6)
    Zone._base_manager.update(serial=2026112201)
    mine, theirs = ground.zone, Zone._base_manager.get(hosting=ground.account_b, name="b-site.org")
    follows = record(mine, "cdn", OLD_IP)
    other = record(theirs, "shop", OLD_IP)
    six = record(mine, "six", "2001:db8::2", "AAAA")
    stays = record(mine, "far", "203.0.113.7")
    double = record(mine, "both", OLD_IP)
    there = record(mine, "both", NEW_IP)
    text = record(mine, "@", f"v=spf1 ip4:{OLD_IP} -all", "TXT")
    operation = start(ground, spare)
    for row, content in ((follows, NEW_IP), (other, NEW_IP), (six, "2001:db8::3"), (stays, "203.0.113.7")):
        row.refresh_from_db()
        assert row.content == content
    assert list(Record._base_manager.filter(name="both").values_list("pk", flat=True)) == [there.pk]
    assert not Record._base_manager.filter(pk=double.pk).exists()
    assert set(Zone._base_manager.values_list("serial", flat=True)) == {2026112202}
    rebuild = Rebuild.objects.get(operation=operation)
    assert rebuild.records == 4
    assert any(text.zone.name in note and "by hand" in note for note in rebuild.notes)


def test_a_zone_on_another_server_follows_too(ground: Ground, spare: Server):
    """Account B lives elsewhere; one of its records names the dead server."""
    elsewhere = factories.server(ground.cast.provider.organization, "web3", "198.51.100.9")
    Placement._base_manager.filter(hosting=ground.account_b).update(server=elsewhere)
    Slice.objects.filter(hosting=ground.account_b).update(server=elsewhere)
    Intent.objects.all().delete()
    theirs = record(Zone._base_manager.get(hosting=ground.account_b, name="b-site.org"), "api", OLD_IP)
    operation = start(ground, spare)
    theirs.refresh_from_db()
    assert theirs.content == NEW_IP
    assert Intent.objects.filter(slice__server=elsewhere, slice__hosting=ground.account_b, operation=operation).exists()
    assert Placement._base_manager.filter(hosting=ground.account_b, server=elsewhere).count() == 4


def test_dedicated_addresses_follow_the_mapping_then_what_is_free_then_are_shared(ground: Ground, spare: Server):
    Server.objects.filter(pk=spare.pk).update(closed=True)
    accounts = [
        ground.account_a,
        ground.account_b,
        factories.account(ground.cast.client_a.organization, ground.package_a, "c-site.org", username="csite"),
    ]
    for number, hosting in enumerate(accounts):
        ip = f"203.0.113.{number + 1}"
        Address.objects.create(server=ground.server, ip=ip, family=4, kind="dedicated", hosting=hosting)
    for ip in ("203.0.113.21", "203.0.113.22"):
        Address.objects.create(server=spare, ip=ip, family=4, kind="dedicated")
    operation = start(ground, spare, addresses={"203.0.113.2": "203.0.113.22"})
    held = dict(Address.objects.filter(hosting__isnull=False).values_list("ip", "hosting__domain"))
    assert held == {"203.0.113.21": "a-site.org", "203.0.113.22": "b-site.org"}
    notes = Rebuild.objects.get(operation=operation).notes
    assert notes == [f"c-site.org had 203.0.113.3 to itself and will share {NEW_IP}."]


# --- a bare server is set up first


def test_a_bare_server_is_set_up_first_and_then_switched_to(ground: Ground, spare: Server):
    Server.objects.filter(pk=spare.pk).update(state="confirmed", php_versions=[])
    spare.addresses.all().delete()
    spare.refresh_from_db()
    operation = start(ground, spare)
    setting_up = Operation._base_manager.get(verb="server.bootstrap")
    go_on()
    assert Rebuild.objects.get().state == "waiting"
    assert Placement._base_manager.filter(server=ground.server).exists()
    third = factories.server(ground.cast.provider.organization, "web4", "198.51.100.8")
    with refused("conflict", "old", 409):
        start(ground, third)
    Server.objects.filter(pk=spare.pk).update(state="ready", php_versions=["8.4"])
    Address.objects.create(server=spare, ip=NEW_IP, family=4)
    tasks.sweep()
    assert Rebuild.objects.get().state == "switched"
    assert not Placement._base_manager.filter(server=ground.server).exists()
    assert operation.targets.count() == 3
    assert setting_up.targets.count() == 0


@pytest.mark.parametrize("php", [None, ["8.2"]])
def test_a_set_up_that_fails_or_does_not_fit_ends_the_rebuild_and_nothing_moves(
    ground: Ground, spare: Server, php: list[str] | None
):
    Server.objects.filter(pk=spare.pk).update(state="confirmed", php_versions=[])
    spare.refresh_from_db()
    operation = start(ground, spare)
    Server.objects.filter(pk=spare.pk).update(state="failed" if php is None else "ready", php_versions=php or [])
    go_on()
    operation.refresh_from_db()
    assert operation.status == "rejected"
    assert ("set-up failed" in operation.reason) == (php is None)
    assert not Placement._base_manager.filter(server=spare).exists()
    assert Server.objects.get(pk=ground.server.pk).state == "ready"
    Server.objects.filter(pk=spare.pk).update(state="ready", php_versions=["8.4"])
    spare.refresh_from_db()
    start(ground, spare)
    assert not Placement._base_manager.filter(server=ground.server).exists()


def test_a_worker_killed_at_every_point_of_the_switch(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
):
    """Old or new, never between; the next sweep goes on."""
    with engine_world.database(tmp_path, django_db_blocker), everything("test"):
        ground = grounds.make(cast.make())
        new = factories.server(ground.cast.provider.organization, "web2", NEW_IP, state="confirmed")
        operation = start(ground, new)
        Server.objects.filter(pk=new.pk).update(state="ready")
        for point in ("rebuild-fenced", "rebuild-moved", "before-rebuild-commit"):
            killed_at(point, rebuilds.go_on)
            assert Rebuild.objects.get().state == "waiting"
            assert set(Placement.objects.values_list("server", flat=True)) == {ground.server.pk}
            assert Server.objects.get(pk=ground.server.pk).state == "ready"
        killed_at("after-rebuild-commit", rebuilds.go_on)
        rebuilds.go_on()
        assert Rebuild.objects.get().state == "switched"
        assert set(Placement.objects.values_list("server", flat=True)) == {new.pk}
        assert Intent.objects.filter(operation=operation).count() == operation.targets.count() == 3


# --- with the node program


def test_the_new_server_holds_what_the_old_one_held(bench: Bench, spare: Server, tmp_path: Path, monkeypatch: Any):
    Server.objects.filter(pk=spare.pk).update(transport="local", role_web=False, role_database=False, role_dns=False)
    Server.objects.filter(pk=bench.ground.server.pk).update(role_web=False, role_database=False, role_dns=False)
    mailboxes.create(
        actor=SYSTEM, mail_domain=bench.ground.mail_domain, local="anna", password="a-Pass.word'1", quota_bytes=10**9
    )
    bench.run()
    before = bench.tree()
    assert any("asite" in text for text in before.values())
    spare.refresh_from_db()
    operation = start(bench.ground, spare)
    # A directory takes no packages, so what belongs to no account is left out.
    Intent.objects.filter(slice__hosting=None).delete()
    OperationTarget.objects.filter(operation=operation, slice__hosting=None).delete()
    transport.close_all()
    twin = directory(tmp_path / "twin")
    use(monkeypatch, twin)
    assert engine.reconcile(spare.id) is None
    operation.refresh_from_db()
    assert (operation.status, operation.detail) == ("applied", "")
    bench.root = twin
    assert bench.tree() == before
    again = touch(bench.ground.account_a)
    assert engine.reconcile(spare.id) is None
    again.refresh_from_db()
    assert again.status == "applied"
    assert not [item for item in bench.reports[-1]["slices"].values() if item["changes"]]


@pytest.fixture
def crowd(ground: Ground) -> Callable[[int], None]:
    """Puts many accounts with a site, a zone and a record onto the ground's server, without its services."""

    def add(count: int) -> None:
        first = HostingAccount._base_manager.latest("id")
        hostings = [
            HostingAccount(
                organization=first.organization,
                package=first.package,
                username=f"u{number}",
                uid=300_000 + number,
                domain=f"n{number}.example",
            )
            for number in range(count)
        ]
        HostingAccount._base_manager.bulk_create(hostings)
        Placement._base_manager.bulk_create(
            Placement(hosting=hosting, service=service, server=ground.server)
            for hosting in hostings
            for service in ("web", "database", "mail", "dns")
        )
        Slice.objects.bulk_create(Slice(server=ground.server, hosting=hosting, generation=1) for hosting in hostings)

    return add


def test_the_switch_of_a_thousand_accounts_takes_few_queries(
    ground: Ground, spare: Server, crowd: Callable[[int], None]
):
    crowd(1_000)
    with CaptureQueriesContext(connection) as asked:
        operation = start(ground, spare)
    assert operation.targets.count() == 1_003
    assert Rebuild.objects.get().accounts == 1_002
    assert len(asked) <= 120
