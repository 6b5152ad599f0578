"""The tax of issued papers by month, country of the buyer, category and rate: what a tax return asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import TruncMonth

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
    issued = InvoiceTax.objects.filter(invoice__status=Invoice.Status.ISSUED)
    rows: Any = parties.sold_by(issued.exclude(invoice__kind=Invoice.Kind.PRO_FORMA), actor, through="invoice")
    rows = rows.filter(invoice__issued_on__gte=span[0], invoice__issued_on__lt=span[1]).order_by()
    keys = {"month": TruncMonth("invoice__issued_on"), "country": KeyTextTransform("country", "invoice__buyer_party")}
    grouped = rows.annotate(**keys).values("month", "country", "code", "percent", "invoice__currency")
    summed = grouped.annotate(
        base_sum=Sum(F("base"), output_field=MoneyField()),
        tax_sum=Sum(F("tax"), output_field=MoneyField()),
        papers=Count("invoice_id", distinct=True),
    )
    found = [
        Taxed(
            row["month"],
            row["country"] or "",
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
