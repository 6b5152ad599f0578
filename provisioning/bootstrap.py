"""Turns a bare Debian machine into a target server: node program, forced command, base configuration.

Called by tasks only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from panel.core.failpoints import failpoint
from panel.core.failures import Permanent, Temporary
from provisioning import transport, upgrade
from provisioning.desired import target
from provisioning.models import Operation, Run, Server
from provisioning.node.facts import digest
from provisioning.services import leases, runs, servers
from provisioning.transport.local import LIBRARY
from provisioning.transport.ssh import Shell

PACKAGE = upgrade.PACKAGE
SUPPORTED = {"12": "8.2", "13": "8.4"}
APT = "DEBIAN_FRONTEND=noninteractive apt-get"
HELLO = b'{"v": 1, "id": 1, "verb": "hello", "payload": {}}\n'
COMMAND = f"PYTHONPATH={LIBRARY} exec /usr/bin/python3 -m {PACKAGE} serve"

# Runs on the target. Keeps every other key; the panel's own may speak the node protocol and nothing else (sshd(8),
# AUTHORIZED_KEYS).
AUTHORIZE = """
import os, sys
key, command = sys.argv[1:3]
path = "/root/.ssh/authorized_keys"
os.makedirs("/root/.ssh", mode=0o700, exist_ok=True)
lines = open(path).read().splitlines() if os.path.exists(path) else []
lines = [line for line in lines if key.split()[1] not in line]
lines.append('restrict,command="%s" %s' % (command, key))
descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
with os.fdopen(descriptor, "w") as file:
    file.write("\\n".join(lines) + "\\n")
    file.flush()
    os.fsync(file.fileno())
os.rename(path + ".new", path)
"""


def fetch_host_key(server_id: str) -> None:
    """Ask an unconfirmed server for its host key and keep it, or why it could not be had."""
    server = Server.objects.get(pk=server_id)
    try:
        key = transport.host_key(server.host, server.port)
    except (Temporary, Permanent) as error:
        servers.report_no_host_key(server_id=server_id, reason=str(error))
    else:
        servers.offer_host_key(server_id=server_id, host_key=key)


def install(operation_id: str, secret_id: str) -> str | None:
    """Put the node program on the server of an operation, step by step, and order its base configuration.

    Returns the server's id when that can be carried there; None when the operation has ended with a reason.
    """
    operation = Operation.objects.select_related("server__organization").get(pk=operation_id)
    if operation.server is None or not operation.is_open:
        return None
    if operation.targets.exists():
        return operation.server.id
    with leases.hold(operation.server.id) as held:
        if held is None:
            return None
        password = servers.take_password(secret_id)
        run = runs.begin_alone(held, operation)
        failpoint("bootstrap-begun")
        steps = runs.Steps(run)
        try:
            _install(operation.server, password, steps)
        except (Temporary, Permanent) as error:
            _fail(operation, run, steps, error)
            return None
        failpoint("bootstrap-installed")
        runs.end_alone(run, Run.Status.APPLIED)
        servers.prepared(operation=operation)
        failpoint("bootstrap-ordered")
    return operation.server.id


def finish(server_id: str) -> None:
    """Keep what a server says of itself once its base configuration, and with it every package, is live."""
    server = Server.objects.get(pk=server_id)
    if server.state == Server.State.READY:
        servers.keep_facts(server_id=server.id, facts=transport.call(target(server), "hello", {}))
        failpoint("bootstrap-finished")


def give_up(operation_id: str, error: Exception) -> None:
    """End the operation of a set-up that broke in a way nobody foresaw, so that it can be tried again."""
    operation = Operation.objects.get(pk=operation_id)
    reason = "The set-up broke off for a reason that is in the panel's log."
    servers.preparation_failed(operation=operation, reason=reason, detail=f"{type(error).__name__}: {error}")


def _install(server: Server, password: str, steps: runs.Steps) -> None:
    if server.transport == Server.Transport.LOCAL:
        with _step(steps, "install node program"):
            _install_here()
            transport.forget(target(server))
    elif not _answers(server):
        with _step(steps, "connect"):
            shell = Shell(target(server), password)
        try:
            _install_there(shell, server, steps)
        finally:
            shell.close()
            transport.forget(target(server))
    with _step(steps, "say hello"):
        facts = transport.call(target(server), "hello", {})
    if facts.get("server") not in (None, server.id):
        raise Permanent("This machine belongs to another server of a panel already.", str(facts["server"]))
    _check_release(facts["os"]["id"], facts["os"]["version"])
    servers.keep_facts(server_id=server.id, facts=facts, php=SUPPORTED[facts["os"]["version"]])


def _answers(server: Server) -> bool:
    """Whether this version of the node program is installed already, behind the panel's key."""
    try:
        return bool(transport.call(target(server), "hello", {}).get("digest") == digest())
    except (Temporary, Permanent):
        return False


def _install_there(shell: Shell, server: Server, steps: runs.Steps) -> None:
    with _step(steps, "look at the system"):
        release = _os_release(shell.run("cat /etc/os-release"))
        _check_release(release.get("ID", ""), release.get("VERSION_ID", ""))
    with _step(steps, "install Python"):
        shell.run(
            "python3 -c 'import sqlite3' 2>/dev/null"
            f" || ({APT} -q update && {APT} -qy --no-install-recommends install python3)"
        )
    with _step(steps, "install node program"):
        unpack = f"rm -rf {LIBRARY}/new && mkdir -p -m 0755 {LIBRARY}/new && tar -x -C {LIBRARY}/new"
        shell.run(unpack, upgrade.archive())
        answer = shell.run(f"cd {LIBRARY}/new && /usr/bin/python3 -m {PACKAGE} serve", HELLO)
        if '"report"' not in answer:
            raise Permanent("The node program does not start on this server.", answer[-2000:])
        shell.run(
            f"cd {LIBRARY} && rm -rf previous && mkdir previous && (test ! -e {PACKAGE} || mv {PACKAGE} previous/)"
            f" && mv new/{PACKAGE} {PACKAGE} && rmdir new"
        )
    with _step(steps, "restrict the panel's key"):
        shell.run(shlex.join(["python3", "-", server.public_key, COMMAND]), AUTHORIZE.encode())


def _install_here() -> None:
    if os.geteuid() != 0:
        raise Permanent("To manage this machine itself, the panel's worker has to run as root.")
    library = Path(LIBRARY)
    library.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = library / f"{PACKAGE}.new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(upgrade.SOURCE, new, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(library / PACKAGE, ignore_errors=True)
    new.rename(library / PACKAGE)


def _os_release(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value.strip('"') for name, _equals, value in pairs}


def _check_release(distribution: str, version: str) -> None:
    if distribution != "debian" or version not in SUPPORTED:
        raise Permanent(f"The panel needs Debian 12 or 13 on a server; this one is {distribution} {version}.")


@contextmanager
def _step(steps: runs.Steps, name: str) -> Any:
    began = time.monotonic()
    steps.set(name, "started")
    steps.flush()
    try:
        yield
    except (Temporary, Permanent) as error:
        steps.set(name, "failed", (time.monotonic() - began) * 1000, str(error))
        steps.flush()
        raise
    steps.set(name, "ok", (time.monotonic() - began) * 1000)
    steps.flush()
    failpoint("bootstrap-step")


def _fail(operation: Operation, run: Run, steps: runs.Steps, error: Temporary | Permanent) -> None:
    steps.flush()
    runs.end_alone(run, Run.Status.FAILED, str(error))
    servers.preparation_failed(operation=operation, reason=str(error), detail=getattr(error, "detail", ""))
