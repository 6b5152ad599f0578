"""The verb `apply`: the one order in which a server is changed (docs/protocol.md, *Order inside one apply*)."""

from __future__ import annotations

import sqlite3
from typing import Any

from .changes import ADD, CHANGE, DESTROY, Change
from .checks import check
from .compare import Work, compare, held_words, is_held, refuse
from .daemons import by_service, reload, settle_systemd
from .daemons.leaving import is_in_front, leaving, stop
from .diff import masked
from .errors import Failures, NodeError, RefusedError
from .failpoints import failpoint
from .kinds import KINDS, SERVER_SLICE
from .makers import together
from .node import Emit, Node
from .payload import Request, parse
from .recover import finish_leaving, recover, reload_what_holds, undo
from .report import build
from .state import DESTROYING, LIVE, ORPHANED, REMOVING, Remembered


def apply(node: Node, payload: object, emit: Emit) -> dict[str, Any]:
    """Make the server be what the payload asks for; the report. NodeError when nothing at all can be done."""
    request = parse(payload)
    node.tell(emit)
    with node.lock():
        fence(node, request)
        recover(node)
        return _Apply(node, request).run()


def fence(node: Node, request: Request) -> None:
    """Refuse an older epoch and another server's bundle; remember a newer epoch, and who has it, at once.

    One epoch in two hands means two databases that were one: whoever came second is refused as well.
    """
    fence_reading(node, request.server, request.epoch)
    first = node.state.meta("holder")
    if request.epoch == node.state.epoch and request.holder and first and first != request.holder:
        raise NodeError("stale_epoch", f"epoch {request.epoch} is another worker's", {"epoch": request.epoch})
    if node.state.server is None or request.epoch > node.state.epoch:
        with node.state.transaction():
            node.state.set_meta("server", request.server)
            node.state.set_meta("epoch", str(request.epoch))
            node.state.set_meta("holder", request.holder)


def fence_reading(node: Node, server: str, epoch: int) -> None:
    """The refusals of `fence` alone. NodeError stale_epoch, or bad_request for another server's bundle."""
    known, newest = node.state.server, node.state.epoch
    if known is not None and known != server:
        message = f"this node belongs to {known}; `python3 -m hostwright_node release` on it lets another panel take it"
        raise NodeError("bad_request", message, {"server": known})
    if epoch < newest:
        raise NodeError("stale_epoch", f"epoch {epoch} is older than {newest}", {"epoch": newest})


