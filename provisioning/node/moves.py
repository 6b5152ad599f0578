"""What a slice's moves come to: its data, and what is remembered of it, under new names (docs/protocol.md, *Moves*).

Nothing is touched here: makers.moves renames, the commit remembers.
"""

from __future__ import annotations

import dataclasses
import posixpath
from dataclasses import dataclass, field

from . import rules
from .changes import MOVE, Change
from .errors import RefusedError
from .kinds import KINDS
from .paths import LOGS
from .payload import SliceRequest, body_hash
from .rules import Body, invalid, is_below
from .state import DESTROYING, REMOVING, Remembered, State

PATH_KINDS = frozenset({"directory", "file", "link", "absent"})


@dataclass
class Moved:
    """`resources` is what is remembered, as if moved already, by new key; `origins` are the keys it has until then."""

    users: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Remembered] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def key(self, key: str) -> str:
        """A key's new name; itself when it does not move."""
        kind, _, name = key.partition(":")
        if kind == "user":
            return f"user:{self.users.get(name, name)}"
        root = _root(name, self.paths) if kind in PATH_KINDS else None
        return key if root is None else f"{kind}:{self.paths[root]}{name[len(root) :]}"

    def body(self, body: Body) -> Body:
        """A body that moves, in its new words."""
        new = {**body, "name": self.key(f"{body['kind']}:{body['name']}").partition(":")[2]}
        for attribute in ("as", "owner", "group"):
            if body.get(attribute) in self.users:
                new[attribute] = self.users[body[attribute]]
        if body["kind"] == "user":
            new["home"] = self.paths.get(body["home"], body["home"])
        return new

    def origin(self, key: str, user: str | None) -> tuple[str, str | None] | None:
        """Where what is to be at `key` lies until the move, and as whom it is looked at; None when nothing moves it."""
        back = Moved(_turned(self.users), _turned(self.paths))
        was = back.key(key)
        return None if was == key else (was, back.users.get(user, user) if user is not None else None)


def plan_moves(state: State, request: SliceRequest, known: dict[str, tuple[str, str]]) -> Moved:
    """Read a slice's moves; what has moved already, or was never here, is left out. RefusedError when one cannot be."""
    moved = Moved()
    for origin, key in _net(request, known):
        kind, _, old = origin.partition(":")
        new = key.partition(":")[2]
        remembered = state.get(origin)
        if remembered is None or not KINDS[kind].is_data(remembered.body):
            raise invalid("moves", f"{origin} is no data of the slice {request.slice}")
        (moved.users if kind == "user" else moved.paths)[old] = new
        body = {"kind": "move", "name": origin, "to": key}
        moved.changes.append(Change(request.slice, f"move:{origin}", MOVE, body, None))
    for old, new in moved.paths.items():
        _check_place(moved, old, new)
    if any(moved.paths.get(f"/home/{old}") != f"/home/{new}" for old, new in moved.users.items()):
        raise invalid("moves", "a user moves together with its home")
    if moved.changes:
        _rewrite(state, moved, known)
    return moved


def _net(request: SliceRequest, known: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """(Key now, key to be) of what moves at all, one move after another; users first, for homes are theirs."""
    here = {key: key for key in known}
    for source, target in request.moves:
        kinds = {key.partition(":")[0] for key in (source, target)}
        if len(kinds) != 1 or not kinds <= {"user", "directory"}:
            raise invalid("moves", "must be from one user to another, or from one directory to another")
        if source not in here:
            continue
        if known[here[source]][1] in (REMOVING, DESTROYING):
            raise RefusedError("failed", f"moves: {source} is still being removed")
        if target in here:
            raise RefusedError("foreign", f"moves: {target} exists already, so {source} cannot become it")
        here[target] = here.pop(source)
    moves = [(origin, key) for key, origin in here.items() if key != origin]
    return sorted(moves, key=lambda move: not move[0].startswith("user:"))


def _check_place(moved: Moved, old: str, new: str) -> None:
    """A home moves with its user, logs among the logs; nothing else does."""
    if posixpath.dirname(old) == "/home":
        user = posixpath.basename(old)
        if user not in moved.users or new != f"/home/{moved.users[user]}":
            raise invalid("moves", f"{new!r}: a home moves together with its user")
        rules.string({"user": moved.users[user]}, "user", rules.USER, "must be a lower-case user name")
    elif posixpath.dirname(old) != LOGS or posixpath.dirname(rules.normalised(new)) != LOGS:
        raise invalid("moves", f"{old!r} may only move below {LOGS}")


def _rewrite(state: State, moved: Moved, known: dict[str, tuple[str, str]]) -> None:
    for origin in sorted(known):
        key = moved.key(origin)
        remembered = state.get(origin) if key != origin else None
        if remembered is None:
            continue
        body = moved.body(remembered.body)
        moved.resources[key] = dataclasses.replace(remembered, key=key, body=body, hash=body_hash(body))
        moved.origins[key] = origin


def _root(path: str, roots: dict[str, str]) -> str | None:
    return next((root for root in roots if is_below(path, root)), None)


def _turned(names: dict[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}
