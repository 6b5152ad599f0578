"""The engine with the real node program: a child process whose server is a directory without daemons."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from panel.core import failpoints
from panel.core.failures import Temporary
from panel.core.scoping import everything
from provisioning import desired, transport
from provisioning import reconcile as engine
from provisioning.models import Intent, Operation, Placement, Run, Server, Slice
from provisioning.services import hosting_accounts
from provisioning.transport import local
from provisioning.transport.base import Connection
from tests.node.conftest import prepare
from tests.provisioning.ground import Ground

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("var/lib/hostwright/mail",)


def program(root: Path) -> tuple[str, ...]:
    """Return the command of a node program whose server is `root`."""
    return (sys.executable, "-m", "provisioning.node", "--root", str(root), "serve")


def use(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Let the local transport start the repository's node program on `root`."""
    monkeypatch.setattr(local, "PROGRAM", program(root))
    monkeypatch.setattr(local, "LIBRARY", str(REPOSITORY))


@dataclass
class Bench:
    """A ground whose server is a directory; accounts have what needs no daemon: users, homes, mail."""

    ground: Ground
    root: Path
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def server(self) -> Server:
        """The server as it is now."""
        return Server.objects.get(pk=self.ground.server.pk)

    def run(self) -> Any:
        """Reconcile as the task does; returns the delay if the server could not be reached."""
        return engine.reconcile(self.ground.server.id)

    def at(self, path: str) -> Path:
        """Return the place of a path of the server."""
        return self.root / path.lstrip("/")

    def applies(self) -> list[dict[str, Any]]:
        """Return the payloads of every apply so far."""
        return [payload for verb, payload in self.calls if verb == "apply"]

    def tree(self) -> dict[str, str]:
        """Return every file of the server with its content, but for the node's own state."""
        own = self.at("/var/lib/hostwright")
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_symlink() and own not in path.parents
        }


def without_daemons(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the accounts of the ground, and those to come, only what a directory can hold."""
    monkeypatch.setattr(hosting_accounts, "SERVICES", ("mail",))
    Server.objects.filter(pk=ground.server.pk).update(transport="local")
    with everything("test"):
        Placement.objects.exclude(service="mail").delete()


def directory(path: Path) -> Path:
    """Make a directory an empty server."""
    path.mkdir(parents=True, exist_ok=True)
    prepare(path)
    for folder in FOLDERS:
        (path / folder).mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def bench(ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The ground with a directory for a server, and a record of what is said to it."""
    without_daemons(ground, monkeypatch)
    made = Bench(ground, directory(tmp_path / "server"))
    use(monkeypatch, made.root)
    monkeypatch.setattr(desired, "SNAPSHOT", "default")  # Another connection would not see what the test has written.
    original = transport.call

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        made.calls.append((verb, json.loads(json.dumps(payload))))
        report = original(target, verb, payload, on_event)
        made.reports.append(report)
        return report

    monkeypatch.setattr(transport, "call", call)
    with everything("test"):
        yield made
    transport.close_all()


@contextmanager
def unreachable(monkeypatch: pytest.MonkeyPatch, why: str = "No connection to the server: refused.") -> Iterator[None]:
    """Let no connection come about meanwhile."""

    def refuse(self: Connection, target: Any) -> None:
        raise Temporary(why)

    transport.close_all()
    with monkeypatch.context() as patch:
        patch.setattr(local.LocalConnection, "__init__", refuse)
        yield


def nothing_left(ground: Ground) -> bool:
    """Whether no intent is left, and every slice is applied at the generation it was given."""
    settled = all(part.applied == part.generation for part in Slice.objects.filter(server=ground.server))
    return settled and not Intent.objects.filter(slice__server=ground.server).exists()


def killed_at(point: str, act: Callable[[], object]) -> None:
    """Let a worker of its own do `act` and die at a failpoint; it must get there. Needs a database in a file."""
    transport.close_all()
    connections.close_all()
    child = os.fork()
    if child == 0:
        os.environ[failpoints.VARIABLE] = point
        try:
            act()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, f"{point} was not passed"


def last_run() -> Run:
    """Return the newest run."""
    return Run.objects.latest("id")


def statuses() -> dict[str, str]:
    """Return the status of every operation by its verb and subject."""
    return {str(operation): operation.status for operation in Operation._base_manager.all()}


def environment() -> dict[str, str]:
    """Return the environment of a process of the repository's own."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY)}
