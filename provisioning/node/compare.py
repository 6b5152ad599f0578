"""What an apply would change: the wanted manifests against what is remembered and, when asked, what is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .changes import ADD, CHANGE, DESTROY, REMOVE, Change
from .discards import Discards
from .errors import Failures, RefusedError
from .kinds import KINDS, SERVER_SLICE, Scope
from .makers import MAKERS, PACKAGES
from .moves import Moved, plan_moves
from .node import Node
from .payload import Request, SliceRequest, body_hash
from .rules import Body, invalid
from .state import DESTROYING, LIVE, ORPHANED, REMOVING, Remembered

KEY = re.compile(r"([a-z_]+):([^\x00-\x1f\x7f]{1,1200})")


@dataclass
class Work:
    """One slice on its way: what is to change, and how it ended."""

    request: SliceRequest
    status: str = "unchanged"
    code: str | None = None
    reason: str | None = None
    need: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    served: dict[str, Any] = field(default_factory=dict)
    discarded: dict[str, str] = field(default_factory=dict)
    moved: Moved = field(default_factory=Moved)

    @property
    def slice(self) -> str:
        return self.request.slice

    @property
    def is_open(self) -> bool:
        """Whether nothing stands against applying it."""
        return self.status == "unchanged"

    def refuse(self, error: RefusedError) -> None:
        """Give it up."""
        self.status, self.code, self.reason = "rejected", error.code, error.reason

    @property
    def removals(self) -> int:
        return sum(change.is_removal for change in self.changes)


def compare(node: Node, request: Request) -> list[Work]:
    """A work for each slice, the server's own first; with `verify`, drift counts as change."""
    works = [Work(item) for item in sorted(request.slices, key=lambda item: item.slice != SERVER_SLICE)]
    claimed: dict[str, str] = {}
    for work in works:
        try:
            _compare_slice(node, work, claimed)
        except RefusedError as error:
            work.refuse(error)
    _add_discards(node, request, [work for work in works if work.is_open and work.request.discard])
    if request.verify:
        _add_drift(node, [work for work in works if work.is_open])
    return works


def refuse(works: list[Work], failures: Failures) -> list[Work]:
    """Give up the slices that failed; those that did."""
    failed = [work for work in works if work.slice in failures]
    for work in failed:
        work.refuse(failures[work.slice])
    return failed


def _compare_slice(node: Node, work: Work, claimed: dict[str, str]) -> None:
    item = work.request
    applied = node.state.generation(item.slice)
    if applied is not None and item.generation < applied:
        work.status = "stale"
        work.reason = f"generation {item.generation} is older than {applied}, which is applied"
        return
    known = node.state.index(item.slice)
    _move(node, work, known)
    changed = [
        key for key, digest in item.manifest.items() if known.get(key) != (digest, LIVE) and key not in item.pinned
    ]
    gone = [key for key in known if key not in item.manifest]
    if not changed and not gone and not item.tombstones and not work.moved.changes:
        return
    bodies = _bodies(node, work, known, changed)
    if work.need:
        work.status = "need"
        work.reason = "bodies are missing"
        return
    scope = Scope(item.slice, item.manifest)
    _check_moved(work, scope)
    for key in sorted(changed):
        _add_wanted(node, work, scope, key, bodies[key], known)
    for key in sorted(gone):
        _add_gone(node, work, key)
    _claim(node, work, claimed)


def _move(node: Node, work: Work, known: dict[str, tuple[str, str]]) -> None:
    """From here on the slice is compared as if its moves had been made."""
    if not work.request.moves:
        return
    work.moved = plan_moves(node.state, work.request, known)
    work.changes += work.moved.changes
    for key, remembered in work.moved.resources.items():
        del known[work.moved.origins[key]]
        known[key] = (remembered.hash, remembered.state)


def _check_moved(work: Work, scope: Scope) -> None:
    """What comes to be by its move alone is judged as if the payload had held its body."""
    for key, remembered in work.moved.resources.items():
        if work.request.manifest.get(key) == remembered.hash:
            kind, name = split_key(key)
            KINDS[kind].validate(name, remembered.body, scope)


def _remembered(node: Node, work: Work, key: str) -> Remembered | None:
    return work.moved.resources.get(key) or node.state.get(key)


def split_key(key: str) -> tuple[str, str]:
    """Kind and name of a key. RefusedError when it names no kind."""
    match = KEY.fullmatch(key)
    if match is None or match.group(1) not in KINDS:
        raise invalid("key", f"{key[:200]!r} names no kind of resource that this node knows")
    return match.group(1), match.group(2)


def _bodies(node: Node, work: Work, known: dict[str, tuple[str, str]], keys: list[str]) -> dict[str, Body]:
    """The bodies of keys that change; what neither the payload nor this node has is noted as needed."""
    bodies: dict[str, Body] = {}
    for key in keys:
        split_key(key)
        digest = work.request.manifest[key]
        body = work.request.resources.get(key)
        if body is not None and body_hash(body) == digest:
            bodies[key] = body
        elif key in known and known[key][0] == digest:
            remembered = _remembered(node, work, key)
            bodies[key] = remembered.body if remembered is not None else {}
        else:
            work.need.append(key)
    return bodies


