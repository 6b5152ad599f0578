"""Removes what is extra and what a person decided to remove, as changes of the slice that it was shown with."""

from __future__ import annotations

from .changes import REMOVE, Change
from .errors import RefusedError
from .extras import Extras, digest_of, known
from .node import Node
from .payload import Request, SliceRequest
from .rules import invalid

DISCARDABLE = ("file", "link", "zone", "row", "user")
REMOVED, GONE, CHANGED, MANAGED, KEPT = "removed", "gone", "changed", "managed", "kept"


class Discards:
    """The discards of one payload; extra things are looked for once."""

    def __init__(self, node: Node, request: Request) -> None:
        self._extras = Extras(node, known(node))
        self._wanted = {key for item in request.slices for key in item.manifest}

    def of(self, item: SliceRequest) -> tuple[list[Change], dict[str, str]]:
        """The removals of one slice, and key → what becomes of each discard. RefusedError where data may be."""
        changes: list[Change] = []
        verdicts: dict[str, str] = {}
        for key, digest in sorted(item.discard.items()):
            if key.partition(":")[0] not in DISCARDABLE:
                raise invalid("discard", f"{key}: only a {', '.join(DISCARDABLE)} can be discarded; remove it by hand")
            verdicts[key] = self._judge(key, digest)
            extra = self._extras.get(key)
            if verdicts[key] == REMOVED and extra is not None:
                changes.append(Change(item.slice, key, REMOVE, extra.body, None, is_discard=True))
        return changes, verdicts

    def _judge(self, key: str, digest: str) -> str:
        if key in self._extras.known.slices or key in self._wanted:
            return MANAGED
        try:
            extra = self._extras.get(key)
        except OSError as error:
            raise RefusedError("failed", f"discard: {key}: {error.strerror or error}") from error
        if extra is None:
            return GONE
        if digest_of(extra.body) != digest:
            return CHANGED
        return KEPT if extra.kept else REMOVED
