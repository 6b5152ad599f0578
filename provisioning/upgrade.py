"""Gives a server this panel's node program before its first apply over a connection. Called by what carries only.

The server decides: it tests the program and keeps the one that it had (docs/protocol.md, `upgrade`). A refusal stops
nothing, for panel and node one version apart understand each other.
"""

from __future__ import annotations

import base64
import io
import tarfile
import time
from functools import lru_cache
from pathlib import Path

import structlog

from panel.core.failpoints import failpoint
from provisioning import transport
from provisioning.desired import target
from provisioning.models import Server
from provisioning.node import VERSION
from provisioning.node.facts import digest
from provisioning.services import runs, servers

PACKAGE = "hostwright_node"
SOURCE = Path(__file__).parent / "node"
STEP = "upgrade node program"
FINAL = ("self_test", "bad_request", "unknown_verb")
"""Refusals that stay what they are until the panel has another program; any other is tried again by the next run."""

log = structlog.get_logger(__name__)


def archive() -> bytes:
    """The node program as a tar with fixed owners and times."""
    return _packed(SOURCE)


@lru_cache(maxsize=1)
def _packed(source: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(source.rglob("*.py")):
            info = tarfile.TarInfo(f"{PACKAGE}/{path.relative_to(source)}")
            info.size, info.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                tar.addfile(info, file)
    return buffer.getvalue()


def is_due(server: Server, version: str, installed: str) -> bool:
    """Whether a server with this node program is to get ours: never an older one than it has, nor one it refused."""
    if installed == digest() or _parts(version) > _parts(VERSION):
        return False
    return bool(server.refused_upgrade.get("digest") != digest())


def bring(server: Server, steps: runs.Steps) -> None:
    """Upgrade a server's node program when its connection speaks with another one than ours.

    Raises Temporary when the server cannot be reached. What it refuses is kept with the server and told as a step.
    """
    greeting = transport.hello(target(server))
    if not is_due(server, str(greeting.get("node", "")), str(greeting.get("digest", ""))):
        return
    began = time.monotonic()
    steps.set(STEP, "started")
    steps.flush()
    order = {"archive": base64.b64encode(archive()).decode(), "digest": digest()}
    try:
        transport.call(target(server), "upgrade", order, steps.on_event)
    except transport.NodeError as error:
        reason = f"{error.message} ({error.words})" if error.words else error.message
        log.warning("upgrade.refused", server=server.id, code=error.code, reason=reason)
        steps.set(STEP, "failed", (time.monotonic() - began) * 1000, reason)
        servers.upgrade_refused(server_id=server.id, digest=digest() if error.code in FINAL else "", reason=reason)
        return
    failpoint("node-upgraded")
    transport.forget(target(server))
    servers.keep_facts(server_id=server.id, facts=transport.hello(target(server)))
    steps.set(STEP, "ok", (time.monotonic() - began) * 1000)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
