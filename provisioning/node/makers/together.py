"""Runs all makers over a list of changes, each over those of its kinds, in the one order there is."""

from __future__ import annotations

from ..changes import DESTROY, REMOVE, Change
from ..daemons import is_reloaded
from ..errors import Failures
from ..failpoints import failpoint
from ..kinds import KINDS
from ..node import Node
from . import MAKERS, PACKAGES, Maker


def is_undoable(change: Change) -> bool:
    """Whether a change is made before the commit, with undo; the others come after it and only roll forward."""
    return change.is_discard or not (KINDS[change.kind].removed_late and change.change in (REMOVE, DESTROY))


def for_maker(maker: Maker, changes: list[Change]) -> list[Change]:
    """The changes that a maker makes."""
    return [change for change in changes if KINDS[change.kind].maker == maker.name]


def note_before(node: Node, changes: list[Change]) -> Failures:
    """Let every maker look at what is there; slice → why it cannot be taken."""
    failures: Failures = {}
    for maker in MAKERS:
        mine = for_maker(maker, changes)
        if mine:
            failures = {**maker.before(node, mine), **failures}
    return failures


def install(node: Node, changes: list[Change]) -> Failures:
    """Install what is to be installed, before anything else is looked at."""
    mine = for_maker(PACKAGES, changes)
    return PACKAGES.make(node, mine) if mine else {}


def make(node: Node, changes: list[Change], *, checked: bool) -> Failures:
    """Make what checkers read, or the rest; a slice that fails at one maker is left alone by the next ones."""
    failures: Failures = {}
    for maker in MAKERS:
        mine = [change for change in for_maker(maker, changes) if change.slice not in failures]
        if mine and maker.is_checked == checked:
            failures.update(maker.make(node, mine))
            failpoint("after-maker")
    return failures


def go_live(node: Node, changes: list[Change], *, after_reload: bool) -> Failures:
    """Let out what daemons serve without a reload, and units; those that we reload ourselves only after that.

    Other units come before: a daemon that starts or reloads may need them.
    """
    failures: Failures = {}
    for maker in reversed(MAKERS):
        mine = [
            change
            for change in for_maker(maker, changes)
            if change.slice not in failures and (change.kind == "service" and is_reloaded(change.name)) == after_reload
        ]
        if mine:
            failures.update(maker.go_live(node, mine))
    return failures


def undo(node: Node, changes: list[Change]) -> None:
    """Back to what was there before, last made first."""
    for maker in reversed(MAKERS):
        mine = for_maker(maker, changes)
        if mine:
            maker.undo(node, mine)
            failpoint("recover-half")


def finish(node: Node, changes: list[Change]) -> dict[str, str]:
    """Remove what goes late, last made first. Key → why it is still there."""
    unfinished: dict[str, str] = {}
    for maker in reversed(MAKERS):
        mine = for_maker(maker, changes)
        if mine:
            unfinished.update(maker.finish(node, mine))
    return unfinished
