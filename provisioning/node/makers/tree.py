"""Makes directories, files, links, absences: root's by root, what lies in a home by its tenant."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterable

from .. import fsutil
from ..changes import ADD, DESTROY, REMOVE, Change
from ..errors import Failures, RefusedError, from_os_error
from ..failpoints import failpoint
from ..node import Node
from ..paths import Paths
from ..rules import Body
from ..state import Remembered
from ..tenant import Operation, Outcome
from .acting import Planned, by_actor, carry_out, open_parent, see
from .base import Extra, Failing, Known, Maker
from .strays import strays
from .users import kill_processes

ORDER = ("directory", "file", "link", "absent")
UNKNOWN = "unknown"
"""The type, before a removal, of what a tenant has put in the place of ours: it stays, and goes with the home."""
UNSEEN = (errno.EACCES, errno.ETIMEDOUT)
"""Why nothing can be said of a place: the tenant itself may not look there, or its home does not answer."""


class Owners:
    """The numbers of owners and groups, looked up once each, for one look at many paths."""

    def __init__(self, node: Node) -> None:
        self._accounts = node.accounts
        self._known: dict[tuple[str, str], tuple[int, int] | None] = {}

    def of(self, owner: str, group: str) -> tuple[int, int] | None:
        """uid and gid; None when one of the names means nobody."""
        if (owner, group) not in self._known:
            try:
                self._known[owner, group] = self._accounts.uid(owner), self._accounts.gid(group)
            except RefusedError:
                self._known[owner, group] = None
        return self._known[owner, group]


class Tree(Maker):
    """Kinds: directory, file, link, absent."""

    name = "tree"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        leaving = [change for change in changes if _is_left_below_a_home(change)]
        staying = [change for change in changes if not _is_left_below_a_home(change)]
        for change, outcome in _look(node, leaving, Failing(), backwards=True):
            can_go = outcome.error is None and outcome.value["type"] in ("none", change.kind)
            change.before = _before(change, outcome.value if can_go else {"type": UNKNOWN})
        for change, outcome in _look(node, staying, failing):
            change.before = _before(change, outcome.value)
            if outcome.error is not None:
                continue
            try:
                self._refuse_foreign(node, change)
            except RefusedError as error:
                failing.add(change, error)
        return failing.found

    def _refuse_foreign(self, node: Node, change: Change) -> None:
        found, body = change.before["type"], change.body
        if change.change == REMOVE:
            return
        if change.kind == "directory":
            if change.change == ADD:
                change.extra["made"] = found == "none"
                self._refuse_foreign_directory(node, change)
            elif found not in ("none", "directory"):
                raise RefusedError("foreign", f"{change.key}: there is a {found} in its place")
            return
        if found == "none" or (change.kind == "file" and body.get("once")):
            return
        if found not in ("file", "link"):
            raise RefusedError("foreign", f"{change.key}: there is a {found} in its place")
        holder = node.state.claimant(f"path:{change.was[0].partition(':')[2] if change.was else change.name}")
        ours = holder is not None and holder[1] == change.slice
        if body.get("adopt") and (not ours or change.kind == "absent"):
            change.extra["original"] = change.adopts = True
        elif not ours:
            raise RefusedError("foreign", f"{change.key}: it exists and is not managed by the panel")

    def _refuse_foreign_directory(self, node: Node, change: Change) -> None:
        found, body = change.before, change.body
        if found["type"] == "none":
            return
        if found["type"] != "directory":
            raise RefusedError("foreign", f"{change.key}: there is a {found['type']} in its place")
        if body.get("as"):
            return
        is_leftover = node.state.meta(f"leftover:{change.name}") == change.slice
        if posixpath.dirname(change.name) == "/home" and not is_leftover:
            raise RefusedError("foreign", f"{change.key}: this home exists and is not managed by the panel")
        if found["uid"] != os.geteuid() and not is_leftover:
            raise RefusedError("foreign", f"{change.key}: it exists, is not root's, and is not managed by the panel")

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        staged: Planned = []
        placed: Planned = []
        for change in _sorted(changes):
            try:
                first, second = self._operations(node, change)
            except RefusedError as error:
                failing.add(change, error)
            except OSError as error:
                failing.add(change, from_os_error(change.key, error))
            else:
                staged += [(change, operation) for operation in first]
                placed += [(change, operation) for operation in second]
        placed.sort(key=lambda item: item[1]["do"] == "publish")
        mine, theirs = by_actor(staged), by_actor(placed)
        carry_out(node, mine.pop(None, []), failing)
        failpoint("tree-staged")
        carry_out(node, theirs.pop(None, []), failing)
        actors = sorted(str(actor) for actor in mine.keys() | theirs.keys())
        carry_out(node, [item for actor in actors for item in mine.get(actor, []) + theirs.get(actor, [])], failing)
        failpoint("after-tree")
        return failing.found

    def _operations(self, node: Node, change: Change) -> tuple[list[Operation], list[Operation]]:
        """What to do for a change: first beside its place, then in its place."""
        body = change.body
        if change.change == REMOVE:
            return [], self._removal(node, change)
        if change.adopts:
            keep_original(node, change.name, change.before)
        if change.kind == "absent":
            return [], [_op("unlink", change)]
        if change.kind == "link":
            return [_op("stage_link", change, target=body["target"])], [_op("publish", change)]
        own = {
            "mode": int(body["mode"], 8),
            "uid": node.accounts.uid(body["owner"]),
            "gid": node.accounts.gid(body["group"]),
        }
        if change.kind == "directory":
            return [_op("mkdir", change, **own)], []
        once = bool(body.get("once"))
        if once and change.before["type"] != "none":
            return [], []
        return [_op("stage_file", change, text=body["text"], **own)], [_op("publish", change, once=once)]

    def _removal(self, node: Node, change: Change) -> list[Operation]:
        if change.before["type"] == UNKNOWN or (change.kind == "file" and change.body.get("once")):
            return []
        if change.extra.get("original"):
            return [_op("restore", change, was=read_original(node.paths, change.name))]
        return [] if change.kind == "absent" else [_op("unlink", change)]

    def undo(self, node: Node, changes: list[Change]) -> None:
        failing = Failing()
        planned = [
            (change, _op("restore", change, was=_without(change.before, "moved"), moved="moved" in change.before))
            for change in reversed(_sorted(changes))
            if change.before["type"] != UNKNOWN and (change.before["type"] != "file" or "data" in change.before)
        ]
        for change, outcome in carry_out(node, planned, failing, backwards=True):
            failpoint("undo-half")
            self._note_leftover(node, change)
            error = outcome.as_error()
            if error is None:
                continue
            if change.body.get("as") is None:
                raise OSError(error.errno, f"{change.key} could not be brought back: {error.strerror}")
            node.steps.progress("undo", f"{change.key} is left to its tenant: {error.strerror}")

    def _note_leftover(self, node: Node, change: Change) -> None:
        """A home that we made and that holds something already stays, and may be taken by the same slice again."""
        is_home = change.kind == "directory" and posixpath.dirname(change.name) == "/home"
        if is_home and change.before["type"] == "none" and os.path.isdir(node.paths.at(change.name)):
            with node.state.transaction():
                node.state.set_meta(f"leftover:{change.name}", change.slice)

    def finish(self, node: Node, changes: list[Change]) -> dict[str, str]:
        failing = Failing()
        planned: Planned = []
        for change in reversed(_sorted(changes)):
            if change.change == DESTROY:
                if posixpath.dirname(change.name) == "/home":
                    kill_processes(node.accounts.extra_users().get(posixpath.basename(change.name), -1))
                planned.append((change, _op("rmtree", change)))
            elif change.extra.get("made"):
                planned.append((change, _op("rmdir", change)))
        unfinished: dict[str, str] = {}
        for change, outcome in carry_out(node, planned, failing, backwards=True):
            error = outcome.as_error()
            if error is not None and (change.change == DESTROY or change.body.get("as") is None):
                unfinished[change.key] = from_os_error(change.key, error).reason
            failpoint("finish-half")
        return unfinished

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        changes = [Change(item.slice, item.key, "change", item.body, item.body, extra=item.extra) for item in resources]
        planned = [(change, _op("snapshot", change, content=_wants_content(change))) for change in changes]
        found: dict[str, Body | None] = {}
        owners = Owners(node)
        for change, outcome in see(node, planned):
            if outcome.error is not None and outcome.error[0] in UNSEEN:
                continue
            actual = None if outcome.error else outcome.value
            if actual is None or not self._is_as_wanted(owners, change, actual):
                found[change.key] = _describe(node, change, actual or {"type": "none"})
        return found

    def extras(self, node: Node, known: Known) -> list[Extra]:
        return strays(node, known, lambda parent: open_parent(node.paths, parent))

    def _is_as_wanted(self, owners: Owners, change: Change, actual: fsutil.Snapshot) -> bool:
        body = change.body
        if change.kind == "absent":
            return bool(actual["type"] == "none")
        if change.kind == "file" and body.get("once"):
            return True
        if change.kind == "link":
            return actual["type"] == "link" and bool(actual["target"] == body["target"])
        if actual["type"] != change.kind or actual["mode"] != int(body["mode"], 8):
            return False
        if (actual["uid"], actual["gid"]) != owners.of(body["owner"], body["group"]):
            return False
        return change.kind == "directory" or fsutil.data_of(actual) == body["text"].encode("utf-8")


def _describe(node: Node, change: Change, actual: fsutil.Snapshot) -> Body | None:
    """What is really there, in the words of a body."""
    if actual["type"] == "none":
        return None
    if actual["type"] == "link":
        return {**change.body, "target": actual["target"]}
    owner, group = node.accounts.owner_names(actual["uid"], actual["gid"])
    body = {**change.body, "mode": f"{actual['mode']:04o}", "owner": owner, "group": group}
    if "data" in actual:
        body["text"] = fsutil.data_of(actual).decode("utf-8", "backslashreplace")
    return body


def _sorted(changes: Iterable[Change]) -> list[Change]:
    """The server's own first; directories before what lies in them."""
    return sorted(changes, key=lambda change: (change.slice != "server", ORDER.index(change.kind), change.name))


