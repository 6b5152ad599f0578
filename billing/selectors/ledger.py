"""The books as they are read: entries, and each account's balance by currency. Writing: billing.services.ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from billing.models import LedgerEntry
from billing.selectors import parties
from panel.core.actors import Actor

ZERO = Decimal(0)


@dataclass(frozen=True)
class Balance:
    """An account in a currency: what was debited, what was credited, and the difference (debit less credit)."""

    account: str
    currency: str
    debit: Decimal
    credit: Decimal

    @property
    def name(self) -> str:
        """The account's name as people read it."""
        return str(LedgerEntry.Account(self.account).label)

    @property
    def balance(self) -> Decimal:
        """What the account holds."""
        return self.debit - self.credit


def entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """Return the entries of the actor's own books, the newest first."""
    rows = LedgerEntry.objects.select_related("customer", "invoice")
    return parties.sold_by(rows, actor).order_by("-on", "-id")


def trial_balance(rows: QuerySet[LedgerEntry], until: date | None = None) -> list[Balance]:
    """Return the balance of every account with entries, by currency; debits and credits of a currency are equal."""
    if until is not None:
        rows = rows.filter(on__lt=until)
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for side, field in ((0, "debit"), (1, "credit")):
        for row in rows.order_by().values(field, "currency").annotate(sum=Sum("amount")):
            sums.setdefault((row["currency"], row[field]), [ZERO, ZERO])[side] = row["sum"]
    order = list(LedgerEntry.Account.values)
    found = sorted(sums.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    return [Balance(account, currency, *both) for (currency, account), both in found]
