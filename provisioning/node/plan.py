"""The verb `plan`: what an apply of the same payload would change, as a person reads it. Touches nothing."""

from __future__ import annotations

from typing import Any

from .apply import fence_reading
from .changes import Change
from .compare import Work, compare, refuse
from .daemons import by_service
from .diff import text_diff
from .makers import together
from .node import Emit, Node
from .payload import parse

TELLING = ("foreign", "invalid")
"""Refusals that hold whatever an apply would do first; others may be due to packages not installed yet."""


def plan(node: Node, payload: object, emit: Emit) -> dict[str, Any]:
    """The report of `plan`. NodeError when the payload would be refused as a whole."""
    request = parse(payload)
    node.tell(emit)
    node.is_planning = True
    try:
        fence_reading(node, request.server, request.epoch)
        with node.state.reading():
            works = compare(node, request)
            _refuse_foreign(node, works)
    finally:
        node.is_planning = False
    planned = [work for work in works if work.is_open]
    for work in planned:
        if work.changes:
            work.status = "planned"
    changes = [change for work in planned for change in work.changes]
    return {
        "slices": {work.slice: _slice(work) for work in works},
        "reloads": sorted(by_service(changes)),
        "removals": sum(change.is_removal for change in changes),
        "resources": sum(len(work.request.manifest) for work in works),
    }


def _refuse_foreign(node: Node, works: list[Work]) -> None:
    working = [work for work in works if work.is_open and work.changes]
    changes = [change for work in working for change in work.changes if together.is_undoable(change)]
    failures = together.note_before(node, changes)
    refuse(working, {slice_id: error for slice_id, error in failures.items() if error.code in TELLING})


def _slice(work: Work) -> dict[str, Any]:
    return {
        "status": work.status,
        "generation": work.request.generation,
        "reason": work.reason,
        "code": work.code,
        "need": sorted(work.need),
        "changes": [_change(change) for change in work.changes] if work.status == "planned" else [],
    }


def _change(change: Change) -> dict[str, Any]:
    services = sorted(change.services)
    return {
        "key": change.key,
        "change": change.change,
        "service": services[0] if services else None,
        "diff": text_diff(change),
        "reason": "drift" if change.is_drift else "discard" if change.is_discard else None,
    }
