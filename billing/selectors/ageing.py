"""What customers owe by how long it is overdue. Payments are no affair of this module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from billing.fields import MoneyField
from billing.models import Receivable
from billing.selectors import parties
from panel.core.actors import Actor

STEPS = (0, 30, 60, 90)
"""The last day overdue of each part but the last; 0 is not due yet."""
PARTS = ("due_later", "days_30", "days_60", "days_90", "older")


@dataclass(frozen=True)
class Owed:
    """What a customer owes in a currency: an amount for each of PARTS."""

    customer_id: str
    name: str
    currency: str
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(self.amounts, Decimal(0))

    @property
    def overdue(self) -> Decimal:
        """What should have been paid by now."""
        return self.total - self.amounts[0]


def owed(actor: Actor, today: date) -> list[Owed]:
    """Return who owes the actor's organization what on a day, most first; one query."""
    sums = {name: _sum(_part(index, today)) for index, name in enumerate(PARTS)}
    rows = parties.sold_by(Receivable.objects.filter(settled_at__isnull=True), actor).order_by()
    found = [_owed(row) for row in rows.values("customer_id", "customer__name", "currency").annotate(**sums)]
    return sorted(found, key=lambda row: (row.currency, -row.total, row.name))


def behind(actor: Actor, today: date, currency: str, part: str = "", customer: str = "") -> QuerySet[Receivable]:
    """Return the open invoices behind a figure, the longest due first: those of one of PARTS, or all, and those of one
    customer by its id, or of everybody.
    """
    rows = parties.sold_by(Receivable.objects.filter(settled_at__isnull=True, currency=currency), actor)
    if part:
        rows = rows.filter(_part(PARTS.index(part), today))
    if customer:
        rows = rows.filter(customer=customer)
    return rows.select_related("invoice", "customer").order_by("due_on", "id")


def sum_of(rows: QuerySet[Receivable]) -> Decimal:
    """Return what is open of receivables."""
    return Decimal(rows.aggregate(sum=_sum(Q()))["sum"])


def totals(rows: list[Owed]) -> dict[str, list[Decimal]]:
    """Return the sum of each of PARTS by currency."""
    found: dict[str, list[Decimal]] = {}
    for row in rows:
        sums = found.setdefault(row.currency, [Decimal(0)] * len(PARTS))
        found[row.currency] = [old + new for old, new in zip(sums, row.amounts, strict=True)]
    return found


def _owed(row: dict[str, Any]) -> Owed:
    amounts = tuple(row[name] for name in PARTS)
    return Owed(row["customer_id"], row["customer__name"], row["currency"], amounts)


def _part(index: int, today: date) -> Q:
    """Select what has been due for longer than the step before and no longer than this one."""
    wanted = Q()
    if index > 0:
        wanted &= Q(due_on__lt=today - timedelta(days=STEPS[index - 1]))
    if index < len(STEPS):
        wanted &= Q(due_on__gte=today - timedelta(days=STEPS[index]))
    return wanted


def _sum(wanted: Q) -> Sum:
    return Sum(F("open"), filter=wanted, default=0, output_field=MoneyField())
