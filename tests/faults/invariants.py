"""What must hold after every fault, whatever came before it; each function returns what is wrong, in words.

They judge observations and look at nothing themselves: `tests/faults/observed.py` looks.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

OPEN = ("pending", "running", "waiting")
REFUSED = ("rejected", "cancelled")
FACES = {"active": 200, "suspended": 503, "terminated": 404}
NAMED = frozenset({"active", "suspended"})


@dataclass(frozen=True)
class Order:
    """An accepted order and how it ended."""

    what: str
    status: str
    reason: str


@dataclass(frozen=True)
class Account:
    """An account by its state in the panel, and what its server answers for it from outside."""

    domain: str
    state: str
    http: int | None
    dns: bool


@dataclass(frozen=True)
class Comparison:
    """A comparison of everything by the engine itself: what it changed and reloaded, and the trees around it."""

    status: str
    changes: int
    reloads: Mapping[str, int]
    before: Mapping[str, str] = field(repr=False)
    after: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Sighting:
    """What was applied and served at one time: generations by slice, serials by zone."""

    generations: Mapping[str, int]
    serials: Mapping[str, int]


def unanswered(orders: Sequence[Order], accounts: Sequence[Account]) -> list[str]:
    """1. Each accepted order is visible on the server, or shown as failed with a reason."""
    wrong = [f"{order.what}: still {order.status}: {order.reason}" for order in orders if order.status in OPEN]
    wrong += [f"{order.what}: {order.status} without a reason" for order in orders if _is_mute(order)]
    for account in accounts:
        wanted = FACES[account.state]
        if account.http != wanted:
            wrong.append(f"{account.domain} ({account.state}): HTTP {account.http}, not {wanted}")
        if account.dns != (account.state in NAMED):
            wrong.append(f"{account.domain} ({account.state}): its zone is {'' if account.dns else 'not '}served")
    return wrong


def _is_mute(order: Order) -> bool:
    return order.status == "rejected" and not order.reason


def not_converged(second: Comparison) -> list[str]:
    """2. A second reconcile changes nothing: neither by its own report nor by the tree."""
    wrong = [f"the second reconcile is {second.status}"] if second.status != "applied" else []
    if second.changes:
        wrong.append(f"the second reconcile made {second.changes} changes")
    wrong += [f"the second reconcile reloaded {name}" for name in second.reloads]
    for path in sorted(second.before.keys() | second.after.keys()):
        if second.before.get(path) != second.after.get(path):
            wrong.append(f"{path}: {second.before.get(path)} became {second.after.get(path)}")
    return wrong


def one_sided(wanted: Collection[str], leaving: Collection[str], found: Collection[str]) -> list[str]:
    """3. Nothing managed is on the server that the database lacks, and the reverse; `leaving` may be on either side."""
    missing = set(wanted) - set(found)
    extra = set(found) - set(wanted) - set(leaving)
    return [*(f"not on the server: {key}" for key in sorted(missing)), *(f"only there: {key}" for key in sorted(extra))]


def disturbed(refused_by_checkers: Sequence[str], failures: Sequence[str], asked: int) -> list[str]:
    """4. No refused configuration is live, and a bystander was answered all the time."""
    wrong = [f"a checker refuses what is live: {words}" for words in refused_by_checkers]
    wrong += [f"the bystander got no answer: {failure}" for failure in failures]
    return wrong if asked else [*wrong, "the bystander was never asked"]


def gone_back(sightings: Sequence[Sighting]) -> list[str]:
    """5. Applied generations and served serials never go back."""
    wrong = []
    for earlier, later in itertools.pairwise(sightings):
        for name, one, two in (
            ("generation", earlier.generations, later.generations),
            ("serial", earlier.serials, later.serials),
        ):
            back = [key for key in one.keys() & two.keys() if two[key] < one[key]]
            wrong += [f"{name} of {key}: {one[key]}, then {two[key]}" for key in sorted(back)]
    return wrong
