"""Named points at which a test may kill the worker, to prove that another one carries on. Inert unless the environment
names one.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "HOSTWRIGHT_WORKER_FAILPOINT"

FAILPOINTS = (
    "lease-taken",
    "snapshot-read",
    "generations-given",
    "run-begun",
    "bundle-made",
    "request-sent",
    "event-seen",
    "report-received",
    "slices-recorded",
    "destroyed-recorded",
    "serials-recorded",
    "intents-deleted",
    "operations-settled",
    "run-closed",
    "server-seen",
    "before-record-commit",
    "after-record-commit",
    "before-postpone-commit",
    "after-postpone-commit",
    "before-release",
    "bootstrap-begun",
    "bootstrap-step",
    "bootstrap-installed",
    "bootstrap-ordered",
    "bootstrap-finished",
    "node-upgraded",
    "standoff-begun",
    "rebuild-fenced",
    "rebuild-moved",
    "before-rebuild-commit",
    "after-rebuild-commit",
    "drift-begun",
    "drift-reported",
    "drift-recorded",
)

UPGRADE_FAILPOINTS = ("node-upgraded",)
"""Passed only by a run that finds another node program than the panel's."""


def failpoint(name: str) -> None:
    """Die here when the environment asks for this point: `name`, or `name:2` for its second passing."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    wanted_name, _, count = wanted.partition(":")
    if wanted_name != name:
        return
    left = int(count or "1") - 1
    if left > 0:
        os.environ[VARIABLE] = f"{name}:{left}"
        return
    os.kill(os.getpid(), signal.SIGKILL)
