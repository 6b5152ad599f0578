"""A whole panel for browser tests: web and worker as an operator starts them, with the demo's people."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
PEOPLE = """
import json, django
django.setup()
from panel.demo import world
print(json.dumps(world.make_people()[0]))
"""


@dataclass(frozen=True)
class Panel:
    """Where it answers, and who signs in with what: `logins` by role, each with email and password."""

    provider: str
    reseller: str
    logins: dict[str, dict[str, Any]]
    log: Path
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict, repr=False)

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py beside the running panel."""
        argv = [sys.executable, "manage.py", *words]
        return subprocess.run(argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)


@contextmanager
def running(folder: Path, resolver: str, **extra: str) -> Iterator[Panel]:
    """Start a panel whose data is in `folder`; `resolver` answers its questions about the public DNS.

    `extra` goes into its environment.
    """
    port = _free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "panel.settings.embedded",
        "HOSTWRIGHT_VAR_DIR": str(folder),
        "HOSTWRIGHT_PORT": str(port),
        "HOSTWRIGHT_PUBLIC_RESOLVERS": resolver,
        "HOSTWRIGHT_PANEL_ADDRESSES": "127.0.0.1",
        **extra,
    }
    log = folder / "panel.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--migrate", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        made = subprocess.run(
            [sys.executable, "-c", PEOPLE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
        logins = json.loads(made.stdout.strip().splitlines()[-1])
        reseller = f"http://northwind.localhost:{port}"
        yield Panel(f"http://127.0.0.1:{port}", reseller, logins, log, port, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(log.read_text())
