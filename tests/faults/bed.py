"""The bed of the fault tests: a panel on PostgreSQL and Redis, one real server, workers in processes of their own."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from services import Cluster

from panel.core import failpoints
from panel.core.scoping import everything
from provisioning import transport
from provisioning.desired import target
from provisioning.models import Intent, Lease
from provisioning.models import Server as Row
from provisioning.node import failpoints as node_failpoints
from tests.faults import observed
from tests.faults.bystander import Bystander
from tests.faults.history import History
from tests.faults.invariants import Sighting, disturbed, gone_back, not_converged, one_sided, unanswered
from tests.provisioning import engine_world
from tests.provisioning.engine_world import World

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
AUTHORIZED = "/root/.ssh/authorized_keys"
DIED = "/root/died"
WORKER_SECONDS = 120
CONVERGE_SECONDS = 60
BYSTANDER = "bystander.example"
# In front of the real program: a check waits as long as /root/hold is there, and says so.
CHECKER = """#!/bin/sh
while test -e /root/hold; do touch /root/held; sleep 0.05; done
exec /usr/sbin/nginx "$@"
"""


@contextmanager
def database(url: str, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let all of this process work on the empty PostgreSQL database at `url`."""
    before = {alias: (connections.settings[alias], connections[alias]) for alias in ("default", "snapshot")}
    for alias in before:
        connections.settings[alias] = {**copy.deepcopy(before[alias][0]), **dj_database_url.parse(url), "OPTIONS": {}}
        connections[alias] = connections.create_connection(alias)
    try:
        with blocker.unblock():
            call_command("migrate", verbosity=0)
            # What was said to be committed must be there after a sudden end; that costs no wait for the disk.
            with connections["default"].cursor() as cursor:
                cursor.execute("ALTER DATABASE postgres SET synchronous_commit TO on")
            connections["default"].close()
            yield
    finally:
        transport.close_all()
        for alias, (values, connection) in before.items():
            connections[alias].close()
            connections.settings[alias] = values
            connections[alias] = connection


