"""Threads that begin together, and workers in processes of their own that stop or die at a chosen point."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection, connections

from panel.core.scoping import everything
from tests.provisioning.engine import REPOSITORY
from tests.provisioning.ground import Ground

WORKER = Path(__file__).with_name("worker.py")


def together(actions: Sequence[Callable[[], Any]], seconds: float = 120) -> list[Any]:
    """Run actions in threads that begin at once; returns what each returned or raised, in order."""
    gate = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(index: int) -> None:
        try:
            gate.wait(30)
            with everything("test"):
                results[index] = actions[index]()
        except Exception as error:  # The test looks at what came of each.
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), "threads wait for one another"
    return results


def until(what: str, ready: Callable[[], Any], seconds: float = 60) -> None:
    """Poll until `ready`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)


def database_url() -> str:
    """Return the URL of the database that the tests themselves use."""
    values = connection.settings_dict
    return (
        f"postgresql://{values['USER']}:{quote(values['PASSWORD'])}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
    )


@dataclass
class Field:
    """A ground whose server is a directory, and the processes that work on it."""

    ground: Ground
    root: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def worker(self, *words: str) -> subprocess.Popen[str]:
        """Start a worker process: `reconcile` with the name of a fault, or `celery`."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "panel.settings.test",
            "HOSTWRIGHT_TEST_DATABASE_URL": database_url(),
            "PYTHONPATH": str(REPOSITORY),
        }
        process = subprocess.Popen(
            [sys.executable, str(WORKER), str(self.root), self.ground.server.id, *words],
            env=environment,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def finished(self, process: subprocess.Popen[str], code: int = 0) -> str:
        """Wait for a worker to end with `code`; returns its last words."""
        words = process.communicate(timeout=90)[0]
        assert process.returncode == code, words
        return words

    def stopped(self, process: subprocess.Popen[str]) -> None:
        """Wait until a worker has stopped itself."""

        def is_stopped() -> bool:
            assert process.poll() is None, process.communicate()[0]
            return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

        until("the worker stops", is_stopped)

    def end(self) -> None:
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()

    def mail_rows(self, table: str = "mailbox", column: str = "address") -> list[str]:
        """Return what the server's mail database holds."""
        with sqlite3.connect(self.root / "var/lib/hostwright/mail/mail.sqlite") as database:
            return sorted(row[0] for row in database.execute(f"SELECT {column} FROM {table}"))  # noqa: S608

    def users(self) -> list[str]:
        """Return the tenants' users of the server."""
        lines = (self.root / "var/lib/extrausers/passwd").read_text().splitlines()
        return [line.partition(":")[0] for line in lines]
