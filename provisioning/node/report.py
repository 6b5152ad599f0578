"""The report of an apply, from the works and the steps that it was made of. Pure."""

from __future__ import annotations

from typing import Any

from .compare import Work
from .node import Node

GOOD = ("applied", "unchanged")


def overall(statuses: set[str]) -> str:
    """One word for a whole apply."""
    if statuses <= {"unchanged"}:
        return "unchanged"
    if statuses <= set(GOOD):
        return "applied"
    if statuses & set(GOOD):
        return "partial"
    if "held" in statuses:
        return "held"
    return "need" if statuses == {"need"} else "rejected"


def slice_report(work: Work) -> dict[str, Any]:
    """What became of one slice. Changes are listed only when they were made."""
    made = work.changes if work.status == "applied" else []
    return {
        "status": work.status,
        "generation": work.request.generation,
        "reason": work.reason,
        "code": work.code,
        "need": sorted(work.need),
        "changes": [{"key": change.key, "change": change.change} for change in made],
        "served": work.served,
        "discarded": work.discarded if work.status in GOOD else {},
    }


def build(node: Node, works: list[Work], reloads: dict[str, int]) -> dict[str, Any]:
    """The report as docs/protocol.md says."""
    counted = [work for work in works if work.status in ("applied", "held")]
    return {
        "status": overall({work.status for work in works}),
        "epoch": node.state.epoch,
        "slices": {work.slice: slice_report(work) for work in works},
        "removals": sum(change.is_removal for work in counted for change in work.changes),
        "resources": sum(len(work.request.manifest) for work in works),
        "reloads": reloads,
        "steps": node.steps.done,
    }
