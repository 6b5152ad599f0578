"""After a kill or a power cut: undoes an apply that never committed, finishes the removals of one that did."""

from __future__ import annotations

import sqlite3

from .changes import ADD, CHANGE, DESTROY, REMOVE, Change
from .checks import check
from .daemons import by_service, daemon, reload, settle_systemd
from .errors import NodeError, RefusedError
from .failpoints import failpoint
from .makers import together
from .node import Node
from .rndc import RndcError
from .state import DESTROYING

NEEDS_DAEMONS = ("database", "database_user", "zone")
"""Kinds that cannot be undone for good while MariaDB and BIND do not run."""


def recover(node: Node) -> None:
    """Bring the server to old or new. The caller holds the lock. NodeError internal when that is impossible now."""
    changes = journalled(node)
    if changes:
        with node.steps.step("recover an interrupted apply"):
            undo(node, changes)
            reload_what_holds(node, changes)
            failpoint("recover-before-close")
            node.unsynced.flush()
            with node.state.transaction():
                node.state.clear_journal()
    finish_leaving(node)


def recover_at_boot(node: Node) -> None:
    """Undo what needs no daemon, before the daemons start; the rest stays in the journal. The caller has the lock.

    systemd waits for this, so this waits for nothing of systemd's: no daemon is started, reloaded or asked.
    """
    changes = journalled(node)
    if not changes:
        return
    node.is_booting = True
    try:
        undo(node, changes)
        settle_systemd(node, changes)
        failpoint("recover-before-close")
        node.unsynced.flush()
        with node.state.transaction():
            node.state.keep_journalled(NEEDS_DAEMONS)
    finally:
        node.is_booting = False


def journalled(node: Node) -> list[Change]:
    """The changes that an unfinished apply had begun, as if all of them had been made."""
    changes = []
    for slice_id, key, change, body, before in node.state.journal():
        remembered = node.state.get(key)
        changes.append(
            Change(
                slice=slice_id,
                key=key,
                change=change,
                old=remembered.body if remembered is not None else None,
                new=body if change in (ADD, CHANGE) else None,
                extra=remembered.extra if remembered is not None else {},
                before=before,
                is_live=True,
            )
        )
        if changes[-1].new is None and changes[-1].old is None:
            changes[-1].old = body
    return changes


def undo(node: Node, changes: list[Change]) -> None:
    """Undo changes. NodeError internal when one cannot be undone: the journal stays, and the next run tries again."""
    try:
        together.undo(node, changes)
    except (OSError, RefusedError, RndcError, sqlite3.Error) as error:
        raise NodeError("internal", f"an unfinished apply cannot be undone yet: {error}") from error


def reload_what_holds(node: Node, changes: list[Change]) -> None:
    """Make the running daemons read what is on disk again, those whose checker accepts it."""
    settle_systemd(node, changes)
    touched = {
        name: items
        for name, items in by_service(changes).items()
        if daemon(name).is_installed(node) and daemon(name).pid(node) is not None
    }
    running = [change for items in touched.values() for change in items]
    for name in sorted(touched.keys() - check(node, running).daemons.keys()):
        try:
            reload(node, {name: []}, {})
        except RefusedError as error:
            node.steps.progress(f"reload {name}", error.reason)


def finish_leaving(node: Node) -> None:
    """Remove and destroy what a committed apply decided to; what cannot go yet is tried again at the next run."""
    leaving = node.state.leaving()
    if not leaving:
        return
    changes = [
        Change(
            slice=item.slice,
            key=item.key,
            change=DESTROY if item.state == DESTROYING else REMOVE,
            old=item.body,
            new=None,
            extra=item.extra,
        )
        for item in leaving
    ]
    with node.steps.step("remove what is no longer wanted") as told:
        try:
            unfinished = together.finish(node, changes)
        except (OSError, RefusedError) as error:
            told["ok"], told["detail"] = False, str(error)
            return
        told["ok"] = not unfinished
        told["detail"] = "\n".join(unfinished.values()) or None
        failpoint("before-close")
        node.unsynced.flush()
        with node.state.transaction():
            for item in leaving:
                if item.key not in unfinished:
                    node.state.drop(item.key)
