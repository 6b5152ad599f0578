"""Servers that are off, workers and node programs that are killed, strangers with the same address: it converges."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import Live, http_get
from provisioning import transport
from provisioning.desired import target
from provisioning.models import HostingAccount, Intent, Lease, Operation, Run, Slice
from provisioning.models import Server as Row
from provisioning.services import runs, servers
from tests.provisioning import engine_world
from tests.provisioning.engine_world import SYSTEM, World, fresh, prove, settled, until
from tests.servers import Server

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE = "The server can't be reached at the moment."
AUTHORIZED = "/root/.ssh/authorized_keys"

# In front of the real program: a check waits as long as /root/hold is there, and says so.
CHECKER = """#!/bin/sh
while test -e /root/hold; do touch /root/held; sleep 0.05; done
exec /usr/sbin/nginx "$@"
"""

KILL_NODE = """
for process in /proc/[0-9]*; do
    if tr '\\0' ' ' < "$process/cmdline" | grep -q '^/usr/bin/python3 -m hostwright_node serve'; then
        kill -KILL "${process#/proc/}"
        killed=yes
    fi
done
test "$killed"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module's panel keeps its data."""
    return tmp_path_factory.mktemp("panel")


@pytest.fixture(scope="module")
def world(module_server: Server, folder: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """A server that was set up over SSH, shared by this module: every test has accounts of its own."""
    with engine_world.database(folder, django_db_blocker):
        yield engine_world.make(module_server)


class Worker:
    """The worker that an operator starts, with its schedule, on this module's data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self._folder / "worker.log").read_text()

    def start(self) -> None:
        """Start it."""
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "panel.settings.embedded",
            "HOSTWRIGHT_VAR_DIR": str(self._folder),
            "HOSTWRIGHT_VAULT_KEY": settings.VAULT_KEYS[0],
            "HOSTWRIGHT_PUBLIC_RESOLVERS": "127.0.0.1",
        }
        with (self._folder / "worker.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--beat", "--threads=2"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Let it lose power: SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)


@pytest.fixture
def worker(world: World, folder: Path) -> Iterator[Worker]:
    """A worker to start; it ends with the test."""
    worker = Worker(folder)
    try:
        yield worker
    finally:
        worker.kill()
        Lease.objects.filter(server=world.row).update(owner="", expires_at=None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came to nothing is tried again at once."""
    monkeypatch.setattr(runs, "FIRST_RETRY", timedelta(0))


def test_a_create_on_a_server_that_is_off_waits_and_goes_live_by_itself(world: World, worker: Worker) -> None:
    """Issue 2, acceptance 5."""
    world.machine.stop()
    _hosting, operation, live = world.full("patient.example")
    worker.start()
    until("the operation waits", lambda: fresh(operation).status == Operation.Status.WAITING, 60)
    waiting = fresh(operation)
    assert waiting.reason.startswith(UNREACHABLE)
    assert waiting.detail.startswith(("No connection to the server", "The server does not answer")), waiting.detail
    assert Row.objects.get(pk=world.row.pk).unreachable_since is not None
    world.machine.start()
    until("the account is live", lambda: fresh(operation).status == Operation.Status.APPLIED, 90)
    assert (fresh(operation).reason, fresh(operation).detail) == ("", "")
    until("all else is, too", lambda: not Intent.objects.exists(), 30)
    prove(live)
    assert Row.objects.get(pk=world.row.pk).unreachable_since is None


@pytest.mark.parametrize("node_too", [False, True], ids=["node-goes-on", "node-dies-too"])
def test_a_worker_killed_in_the_middle_of_an_apply(world: World, worker: Worker, *, node_too: bool) -> None:
    """Issue 2, acceptance 4: the node has journalled and written, and not committed, when the worker loses power."""
    machine = world.machine
    stem = "both" if node_too else "half"
    hosting, operation, live = world.full(f"{stem}.example", stem)
    with held_at_its_check(machine):
        worker.start()
        until("the node checks what it has written", (machine.root / "root/held").exists, 60)
        worker.kill()
        assert fresh(operation).status == Operation.Status.RUNNING
        assert Slice.objects.get(hosting=hosting).applied == 0
        if node_too:
            machine.run(["sh", "-euc", KILL_NODE])
    # Nobody may touch the server before the dead worker's lease has run out: here is the minute that it takes.
    assert world.reconcile() is None
    assert fresh(operation).status == Operation.Status.RUNNING
    Lease.objects.filter(server=world.row).update(expires_at=timezone.now() - timedelta(seconds=1))
    worker.start()
    until("the account is live", lambda: not Intent.objects.exists(), 60)
    until("the worker lets go of the server", lambda: Lease.objects.get(server=world.row).owner == "", 20)
    worker.kill()
    settled(operation)
    prove(live)
    nothing_is_doubled(world, hosting, live)


@contextmanager
def held_at_its_check(machine: Server) -> Iterator[None]:
    """Let every apply wait at its check of nginx, in the middle between journal and commit, until the block's end."""
    machine.put("/usr/local/sbin/nginx", CHECKER, "0755")
    machine.run(["sh", "-c", "rm -f /root/held; touch /root/hold"])
    try:
        yield
    finally:
        machine.run(["rm", "-f", "/root/hold", "/usr/local/sbin/nginx"])


def nothing_is_doubled(world: World, hosting: HostingAccount, live: Live) -> None:
    """One of everything, on the server and in the panel, and a comparison of all finds nothing to do."""
    machine = world.machine
    users = (machine.root / "var/lib/extrausers/passwd").read_text().splitlines()
    assert len([line for line in users if line.startswith(f"{hosting.username}:")]) == 1
    logins = machine.run(["mariadb", "-N", "-e", "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv"]).stdout
    assert [login for login in logins.split() if login.startswith(f"{live.database_user}@")] == [
        f"{live.database_user}@%"
    ]
    mail = machine.run(
        [
            "sqlite3",
            "/var/lib/hostwright/mail/mail.sqlite",
            "SELECT address FROM alias UNION ALL SELECT address FROM mailbox",
        ]
    )
    assert mail.stdout.split().count(live.alias) == 1
    assert mail.stdout.split().count(live.mailbox) == 1
    sites = machine.run(["sh", "-c", f"nginx -T 2>/dev/null | grep -c 'server_name {live.domain} '"])
    assert sites.stdout.strip() == "1"
    part = Slice.objects.get(hosting=hosting)
    assert part.applied == part.generation
    operations = Operation._base_manager.filter(hosting=hosting)
    assert set(operations.values_list("status", flat=True)) == {Operation.Status.APPLIED}
    assert not Run.objects.filter(server=world.row, status=Run.Status.RUNNING).exists()
    compared(world)


def compared(world: World) -> None:
    """A comparison of the whole server must find nothing that differs."""
    with everything("test"):
        verification = servers.reconcile(actor=SYSTEM, server=world.row)
    assert world.reconcile() is None
    settled(verification)
    run = Run.objects.filter(server=world.row).latest("id")
    assert (run.status, run.changes, run.reloads) == (Run.Status.APPLIED, 0, {})


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "point", ["after-journal", "tree-half-renamed", "rows-committed", "reload-sent", "after-commit"]
)
def test_a_node_program_killed_in_the_middle_of_an_apply(world: World, point: str) -> None:
    """The panel sees the conversation end and asks once more; what dies again waits, and says so. The next try finds
    old or new, never between.
    """
    hosting, operation, live = world.full(f"{point}.example")
    with dying_at(world, point):
        delay = world.reconcile()
    if point == "after-commit":
        assert delay is None
    else:
        assert delay is not None
        assert fresh(operation).status == Operation.Status.WAITING
        assert fresh(operation).reason.startswith(UNREACHABLE)
        assert "The node program ended the conversation" in fresh(operation).detail
        world.reconcile()
    settled(operation)
    prove(live)
    nothing_is_doubled(world, hosting, live)


