"""The lines of a paper and what follows from them: tax by the seller's rules, sums by EN 16931. Drafts only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.db.models import Q

from billing.models import Charge, Customer, Invoice, InvoiceLine, InvoiceTax, Seller
from billing.pricing import totals
from billing.services import taxes
from billing.tax.treatment import Treatment


def of_charges(invoice: Invoice, charges: Iterable[Charge]) -> list[InvoiceLine]:
    """Return lines for charges, in their order, not yet kept. What is charged for one day only has no period."""
    return [
        InvoiceLine(
            invoice=invoice,
            charge=None if charge._state.adding else charge,
            position=position,
            text=charge.text,
            starts_on=charge.starts_on if charge.ends_on > charge.starts_on else None,
            ends_on=charge.ends_on if charge.ends_on > charge.starts_on else None,
            quantity=charge.quantity,
            unit=charge.unit,
            unit_price=charge.unit_price,
            amount=charge.amount,
            tax_category=charge.tax_category,
        )
        for position, charge in enumerate(charges, start=1)
    ]


def take_back(lines: Sequence[InvoiceLine]) -> None:
    """Let lines of what was not used name the line that they take back, so that nobody credits it once more: the newest
    of the same component that covers their days and has as much left. Those of before that have none name none.
    """
    wanted = [(line, line.charge) for line in lines if line.charge and line.charge.kind == Charge.Kind.CREDIT]
    if not wanted:
        return
    rows = InvoiceLine.objects.select_related("charge", "invoice").filter(
        charge__component__in={charge.component_id for _line, charge in wanted},
        amount__gt=0,
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__status=Invoice.Status.ISSUED,
    )
    sold = list(rows.order_by("-id"))
    left = {row.pk: row.amount for row in sold}
    for row in InvoiceLine.objects.filter(Q(credits__in=sold) | Q(credits__credits__in=sold)).select_related("credits"):
        line = row.credits_id if row.credits_id in left else row.credits and row.credits.credits_id
        left[str(line)] += row.amount
    for line, charge in wanted:
        line.credits = next((row for row in sold if _covers(row, line, charge) and left[row.pk] >= -line.amount), None)
        if line.credits is not None:
            left[line.credits.pk] += line.amount


def reckon(
    invoice: Invoice, lines: Sequence[InvoiceLine], seller: Seller, customer: Customer, on: date
) -> list[InvoiceTax]:
    """Give lines their tax of the day and their net amounts, and the invoice its sums; return its taxes, not yet kept.

    Raises Invalid where a rate is due that the seller has not set.
    """
    found: dict[str, Treatment] = {}
    for line in lines:
        if line.tax_category not in found:
            found[line.tax_category] = taxes.treatment(seller, customer, line.tax_category, on)
        line.tax_code, line.tax_percent = found[line.tax_category].code, found[line.tax_category].percent
    reasons = {(way.code, way.percent.normalize()): way.reason for way in found.values()}
    return keep_sums(invoice, lines, summed(lines, invoice), reasons)


def summed(lines: Sequence[InvoiceLine], invoice: Invoice, amounts: Sequence[Decimal] | None = None) -> totals.Totals:
    """Return the sums of lines, or of other `amounts` with the lines' taxes, in the invoice's currency and mode."""
    of = amounts if amounts is not None else [line.amount for line in lines]
    parts = [
        totals.Line(amount, line.tax_code, line.tax_percent) for amount, line in zip(of, lines, strict=True)
    ]  # fmt: skip
    return totals.totals(parts, invoice.currency, inclusive=invoice.tax_mode == Seller.TaxMode.INCLUSIVE)


def keep_sums(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    sums: totals.Totals,
    reasons: dict[tuple[str, Decimal], str],
) -> list[InvoiceTax]:
    """Put sums into the invoice and its lines; return the taxes, not yet kept, with why there is none."""
    for line, net in zip(lines, sums.nets, strict=True):
        line.net = net
    invoice.net, invoice.tax, invoice.gross = sums.net, sums.tax, sums.gross
    return [
        InvoiceTax(
            invoice=invoice,
            code=tax.code,
            percent=tax.percent,
            base=tax.base,
            tax=tax.tax,
            reason=reasons.get((tax.code, tax.percent.normalize()), "")[:200],
        )
        for tax in sums.taxes
    ]


def _covers(row: InvoiceLine, line: InvoiceLine, charge: Charge) -> bool:
    """Tell whether a line was charged for the days that another takes back, by prices of the same sort."""
    sold = row.charge
    if sold is None or sold.component_id != charge.component_id or row.invoice.tax_mode != line.invoice.tax_mode:
        return False
    return sold.starts_on <= charge.starts_on and charge.ends_on <= sold.ends_on
