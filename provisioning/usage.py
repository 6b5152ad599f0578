"""Asks a server what its accounts use, and records the answer; it changes nothing there. Called by tasks and commands
only.

No lease is taken: measuring goes on beside everything else, and its answers may come in any order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from panel.core.failures import Permanent, Temporary
from panel.core.scoping import everything
from provisioning import transport
from provisioning.desired import target
from provisioning.models import Server
from provisioning.services import runs
from provisioning.services import usage as service

COLLECT = timedelta(seconds=5)

log = structlog.get_logger(__name__)


def measure(server_id: str) -> timedelta | None:
    """Measure one server, or collect what it has measured since; returns after how long to ask again while it goes on.

    A server that cannot be reached, or not measured, is tried again when its time comes.
    """
    with everything("usage"):
        reading, is_new = service.begin(server_id)
        server = Server.objects.get(pk=server_id)
        try:
            report = _ask(server, measure=is_new, since=service.since(server_id), slices=None)
            service.finish(reading, report)
        except Temporary as error:
            log.info("usage.unreachable", server=server_id, error=str(error))
            service.fail(reading, runs.REASON_UNREACHABLE)
        except Permanent as error:
            log.warning("usage.failed", server=server_id, error=error.message)
            is_old = isinstance(error, transport.NodeError) and error.code == "unknown_verb"
            service.fail(reading, service.REASON_TOO_OLD if is_old else service.REASON_FAILED)
        else:
            return COLLECT if report["measuring"] else None
        return None


def measure_account(server_id: str, hosting_id: str, *, again: bool = False) -> bool:
    """Measure one account on one server, or with `again` collect that; returns whether the server goes on measuring."""
    with everything("usage"):
        server = Server.objects.get(pk=server_id)
        try:
            report = _ask(server, measure=not again, since="", slices=[hosting_id])
        except (Temporary, Permanent) as error:
            log.info("usage.account_failed", server=server_id, account=hosting_id, error=str(error))
            return False
        service.record(server_id, report)
        return bool(report["measuring"])


def _ask(server: Server, **asked: Any) -> dict[str, Any]:
    return transport.call(target(server), "usage", {"server": server.id, **asked})
