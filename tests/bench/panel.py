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
START_SECONDS = 60
PASSWORD = "a-Pass.word1"


class BenchFailed(RuntimeError):
    """The bench could not go on; the message says what did not happen."""


@dataclass(frozen=True)
class Ordered:
    """An account that the panel was asked for, and its operations."""

    id: str
    account: Account
    operations: tuple[str, ...]


class Panel:
    """The API of a running panel, as the reseller sees it, and the worker's process."""

    def __init__(
        self, callers: list[Api], client: str, package: str, server: str, machine: Server, worker: int
    ) -> None:
        self.callers = callers
        self.client = client
        self.package = package
        self.server = server
        self.machine = machine
        self.worker = worker
        self._turn = 0

    def order(self, name: str, caller: Api | None = None) -> Ordered:
        """Order what the floor makes as well: an account, a database in it, and a login from anywhere."""
        caller = caller or self._next()
        wanted = {"client": self.client, "package": self.package, "domain": f"{name}.example", "username": name}
        made = caller.call("POST", "/accounts", wanted)
        path = f"/accounts/{made['account']['id']}"
        database = caller.call("POST", f"{path}/databases", {"name": "shop"})
        login = {"name": "shop", "password": PASSWORD, "databases": [database["database"]["id"]], "host": "%"}
        user = caller.call("POST", f"{path}/database-users", login)
        return Ordered(
            made["account"]["id"],
            Account(name, f"{name}.example", PASSWORD),
            tuple(answer["operation"]["id"] for answer in (made, database, user)),
        )

    def order_all(self, names: list[str]) -> list[Ordered]:
        """Order many accounts, several callers side by side."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda item: self.order(item[1], self.callers[item[0] % CALLERS]), enumerate(names)))

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
            "HOSTWRIGHT_VAULT_KEY": _vault_key(),
            "HOSTWRIGHT_DATABASE_URL": database,
            "HOSTWRIGHT_REDIS_URL": queue,
            "HOSTWRIGHT_PLAIN_HTTP": "1",
            "HOSTWRIGHT_PORT": str(port),
            "HOSTWRIGHT_LOG_LEVEL": "WARNING",
        }
        os.environ.update(environment)
        machine = stack.enter_context(Server.create())
        _manage("migrate", "--verbosity=0")
        web = ["-m", "uvicorn", "panel.asgi:application", "--host=127.0.0.1", f"--port={port}", "--workers=2"]
        web += ["--lifespan=off", "--log-level=warning", "--no-access-log", "--no-server-header", "--no-proxy-headers"]
        stack.enter_context(_process("web", web))
        worker = stack.enter_context(_process("worker", ["manage.py", "worker", "--beat"]))
        _wait_for(port)
        stack.callback(_let_go)
        yield _set_up(machine, port, worker)


def _let_go() -> None:
    """Close this process's own connections, for which PostgreSQL would wait."""
    from django.db import connections

    connections.close_all()


def _set_up(machine: Server, port: int, worker: int) -> Panel:
    import django

    django.setup()
    from accounts.services import users
    from panel.core.scoping import everything
    from panel.demo import world
    from provisioning.services import packages

    _logins, nodes, actors = world.make_people()
    with everything("bench"):
        package = packages.create(
            actor=actors["reseller"], organization=nodes["reseller"], name="Bench", remote_databases=True
        )
        people = [
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
    acting = {person.email: world.actor_of(person, nodes["reseller"]) for person in people}
    texts = list(world.make_tokens(acting).values())

    def authorize(public_key: str) -> None:
        machine.run(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], input=f"{public_key}\n")

    machine.wait_booted()
    server = world.add_server(actors["provider"], nodes["provider"], machine.address, machine.host_key, authorize)
    world.set_up(actors["provider"], server, lambda _step: None)
    callers = [Api("127.0.0.1", port, HOST, text) for text in texts]
    return Panel(callers, nodes["client"].id, package.id, server.id, machine, worker)


def _vault_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _manage(*words: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchFailed(f"manage.py {' '.join(words)}: {done.stderr[-2000:]}")


@contextmanager
def _process(name: str, words: list[str]) -> Iterator[int]:
    """Start a process of the panel, which ends with this one; yields its process id."""
    with (PLACE / f"{name}.log").open("wb") as log:
        argv = ["setpriv", "--pdeathsig=TERM", "--", sys.executable, *words]
        process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
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
