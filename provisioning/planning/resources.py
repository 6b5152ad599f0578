"""A resource: one thing that must exist on a server, with its key and hash (docs/protocol.md).

Not for how it is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

SERIAL = "@SERIAL@"
"""Where a zone's text has its SOA serial, which only the serving node knows."""


class DuplicateResource(ValueError):
    """Two resources of one slice have the same key."""


@dataclass(frozen=True)
class Resource:
    """`attributes` are those of the kind's row in docs/protocol.md; `hint` travels beside the resource and is part
    of no hash.
    """

    kind: str
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hint: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def body(self) -> Body:
        return {"kind": self.kind, "name": self.name, **self.attributes}

    @property
    def hash(self) -> str:
        text = json.dumps(self.body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def by_key(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Index a slice's resources in their order.

    Raises DuplicateResource: a driver wrote the same thing twice, which would make the outcome depend on order.
    """
    indexed: dict[str, Resource] = {}
    for resource in resources:
        if resource.key in indexed:
            raise DuplicateResource(resource.key)
        indexed[resource.key] = resource
    return indexed
