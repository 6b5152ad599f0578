"""What makes resources so: the interface that all makers share. One maker handles all changes of its kinds together."""

from __future__ import annotations

from dataclasses import dataclass

from ..changes import Change
from ..errors import Failures, RefusedError
from ..node import Node
from ..rules import Body
from ..state import Remembered


@dataclass(frozen=True)
class Known:
    """What the node remembers: key → slice, managed user → uid, and root's directories that it has made itself."""

    slices: dict[str, str]
    users: dict[str, int]
    made: list[str]

    def prefixed(self, name: str) -> str:
        """The key of the managed user whose name and `_` a name begins with; empty when there is none."""
        return next((f"user:{user}" for user in self.users if name.startswith(f"{user}_")), "")


@dataclass(frozen=True)
class Extra:
    """Something that is there and belongs to nobody. `near`: the key of the resource whose slice it is shown with.

    `kept`: why it cannot be discarded; empty when it can.
    """

    key: str
    body: Body
    near: str = ""
    kept: str = ""


class Maker:
    """Makes, undoes and removes the resources of some kinds. A failure is a slice's: the others go on."""

    name: str
    is_checked = True
    """Whether a daemon's checker reads what it makes; if not, it makes while the checkers are at work."""

    def before(self, node: Node, changes: list[Change]) -> Failures:
        """Note in each change what is there now, enough to undo; refuse what belongs to somebody else."""
        return {}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        """Bring the changes about, as far as no daemon has to act; removals included."""
        return {}

    def go_live(self, node: Node, changes: list[Change]) -> Failures:
        """After all checks: tell what is served live. Sets `is_live` on what is out."""
        return {}

    def undo(self, node: Node, changes: list[Change]) -> None:
        """Back to `before`, however far making got; may run twice. Raises when that is impossible now."""

    def finish(self, node: Node, changes: list[Change]) -> dict[str, str]:
        """After the commit: late removals and destruction. Key → why it could not be done yet."""
        return {}

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        """Key → what is really there (None: nothing), for those resources that are not as they should be."""
        return {}

    def extras(self, node: Node, known: Known) -> list[Extra]:
        """What is there beyond what is known, in places that are all ours."""
        return []


class Failing:
    """Collects failures by slice while a maker goes through its changes."""

    def __init__(self) -> None:
        self.found: Failures = {}

    def add(self, change: Change, error: RefusedError) -> None:
        """Note why a slice fails; the first reason stays."""
        self.found.setdefault(change.slice, error)

    def __contains__(self, change: Change) -> bool:
        return change.slice in self.found
