"""The lines of a paper and what follows from them: tax by the seller's rules, sums by EN 16931. Drafts only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

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
