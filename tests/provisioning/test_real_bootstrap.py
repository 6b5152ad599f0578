"""Bare Debian machines become target servers with live accounts, from nothing, and say on the way what they do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from provisioning.models import Run, RunStep
from provisioning.models import Server as Row
from tests.provisioning import engine_world
from tests.provisioning.engine_world import prove, settled
from tests.servers import Server

pytestmark = pytest.mark.server

PREPARATION = [
    "connect",
    "look at the system",
    "install Python",
    "install node program",
    "restrict the panel's key",
    "say hello",
]


@contextmanager
def watching() -> Iterator[set[str]]:
    """Read the steps again and again as a page does; every line that was seen of the packages' installation."""
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            running = RunStep.objects.filter(name="install packages", status=RunStep.Status.STARTED)
            seen.update(running.values_list("detail", flat=True))
        connections.close_all()

    page = threading.Thread(target=watch)
    page.start()
    try:
        yield seen
    finally:
        done.set()
        page.join(20)


@pytest.mark.parametrize(
    ("codename", "debian", "php", "dovecot"),
    [("trixie", 13, "8.4", "2.4."), ("bookworm", 12, "8.2", "2.3.")],
    ids=["debian-13", "debian-12"],
)
def test_a_bare_machine_becomes_a_server(
    bare_server: Callable[[str], Server],
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
    codename: str,
    debian: int,
    php: str,
    dovecot: str,
) -> None:
    machine = bare_server(codename)
    assert machine.run(["sh", "-c", "command -v python3 nginx mariadb"], check=False).stdout == ""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        with watching() as lines:
            world = engine_world.make(machine)
        assert any("nginx" in line for line in lines), lines
        assert len(lines) > 10
        first, second = Run.objects.filter(server=world.row).order_by("id")
        assert list(first.steps.values_list("name", flat=True)) == PREPARATION
        assert "install packages" in set(second.steps.values_list("name", flat=True))
        steps = RunStep.objects.filter(run__in=[first, second])
        assert set(steps.values_list("status", flat=True)) == {RunStep.Status.OK}
        assert not steps.filter(ms=None).exists()
        assert (first.status, second.status) == (Run.Status.APPLIED, Run.Status.APPLIED)
        assert (world.row.state, world.row.debian, world.row.php_versions) == (Row.State.READY, debian, [php])
        assert world.row.facts["versions"]["dovecot"].startswith(dovecot)
        assert world.row.addresses.filter(ip=machine.address).exists()
        _hosting, operation, live = world.full("bare.example")
        world.reconcile()
        settled(operation)
        prove(live)
    assert machine.wait_booted() == "running"