def _is_left_below_a_home(change: Change) -> bool:
    """What has to go from a tenant's home: nothing that the tenant put in its place may keep the account here."""
    return change.change in (REMOVE, DESTROY) and change.body.get("as") is not None


def _look(
    node: Node, changes: Iterable[Change], failing: Failing, *, backwards: bool = False
) -> list[tuple[Change, Outcome]]:
    """What is there now of each change, at the place that it still has before its slice's moves."""
    places = [(change, _unmoved(change)) for change in _sorted(changes)]
    planned = [(place, _op("snapshot", place, content=_wants_content(place))) for _change, place in places]
    seen = {id(place): outcome for place, outcome in carry_out(node, planned, failing, backwards=backwards)}
    return [(change, seen[id(place)]) for change, place in places if id(place) in seen]


def _unmoved(change: Change) -> Change:
    if change.was is None:
        return change
    key, user = change.was
    return Change(change.slice, key, change.change, {**change.body, "as": user}, None)


def _before(change: Change, found: fsutil.Snapshot) -> fsutil.Snapshot:
    return found if change.was is None or not isinstance(found, dict) else {**found, "moved": True}


def _without(found: fsutil.Snapshot, name: str) -> fsutil.Snapshot:
    return {key: value for key, value in found.items() if key != name}


