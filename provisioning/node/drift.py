"""The verb `drift`: what really is on the server against what was applied last. Touches nothing and starts nothing."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from . import rules
from .apply import fence_reading
from .changes import CHANGE, Change
from .compare import split_key
from .diff import SECRET_ATTRIBUTES, text_diff
from .errors import NodeError, RefusedError
from .extras import digest_of, known, slice_of
from .facts import slices
from .kinds import KINDS
from .makers import MAKERS, PACKAGES
from .node import Emit, Node
from .rules import Body
from .state import Remembered

ATTEMPTS = 2
LIMIT, LIMIT_HIGHEST = 500, 5000
SHOWN = ("zone", "row", "database", "database_user")
"""Kinds whose actual body the panel may adopt."""
PERMISSIONS = {"owner", "group", "mode"}
DIFF_LIMIT = 100_000
"""Characters of text beyond which a difference is counted and not shown."""


T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """What is to be looked at; all slices when `slices` is None."""

    server: str
    epoch: int
    slices: frozenset[str] | None
    limit: int


@dataclass(frozen=True)
class Item:
    """Something that is not as it was applied; `wanted` or `found` is None where there is nothing."""

    slice: str
    key: str
    wanted: Body | None
    found: Body | None


def drift(node: Node, payload: object, emit: Emit) -> dict[str, Any]:
    """The report of `drift`. NodeError busy when an apply goes on, or one could not be undone yet."""
    asked = _parse(payload)
    node.is_planning = True
    try:
        for _attempt in range(ATTEMPTS):
            node.tell(emit)
            version = node.state.version()
            report = _report(node, asked)
            if node.state.version() == version and not node.is_locked():
                return report
    finally:
        node.is_planning = False
    raise NodeError("busy", "an apply goes on on this server; look again when it has ended")


def _parse(payload: object) -> Asked:
    data = payload if isinstance(payload, dict) else {}
    server, epoch, names, limit = data.get("server"), data.get("epoch"), data.get("slices"), data.get("limit", LIMIT)
    if not isinstance(server, str) or not rules.SLICE.fullmatch(server):
        raise NodeError("bad_request", "server must be an id of lower-case letters, digits and underscores")
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 0:
        raise NodeError("bad_request", "epoch must be a whole number from 0")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise NodeError("bad_request", "slices must be null or a list of ids")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LIMIT_HIGHEST:
        raise NodeError("bad_request", f"limit must be a whole number from 1 to {LIMIT_HIGHEST}")
    return Asked(server, epoch, None if names is None else frozenset(names), limit)


def _report(node: Node, asked: Asked) -> dict[str, Any]:
    with node.state.reading(), node.looking():
        fence_reading(node, asked.server, asked.epoch)
        if node.state.journal_length():
            raise NodeError("busy", "an apply goes on on this server, or an interrupted one is not undone yet")
        resources = node.state.live(asked.slices)
        items = sorted([*_differing(node, resources), *_extra(node, asked)], key=lambda item: (item.slice, item.key))
        looked_at = slices(node)
    wanted = looked_at.keys() if asked.slices is None else looked_at.keys() & asked.slices
    return {
        "epoch": node.state.epoch,
        "checked": len(resources),
        "slices": {name: {part: looked_at[name][part] for part in ("generation", "manifest")} for name in wanted},
        "items": [_told(item) for item in items[: asked.limit]],
        "truncated": len(items) > asked.limit,
        "steps": node.steps.done,
    }


def _differing(node: Node, resources: list[Remembered]) -> list[Item]:
    """What is missing or not as it was applied."""
    by_key = {resource.key: resource for resource in resources}
    by_maker: dict[str, list[Remembered]] = {}
    for resource in resources:
        by_maker.setdefault(KINDS[split_key(resource.key)[0]].maker, []).append(resource)
    items = []
    for maker in (PACKAGES, *MAKERS):
        listed = by_maker.get(maker.name, [])
        if listed:
            found = _look(node, f"look at {maker.name}", functools.partial(maker.differs, node, listed)) or {}
            items += [Item(by_key[key].slice, key, by_key[key].body, body) for key, body in found.items()]
    return items


def _extra(node: Node, asked: Asked) -> list[Item]:
    """What is there and belongs to nobody."""
    what = known(node)
    items = []
    for maker in MAKERS:
        found = _look(node, f"look for more {maker.name}", functools.partial(maker.extras, node, what)) or []
        items += [Item(slice_of(extra, what), extra.key, None, extra.body) for extra in found]
    return [item for item in items if asked.slices is None or item.slice in asked.slices]


def _look(node: Node, name: str, look: Callable[[], T]) -> T | None:
    """What a look finds; None, and a failed step that says why, when it cannot be taken: a daemon does not run."""
    try:
        with node.steps.step(name) as told:
            try:
                return look()
            except (RefusedError, OSError, sqlite3.Error) as error:
                told["detail"] = str(error)
                raise
    except (RefusedError, OSError, sqlite3.Error):
        return None


def _told(item: Item) -> dict[str, Any]:
    service = (item.wanted or item.found or {}).get("service")
    shown = item.found if item.key.partition(":")[0] in SHOWN else None
    return {
        "slice": item.slice,
        "key": item.key,
        "drift": _word(item),
        "service": service,
        "diff": _diff(item),
        "digest": digest_of(item.found),
        "actual": None if shown is None else _without_secrets(shown),
    }


def _word(item: Item) -> str:
    if item.wanted is None:
        return "extra"
    if item.found is None:
        return "missing"
    names = item.wanted.keys() | item.found.keys()
    differing = {name for name in names if item.wanted.get(name) != item.found.get(name)}
    return "mode" if differing and differing <= PERMISSIONS else "changed"


def _diff(item: Item) -> str:
    texts = [str(body["text"]) for body in (item.wanted, item.found) if body is not None and "text" in body]
    if sum(map(len, texts)) > DIFF_LIMIT:
        counted = [f"{len(text)} characters in {text.count(chr(10))} lines" for text in texts]
        return "too long to be shown: " + ", then ".join(counted) + "\n"
    return text_diff(Change(item.slice, item.key, CHANGE, item.wanted, item.found))


def _without_secrets(body: Body) -> Body:
    """A body that may be shown: every password is left out."""
    shown = {name: value for name, value in body.items() if name not in SECRET_ATTRIBUTES}
    if isinstance(shown.get("values"), dict):
        shown["values"] = {name: value for name, value in shown["values"].items() if name not in SECRET_ATTRIBUTES}
    return shown
