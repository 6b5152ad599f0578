"""Locked counter rows: numbers that are never given twice, and one-at-a-time access to a name."""

from __future__ import annotations

from provisioning.models import Counter

FIRST_UID = 200_000


def _lock(name: str) -> Counter:
    Counter.objects.get_or_create(name=name)
    return Counter.objects.select_for_update().get(name=name)


def next_uid() -> int:
    """Return a uid that no account of this installation has or had, so that a rebuilt or moved account keeps its
    own.
    """
    counter = _lock("uid")
    counter.value = max(counter.value + 1, FIRST_UID)
    counter.save(update_fields=["value"])
    return counter.value


def raise_uid(highest: int) -> None:
    """Give out no uid up to `highest` any more: a server has it, though this database does not know for whom."""
    counter = _lock("uid")
    counter.value = max(counter.value, highest)
    counter.save(update_fields=["value"])


def hold_name(name: str) -> None:
    """Make others who claim `name` wait until this transaction ends."""
    _lock(f"name:{name}")
