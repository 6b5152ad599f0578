"""What a paper shows, in the words, dates and figures of its language, and its PDF. Keeping PDFs: services.documents.

The typesetter gets its source from a file of ours and all data as JSON. What no font has is shown as a sign, and the
paper says so.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import qrcode
import structlog
from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from qrcode.image.svg import SvgPathImage
from stdnum import iban, iso11649

from accounts.models import Brand
from accounts.selectors import brands
from billing import countries, formats
from billing.models import Invoice, InvoiceLine, InvoiceTax, Seller
from billing.pricing import money
from billing.services import typesetting
from billing.services.typesetting import UNKNOWN
from panel.core.scoping import everything

SOURCE = Path(settings.BASE_DIR) / "templates" / "papers" / "invoice.typ"
Facts = list[tuple[str, str]]

log = structlog.get_logger(__name__)


def pdf(invoice: Invoice) -> bytes:
    """Return the PDF of an issued paper in its seller's brand and the brand's language: the same bytes each time."""
    with everything("a paper names both parties"):
        brand = brands.for_organization(invoice.seller)
        with translation.override(brand.locale):
            paper = content(invoice, brand)
            letters = typesetting.missing(paper)
            if letters:
                log.warning("paper.letters_missing", invoice=invoice.pk, letters=" ".join(sorted(letters)))
                paper = typesetting.without(paper, letters)
                paper["notes"].append(_("%(sign)s stands for a letter that can't be printed here.") % {"sign": UNKNOWN})
    issued = int(invoice.issued_at.timestamp()) if invoice.issued_at else 0
    return typesetting.pdf(SOURCE.read_bytes(), paper, issued)


def content(invoice: Invoice, brand: Brand) -> dict[str, Any]:
    """Return what stands on a paper, as JSON holds it; the current language is the paper's."""
    lines, taxes = list(invoice.lines.all()), list(invoice.taxes.all())
    seller, buyer = invoice.seller_party, invoice.buyer_party
    kind = str(invoice.get_kind_display())
    return {
        "lang": translation.get_language().partition("-")[0],
        "color": brand.primary_color,
        "brand": brand.name,
        "logo": _logo(brand),
        "kind": kind,
        "title": invoice.label if invoice.kind == Invoice.Kind.PRO_FORMA else f"{kind} {invoice.label}",
        "seller": {"label": _("From"), "name": seller["name"], "lines": _party(seller)},
        "buyer": {"label": _("To"), "name": buyer["name"], "lines": _party(buyer)},
        "facts": _facts(invoice, lines),
        "columns": _columns(invoice),
        "lines": [_line(invoice, line) for line in lines],
        "sums": _sums(invoice, taxes),
        "total": (_total_name(invoice), formats.money(_shown(invoice, invoice.gross), invoice.currency)),
        "notes": _notes(invoice, taxes),
        "pay": _("How to pay"),
        "payment": _payment(invoice),
        "code": _code(invoice),
        "code_label": _("Scan to pay"),
        "footer": seller["legal_line"] or seller["name"],
        "pages": _("Page {page} of {pages}"),
    }


def _shown(invoice: Invoice, amount: Decimal) -> Decimal:
    """Return an amount as the paper shows it: a credit note says what is given back."""
    return -amount if invoice.kind == Invoice.Kind.CREDIT_NOTE else amount


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _amount(amount: Decimal, currency: str) -> str:
    return number_format(amount, decimal_pos=money.places(currency), force_grouping=True)


def _party(party: dict[str, str]) -> list[str]:
    lines = [line.strip() for line in party["address"].splitlines() if line.strip()]
    if party["country"]:
        lines.append(", ".join(filter(None, [party["region"], str(countries.name(party["country"]))])))
    if party["vat_number"]:
        lines.append(_("VAT number: %(number)s") % {"number": party["vat_number"]})
    if party.get("tax_number"):
        lines.append(_("Tax number: %(number)s") % {"number": party["tax_number"]})
    return lines + ([party["email"]] if party["email"] else [])


