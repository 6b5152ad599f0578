"""Named points at which a test may kill the process, to prove recovery. Inert unless the environment names one."""

from __future__ import annotations

import os
import signal

VARIABLE = "HOSTWRIGHT_FAILPOINT"

FAILPOINTS = (
    "before-journal",
    "after-journal",
    "users-moved",
    "move-half",
    "users-half-written",
    "after-users",
    "tree-half-staged",
    "tree-staged",
    "tree-half-renamed",
    "after-tree",
    "after-sql",
    "after-zone-files",
    "after-maker",
    "before-check",
    "after-check",
    "undo-half",
    "undo-move-half",
    "rows-committed",
    "zones-served",
    "reload-sent",
    "after-reload",
    "before-commit",
    "after-commit",
    "finish-half",
    "home-renamed",
    "before-close",
    "recover-half",
    "recover-before-close",
)
"""The points of an apply and of its recovery."""

UPGRADE_FAILPOINTS = ("upgrade-unpacked", "upgrade-tested", "upgrade-swapped")
"""The points of an upgrade of the node program."""


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
