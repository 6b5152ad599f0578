"""The tax of issued papers by month, country of the buyer, category and rate: what a tax return asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, TruncMonth

from billing.fields import MoneyField
from billing.models import Invoice, InvoiceTax
from billing.selectors import parties
from billing.selectors.recognition import Span
from panel.core.actors import Actor


@dataclass(frozen=True)
class Taxed:
    """What was sold, and its tax, at one rate in one country and month."""

    month: date
    country: str
    code: str
    percent: Decimal
    currency: str
    base: Decimal
    tax: Decimal
    papers: int


def taxes(actor: Actor, span: Span) -> list[Taxed]:
    """Return the taxes of the papers that the actor's organization issued in `span`, newest month first; one query.

    Credit notes count against their month of issue.
    """
    rows = _issued(actor, span).annotate(month=TruncMonth("invoice__issued_on")).order_by()
    grouped = rows.values("month", "country", "code", "percent", "invoice__currency")
    summed = grouped.annotate(
        base_sum=Sum(F("base"), output_field=MoneyField()),
        tax_sum=Sum(F("tax"), output_field=MoneyField()),
        papers=Count("invoice_id", distinct=True),
    )
    found = [
        Taxed(
            row["month"],
            row["country"],
            row["code"],
            row["percent"],
            row["invoice__currency"],
            row["base_sum"],
            row["tax_sum"],
            row["papers"],
        )
        for row in summed
    ]
    return sorted(found, key=lambda row: (-row.month.toordinal(), row.currency, row.country, row.code, -row.percent))


def behind(actor: Actor, span: Span, currency: str, country: str, code: str, percent: Decimal) -> QuerySet[InvoiceTax]:
    """Return the taxes of papers behind one row of `taxes`, or of several months, the newest first."""
    rows: QuerySet[InvoiceTax] = _issued(actor, span).filter(
        invoice__currency=currency, country=country, code=code, percent=percent
    )
    return rows.select_related("invoice__customer").order_by("-invoice__issued_on", "-invoice_id", "pk")


def sums_of(rows: QuerySet[InvoiceTax]) -> tuple[Decimal, Decimal]:
    """Return the sum of what was sold, and of its tax."""
    found = rows.aggregate(
        net=Sum("base", default=0, output_field=MoneyField()), all_tax=Sum("tax", default=0, output_field=MoneyField())
    )
    return Decimal(found["net"]), Decimal(found["all_tax"])


def _issued(actor: Actor, span: Span) -> Any:
    """Return the taxes of the papers that were issued in `span`, with the buyer's country."""
    rows = InvoiceTax.objects.filter(invoice__status=Invoice.Status.ISSUED)
    rows = parties.sold_by(rows.exclude(invoice__kind=Invoice.Kind.PRO_FORMA), actor, through="invoice")
    rows = rows.filter(invoice__issued_on__gte=span[0], invoice__issued_on__lt=span[1])
    return rows.annotate(
        country=Coalesce(KeyTextTransform("country", "invoice__buyer_party"), Value(""), output_field=TextField())
    )
