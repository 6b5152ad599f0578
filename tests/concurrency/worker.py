"""A worker process of the concurrency tests: ROOT SERVER reconcile [FAULT], or ROOT SERVER celery.

FAULT is a point in the middle of a run at which the process kills or stops itself.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import django

FAULTS = {
    "killed-before-sending": ("sending", signal.SIGKILL),
    "killed-at-an-event": ("event", signal.SIGKILL),
    "killed-before-recording": ("recording", signal.SIGKILL),
    "stopped-before-sending": ("sending", signal.SIGSTOP),
    "stopped-before-recording": ("recording", signal.SIGSTOP),
}


def plant(fault: str) -> None:
    """Let this process meet its fault in its first apply."""
    from provisioning import transport

    where, number = FAULTS[fault]
    original = transport.call
    left = [1]

    def meet(point: str) -> None:
        if point == where and left:
            left.clear()
            os.kill(os.getpid(), number)

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        meet("sending")

        def seen(event: Mapping[str, Any]) -> None:
            meet("event")
            on_event(event)

        report: dict[str, Any] = original(target, verb, payload, seen)
        meet("recording")
        return report

    transport.call = call


def main(root: str, server_id: str, mode: str, fault: str = "") -> None:
    """Do one worker's work."""
    django.setup()
    from provisioning.transport import local
    from tests.provisioning.engine import REPOSITORY, program

    setattr(local, "PROGRAM", program(Path(root)))  # noqa: B010 - the constant of another place
    setattr(local, "LIBRARY", str(REPOSITORY))  # noqa: B010
    if fault:
        plant(fault)
    if mode == "reconcile":
        from provisioning import reconcile

        print(reconcile.reconcile(server_id))  # noqa: T201
    else:
        from panel.celery import app

        app.worker_main(["worker", "--concurrency=4", "--without-gossip", "--without-mingle", "--loglevel=WARNING"])


if __name__ == "__main__":
    main(*sys.argv[1:])
