"""What happens to invoices and payments, told to whatever follows from it, in the transaction in which it happens.

Who wants to know subscribes when the app is ready (`billing.apps`), so that services need not know one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

KINDS = frozenset(
    "invoice.issued invoice.paid invoice.overdue invoice.credited payment.succeeded payment.failed payment.refunded "
    "dispute.opened dispute.closed customer.held customer.lifted subscription.started subscription.ended".split()
)
INTERNAL = frozenset({"invoice.settled"})
"""What only the panel itself follows: paid and credited are told to programs under their own names."""
One = Callable[[Any], None]
Many = Callable[[Sequence[Any]], None]
_followers: dict[str, dict[One, Many | None]] = {kind: {} for kind in KINDS | INTERNAL}


def follow(kind: str, follower: One, many: Many | None = None) -> None:
    """Let `follower` be called with each row that `kind` happens to; once, however often it is asked for.

    `many` is called in its place where it happens to many rows at once.
    """
    _followers[kind].setdefault(follower, many)


def tell(kind: str, row: Any) -> None:
    """Call all who follow `kind`, in the order in which they came. What one of them refuses is refused as a whole."""
    for follower in _followers[kind]:
        follower(row)


def tell_all(kind: str, rows: Sequence[Any]) -> None:
    """Tell of many rows to which the same happened in one transaction."""
    for follower, many in _followers[kind].items():
        if many is not None:
            many(rows)
            continue
        for row in rows:
            follower(row)
