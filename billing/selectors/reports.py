"""What selling earned: from issued papers and the books, per month, customer and product. Nothing is estimated here.

Income and cost are net of tax and fall on the days that they are for (`billing.selectors.recognition`); fees, losses
and cash fall on the day that they were booked on. All amounts are in one currency; others are told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Case, ExpressionWrapper, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from billing.fields import MoneyField
from billing.models import Invoice, InvoiceLine, LedgerEntry
from billing.pricing import profit
from billing.pricing.calendar import add_months
from billing.pricing.profit import Profit
from billing.selectors import parties, recognition
from billing.selectors.recognition import Span
from panel.core.actors import Actor

MOST_MONTHS = 36
YEARS = range(1990, 2200)
"""Of which reports tell."""
NOTHING = Decimal(0)
Side = Literal["sales", "purchases"]
Account = LedgerEntry.Account
BOOKED: dict[str, tuple[str, ...]] = {
    "fees": (Account.FEES,),
    "losses": (Account.LOSS,),
    "lost": (Account.FEES, Account.LOSS),
    "cash": (Account.CASH,),
}
"""Figure of the books → the accounts that it is read from; `lost` is fees and losses together."""


@dataclass(frozen=True)
class Time:
    """A span of days with what it earned, and beside it the cash that came in less what went out."""

    span: Span
    profit: Profit
    cash: Decimal = NOTHING

    @property
    def first(self) -> date:
        """Its first day."""
        return self.span[0]


@dataclass(frozen=True)
class Part:
    """The income that one customer or product brought; `key` names it in addresses and is empty for what has none."""

    key: str
    name: str
    income: Decimal


def month_of(day: date) -> Span:
    """Return the month that a day lies in."""
    first = day.replace(day=1)
    return first, add_months(first, 1)


def months(first: date, last: date) -> list[Span]:
    """Return the months from that of `first` to that of `last`, MOST_MONTHS at most, the earliest left out."""
    start, end = month_of(first)[0], month_of(last)[0]
    count = min((end.year - start.year) * 12 + end.month - start.month + 1, MOST_MONTHS)
    return [(add_months(end, -number), add_months(end, 1 - number)) for number in range(count - 1, -1, -1)]


def times(actor: Actor, spans: Sequence[Span]) -> dict[str, list[Time]]:
    """Return for each currency that had anything what each of `spans`, which follow one another, earned; 3 queries."""
    whole = (spans[0][0], spans[-1][1])
    found: dict[str, list[Time]] = defaultdict(lambda: [Time(span, Profit()) for span in spans])

    def add(currency: str, index: int, more: Profit, cash: Decimal = NOTHING) -> None:
        old = found[currency][index]
        found[currency][index] = replace(old, profit=old.profit + more, cash=old.cash + cash)

    for row in _by_kind(lines(actor, "sales", whole), spans):
        credited = row["invoice__kind"] == Invoice.Kind.CREDIT_NOTE
        for index in range(len(spans)):
            amount = row[f"m{index}"]
            add(row["invoice__currency"], index, Profit(credited=-amount) if credited else Profit(invoiced=amount))
    for row in _by_kind(lines(actor, "purchases", whole), spans):
        for index in range(len(spans)):
            add(row["invoice__currency"], index, Profit(cost=row[f"m{index}"]))
    for row in _booked(actor, spans):
        for index in range(len(spans)):
            more = Profit(fees=row[f"fees{index}"], losses=row[f"loss{index}"])
            add(row["currency"], index, more, row[f"cash{index}"])
    return dict(found)


def of_month(actor: Actor, currency: str, day: date) -> Time:
    """Return what the month of `day` earned in a currency."""
    span = month_of(day)
    return times(actor, [span]).get(currency, [Time(span, Profit())])[0]


def by_customer(actor: Actor, span: Span, currency: str) -> list[Part]:
    """Return what each customer brought in `span`, most first; one query."""
    return _parts(actor, span, currency, "invoice__customer_id", "invoice__customer__name")


def by_product(actor: Actor, span: Span, currency: str) -> list[Part]:
    """Return what each product brought in `span`, most first; what no product stands for is one row; one query.

    What was credited counts for the product that had been billed.
    """
    return _parts(actor, span, currency, "product", "product_name")


def lines(actor: Actor, side: Side, span: Span) -> QuerySet[InvoiceLine]:
    """Return the lines that the actor's organization sold or bought of which a part falls on `span`."""
    mine = {"sales": parties.sold_by, "purchases": parties.bought_by}[side]
    return recognition.touching(mine(InvoiceLine.objects.all(), actor, through="invoice"), span)


