"""Locked counter rows: numbers that are never given twice, and one-at-a-time access to a name."""

from __future__ import annotations

from provisioning.models import Counter

FIRST_UID = 200_000


def _lock(name: str) -> Counter:
    held = Counter.objects.select_for_update().filter(name=name)
    counter = held.first()
    if counter is None:
        Counter.objects.bulk_create([Counter(name=name)], ignore_conflicts=True)
        counter = held.get()
    return counter


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
    row = Counter(name=f"name:{name}")
    Counter.objects.bulk_create([row], update_conflicts=True, unique_fields=["name"], update_fields=["value"])
