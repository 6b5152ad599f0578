"""From specifications to the bundle of one server: drivers turn each slice into resources.

Shared by apply and preview.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from provisioning import desired, drivers
from provisioning.models import DriftItem, Move, Pin, Server, Slice
from provisioning.planning.bundle import SliceBundle
from provisioning.planning.resources import Resource, by_key
from provisioning.spec import ServerSpec

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Compiled:
    """What could be compiled, by slice id, and why the rest could not (for the provider's eyes).

    `pinned` are the keys that a person decided to leave as they are, `adopted` the databases that became the account's
    though somebody made them by hand, `moves` what has another name now and has not been moved by the server.
    """

    resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    pinned: dict[str, list[str]] = field(default_factory=dict)
    adopted: dict[str, list[str]] = field(default_factory=dict)
    moves: dict[str, list[Move]] = field(default_factory=dict)

    def bundles(
        self,
        slices: Sequence[Slice],
        generations: dict[str, int],
        tombstones: dict[str, list[str]],
        *,
        whole: bool = False,
        discards: Mapping[str, Mapping[str, str]] | None = None,
    ) -> list[SliceBundle]:
        """Return the slices' bundles, the server's own first; bodies that the server holds are left out, unless
        `whole`. `tombstones` and `discards` are by slice id.
        """
        ordered = sorted(slices, key=lambda part: (part.hosting_id is not None, part.id))
        return [
            SliceBundle(
                slice=part.name,
                generation=generations[part.id],
                resources=self.resources[part.id],
                tombstones=tuple(tombstones.get(part.id, ())),
                known=frozenset() if whole else frozenset(part.manifest.values()),
                pinned=tuple(self.pinned.get(part.id, ())),
                adopted=tuple(self.adopted.get(part.id, ())),
                discard=(discards or {}).get(part.id, {}),
                moves=tuple((move.from_key, move.to_key) for move in self.moves.get(part.id, ())),
            )
            for part in ordered
            if part.id in self.resources
        ]


def compile_slices(server: Server, slices: Sequence[Slice], using: str) -> Compiled:
    """Compile `slices` of one server.

    A slice whose rows are not fit for a configuration is refused, the others go on.
    """
    compiled = Compiled()
    specs = desired.accounts(server, [part.hosting_id for part in slices if part.hosting_id], using)
    try:
        spec = desired.server_spec(server, using, pages=any(not part.hosting_id for part in slices))
    except desired.UNFIT as error:
        compiled.refused.update({part.id: _words(error) for part in slices})
        return compiled
    compiled.pinned.update(_pinned(slices, using))
    compiled.adopted.update(_adopted(slices, using))
    compiled.moves.update(_moves(slices, using))
    for part in slices:
        try:
            compiled.resources[part.id] = by_key(_resources(spec, part, specs))
        except Exception as error:  # What is wrong with one account, foreseen or not, must not stop the others.
            log.warning("compile.refused", server=server.id, slice=part.name, error=_words(error))
            compiled.refused[part.id] = _words(error)
    return compiled


def _pinned(slices: Sequence[Slice], using: str) -> dict[str, list[str]]:
    pinned: dict[str, list[str]] = defaultdict(list)
    rows = Pin.objects.using(using).filter(slice__in=[part.id for part in slices]).order_by("id")
    for slice_id, key in rows.values_list("slice_id", "key"):
        pinned[slice_id].append(key)
    return pinned


def _adopted(slices: Sequence[Slice], using: str) -> dict[str, list[str]]:
    adopted: dict[str, list[str]] = defaultdict(list)
    rows = DriftItem.objects.using(using).filter(
        slice__in=[part.id for part in slices],
        kind=DriftItem.Kind.EXTRA,
        state=DriftItem.State.ADOPTED,
        key__startswith="database:",
    )
    for slice_id, key in rows.order_by("id").values_list("slice_id", "key"):
        adopted[slice_id].append(key)
    return adopted


def _moves(slices: Sequence[Slice], using: str) -> dict[str, list[Move]]:
    moves: dict[str, list[Move]] = defaultdict(list)
    rows = Move.objects.using(using).filter(slice__in=[part.id for part in slices], applied_at__isnull=True)
    for move in rows.order_by("id"):
        moves[move.slice_id].append(move)
    return moves


def _resources(spec: ServerSpec, part: Slice, specs: desired.Desired) -> list[Resource]:
    if not part.hosting_id:
        return drivers.for_server(spec)
    account = specs[part.hosting_id]
    if isinstance(account, Exception):
        raise account
    return drivers.for_account(spec, account) if account.services else []


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