def documents(
    actor: Actor, side: Side, span: Span, currency: str, customer: str = "", product: str | None = None
) -> QuerySet[InvoiceLine]:
    """Return the lines behind a figure, each with the part that falls on `span` as `part`: they sum to it.

    They may be those of one `customer` or `product` by its id; "" is no product.
    """
    rows = lines(actor, side, span).filter(invoice__currency=currency)
    rows = rows.annotate(part=recognition.part(span), product=_product("id"), product_name=_product("name"))
    if customer:
        rows = rows.filter(invoice__customer_id=customer)
    if product is not None:
        rows = rows.filter(product=product) if product else rows.filter(product__isnull=True)
    return rows.select_related("invoice__customer").order_by("-invoice_id", "pk")


def bookings(actor: Actor, figure: str, span: Span, currency: str) -> QuerySet[LedgerEntry]:
    """Return the entries of the books behind a figure of BOOKED, the newest first, each with what it adds to it as
    `part`: they sum to it.
    """
    accounts = BOOKED[figure]
    rows = parties.sold_by(LedgerEntry.objects.all(), actor).filter(currency=currency)
    rows = rows.filter(Q(debit__in=accounts) | Q(credit__in=accounts), on__gte=span[0], on__lt=span[1])
    part = Case(When(debit__in=accounts, then=F("amount")), default=-F("amount"), output_field=MoneyField())
    return rows.annotate(part=part).select_related("customer", "invoice", "payment").order_by("-on", "-id")


def sum_of(rows: QuerySet[InvoiceLine], span: Span) -> Decimal:
    """Return the sum of what falls on `span` of lines."""
    return Decimal(rows.aggregate(sum=recognition.total(span))["sum"])


def sum_booked(rows: QuerySet[LedgerEntry]) -> Decimal:
    """Return the sum of `bookings`."""
    return Decimal(rows.aggregate(sum=Sum("part", default=0, output_field=MoneyField()))["sum"])


def average(parts: Sequence[Part]) -> Decimal:
    """Return the income that a paying customer brings on average, unrounded; 0 without one."""
    paying = [part.income for part in parts if part.income > 0]
    return sum(paying, NOTHING) / len(paying) if paying else NOTHING


def break_even(cost: Decimal, parts: Sequence[Part]) -> int | None:
    """Return how many customers such as these pay for `cost`; None while nobody pays."""
    return profit.break_even(cost, average(parts))


def _by_kind(rows: QuerySet[InvoiceLine], spans: Sequence[Span]) -> QuerySet[InvoiceLine, dict[str, Any]]:
    sums = {f"m{index}": recognition.total(span) for index, span in enumerate(spans)}
    return rows.order_by().values("invoice__currency", "invoice__kind").annotate(**sums)


def _parts(actor: Actor, span: Span, currency: str, key: str, name: str) -> list[Part]:
    sold = lines(actor, "sales", span).filter(invoice__currency=currency)
    rows: Any = sold.annotate(product=_product("id"), product_name=_product("name")).order_by().values(key, name)
    found = [Part(row[key] or "", row[name] or "", row["sum"]) for row in rows.annotate(sum=recognition.total(span))]
    return sorted(found, key=lambda part: (-part.income, part.name))


def _product(field: str) -> Coalesce:
    through = f"charge__component__product__{field}"
    return Coalesce(through, f"credits__{through}")


def _booked(actor: Actor, spans: Sequence[Span]) -> QuerySet[LedgerEntry, dict[str, Any]]:
    rows = parties.sold_by(LedgerEntry.objects.all(), actor).filter(on__gte=spans[0][0], on__lt=spans[-1][1])
    accounts = {"fees": Account.FEES, "loss": Account.LOSS, "cash": Account.CASH}
    sums = {
        f"{name}{index}": ExpressionWrapper(
            _sum(Q(debit=account), span) - _sum(Q(credit=account), span), output_field=MoneyField()
        )
        for name, account in accounts.items()
        for index, span in enumerate(spans)
    }
    return rows.order_by().values("currency").annotate(**sums)


def _sum(wanted: Q, span: Span) -> Sum:
    wanted &= Q(on__gte=span[0], on__lt=span[1])
    return Sum(F("amount"), filter=wanted, default=0, output_field=MoneyField())
