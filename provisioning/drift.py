"""Asks a server what on it differs from what was last made so, and records the answer; it changes nothing there.

Called by tasks and commands only.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from panel.core.failpoints import failpoint
from panel.core.failures import Permanent, Temporary
from panel.core.scoping import everything
from provisioning import transport, upgrade
from provisioning.desired import target
from provisioning.models import Server
from provisioning.services import drift_checks, leases, runs
from provisioning.services.drift_checks import Begun
from provisioning.services.leases import Held

BUSY = timedelta(seconds=2)
MOST_ITEMS = 500

log = structlog.get_logger(__name__)


def check(server_id: str) -> timedelta | None:
    """Look for drift on one server; returns after how long to ask again while another worker is busy there, else None.

    The server's lease is held meanwhile, so that no change on its way is taken for drift; changes that come in the
    meantime have to be rung for afterwards.
    """
    with everything("drift"), leases.hold(server_id) as held:
        if held is None:
            return BUSY
        begun = drift_checks.begin(held)
        failpoint("drift-begun")
        try:
            _compare(held, begun)
        except runs.LeaseLost:
            log.warning("drift.lease_lost", server=server_id, epoch=held.epoch)
        return None


def _compare(held: Held, begun: Begun) -> None:
    try:
        payload = {"server": held.server_id, "epoch": held.epoch, "slices": None, "limit": MOST_ITEMS}
        server = Server.objects.get(pk=held.server_id)
        upgrade.bring(server, begun.steps)
        report = transport.call(target(server), "drift", payload, begun.steps.on_event)
        failpoint("drift-reported")
        drift_checks.finish(held, begun, report)
        failpoint("drift-recorded")
    except runs.LeaseLost:
        drift_checks.fail(begun, runs.REASON_LEFT, "")
        raise
    except Temporary as error:
        drift_checks.fail(begun, runs.REASON_UNREACHABLE, str(error))
    except transport.NodeError as error:
        old = error.code == "unknown_verb"
        drift_checks.fail(begun, drift_checks.REASON_TOO_OLD if old else drift_checks.REASON_FAILED, error.message)
    except Permanent as error:
        drift_checks.fail(begun, drift_checks.REASON_FAILED, error.message)
    except Exception as error:  # Whoever waits has to be told that it failed, whatever the reason.
        log.exception("drift.failed", server=held.server_id)
        drift_checks.fail(begun, drift_checks.REASON_FAILED, f"{type(error).__name__}: {error}")