class _Apply:
    """One apply under the lock."""

    def __init__(self, node: Node, request: Request) -> None:
        self.node = node
        self.request = request
        self.reloads: dict[str, int] = {}
        self.works: list[Work] = []

    def run(self) -> dict[str, Any]:
        self.works = compare(self.node, self.request)
        if is_held(self.node, self.request, self.works):
            for work in self.works:
                if work.is_open:
                    work.status = "held"
                    work.reason = held_words(self.node, work)
        elif any(work.changes for work in self._open()):
            try:
                self._change()
            except Exception:
                recover(self.node)
                raise
        self._commit_generations()
        finish_leaving(self.node)
        return build(self.node, self.works, self.reloads)

    def _open(self) -> list[Work]:
        return [work for work in self.works if work.is_open]

    def _change(self) -> None:
        refuse(self._open(), together.install(self.node, _changes(self._open())))
        refuse(self._open(), together.note_before(self.node, _undoable(self._open())))
        failpoint("before-journal")
        if not self._write_journal():
            return
        failpoint("after-journal")
        kept = self._carry([work for work in self._open() if _undoable([work])])
        failpoint("before-commit")
        try:
            self._commit()
        except (OSError, sqlite3.Error) as error:
            self._take_back(kept)
            for work in kept:
                work.refuse(RefusedError("disk_full", f"what was written is not durable: {error}"))
            raise
        failpoint("after-commit")

    def _write_journal(self) -> bool:
        """Whether the undo of every change is on disk."""
        changes = _undoable(self._open())
        try:
            self.node.state.write_journal(
                (change.slice, change.key, change.change, change.body, change.before) for change in changes
            )
        except sqlite3.Error as error:
            for work in self._open():
                work.refuse(RefusedError("disk_full", f"the node's own database: {error}"))
            return False
        return True

    # --- making, checking, going live

    def _carry(self, works: list[Work]) -> list[Work]:
        """Bring works all the way to being served; those that are. The others are undone and refused."""
        kept = self._settle(works)
        if not kept:
            return []
        try:
            return self._go_live(kept)
        except RefusedError as error:
            kept = [work for work in kept if work.is_open]
            self._take_back(kept)
            if len(kept) == 1:
                kept[0].refuse(RefusedError(error.code, masked(error.reason, kept[0].changes)))
                return []
            return [work for part in _parts(kept, error.reason) for work in self._carry(part)]

    def _settle(self, works: list[Work]) -> list[Work]:
        """Make works and let every checker judge them; those that hold. On refusal the guilty are found by halves."""
        if not works:
            return []
        with self.node.steps.step("write"):
            made = self._drop(works, refuse(works, together.make(self.node, _undoable(works), checked=True)))
        failpoint("before-check")
        failures: Failures = {}
        verdict = check(
            self.node,
            _undoable(made),
            lambda: failures.update(together.make(self.node, _undoable(made), checked=False)),
        )
        failpoint("after-check")
        failed = refuse(made, failures)
        if failed:
            made = self._drop(made, failed)
            verdict = check(self.node, _undoable(made))
        if not verdict.daemons and not verdict.zones:
            return made
        undo(self.node, _undoable(made))
        if verdict.zones:
            bad = [work for work in made if work.slice in verdict.zones]
            for work in bad:
                work.refuse(RefusedError("check", masked(verdict.zones[work.slice], work.changes)))
            return self._settle([work for work in made if work not in bad])
        if len(made) == 1:
            made[0].refuse(RefusedError("check", masked(verdict.words, made[0].changes)))
            return []
        return [work for part in _parts(made, verdict.words) for work in self._settle(part)]

    def _drop(self, works: list[Work], failed: list[Work]) -> list[Work]:
        """Undo those of some works that failed; the others."""
        if failed:
            undo(self.node, _undoable(failed))
        return [work for work in works if work not in failed]

    def _go_live(self, works: list[Work]) -> list[Work]:
        """Rows, zones, reloads, units. RefusedError when a daemon does not serve the new configuration."""
        settle_systemd(self.node, _undoable(works))
        self._reload(works, only={"named"})
        failed = refuse(works, together.go_live(self.node, _undoable(works), after_reload=False))
        if failed:
            works = self._drop(works, failed)
            verdict = check(self.node, _undoable(works))
            if verdict.daemons:
                raise RefusedError("check", verdict.words)
        gone = leaving(_undoable(works))
        first = [change for name, change in gone.items() if is_in_front(self.node, name)]
        stop(self.node, first)
        services = by_service(_undoable(works)).keys() - {"named"} - gone.keys()
        self._reload(works, only=set(services))
        stop(self.node, [change for change in gone.values() if change not in first])
        failpoint("after-reload")
        failed = refuse(works, together.go_live(self.node, _undoable(works), after_reload=True))
        if failed:
            works = self._drop(works, failed)
            reload_what_holds(self.node, _undoable(failed))
        return works

    def _reload(self, works: list[Work], only: set[str]) -> None:
        changes = {name: items for name, items in by_service(_undoable(works)).items() if name in only}
        if changes:
            reload(self.node, changes, self.reloads)

    def _take_back(self, works: list[Work]) -> None:
        """Undo works that may be served already."""
        changes = _undoable(works)
        undo(self.node, changes)
        reload_what_holds(self.node, changes)
        for change in changes:
            change.is_live = False

    # --- remembering

    def _commit(self) -> None:
        """One transaction: what is applied is remembered, what is to go is marked, the journal is closed."""
        state = self.node.state
        self.node.unsynced.flush()
        with state.transaction():
            for work in self._open():
                state.set_generation(work.slice, work.request.generation)
                self._remember_moved(work)
                for change in work.changes:
                    self._remember(change)
                    if change.kind == "zone" and change.new is not None:
                        state.set_serial(change.name, change.before["serial"])
                        work.served[change.key] = {"serial": change.before["serial"]}
                for key in work.orphaned:
                    state.set_state(key, ORPHANED)
                for key in work.revived:
                    state.set_state(key, LIVE)
            state.clear_journal()
        for work in self._open():
            if work.changes:
                work.status = "applied"

    def _remember_moved(self, work: Work) -> None:
        for key in work.moved.origins.values():
            self.node.state.drop(key)
        for key, remembered in work.moved.resources.items():
            kind, _, name = key.partition(":")
            self.node.state.put(remembered)
            self.node.state.set_claims(key, KINDS[kind].claims(name, remembered.body))

    def _remember(self, change: Change) -> None:
        state = self.node.state
        if change.change in (ADD, CHANGE):
            body = change.body
            state.put(Remembered(change.key, change.slice, change.hash, LIVE, body, change.extra))
            state.set_claims(change.key, KINDS[change.kind].claims(change.name, body))
        elif together.is_undoable(change):
            state.drop(change.key)
        else:
            state.set_state(change.key, DESTROYING if change.change == DESTROY else REMOVING)

    def _commit_generations(self) -> None:
        """What changed nothing is remembered too: its generation, and data that is no longer listed."""
        state = self.node.state
        rest = [
            work
            for work in self._open()
            if work.orphaned or work.revived or state.generation(work.slice) != work.request.generation
        ]
        if not rest:
            return
        with state.transaction():
            for work in rest:
                state.set_generation(work.slice, work.request.generation)
                for key in work.orphaned:
                    state.set_state(key, ORPHANED)
                for key in work.revived:
                    state.set_state(key, LIVE)


def _changes(works: list[Work]) -> list[Change]:
    return [change for work in works for change in work.changes]


def _undoable(works: list[Work]) -> list[Change]:
    return [change for change in _changes(works) if together.is_undoable(change)]


def _parts(works: list[Work], words: str) -> list[list[Work]]:
    """How to go on after a refusal: without those whose files it names, which then come one by one; else by halves."""
    named = [work for work in works if any(change.name in words for change in work.changes if change.kind == "file")]
    if 0 < len(named) < len(works):
        rest = [work for work in works if work not in named]
        return [rest, *([work] for work in named)]
    if works[0].slice == SERVER_SLICE:
        return [works[:1], works[1:]]
    middle = len(works) // 2
    return [works[:middle], works[middle:]]