def _wants_content(change: Change) -> bool:
    return change.kind != "directory" and not change.body.get("once")


def _op(do: str, change: Change, **arguments: object) -> Operation:
    """An operation on a change's path; below a home the path is relative to it."""
    user = change.body.get("as")
    path = change.name[len(f"/home/{user}/") :] if user else change.name
    return {"do": do, "path": path, **arguments}


def original_path(paths: Paths, path: str) -> str:
    """Where the unmanaged file that a resource took the place of is kept."""
    return paths.originals + path


def keep_original(node: Node, path: str, found: fsutil.Snapshot) -> None:
    """Keep a file or link whose place is taken; the journal holds it too until everything is durable."""
    kept = original_path(node.paths, path)
    os.makedirs(node.paths.originals, mode=0o700, exist_ok=True)
    os.makedirs(os.path.dirname(kept), mode=0o700, exist_ok=True)
    directory = os.open(os.path.dirname(kept), fsutil.DIRECTORY)
    try:
        fsutil.restore(directory, os.path.basename(kept), found, node.unsynced)
        node.unsynced.add(directory)
    finally:
        os.close(directory)


def read_original(paths: Paths, path: str) -> fsutil.Snapshot:
    """What was kept."""
    kept = original_path(paths, path)
    directory = os.open(os.path.dirname(kept), fsutil.DIRECTORY)
    try:
        return fsutil.snapshot(directory, os.path.basename(kept))
    finally:
        os.close(directory)
