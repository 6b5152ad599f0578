"""One change of one resource, and what belongs to it while it is being made. A value: it does nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .rules import Body

ADD, CHANGE, REMOVE, DESTROY, MOVE = "add", "change", "remove", "destroy", "move"


@dataclass
class Change:
    """`old` is what was applied last, `new` what is asked for; `before` is what was really there, enough to undo.

    `is_live`: a daemon has been told. `is_drift`: nobody asked for it; `old` is then what was found on the server.
    `adopts`: it takes the place of somebody else's file, which is kept, or takes over a database that a person adopted.
    `is_discard`: it removes what is nobody's, by a person's decision. `was`: the key and user under which it is found
    until the slice's moves are made; None when nothing moves it.
    """

    slice: str
    key: str
    change: str
    old: Body | None
    new: Body | None
    hash: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    hint: dict[str, Any] = field(default_factory=dict)
    before: Any = None
    is_live: bool = False
    is_drift: bool = False
    adopts: bool = False
    is_discard: bool = False
    was: tuple[str, str | None] | None = None

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]

    @property
    def name(self) -> str:
        return self.key.partition(":")[2]

    @property
    def body(self) -> Body:
        """What is asked for, or what is being removed."""
        return self.new if self.new is not None else (self.old or {})

    @property
    def is_removal(self) -> bool:
        """Whether it counts as a removal of what is managed."""
        return self.change in (REMOVE, DESTROY) and not self.is_discard

    @property
    def services(self) -> set[str]:
        """The daemons that read this resource."""
        found: set[str] = set()
        for body in (self.old, self.new):
            if body is not None:
                found.update(body.get("services", ()), filter(None, [body.get("service")]))
        return found
