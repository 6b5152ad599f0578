"""Web servers whose place another one takes: stopped and disabled instead of reloaded. Not for a tenant's things."""

from __future__ import annotations

from ..changes import REMOVE, Change
from ..errors import RefusedError
from ..node import Node
from ..units import bring, plain

WEB = frozenset({"apache2", "nginx"})


def leaving(changes: list[Change]) -> dict[str, Change]:
    """Daemon → the removal of its unit."""
    gone = [change for change in changes if change.kind == "service" and change.change == REMOVE]
    return {plain(change.name): change for change in gone if plain(change.name) in WEB}


def is_in_front(node: Node, name: str) -> bool:
    """Whether a web server held the public ports: nginx wherever it was, Apache where nginx was not."""
    return name == "nginx" or node.state.owner("service:nginx.service") is None


def stop(node: Node, changes: list[Change]) -> None:
    """Stop units for good. RefusedError when one does not stop; undo starts it again."""
    for change in changes:
        failed = bring(node, change.name, enabled=False, running=False)
        if failed is not None:
            raise RefusedError("failed", f"{change.key}: {failed.words}")
