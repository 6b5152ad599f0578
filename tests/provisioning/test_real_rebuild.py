"""A server is destroyed; a bare Debian machine takes its place, and every account answers again (acceptance 3)."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import dns_answer, http_get
from provisioning import reconcile, tasks
from provisioning.models import Address, HostingAccount, Operation, Rebuild, Zone
from provisioning.models import Server as Row
from provisioning.services import addresses, intents, operations, zones
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, fresh, prove, settled
from tests.servers import Server

pytestmark = pytest.mark.server

NAMES = ("anvil.example", "bellows.example", "crucible.example")
ALONE = "dedicated.example"


def test_a_bare_machine_takes_the_place_of_a_dead_server(
    bare_server: Callable[[str], Server],
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    dead, machine = Server.create(), bare_server("trixie")
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        try:
            world = engine_world.make(dead)
            lives = [world.full(name)[2] for name in NAMES]
            custom(world)
            give_six(world.row, dead, world.order(ALONE)[0])
            world.reconcile()
            for live in lives:
                prove(live)
            users = passwd(dead)
            serials = dict(Zone._base_manager.values_list("name", "serial"))
            assert ALONE in http_get(dead.address6, ALONE)[2]
        finally:
            dead.remove()
        new = add(world, machine)
        told = io.StringIO()
        call_command("rebuild_server", machine.name, "--from", dead.name, "--yes", "--no-wait", stdout=told)
        assert f"{dead.address} -> {machine.address}" in told.getvalue()
        assert f"{NAMES[2]}: files of 1 sites, rows of 1 databases, mail of 1 mailboxes" in told.getvalue()
        tasks.bootstrap(Operation._base_manager.get(verb="server.bootstrap", server=new).id, "")
        assert reconcile.reconcile(new.id) is None
        rebuild = Rebuild.objects.get()
        settled(rebuild.operation)
        assert (rebuild.state, rebuild.accounts, len(rebuild.lost)) == ("switched", 4, 4)
        for live in lives:
            prove(dataclasses.replace(live, address=machine.address))
        assert passwd(machine) == users
        assert dns_answer(machine.address, f"cdn.{NAMES[1]}", "A") == [machine.address]
        assert dns_answer(machine.address, f"far.{NAMES[1]}", "A") == ["203.0.113.9"]
        assert all(zone.serial > serials[zone.name] for zone in Zone._base_manager.all())
        assert ALONE in http_get(machine.address6, ALONE)[2]
        assert NAMES[1] not in http_get(machine.address6, NAMES[1])[2]
        for address in (dead.address, dead.address6):
            places = ["/etc/nginx", "/etc/apache2", "/etc/bind", "/etc/postfix", "/etc/dovecot"]
            assert machine.run(["grep", "-rlF", f"{address}", *places], check=False).stdout == ""
        assert machine.wait_booted() == "running"
        nothing_more_is_sent(world.row)


def add(world: World, machine: Server) -> Row:
    """Add the new machine, with its second address for one account alone."""
    new = engine_world.add(world.provider, machine)
    with everything("test"):
        addresses.add(actor=SYSTEM, server=new, ip=machine.address)
        addresses.add(actor=SYSTEM, server=new, ip=machine.address6, kind=Address.Kind.DEDICATED)
    return new


def custom(world: World) -> None:
    """Give an account a record that names its server, and one that does not."""
    with everything("test"):
        zone = Zone.objects.get(name=NAMES[1])
        for name, content in (("cdn", world.address), ("far", "203.0.113.9")):
            zones.add_record(actor=SYSTEM, zone=zone, name=name, type="A", content=content)


def give_six(row: Row, machine: Server, hosting: HostingAccount) -> None:
    """Give an account the server's second address for itself."""
    six = Address.objects.get(server=row, ip=machine.address6)
    Address.objects.filter(pk=six.pk).update(kind=Address.Kind.DEDICATED, hosting=hosting)
    with everything("test"):
        operation = operations.start(
            actor=SYSTEM, verb="server.change", subject=row.name, organization=row.organization, server=row
        )
        intents.add_server(row, operation=operation, accounts=True)


def passwd(machine: Server) -> list[list[str]]:
    """The tenants' users with their uids, groups and password hashes."""
    found = machine.run(["sh", "-c", "cat /var/lib/extrausers/passwd /var/lib/extrausers/shadow"]).stdout
    return sorted(line.split(":")[:4] for line in found.splitlines())


def nothing_more_is_sent(old: Row) -> None:
    """The dead server's row takes no orders, so that a machine that comes back is told nothing."""
    with everything("test"):
        operation = operations.start(
            actor=SYSTEM, verb="server.reconcile", subject=old.name, organization=old.organization, server=old
        )
        intents.add_server(old, operation=operation, accounts=True)
    assert reconcile.reconcile(old.id) is None
    assert fresh(operation).status == Operation.Status.PENDING
