"""What happens to invoices and payments, told to whatever follows from it, in the transaction in which it happens.

Who wants to know subscribes when the app is ready (`billing.apps`), so that services need not know one another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KINDS = frozenset(
    "invoice.issued invoice.paid invoice.overdue invoice.credited payment.succeeded payment.failed payment.refunded "
    "dispute.opened dispute.closed customer.held customer.lifted subscription.started subscription.ended".split()
)
_followers: dict[str, list[Callable[[Any], None]]] = {kind: [] for kind in KINDS}


def follow(kind: str, follower: Callable[[Any], None]) -> None:
    """Let `follower` be called with each row that `kind` happens to; once, however often it is asked for."""
    if follower not in _followers[kind]:
        _followers[kind].append(follower)


def tell(kind: str, row: Any) -> None:
    """Call all who follow `kind`, in the order in which they came. What one of them refuses is refused as a whole."""
    for follower in _followers[kind]:
        follower(row)
