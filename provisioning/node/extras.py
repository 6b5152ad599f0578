"""What is in places that are all ours and belongs to nobody: found for `drift`, removed by `discard`."""

from __future__ import annotations

from dataclasses import dataclass, field

from .kinds import KINDS, SERVER_SLICE
from .makers import MAKERS
from .makers.base import Extra, Known
from .node import Node
from .payload import body_hash
from .rules import Body

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of the empty string."""


def digest_of(found: Body | None) -> str:
    """What stands for exactly this having been found (docs/protocol.md, `drift`)."""
    return NOTHING if found is None else body_hash(found)


def known(node: Node) -> Known:
    """What the node remembers, in the form in which makers ask for it."""
    slices = {key: slice_id for slice_id, key, _hash, _state in node.state.known()}
    return Known(slices, node.state.users(), node.state.made())


def slice_of(extra: Extra, what: Known) -> str:
    """The slice whose user, home or domain an extra thing carries, else the server's own."""
    return what.slices.get(extra.near, SERVER_SLICE)


@dataclass
class Extras:
    """Extra things by key, looked for once and only for those kinds that are asked for."""

    node: Node
    known: Known
    _found: dict[str, dict[str, Extra]] = field(default_factory=dict)

    def get(self, key: str) -> Extra | None:
        """The extra thing of a key, None when there is none."""
        maker = KINDS[key.partition(":")[0]].maker
        if maker not in self._found:
            found = next(item for item in MAKERS if item.name == maker).extras(self.node, self.known)
            self._found[maker] = {extra.key: extra for extra in found}
        return self._found[maker].get(key)