@contextmanager
def dying_at(world: World, point: str) -> Iterator[None]:
    """Let the node program kill itself at a named point, by the environment of its forced command."""
    name = "HOSTWRIGHT_FAILPOINT"
    world.machine.run(["sed", "-i", f's/command="PYTHONPATH/command="{name}={point} PYTHONPATH/', AUTHORIZED])
    transport.forget(target(world.row))
    try:
        yield
    finally:
        world.machine.run(["sed", "-i", f"s/{name}={point} //", AUTHORIZED])


@pytest.mark.usefixtures("impatient")
def test_nothing_is_sent_to_a_server_with_another_host_key(world: World) -> None:
    """Another machine with the server's address: it gets neither the panel's key nor anybody's data."""
    machine, key = world.machine, "/etc/ssh/ssh_host_ed25519_key"
    transport.forget(target(world.row))
    machine.run(["sh", "-euc", f"cp -p {key} /root/key && ssh-keygen -q -t ed25519 -N '' -f {key} <<EOF\ny\nEOF"])
    machine.run(["systemctl", "restart", "ssh"])
    try:
        _hosting, operation = world.order("masked.example")
        assert world.reconcile() is not None
        waiting = fresh(operation)
        assert waiting.status == Operation.Status.WAITING
        assert "another host key than the one that was confirmed" in waiting.detail
        assert http_get(world.address, "masked.example")[0] == 404
    finally:
        machine.run(["sh", "-euc", f"mv /root/key {key} && ssh-keygen -y -f {key} > {key}.pub"])
        machine.run(["systemctl", "restart", "ssh"])
    world.reconcile()
    settled(operation)
    assert http_get(world.address, "masked.example")[0] == 200
