"""Invoices that a person writes by hand, until they are issued (services.invoices): lines, due date, note."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max
from django.utils.translation import gettext as _

from billing.models import Customer, Invoice, InvoiceLine, InvoiceTax, Seller, TaxRate
from billing.pricing.money import rounded
from billing.selectors import sellers
from billing.services import charges, invoice_lines, invoices, settlements, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, clean_or_invalid

MOST_LINES = 200
CHANGED = ("note", "due_on", "due_as_usual")


def create(*, actor: Actor, customer: Customer, note: str = "", due_on: date | None = None) -> Invoice:
    """Begin an invoice to a customer. It has no number, and the customer does not see it before it is issued.

    Without a due date it is due the seller's usual days after its issue.
    """
    policy.require(actor, "invoice.create", customer)
    with settlements.locked(customer.pk) as customer:
        seller = sellers.of(customer.seller)
        invoice = Invoice(
            seller=customer.seller,
            buyer=customer.buyer,
            customer=customer,
            currency=customer.currency,
            tax_mode=seller.tax_mode,
            due_on=_checked(due_on, seller) or _usual(seller),
            due_as_usual=due_on is None,
            note=texts.lines(note, "note"),
        )
        clean_or_invalid(invoice, exclude=["seller_party", "buyer_party"])
        invoice.save(force_insert=True)
        audit.record(actor, "invoice.create", invoice)
    return invoice


def change(
    *, actor: Actor, invoice: Invoice, note: str | None = None, due_on: date | None = None, due_as_usual: bool = False
) -> Invoice:
    """Change a draft's note and earliest due date; what is left out stays. `due_as_usual` takes the date away again."""
    policy.require(actor, "invoice.change", invoice)
    with settlements.locked(invoice.customer_id) as customer:
        invoice = invoices.draft(invoice)
        before = {field: getattr(invoice, field) for field in CHANGED}
        invoice.note = invoice.note if note is None else texts.lines(note, "note")
        due_on = _checked(due_on, sellers.of(customer.seller))
        if due_as_usual:
            due_on = _usual(sellers.of(customer.seller))
        if due_on is not None:
            invoice.due_on, invoice.due_as_usual = due_on, due_as_usual
        clean_or_invalid(invoice, exclude=["seller_party", "buyer_party"])
        invoice.save(update_fields=CHANGED)
        after = {field: getattr(invoice, field) for field in CHANGED}
        audit.record(actor, "invoice.change", invoice, audit.difference(before, after))
    return invoice


def add_line(
    *,
    actor: Actor,
    invoice: Invoice,
    text: str,
    unit_price: Decimal,
    quantity: Decimal = Decimal(1),
    unit: str = "",
    tax_category: str = TaxRate.Category.STANDARD,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> InvoiceLine:
    """Put a line on a draft: quantity times price, rounded once, to whole units. A period leaves its end out."""
    policy.require(actor, "invoice.change", invoice)
    text, unit = texts.line(text, "text"), texts.line(unit, "unit")
    if not text:
        raise Invalid("required", _("Say what it is for."), "text")
    if quantity <= 0:
        raise Invalid("quantity", _("Give a quantity above zero."), "quantity")
    if abs(quantity * unit_price) >= charges.MOST:
        raise Invalid("too_much", _("Give an amount below a trillion."), "unit_price")
    if (starts_on is None) != (ends_on is None) or (starts_on and ends_on and ends_on <= starts_on):
        raise Invalid("period", _("Give both days of the period, the last one after the first."), "ends_on")
    with settlements.locked(invoice.customer_id) as customer:
        invoice = invoices.draft(invoice)
        if invoice.lines.count() >= MOST_LINES:
            message = _("An invoice has at most %(most)s lines. Write another one.")
            raise Invalid("too_many", message % {"most": MOST_LINES}, "text")
        line = InvoiceLine(
            invoice=invoice,
            position=(invoice.lines.aggregate(most=Max("position"))["most"] or 0) + 1,
            text=text,
            quantity=quantity,
            unit=unit,
            unit_price=unit_price,
            amount=rounded(quantity * unit_price, invoice.currency),
            net=Decimal(0),
            tax_category=tax_category,
            tax_code="O",
            tax_percent=Decimal(0),
            starts_on=starts_on,
            ends_on=ends_on,
        )
        clean_or_invalid(line)
        line.save(force_insert=True)
        _reckon(invoice, customer)
        audit.record(actor, "invoice.change", invoice, {"line": ["", line.text]})
    line.refresh_from_db()
    return line


def remove_line(*, actor: Actor, invoice: Invoice, line: InvoiceLine) -> None:
    """Take a line off a draft."""
    policy.require(actor, "invoice.change", invoice)
    with settlements.locked(invoice.customer_id) as customer:
        invoice = invoices.draft(invoice)
        invoice.lines.filter(pk=line.pk).delete()
        _reckon(invoice, customer)
        audit.record(actor, "invoice.change", invoice, {"line": [line.text, ""]})


def discard(*, actor: Actor, invoice: Invoice) -> None:
    """Throw a draft away."""
    policy.require(actor, "invoice.remove", invoice)
    with settlements.locked(invoice.customer_id):
        invoice = invoices.draft(invoice)
        audit.record(actor, "invoice.remove", invoice)
        invoice.taxes.all().delete()
        invoice.lines.all().delete()
        invoice.delete()


def _usual(seller: Seller) -> date:
    """Return when an invoice of today would be due."""
    return sellers.today(seller) + timedelta(days=seller.due_days)


def _checked(day: date | None, seller: Seller) -> date | None:
    """Return a due date that may be one; raises Invalid for one that is more than a year away."""
    if day is not None:
        charges.check_day(day, sellers.today(seller), "due_on")
    return day


def _reckon(invoice: Invoice, customer: Customer) -> None:
    """Show in a draft what it would come to if it were issued today."""
    seller = sellers.of(customer.seller)
    lines = list(invoice.lines.all())
    taxes = invoice_lines.reckon(invoice, lines, seller, customer, sellers.today(seller))
    InvoiceLine.objects.bulk_update(lines, ["net", "tax_code", "tax_percent"])
    invoice.taxes.all().delete()
    InvoiceTax.objects.bulk_create(taxes)
    invoice.save(update_fields=["net", "tax", "gross"])
