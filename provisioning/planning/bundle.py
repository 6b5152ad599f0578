"""The payload of `apply` and `plan`: slices with whole manifests, and bodies only for what the server is not known
to hold.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.planning.resources import Resource

REMOVAL_LIMIT: Mapping[str, int] = {"percent": 30, "from": 10}
SERVER_SLICE = "server"


@dataclass(frozen=True)
class SliceBundle:
    """One slice's whole desired state at a generation; `tombstones` are keys whose data may be destroyed.

    `pinned` are keys that are left as they are, `discard` what is not managed and to be removed, by key with the digest
    of what a person saw there, `adopted` what somebody made by hand and became the slice's own, `moves` the old and new
    keys of data that got another name.
    """

    slice: str
    generation: int
    resources: Mapping[str, Resource]
    tombstones: tuple[str, ...] = ()
    known: Container[str] = field(default=())
    pinned: tuple[str, ...] = ()
    discard: Mapping[str, str] = field(default_factory=dict)
    adopted: tuple[str, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()

    @property
    def manifest(self) -> dict[str, str]:
        return {key: resource.hash for key, resource in self.resources.items()}

    def payload(self) -> dict[str, Any]:
        return {
            "slice": self.slice,
            "generation": self.generation,
            "manifest": self.manifest,
            "resources": {
                key: resource.body for key, resource in self.resources.items() if resource.hash not in self.known
            },
            "hints": {key: dict(resource.hint) for key, resource in self.resources.items() if resource.hint},
            "tombstones": list(self.tombstones),
            "pinned": [key for key in self.pinned if key in self.resources],
            "discard": dict(self.discard),
            "adopted": [key for key in self.adopted if key in self.resources],
            "moves": [list(move) for move in self.moves],
        }


def bundle(
    *,
    server: str,
    epoch: int,
    slices: Iterable[SliceBundle],
    holder: str = "",
    verify: bool = False,
    confirmed: bool = False,
) -> dict[str, Any]:
    """Build the payload for one round trip (docs/protocol.md, `apply` and `plan`)."""
    return {
        "server": server,
        "epoch": epoch,
        "holder": holder,
        "slices": [item.payload() for item in slices],
        "verify": verify,
        "removal_limit": dict(REMOVAL_LIMIT),
        "confirmed": confirmed,
    }