@dataclass
class Bed:
    """One world, and everything that a fault test does to it."""

    world: World
    url: str
    cluster: Cluster
    redis: str
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of the panel's own processes, with the settings of production."""
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "panel.settings.production",
            "HOSTWRIGHT_SECRET_KEY": settings.SECRET_KEY,
            "HOSTWRIGHT_VAULT_KEY": settings.VAULT_KEYS[0],
            "HOSTWRIGHT_DATABASE_URL": self.url,
            "HOSTWRIGHT_REDIS_URL": self.redis,
            "HOSTWRIGHT_PLAIN_HTTP": "1",
            "HOSTWRIGHT_PUBLIC_RESOLVERS": "127.0.0.1",
            "HOSTWRIGHT_LOG_LEVEL": "WARNING",
            **more,
        }

    def start(self, *argv: str, log: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a process of the panel's; its words go to a file of that name."""
        with (self.folder / log).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *argv], cwd=ROOT, env=self.environment(**more), stdout=output, stderr=output
            )
        self.processes.append(process)
        return process

    def worker(self, *words: str, failpoint: str = "") -> subprocess.Popen[bytes]:
        """Start a worker (tests/faults/worker.py), which dies at `failpoint` if one is named."""
        return self.start(str(WORKER), *words, log="worker.log", **{failpoints.VARIABLE: failpoint})

    def killed_worker(self, failpoint: str, *words: str) -> None:
        """Let a worker die at a failpoint; fails when it never comes there."""
        process = self.worker(*(words or ("reconcile", self.world.row.id)), failpoint=failpoint)
        code = process.wait(WORKER_SECONDS)
        assert code == -signal.SIGKILL, f"{failpoint}: the worker ended with {code}: {self.words('worker.log')}"

    def words(self, log: str) -> str:
        """Return the last words of a process."""
        return (self.folder / log).read_text()[-4000:]

    @contextmanager
    def node_dies_at(self, point: str) -> Iterator[Callable[[], bool]]:
        """Let node programs that are started meanwhile kill themselves at a failpoint; gives whether one has."""
        machine, kept = self.world.machine, f"{AUTHORIZED}.kept"
        dying = rf'command="{node_failpoints.VARIABLE}={point} \1 \2 || touch {DIED}"'
        machine.run(["cp", "-p", AUTHORIZED, kept])
        machine.run(["sed", "-i", rf's#command="\(PYTHONPATH=[^ ]*\) exec \([^"]*\)"#{dying}#', AUTHORIZED])
        transport.forget(target(self.world.row))
        try:
            yield lambda: machine.run(["test", "-e", DIED], check=False).returncode == 0
        finally:
            machine.run(["mv", kept, AUTHORIZED])
            machine.run(["rm", "-f", DIED])
            transport.forget(target(self.world.row))

    @contextmanager
    def held_at_its_check(self) -> Iterator[None]:
        """Let every apply wait at its check of nginx, between journal and commit, until the block's end."""
        machine = self.world.machine
        machine.put("/usr/local/sbin/nginx", CHECKER, "0755")
        machine.run(["sh", "-c", "rm -f /root/held; touch /root/hold"])
        try:
            yield
        finally:
            machine.run(["rm", "-f", "/root/hold", "/root/held", "/usr/local/sbin/nginx"])

    def hurry(self) -> None:
        """Let every lease have run out, and every delay have passed."""
        Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        Intent.objects.update(retry_at=None)
        Row.objects.update(retry_at=None)

    def converge(self) -> None:
        """Do what workers and time do, until nothing is left to do; fails when that does not come."""
        deadline = time.monotonic() + CONVERGE_SECONDS
        while Intent.objects.exists():
            left = Intent.objects.values_list("operation__verb", "operation__reason", "operation__detail")
            assert time.monotonic() < deadline, f"not converged: {list(left)}"
            self.hurry()
            if self.world.reconcile() is not None:
                time.sleep(0.1)
        self.hurry()  # A worker that was killed when all was done may have left its lease.

    def check(self, history: History, accepted: list[str], sightings: list[Sighting], bystander: Bystander) -> None:
        """Check all five invariants."""
        world = self.world
        history.check("answered", unanswered(observed.orders(accepted), observed.accounts(world)))
        history.check("converged", not_converged(observed.compared(world)))
        wanted = observed.wanted(world.row)
        there = observed.found(world.machine, wanted)
        history.check("the same on both sides", one_sided(wanted, observed.leaving(world.row), there))
        history.check("no drift", observed.drift(world))
        refused = observed.refused_by_checkers(world.machine)
        history.check("undisturbed", disturbed(refused, bystander.failures, bystander.asked))
        serials = [Sighting({}, {bystander.domain: serial}) for serial in bystander.serials]
        history.check("never back", gone_back([*sightings, observed.sighting(world)]) + gone_back(serials))

    @contextmanager
    def trial(self, name: str, seed: int) -> Iterator[Trial]:
        """Note a history, let the bystander ask, and at the end converge and check every invariant."""
        with History(name, seed) as history, everything("test"):
            self.hurry()
            sightings = [observed.sighting(self.world)]
            with Bystander(self.world.address, BYSTANDER) as bystander:
                trial = Trial(self, history, sightings)
                yield trial
                self.converge()
                sightings.append(observed.sighting(self.world))
                self.check(history, trial.accepted, sightings, bystander)

    def end(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(20)


@dataclass
class Trial:
    """What one trial has so far: its history, accepted operations, and what was seen of the server."""

    bed: Bed
    history: History
    sightings: list[Sighting]
    accepted: list[str] = field(default_factory=list)

    def see(self) -> None:
        """Look at generations and serials in the middle of it."""
        self.sightings.append(observed.sighting(self.bed.world))


@contextmanager
def made(world: World, cluster: Cluster, redis: str, folder: Path) -> Iterator[Bed]:
    """A bed whose server carries a bystander's account already."""
    bed = Bed(world, cluster.url, cluster, redis, folder)
    operation = world.order(BYSTANDER, "bystander")[1]
    world.reconcile()
    engine_world.settled(operation)
    try:
        yield bed
    finally:
        bed.end()
