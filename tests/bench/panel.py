"""A panel in its production shape, and one real server that it set up: what the bench orders its accounts from."""

from __future__ import annotations

import base64
import http.client
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import services
from api import Api

from tests.bench.outside import Account
from tests.servers import Server

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "var" / "bench"
HOST = "northwind.localhost"
CALLERS = 12
"""People whose tokens take turns in a burst: one caller alone may ask 1,200 times a minute."""
START_SECONDS = 180
LOOKS_SECONDS = 180
PASSWORD = "a-Pass.word1"


class BenchFailed(RuntimeError):
    """The bench could not go on; the message says what did not happen."""


@dataclass(frozen=True)
class Ordered:
    """An account that the panel was asked for, and the operation to watch."""

    id: str
    account: Account
    operation: str


@dataclass(frozen=True)
class People:
    """The organizations and the actors of their owners, by role."""

    nodes: dict[str, Any]
    actors: dict[str, Any]


class Panel:
    """The API of a running panel, as the reseller sees it, and the worker's process."""

    def __init__(
        self, callers: list[Api], people: People, package: str, server: str, machine: Server, worker: int
    ) -> None:
        self.callers = callers
        self.client = people.nodes["client"].id
        self.package = package
        self.server = server
        self.machine = machine
        self.worker = worker
        self._people = people
        self._turn = 0

    def order(self, name: str, caller: Api | None = None) -> Ordered:
        """Order what the floor makes as well: an account, a database in it, and a login from anywhere."""
        first = {"name": "shop", "password": PASSWORD, "host": "%"}
        wanted = {"client": self.client, "package": self.package, "domain": f"{name}.example", "username": name}
        made = (caller or self._next()).call("POST", "/accounts", {**wanted, "database": first})
        return Ordered(made["account"]["id"], Account(name, f"{name}.example", PASSWORD), made["operation"]["id"])

    def order_each(self, names: list[str]) -> list[Ordered]:
        """Order many accounts one by one through the API, four callers side by side."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda item: self.order(item[1], self.callers[item[0] % CALLERS]), enumerate(names)))

    def order_at_once(self, names: list[str]) -> list[Ordered]:
        """Order the same in one transaction, as an import does: no server hears of any before all are there."""
        from django.db import transaction

        from panel.core.scoping import everything

        with everything("bench"), transaction.atomic():
            return [self._order_here(name) for name in names]

    def _order_here(self, name: str) -> Ordered:
        from accounts.models import Organization
        from panel.demo.world import SYSTEM
        from provisioning.models import Package
        from provisioning.services import orders

        domain = f"{name}.example"
        hosting, operation, _inside = orders.account(
            actor=SYSTEM,
            organization=Organization.objects.get(pk=self.client),
            package=Package.objects.get(pk=self.package),
            domain=domain,
            username=name,
            database={"name": "shop", "password": PASSWORD, "host": "%"},
        )
        return Ordered(hosting.id, Account(name, domain, PASSWORD), operation.id)

    def act(self, ordered: Ordered, verb: str, body: dict[str, Any] | None = None) -> str:
        """Order something of an account, such as `suspend`; returns the operation's id."""
        answer = self._next().call("POST", f"/accounts/{ordered.id}/{verb}", body)
        return str(answer["operation"]["id"])

    def terminate(self, ordered: list[Ordered]) -> None:
        """Terminate accounts and wait until that is applied."""
        started = [self.act(item, "terminate", {"confirm": item.account.domain}) for item in ordered]
        self.settle(started, 300)

    def settle(self, operations: list[str], seconds: float) -> None:
        """Wait until operations are applied."""
        deadline = time.monotonic() + seconds
        for operation in operations:
            self._next().settle(operation, max(1.0, deadline - time.monotonic()))

    def warm_up(self) -> None:
        """Order and end a first account, and wait until what is looked at once on a new server has been looked at."""
        from panel.core.scoping import everything
        from provisioning.models import DriftCheck, ServerReading

        first = self.order("warm")
        self.settle([first.operation], START_SECONDS)
        self.terminate([first])
        deadline = time.monotonic() + LOOKS_SECONDS
        with everything("bench"):
            looks = [
                model.objects.filter(server=self.server, finished_at=None) for model in (DriftCheck, ServerReading)
            ]
            while any(rows.exists() or not rows.model.objects.exists() for rows in looks):
                if time.monotonic() > deadline:
                    raise BenchFailed(f"the first looks at a new server are not over after {LOOKS_SECONDS} s")
                time.sleep(0.5)

    def check_drift(self) -> float:
        """Compare everything on the server with what was applied; returns the seconds. Nothing may differ."""
        from panel.core.scoping import everything
        from provisioning import drift
        from provisioning.models import DriftCheck

        with everything("bench"):
            began = time.monotonic()
            drift.check(self.server)
            taken = time.monotonic() - began
            last = DriftCheck.objects.filter(server=self.server).latest("id")
        if last.status == DriftCheck.Status.FAILED or last.found:
            raise BenchFailed(f"drift check {last.status}: {last.found} differ; {last.reason} {last.detail}")
        return taken

    def replace(self, by: Server) -> None:
        """Set a machine up, cut the server's power, and order that the machine takes its place."""
        from panel.core.scoping import everything
        from panel.demo.world import SYSTEM
        from provisioning.models import Server as Row
        from provisioning.services import rebuilds

        new = add_machine(self._people, by, "two")
        self.machine.kill()
        with everything("bench"):
            old = Row.objects.get(pk=self.server)
            rebuilds.start(actor=SYSTEM, old=old, new=Row.objects.get(pk=new), confirm=old.name)

    def _next(self) -> Api:
        self._turn += 1
        return self.callers[self._turn % CALLERS]


