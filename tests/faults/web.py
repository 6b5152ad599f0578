"""The panel's web process under faults, and callers of its API who note every answer, also the missing ones."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from accounts.services import tokens
from panel.core.scoping import everything, tenant
from provisioning.models import Operation
from tests import cast
from tests.faults.bed import Bed, Trial
from tests.faults.history import History
from tests.provisioning.engine_world import until

PORT = 18431
START_SECONDS = 180
CALLERS = 12
TRIES = 60


@dataclass
class Api:
    """The API as a reseller's program sees it."""

    token: str
    client: str
    package: str
    history: History
    answers: Counter[str] = field(default_factory=Counter)

    def create(self, domain: str) -> str | None:
        """Order an account as a patient program does: with an idempotency key, again until there is an answer.

        Returns the id of the operation, or None when the order was refused with a reason.
        """
        body = {"client": self.client, "package": self.package, "domain": domain}
        lost = 0
        for _number in range(TRIES):
            status, answer = self._post("/api/v1/accounts", body, key=f"{domain} {lost}")
            self.answers[str(status)] += 1
            self.history.add("answer", domain=domain, status=status, code=answer.get("code"))
            if status == http.client.ACCEPTED:
                return str(answer["operation"]["id"])
            if status in (0, 503) or answer.get("code") == "idempotency_in_progress":
                lost += 1
            elif status in (400, 404, 409, 422):
                assert answer["detail"], answer
                return self._had_been_accepted(domain) if lost else None
            assert status in (0, 409, 429, 503), f"{domain}: {status} {answer}"
            time.sleep(0.2)
        raise AssertionError(f"{domain}: no answer after {TRIES} tries")

    def _had_been_accepted(self, domain: str) -> str | None:
        """Return the operation of an order whose answer was lost, if it was taken."""
        return (
            Operation._base_manager.filter(subject=domain, verb="account.create").values_list("id", flat=True).first()
        )

    def _post(self, path: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Send a request; status 0 when the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        headers = {
            "Host": "localhost",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 0, {"code": repr(error)}
        finally:
            connection.close()

    def create_many(self, domains: list[str], accepted: list[str]) -> None:
        """Order accounts by several callers at once; ids of accepted operations go to `accepted`."""
        with ThreadPoolExecutor(CALLERS) as pool:
            accepted.extend(operation for operation in pool.map(self._create, domains) if operation)

    def _create(self, domain: str) -> str | None:
        try:
            return self.create(domain)
        finally:
            connections.close_all()


@contextmanager
def serving(bed: Bed, trial: Trial) -> Iterator[Api]:
    """The web process, as production runs it, and a program that has a token for it."""
    argv = ["-m", "uvicorn", "panel.asgi:application", "--host", "127.0.0.1", "--port", str(PORT), "--lifespan", "off"]
    process = bed.start(*argv, "--log-level", "warning", "--no-access-log", log="web.log")
    api = Api(_token(bed, trial), bed.world.client.id, bed.world.package.id, trial.history)
    try:
        until("the web process answers", lambda: process.poll() is None and _answers(), START_SECONDS)
        yield api
    finally:
        process.terminate()
        process.wait(30)


def _token(bed: Bed, trial: Trial) -> str:
    name = f"program-{trial.history.seed}-{len(bed.processes)}"
    with everything("test"):
        owner = cast.person(bed.world.provider, name, cast.PROVIDER_HOST)
    with tenant(owner.actor.path):
        return tokens.create(actor=owner.actor, name="faults", scopes=("*",))[1]


def _answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


class Crew:
    """Workers as production runs them, the first with the schedule; `kill` ends one and starts it again."""

    def __init__(self, bed: Bed, size: int) -> None:
        self._bed = bed
        self._processes = [self._start(number) for number in range(size)]
        self._lock = threading.Lock()

    def _start(self, number: int) -> Any:
        return self._bed.worker("celery", "--threads=3", *(["--beat"] if number == 0 else []))

    def kill(self, number: int) -> None:
        """SIGKILL, and another one in its place."""
        with self._lock:
            self._processes[number].kill()
            self._processes[number].wait(20)
            self._processes[number] = self._start(number)

    def end(self) -> None:
        """End all."""
        for process in self._processes:
            process.kill()
            process.wait(20)
