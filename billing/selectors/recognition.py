"""How much of an invoice line falls on a span of days, reckoned by the database: what the reports add up.

A line's net amount is spread over its service period by days, in whole smallest units, by the formula of
`billing.pricing.proration`, so that however time is cut the parts sum to the amount. What has no period falls on its
day.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Case, DateField, F, Func, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Abs, Coalesce, Greatest, Least, Sign

from billing.fields import SCALE, MoneyField
from billing.models import InvoiceLine
from billing.pricing.money import PLACES

Span = tuple[date, date]
"""First day, and the day after the last."""

DAY = Coalesce("starts_on", "invoice__issued_on")
HAS_PERIOD = Q(starts_on__isnull=False, ends_on__gt=F("starts_on"))


class Days(Func):
    """The days from the second date to the first."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Count Julian days."""
        return super().as_sql(
            compiler, connection, template="CAST(JULIANDAY(%(expressions)s) AS INTEGER)",
            arg_joiner=") - JULIANDAY(", **context,
        )  # fmt: skip

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Subtract dates, which gives days."""
        return super().as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **context)


def within(span: Span) -> Q:
    """Select the lines of which a part falls on `span`."""
    first, end = span
    dated = Q(starts_on__gte=first, starts_on__lt=end) | Q(
        starts_on__isnull=True, invoice__issued_on__gte=first, invoice__issued_on__lt=end
    )
    return (HAS_PERIOD & Q(starts_on__lt=end, ends_on__gt=first)) | (~HAS_PERIOD & dated)


def part(span: Span) -> Case:
    """Return the net amount of a line that falls on `span`, for lines that are `within` it."""
    first, end = (Value(day, output_field=DateField()) for day in span)
    begun = Days(Greatest("starts_on", first), F("starts_on"))
    ended = Days(Least("ends_on", end), F("starts_on"))
    return Case(When(HAS_PERIOD, then=_until(ended) - _until(begun)), default=F("net"), output_field=MoneyField())


def total(span: Span) -> Sum:
    """Return the sum of what falls on `span`, 0 for nothing."""
    return Sum(part(span), filter=within(span), default=0, output_field=MoneyField())


def touching(lines: QuerySet[InvoiceLine], span: Span) -> QuerySet[InvoiceLine]:
    """Return the lines of issued invoices and credit notes of which a part falls on `span`."""
    issued = lines.filter(invoice__status="issued").exclude(invoice__kind="pro_forma")
    return issued.filter(within(span))


def _until(day: Any) -> Any:
    """Return round(P·day/N) for a line's amount P and its N days: whole smallest units, half up."""
    unit = _unit()
    length = Days(F("ends_on"), F("starts_on"))
    pieces = Abs(F("net")) / unit
    return Sign(F("net")) * unit * ((pieces * 2 * day + length) / (length * 2))


def _unit() -> Case:
    """Return the smallest unit of the invoice's currency, in what amounts are kept in."""
    odd: dict[int, list[str]] = {}
    for currency, places in PLACES.items():
        if places != 2:
            odd.setdefault(places, []).append(currency)
    cases = [When(invoice__currency__in=sorted(found), then=Value(10 ** (SCALE - n))) for n, found in odd.items()]
    return Case(*cases, default=Value(10 ** (SCALE - 2)), output_field=IntegerField())