def _add_wanted(node: Node, work: Work, scope: Scope, key: str, body: Body, known: dict[str, tuple[str, str]]) -> None:
    kind, name = split_key(key)
    if body.get("kind", kind) != kind or body.get("name", name) != name:
        raise invalid(key, "kind and name must be those of its key")
    try:
        KINDS[kind].validate(name, body, scope)
    except RefusedError as error:
        raise RefusedError(error.code, f"{key}: {error.reason}") from error
    digest = work.request.manifest[key]
    state = known[key][1] if key in known else None
    if state == DESTROYING:
        raise RefusedError("failed", f"{key}: what it held before is still being destroyed")
    if state == ORPHANED and known[key][0] == digest:
        work.revived.append(key)
        return
    remembered = _remembered(node, work, key) if key in known else None
    work.changes.append(
        Change(
            slice=work.slice,
            key=key,
            change=CHANGE if remembered is not None else ADD,
            old=remembered.body if remembered is not None else None,
            new=body,
            hash=digest,
            extra=dict(remembered.extra) if remembered is not None else {},
            hint=work.request.hints.get(key, {}),
            adopts=kind == "database" and key in work.request.adopted,
            was=work.moved.origin(key, body.get("as")),
        )
    )


def _add_gone(node: Node, work: Work, key: str) -> None:
    """A key that is not listed any more: configuration goes, data is orphaned until a tombstone names it."""
    remembered = _remembered(node, work, key)
    if remembered is None or remembered.state in (REMOVING, DESTROYING):
        return
    kind, _name = split_key(key)
    is_data = KINDS[kind].is_data(remembered.body)
    if is_data and key not in work.request.tombstones:
        if remembered.state == LIVE:
            work.orphaned.append(key)
        return
    change = DESTROY if is_data else REMOVE
    was = work.moved.origin(key, remembered.body.get("as"))
    work.changes.append(
        Change(work.slice, key, change, remembered.body, None, remembered.hash, extra=dict(remembered.extra), was=was)
    )


def _claim(node: Node, work: Work, claimed: dict[str, str]) -> None:
    """Refuse names that another slice uses already, remembered or earlier in this payload."""
    for key in work.request.tombstones:
        if key in work.request.manifest:
            raise invalid("tombstones", f"{key} is in the manifest as well")
        owner = node.state.owner(key)
        if owner not in (None, work.slice):
            raise RefusedError("foreign", f"tombstones: {key} belongs to another slice")
    mine: dict[str, str] = {}
    wanted = {key: remembered.body for key, remembered in work.moved.resources.items()}
    wanted.update((change.key, change.new) for change in work.changes if change.new is not None)
    for key, body in wanted.items():
        owner = node.state.owner(key)
        if owner not in (None, work.slice) or claimed.get(key, work.slice) != work.slice:
            raise RefusedError("foreign", f"{key}: it belongs to another slice")
        kind, _, name = key.partition(":")
        for claim in KINDS[kind].claims(name, body):
            holder = node.state.claimant(claim)
            taken = holder is not None and holder[1] != work.slice
            if taken or claimed.get(claim, work.slice) != work.slice:
                raise RefusedError("foreign", f"{key}: {claim} is used by another slice")
            mine[claim] = work.slice
        mine[key] = work.slice
    claimed.update(mine)


def _add_discards(node: Node, request: Request, works: list[Work]) -> None:
    if not works:
        return
    discards = Discards(node, request)
    for work in works:
        try:
            changes, work.discarded = discards.of(work.request)
        except RefusedError as error:
            work.refuse(error)
        else:
            work.changes += changes


def _add_drift(node: Node, works: list[Work]) -> None:
    """Changes for what is listed and unchanged, but not as it should be on the server."""
    listed: dict[str, list[Remembered]] = {}
    owners: dict[str, Work] = {}
    for work in works:
        touched = {change.key for change in work.changes}
        for key in work.request.manifest.keys() - touched - work.request.pinned:
            remembered = node.state.get(key)
            if remembered is not None:
                listed.setdefault(KINDS[split_key(key)[0]].maker, []).append(remembered)
                owners[key] = work
    for maker in (PACKAGES, *MAKERS):
        resources = listed.get(maker.name, [])
        if not resources:
            continue
        by_key = {item.key: item for item in resources}
        for key, actual in sorted(maker.differs(node, resources).items()):
            work = owners[key]
            remembered = by_key[key]
            work.changes.append(
                Change(
                    slice=work.slice,
                    key=key,
                    change=ADD if actual is None else CHANGE,
                    old=actual,
                    new=remembered.body,
                    hash=remembered.hash,
                    extra=dict(remembered.extra),
                    hint=work.request.hints.get(key, {}),
                    is_drift=True,
                )
            )


def is_held(node: Node, request: Request, works: list[Work]) -> bool:
    """Whether so much would be removed that a person must confirm it first: more than the limit, or all that several
    accounts have.
    """
    if request.confirmed:
        return False
    if sum(_is_emptied(node, work) for work in works) > 1:
        return True
    removals = sum(work.removals for work in works if work.is_open)
    if removals < max(1, request.limit_from):
        return False
    known = sum(len(node.state.index(work.slice)) for work in works)
    return removals * 100 > request.limit_percent * known


def _is_emptied(node: Node, work: Work) -> bool:
    """Whether an account that has something here is to have nothing."""
    if not work.is_open or work.slice == SERVER_SLICE or work.request.manifest:
        return False
    return any(state == LIVE for _digest, state in node.state.index(work.slice).values())


def held_words(node: Node, work: Work) -> str:
    """Why a slice is held, with counts."""
    known = len(node.state.index(work.slice))
    return f"{work.removals} of {known} resources of {work.slice} would be removed; confirm it to go on"
