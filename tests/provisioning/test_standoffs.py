"""A panel whose database is older than what a server holds removes nothing; a person decides (attacks.md X15, X19)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from panel.core.actors import Actor
from panel.core.failures import Temporary
from panel.core.scoping import everything
from provisioning import reconcile as engine
from provisioning import transport
from provisioning.models import HostingAccount, Lease, MailAlias, Operation, Placement, Run, Server, Slice
from provisioning.services import counters, leases, mail_aliases, operations, runs, servers, standoffs
from provisioning.spec import Target
from tests import cast
from tests.provisioning import engine_world, factories
from tests.provisioning import ground as grounds
from tests.provisioning.engine import Bench, bench, directory, killed_at, use, without_daemons
from tests.provisioning.ground import Ground, refused, touch

__all__ = ["bench"]

SYSTEM = Actor.system("test")


def alias(hosting: HostingAccount, local: str) -> Operation:
    """Order a mail alias."""
    domain = hosting.mail_domains.get()
    return mail_aliases.create(actor=SYSTEM, mail_domain=domain, local=local, destinations=["y@z.org"])[1]


def tree(root: Path) -> dict[str, bytes]:
    """Return every file of a server that is a directory, but for what the node itself keeps."""
    own = root / "var/lib/hostwright"
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(root)): path.read_bytes() for path in found if own not in path.parents}


def aliases(root: Path) -> set[str]:
    """Return the mail aliases that a server has."""
    with closing(sqlite3.connect(root / "var/lib/hostwright/mail/mail.sqlite")) as base:
        return {address for (address,) in base.execute("SELECT address FROM alias")}


@pytest.fixture
def panel(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ground, Path]]:
    """A panel on an SQLite file of its own whose server is a directory."""
    with engine_world.database(tmp_path, django_db_blocker) as path, everything("test"):
        ground = grounds.make(cast.make())
        without_daemons(ground, monkeypatch)
        use(monkeypatch, directory(tmp_path / "server"))
        yield ground, path


def restore(copy: Path, path: Path) -> None:
    """Put a copy of the database in its place, as an operator does with the panel stopped."""
    transport.close_all()
    connections.close_all()
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)
    shutil.copy(copy, path)


def dump(path: Path) -> Path:
    """Copy the database as it is now."""
    connections["default"].cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(shutil.copy(path, path.with_suffix(".copy")))


def test_x19_yesterdays_database_removes_nothing_and_a_person_decides(panel: tuple[Ground, Path], tmp_path: Path):
    ground, path = panel
    server = ground.server
    engine.reconcile(server.id)
    copy = dump(path)
    later = factories.account(ground.cast.client_a.organization, ground.package_a, "later.org", username="later")
    alias(ground.account_a, "newest")
    engine.reconcile(server.id)
    alias(ground.account_a, "newer")
    engine.reconcile(server.id)
    before, mail = tree(tmp_path / "server"), aliases(tmp_path / "server")
    assert b"later:" in before["var/lib/extrausers/passwd"]
    assert {"newest@a-site.org", "newer@a-site.org", "postmaster@later.org"} <= mail
    restore(copy, path)
    assert not HostingAccount._base_manager.filter(pk=later.pk).exists()
    ordered = alias(ground.account_a, "afterwards")
    killed_at("standoff-begun", lambda: engine.reconcile(server.id))
    Lease.objects.update(owner="", expires_at=None)  # What its running out does.
    for _ring in range(8):
        engine.reconcile(server.id)
        Server.objects.update(retry_at=None)
    assert (tree(tmp_path / "server"), aliases(tmp_path / "server")) == (before, mail)
    ordered.refresh_from_db()
    assert (ordered.status, ordered.reason) == ("waiting", runs.REASONS["stale"])
    server.refresh_from_db()
    assert server.held_since is not None
    shown = standoffs.shown(server)
    assert [domain for _name, domain in shown["newer"]] == ["a-site.org"]
    assert [name for name, _domain in shown["unknown"]] == [later.pk]
    assert shown["missing"] == []
    actor = ground.cast.provider.actor
    with refused("confirm", "confirm"):
        standoffs.overrule(actor=actor, server=server, confirm="web2")
    operation = standoffs.overrule(actor=actor, server=server, confirm=server.name)
    leave_out_the_servers_own(operation)
    engine.reconcile(server.id)
    operation.refresh_from_db()
    ordered.refresh_from_db()
    assert (operation.status, ordered.status) == ("applied", "applied")
    assert b"later:" in tree(tmp_path / "server")["var/lib/extrausers/passwd"]
    now = aliases(tmp_path / "server")
    assert mail - now == {"newest@a-site.org", "newer@a-site.org"}
    assert now - mail == {"afterwards@a-site.org"}
    assert counters.next_uid() > later.uid
    assert Server.objects.get(pk=server.pk).held_since is None


def leave_out_the_servers_own(operation: Operation) -> None:
    """A directory takes no packages, so what belongs to no account is not ordered from it."""
    operation.intents.filter(slice__hosting=None).delete()
    operation.targets.filter(slice__hosting=None).delete()


def test_only_a_held_server_is_overruled(ground: Ground):
    with everything("test"), refused("not_held", None, 409):
        standoffs.overrule(actor=ground.cast.provider.actor, server=ground.server, confirm=ground.server.name)


def test_a_worker_that_lost_its_lease_holds_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.run()
    touch(bench.ground.account_a)
    Lease.objects.update(epoch=0)
    monkeypatch.setattr(leases, "renew", lambda held: False)
    assert bench.run() is None
    assert bench.server.held_since is None


def test_a_server_that_breaks_off_after_its_refusal_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """Between refusal and facts the connection is gone: the run is over, its orders wait and say why."""
    bench.run()
    operation = touch(bench.ground.account_a)
    Lease.objects.update(epoch=0)
    ask = transport.call

    def breaks_off(target: Target, verb: str, *rest: Any) -> dict[str, Any]:
        if verb == "facts":
            raise Temporary("The connection broke off.")
        return ask(target, verb, *rest)

    monkeypatch.setattr(transport, "call", breaks_off)
    assert bench.run() is not None
    operation.refresh_from_db()
    assert operation.status == "waiting"
    assert operation.reason.startswith("The server can't be reached at the moment.")
    assert not Run.objects.filter(finished_at=None).exists()
    assert bench.server.held_since is None


def test_one_epoch_in_two_hands_is_refused(bench: Bench):
    """The server was given one run only since the copy was made, so both databases count to the same epoch."""
    bench.run()
    Lease.objects.update(epoch=Lease.objects.get().epoch - 1)
    operation = touch(bench.ground.account_a)
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "waiting"
    assert bench.server.held_since is not None


def test_x15_an_account_without_placements_is_held_with_counts(bench: Bench):
    """Rows were lost behind the panel's back: what they stood for stays until a person confirms."""
    bench.run()
    before = bench.tree()
    Placement._base_manager.filter(hosting=bench.ground.account_a).delete()
    operation = servers.reconcile(actor=SYSTEM, server=bench.server)
    leave_out_the_servers_own(operation)
    bench.run()
    operation.refresh_from_db()
    count = len(Slice.objects.get(hosting=bench.ground.account_a).manifest)
    assert (operation.status, operation.reason) == ("waiting", runs.REASONS["held"])
    assert operation.detail == f"a-site.org: {count} of {count} resources would be removed."
    assert bench.tree() == before
    operations.confirm(actor=bench.ground.cast.provider.actor, operation=operation)
    bench.run()
    operation.refresh_from_db()
    assert operation.status == "applied"
    assert Slice.objects.get(hosting=bench.ground.account_a).manifest == {}
    assert Slice.objects.get(hosting=bench.ground.account_b).manifest != {}


def test_x15_what_is_held_is_told_by_account_with_counts(bench: Bench):
    for hosting in (bench.ground.account_a, bench.ground.account_b):
        for number in range(8):
            alias(hosting, f"a{number}")
    bench.run()
    MailAlias.objects.all().delete()
    operation = touch(bench.ground.account_a, bench.ground.account_b)
    bench.run()
    operation.refresh_from_db()
    lines = sorted(operation.detail.splitlines())
    assert [line.partition(" would")[0].rpartition(" ")[2] for line in lines] == ["a-site.org", "b-site.org"]
    assert all(line.startswith("8 of ") for line in lines)
