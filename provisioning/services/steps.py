"""The steps of a run, written while it goes on. For the worker only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from panel.core.failpoints import failpoint
from provisioning.models import Run, RunStep

FLUSH_SECONDS = 0.2


class Steps:
    """Writes the steps of a run while it goes on, at most every 0.2 s, so that a page can follow without slowing
    the run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._steps: dict[str, RunStep] = {}
        self._dirty: set[str] = set()
        self._flushed = time.monotonic()

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take an event of the node (docs/protocol.md, Framing)."""
        self.set(str(event["step"]), str(event["status"]), event.get("ms"), str(event.get("detail") or ""))
        failpoint("event-seen")
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def set(self, name: str, status: str, ms: float | None = None, detail: str = "") -> None:
        """Set a step's state; the first mention of a name gives its place."""
        step = self._steps.get(name)
        if step is None:
            step = RunStep(run=self._run, position=len(self._steps), name=name[:120])
            self._steps[name] = step
        step.status = status if status in RunStep.Status.values else RunStep.Status.STARTED
        step.ms = ms
        step.detail = detail[:2000]
        self._dirty.add(name)

    def flush(self) -> None:
        """Write what has changed."""
        if self._dirty:
            RunStep.objects.bulk_create(
                [self._steps[name] for name in self._steps if name in self._dirty],
                update_conflicts=True,
                unique_fields=["run", "position"],
                update_fields=["status", "ms", "detail"],
            )
        self._dirty.clear()
        self._flushed = time.monotonic()