def _facts(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Facts:
    facts: Facts = [(_("Number"), invoice.label)]
    if invoice.issued_on:
        facts.append((_("Date"), _day(invoice.issued_on)))
    if invoice.kind == Invoice.Kind.INVOICE:
        facts.append((_("Due on"), _day(invoice.due_on)))
    starts = [line.starts_on for line in lines if line.starts_on]
    ends = [line.ends_on for line in lines if line.ends_on]
    if starts and ends:
        facts.append((_("Service period"), formats.period(min(starts), max(ends))))
    elif invoice.issued_on:
        facts.append((_("Service on"), _day(invoice.issued_on)))
    if invoice.corrects is not None:
        facts.append((_("Corrects invoice"), invoice.corrects.label))
        if invoice.corrects.issued_on:
            facts.append((_("of"), _day(invoice.corrects.issued_on)))
    if invoice.reference:
        facts.append((_("Reference"), iso11649.format(invoice.reference)))
    return facts


def _columns(invoice: Invoice) -> list[str]:
    if _inclusive(invoice):
        return [_("Item"), _("Quantity"), _("Price with tax"), _("Tax"), _("Net"), _("With tax")]
    return [_("Item"), _("Quantity"), _("Price"), _("Tax"), _("Net")]


def _inclusive(invoice: Invoice) -> bool:
    return invoice.tax_mode == Seller.TaxMode.INCLUSIVE


def _line(invoice: Invoice, line: InvoiceLine) -> dict[str, Any]:
    price = line.unit_price
    quantity = line.quantity if line.amount * price >= 0 or not price else -abs(line.quantity)
    if invoice.kind == Invoice.Kind.CREDIT_NOTE:
        quantity = -quantity
    if quantity < 0 and _shown(invoice, line.amount) >= 0:
        quantity, price = -quantity, -price
    cells = [
        formats.exact(quantity),
        formats.price(price, invoice.currency),
        f"{formats.exact(line.tax_percent)} %",
        _amount(_shown(invoice, line.net), invoice.currency),
    ]
    if _inclusive(invoice):
        cells.append(_amount(_shown(invoice, line.amount), invoice.currency))
    period = formats.period(line.starts_on, line.ends_on) if line.starts_on and line.ends_on else ""
    return {"text": line.text, "period": period, "unit": line.unit, "cells": cells}


def _sums(invoice: Invoice, taxes: Sequence[InvoiceTax]) -> Facts:
    sums = [(_("Net"), formats.money(_shown(invoice, invoice.net), invoice.currency))]
    for tax in taxes:
        if tax.code == "O":
            continue
        values = {
            "percent": formats.exact(tax.percent),
            "base": formats.money(_shown(invoice, tax.base), invoice.currency),
        }
        name = _("Tax %(percent)s %% of %(base)s") % values
        sums.append((name, formats.money(_shown(invoice, tax.tax), invoice.currency)))
    return sums


def _total_name(invoice: Invoice) -> str:
    return _("Credited") if invoice.kind == Invoice.Kind.CREDIT_NOTE else _("Total")


def _notes(invoice: Invoice, taxes: Sequence[InvoiceTax]) -> list[str]:
    notes = [invoice.note] if invoice.note else []
    if invoice.kind == Invoice.Kind.PRO_FORMA:
        notes.append(_("This is no invoice and asks for no tax to be deducted. The invoice follows."))
    reasons = [tax.reason for tax in taxes if tax.code in ("AE", "E", "G") and tax.reason]
    return notes + list(dict.fromkeys(reasons))


def _payment(invoice: Invoice) -> Facts:
    if invoice.kind == Invoice.Kind.CREDIT_NOTE or invoice.gross <= 0:
        return []
    party = invoice.seller_party
    facts: Facts = []
    if party["iban"]:
        facts.append((_("Account holder"), party["bank_holder"] or party["name"]))
        facts.append(("IBAN", iban.format(party["iban"])))
        if party["bic"]:
            facts.append(("BIC", party["bic"]))
    facts += [("", line) for line in party["bank_details"].splitlines() if line.strip()]
    if invoice.reference:
        facts.append((_("Reference"), iso11649.format(invoice.reference)))
    if facts and invoice.kind == Invoice.Kind.INVOICE:
        facts.append((_("Pay by"), _day(invoice.due_on)))
    return facts


def _code(invoice: Invoice) -> str:
    """Return the code that banks' apps read (European Payments Council 069-12, version 2), as SVG: euro only."""
    party = invoice.seller_party
    if invoice.kind != Invoice.Kind.INVOICE or invoice.currency != "EUR" or not party["iban"] or invoice.gross <= 0:
        return ""
    holder = (party["bank_holder"] or party["name"])[:70]
    rows = ["BCD", "002", "1", "SCT", party["bic"], holder, party["iban"], f"EUR{invoice.gross:.2f}", ""]
    made = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, image_factory=SvgPathImage)
    made.add_data("\n".join([*rows, invoice.reference]).encode())
    target = io.BytesIO()
    made.make_image().save(target)
    return target.getvalue().decode()


def _logo(brand: Brand) -> dict[str, Any]:
    """Return the brand's logo as the typesetter takes it: SVG as text, a picture as its bytes."""
    found = brands.image(brand.logo) if brand.logo else None
    kinds = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
    kind = kinds.get(found.content_type, "") if found else ""
    if found is None or not kind:
        return {"kind": ""}
    raw = bytes(found.content)
    return {"kind": kind, "text": raw.decode()} if kind == "svg" else {"kind": kind, "bytes": list(raw)}