@contextmanager
def running() -> Iterator[Panel]:
    """Start PostgreSQL, Redis, web, worker and a server, set all up; everything ends with this process."""
    with ExitStack() as stack:
        database, queue = stack.enter_context(services.postgresql()), stack.enter_context(services.redis())
        port = services.free_port()
        environment = {
            "DJANGO_SETTINGS_MODULE": "panel.settings.production",
            "HOSTWRIGHT_SECRET_KEY": secrets.token_hex(32),
            "HOSTWRIGHT_VAULT_KEY": vault_key(),
            "HOSTWRIGHT_DATABASE_URL": database,
            "HOSTWRIGHT_REDIS_URL": queue,
            "HOSTWRIGHT_PLAIN_HTTP": "1",
            "HOSTWRIGHT_PORT": str(port),
            "HOSTWRIGHT_LOG_LEVEL": "WARNING",
        }
        os.environ.update(environment)
        machine = stack.enter_context(Server.create())
        manage("migrate", "--verbosity=0")
        web = ["-m", "uvicorn", "panel.asgi:application", "--host=127.0.0.1", f"--port={port}", "--workers=2"]
        web += ["--lifespan=off", "--log-level=warning", "--no-access-log", "--no-server-header", "--no-proxy-headers"]
        stack.enter_context(process("web", web))
        worker = stack.enter_context(process("worker", ["manage.py", "worker", "--beat"]))
        wait_for(port)
        stack.callback(let_go)
        yield _set_up(machine, port, worker)


def let_go() -> None:
    """Close this process's own connections, for which PostgreSQL would wait."""
    from django.db import connections

    connections.close_all()


def add_machine(people: People, machine: Server, name: str) -> str:
    """Add a machine and set it up, as an operator does; returns the server's id."""
    from panel.demo import world

    def authorize(public_key: str) -> None:
        machine.run(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], input=f"{public_key}\n")

    machine.wait_booted()
    provider, actor = people.nodes["provider"], people.actors["provider"]
    server = world.add_server(actor, provider, machine.address, machine.host_key, authorize, name)
    world.set_up(actor, server, lambda _step: None)
    return server.id


def _set_up(machine: Server, port: int, worker: int) -> Panel:
    import django

    django.setup()
    from accounts.models.plans import FEATURES
    from accounts.services import organizations, users
    from panel.core.scoping import everything
    from panel.demo import world
    from provisioning.services import packages

    _logins, nodes, actors = world.make_people()
    people = People(nodes, actors)
    with everything("bench"):
        package = packages.create(
            actor=actors["reseller"], organization=nodes["reseller"], name="Bench", features=list(FEATURES)
        )
        # Nobody's: the floor writes no mail to welcome people.
        nodes["client"] = organizations.create_client(actor=actors["reseller"], parent=nodes["reseller"], name="Bench")
        made = [
            users.create(
                actor=world.SYSTEM,
                organization=nodes["reseller"],
                email=f"caller{number}@northwind.example",
                name=f"Caller {number}",
                role="owner",
                password=world.password(),
            )
            for number in range(CALLERS)
        ]
    acting = {person.email: world.actor_of(person, nodes["reseller"]) for person in made}
    callers = [Api("127.0.0.1", port, HOST, text) for text in world.make_tokens(acting).values()]
    return Panel(callers, people, package.id, add_machine(people, machine, "one"), machine, worker)


def vault_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def manage(*words: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"manage.py {' '.join(words)}: {done.stderr[-2000:]}")


@contextmanager
def process(name: str, words: list[str]) -> Iterator[int]:
    """Start a process of the panel, which ends with this one; yields its process id."""
    with (PLACE / f"{name}.log").open("wb") as log:
        argv = ["setpriv", "--pdeathsig=TERM", "--", sys.executable, *words]
        started = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            if connection.getresponse().status < 500:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise BenchFailed(f"the panel does not answer; its words are in {PLACE}")
