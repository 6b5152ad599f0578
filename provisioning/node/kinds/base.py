"""What every kind of resource says about itself; how it is made is its maker's business."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from ..errors import RefusedError
from ..rules import Body, invalid

SERVER_SLICE = "server"


@dataclass(frozen=True)
class Scope:
    """What a resource may refer to: the slice it belongs to and the keys of that slice."""

    slice: str
    keys: Container[str]

    def require(self, key: str, field: str) -> None:
        """Refuse a reference that leaves the slice: what another tenant owns is not to be named."""
        if key not in self.keys:
            raise RefusedError("foreign", f"{field}: {key} is not part of the slice {self.slice}")

    def require_server(self, what: str) -> None:
        """Refuse to a tenant's slice what only the base configuration may do."""
        if self.slice != SERVER_SLICE:
            raise invalid(what, "only the slice `server` may do this")


class Kind:
    """A kind of resource. `maker` names who makes it; `removed_late` ones go after everything else, without undo."""

    name: str
    maker: str
    removed_late = False

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        """Refuse whatever is not exactly as docs/protocol.md says."""
        raise NotImplementedError

    def is_data(self, body: Body) -> bool:
        """Whether only a tombstone may remove it."""
        return False

    def claims(self, name: str, body: Body) -> list[str]:
        """Names beyond its key that no other resource may use."""
        return []
