"""Issuing papers: invoices of what was charged, credit notes and pro-forma invoices. Drafts by hand: services.drafts.

Issuing is one transaction: number, parties as they are today, taxes and sums, the books, and what is owed. A paper that
is issued is never changed, which the database holds (billing.immutability).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import Charge, Customer, Invoice, InvoiceLine, InvoiceTax, LedgerEntry, Order, Receivable, Seller
from billing.selectors import invoices as selectors
from billing.selectors import sellers
from billing.services import happenings, invoice_lines, ledger, numbers, settlements, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid

Account = LedgerEntry.Account
Kind = Invoice.Kind
ZERO = Decimal(0)

SELLER_PARTY = "address country region vat_number tax_number email legal_line bank_holder iban bic bank_details".split()
BUYER_PARTY = "name address country region vat_number email".split()


def collect(
    *,
    actor: Actor,
    customer: Customer,
    until: date,
    now: datetime | None = None,
    charges: Iterable[Charge] | None = None,
) -> Invoice | None:
    """Issue one paper of all charges of a customer that are due by `until` and on none yet; None without any.

    A sum below zero becomes a credit note to the invoice that it takes back, or to the customer's newest; where there
    is none, the charges wait. `charges` narrows them down to some. `now` is the moment of issue.
    """
    policy.require(actor, "invoice.issue", customer)
    with settlements.locked(customer.pk) as customer:
        rows = Charge.objects.filter(customer=customer, due_on__lte=until, line=None).order_by("due_on", "id")
        if charges is not None:
            rows = rows.filter(pk__in=[charge.pk for charge in charges])
        waiting = list(rows)
        if not waiting:
            return None
        seller = sellers.of(customer.seller)
        invoice = new(seller, customer, now)
        lines = invoice_lines.of_charges(invoice, waiting)
        invoice_lines.take_back(lines)
        if sum(charge.amount for charge in waiting) < 0:
            invoice.kind = Kind.CREDIT_NOTE
            invoice.corrects = next(
                (line.credits.invoice for line in lines if line.credits), _newest(customer, waiting)
            )
            if invoice.corrects is None:
                return None
        taxes = _reckon(invoice, lines, seller, customer)
        invoice.save(force_insert=True)
        InvoiceLine.objects.bulk_create(lines)
        InvoiceTax.objects.bulk_create(taxes)
        _issue(actor, invoice, seller, customer)
    return invoice


def issue(*, actor: Actor, invoice: Invoice, now: datetime | None = None) -> Invoice:
    """Issue a draft: it gets today's date, parties and taxes, and a number. Raises Conflict for one that has been.

    Raises Invalid for a draft without lines, or whose sum is below zero: that would be a credit note.
    """
    policy.require(actor, "invoice.issue", invoice)
    with settlements.locked(invoice.customer_id) as customer:
        invoice = draft(invoice)
        lines = list(invoice.lines.all())
        if not lines:
            raise Invalid("no_lines", _("An invoice needs at least one line. Add one first."))
        seller = sellers.of(customer.seller)
        fresh = new(seller, customer, now)
        invoice.due_on = fresh.due_on if invoice.due_as_usual else max(invoice.due_on, day_of(fresh))
        invoice.issued_at = fresh.issued_at
        invoice.issued_on, invoice.tax_mode = fresh.issued_on, fresh.tax_mode
        invoice.seller_party, invoice.buyer_party = fresh.seller_party, fresh.buyer_party
        taxes = invoice_lines.reckon(invoice, lines, seller, customer, day_of(invoice))
        if invoice.gross < 0:
            raise Invalid("below_zero", _("An invoice can't be below zero. Credit an invoice instead."))
        InvoiceLine.objects.bulk_update(lines, ["net", "tax_code", "tax_percent"])
        invoice.taxes.all().delete()
        InvoiceTax.objects.bulk_create(taxes)
        _issue(actor, invoice, seller, customer)
    return invoice


def pro_forma(
    *, actor: Actor, customer: Customer, charges: Sequence[Charge], note: str = "", now: datetime | None = None
) -> Invoice:
    """Issue a pro-forma invoice of charges to come, kept or not: no number, nothing owed, nothing booked.

    The charges stay free for the invoice itself. Raises Invalid without charges.
    """
    policy.require(actor, "invoice.issue", customer)
    if not charges:
        raise Invalid("no_lines", _("There is nothing to come that a pro-forma invoice could name."))
    with settlements.locked(customer.pk) as customer:
        seller = sellers.of(customer.seller)
        invoice = new(seller, customer, now, kind=Kind.PRO_FORMA, note=note)
        lines = invoice_lines.of_charges(invoice, charges)
        for line in lines:
            line.charge = None
        taxes = invoice_lines.reckon(invoice, lines, seller, customer, day_of(invoice))
        invoice.save(force_insert=True)
        InvoiceLine.objects.bulk_create(lines)
        InvoiceTax.objects.bulk_create(taxes)
        invoice.status, invoice.label = Invoice.Status.ISSUED, f"PF-{day_of(invoice):%Y%m%d}-{invoice.pk[-6:].upper()}"
        invoice.save()
        audit.record(actor, "invoice.issue", invoice)
    return invoice


def credit(
    *,
    actor: Actor,
    invoice: Invoice,
    reason: str,
    lines: Mapping[str, Decimal] | None = None,
    now: datetime | None = None,
) -> Invoice:
    """Issue a credit note to an invoice: to all that is left of it, or of `lines` (id → amount as the line states it).

    Tax is that of the invoice, reckoned on all that was credited so far, so that parts sum to the whole to the cent.
    What the invoice does not need any more becomes the customer's credit. Raises Invalid for more than is left.
    """
    policy.require(actor, "invoice.credit", invoice)
    reason = texts.lines(reason, "reason")
    if not reason:
        raise Invalid("required", _("Say why: it stands on the credit note."), "reason")
    with settlements.locked(invoice.customer_id) as customer:
        invoice = Invoice.objects.get(pk=invoice.pk)
        if invoice.kind != Kind.INVOICE or invoice.status != Invoice.Status.ISSUED:
            raise Conflict(_("Only an issued invoice can be credited."), code="not_issued")
        wanted = _credited(invoice, lines)
        seller = sellers.of(customer.seller)
        note = new(seller, customer, now, kind=Kind.CREDIT_NOTE, corrects=invoice, note=reason[:500])
        note.tax_mode, note.currency = invoice.tax_mode, invoice.currency
        credited = [line for line in invoice.lines.all() if line.pk in wanted]
        rows = [_credit_line(note, line, at, wanted[line.pk]) for at, line in enumerate(credited, start=1)]
        taxes = _take_back(note, invoice, rows)
        note.save(force_insert=True)
        InvoiceLine.objects.bulk_create(rows)
        InvoiceTax.objects.bulk_create(taxes)
        _issue(actor, note, seller, customer)
    return note


def write_off(*, actor: Actor, invoice: Invoice, reason: str) -> Invoice:
    """Give up what is open of an invoice: it is booked as a loss, and the invoice is settled.

    Raises Conflict while an order waits for it: settled, it would be set up. Who refuses the order credits the invoice.
    """
    policy.require(actor, "invoice.write_off", invoice)
    reason = texts.line(reason, "reason")
    if not reason:
        raise Invalid("required", _("Say why it is given up."), "reason")
    with settlements.locked(invoice.customer_id) as customer:
        receivable = Receivable.objects.select_for_update(of=("self",)).filter(invoice=invoice).first()
        if receivable is None or not receivable.open:
            raise Conflict(_("Nothing of this invoice is open."), code="nothing_open")
        if Order.objects.filter(invoice=invoice, status=Order.Status.UNPAID).exists():
            message = _("An order waits for this invoice to be paid. Refuse the order instead.")
            raise Conflict(message, code="ordered")
        key, amount = f"{settlements.LOSS}{invoice.pk}:{invoice.allocations.count()}", receivable.open
        settlements.post(customer, key, Account.LOSS, Account.CREDIT, amount, invoice=invoice, text=reason[:200])
        settlements.allocate(invoice, amount, key, is_money=False)
        audit.record(actor, "invoice.write_off", invoice, {"reason": ["", reason]})
    return invoice


def new(seller: Seller, customer: Customer, now: datetime | None, **values: Any) -> Invoice:
    """Return an invoice of this moment, not yet kept: days, parties, currency and mode."""
    moment = now or timezone.now()
    today = sellers.today(seller, moment)
    buyer = {field: getattr(customer, field) for field in BUYER_PARTY}
    return Invoice(
        seller=customer.seller,
        buyer=customer.buyer,
        customer=customer,
        issued_on=today,
        issued_at=moment,
        due_on=today + timedelta(days=seller.due_days),
        currency=customer.currency,
        tax_mode=seller.tax_mode,
        seller_party={"name": str(seller), **{field: getattr(seller, field) for field in SELLER_PARTY}},
        buyer_party=buyer,
        **values,
    )


def draft(invoice: Invoice) -> Invoice:
    """Return a draft as it is now, locked; raises Conflict for one that is gone, or was issued."""
    found = Invoice.objects.select_for_update(of=("self",)).filter(pk=invoice.pk).first()
    if found is None:
        raise Conflict(_("This draft is gone."), code="gone")
    if found.status != Invoice.Status.DRAFT:
        raise Conflict(_("This invoice is issued, and stays as it is. Correct it by a credit note."), code="issued")
    return found


def _issue(actor: Actor, invoice: Invoice, seller: Seller, customer: Customer) -> None:
    """Number and book a paper whose lines and taxes are kept; from here on it stays as it is."""
    series = seller.credit_series if invoice.kind == Kind.CREDIT_NOTE else seller.series
    year = day_of(invoice).year
    number = numbers.next_number(customer.seller, series, year)
    invoice.series, invoice.year, invoice.number = series, year, number
    invoice.label, invoice.status = numbers.label(series, year, number), Invoice.Status.ISSUED
    if invoice.kind == Kind.INVOICE:
        invoice.reference = numbers.reference(series, year, number)
    invoice.save()
    audit.record(actor, "invoice.issue", invoice)
    for entry in entries(invoice, customer):
        entry.save(force_insert=True)
    if invoice.kind == Kind.CREDIT_NOTE:
        if invoice.corrects is not None:
            settlements.allocate(invoice.corrects, -invoice.gross, f"credit_note:{invoice.pk}", credit_note=invoice)
        happenings.tell("invoice.credited", invoice)
        return
    receivable(invoice).save(force_insert=True)
    happenings.tell("invoice.issued", invoice)
    if invoice.gross:
        settlements.use_credit(invoice)
    else:
        happenings.tell("invoice.settled", invoice)
        happenings.tell("invoice.paid", invoice)


def entries(invoice: Invoice, customer: Customer) -> list[LedgerEntry]:
    """Return what a paper does to the books, not yet kept: what is owed against revenue and tax, or, for a credit note,
    both against the customer's credit.
    """
    against = Account.CREDIT if invoice.kind == Kind.CREDIT_NOTE else Account.RECEIVABLE
    made = (
        ledger.entry(
            seller=customer.seller,
            key=f"{invoice.pk}:{part}",
            on=day_of(invoice),
            debit=against,
            credit=account,
            amount=amount,
            currency=invoice.currency,
            customer=customer,
            invoice=invoice,
            text=invoice.label,
        )
        for part, account, amount in (("net", Account.REVENUE, invoice.net), ("tax", Account.TAX, invoice.tax))
    )
    return [entry for entry in made if entry is not None]


def receivable(invoice: Invoice) -> Receivable:
    """Return what is owed for an issued invoice, not yet kept: all of it, or nothing where it comes to nothing."""
    return Receivable(
        invoice=invoice,
        seller=invoice.seller,
        customer=invoice.customer,
        currency=invoice.currency,
        due_on=invoice.due_on,
        open=invoice.gross,
        settled_at=None if invoice.gross else invoice.issued_at,
    )


def day_of(invoice: Invoice) -> date:
    """Return the day of a paper that is being issued."""
    if invoice.issued_on is None:
        raise ValueError("A paper gets its day before anything else.")
    return invoice.issued_on


def _newest(customer: Customer, charges: list[Charge]) -> Invoice | None:
    """Return the newest issued invoice of a customer that has a line of a component that the charges are of, or any."""
    issued = Invoice.objects.filter(customer=customer, kind=Kind.INVOICE, status=Invoice.Status.ISSUED).order_by("-id")
    components = {charge.component_id for charge in charges if charge.component_id}
    return issued.filter(lines__charge__component__in=components).first() or issued.first()


def _credited(invoice: Invoice, lines: Mapping[str, Decimal] | None) -> dict[str, Decimal]:
    """Return line → amount to credit; raises Invalid for what is not a line's, has another sign or exceeds it."""
    left = selectors.left(invoice)
    if lines is None:
        wanted = {pk: amount for pk, amount in left.items() if amount}
    else:
        wanted = {pk: Decimal(amount) for pk, amount in lines.items() if amount}
    for pk, amount in wanted.items():
        if pk not in left or abs(amount) > abs(left[pk]) or amount * left[pk] < 0:
            message = _("No more can be credited than is left of the line: %(left)s %(currency)s.")
            raise Invalid("too_much", message % {"left": left.get(pk, ZERO), "currency": invoice.currency}, "lines")
    if not wanted:
        raise Invalid("nothing_left", _("Nothing of this invoice is left to credit."), "lines")
    return wanted


def _reckon(invoice: Invoice, lines: Sequence[InvoiceLine], seller: Seller, customer: Customer) -> list[InvoiceTax]:
    """Give a paper of charges its sums; return its taxes, not yet kept.

    What takes back nothing but lines of one invoice, each once, has the tax of that, as a credit note by hand has.
    """
    taken = {line.credits_id for line in lines if line.credits and line.credits.invoice == invoice.corrects}
    if invoice.corrects is not None and len(taken) == len(lines):
        return _take_back(invoice, invoice.corrects, lines)
    return invoice_lines.reckon(invoice, lines, seller, customer, day_of(invoice))


def _take_back(note: Invoice, invoice: Invoice, rows: Sequence[InvoiceLine]) -> list[InvoiceTax]:
    """Give a credit note its sums; return its taxes, not yet kept. `rows` take back lines of `invoice`, each once.

    Its sums are what all credits so far come to, less what earlier ones came to.
    """
    of, left = list(invoice.lines.all()), selectors.left(invoice)
    taking = {str(row.credits_id): row for row in rows}
    earlier = [line.amount - left[line.pk] for line in of]
    later = [
        done - (taking[line.pk].amount if line.pk in taking else ZERO) for line, done in zip(of, earlier, strict=True)
    ]
    before, after = invoice_lines.summed(of, invoice, earlier), invoice_lines.summed(of, invoice, later)
    moved = dict.fromkeys((_tax_of(line) for line in of), ZERO)
    for line, then, now in zip(of, before.nets, after.nets, strict=True):
        if line.pk in taking:
            row = taking[line.pk]
            row.net, row.tax_code, row.tax_percent = then - now, line.tax_code, line.tax_percent
        else:
            moved[_tax_of(line)] += now - then
    for row in rows:  # a cent that the largest remainder moves between lines goes with the first one of its rate
        row.net -= moved.pop(_tax_of(row), ZERO)
    used = {_tax_of(row) for row in rows}
    reasons = {(tax.code, tax.percent.normalize()): tax.reason for tax in invoice.taxes.all()}
    taxes = [
        InvoiceTax(
            invoice=note,
            code=now.code,
            percent=now.percent,
            base=then.base - now.base,
            tax=then.tax - now.tax,
            reason=reasons.get((now.code, now.percent.normalize()), ""),
        )
        for then, now in zip(before.taxes, after.taxes, strict=True)
        if (now.code, now.percent.normalize()) in used
    ]
    note.net, note.tax = sum((tax.base for tax in taxes), ZERO), sum((tax.tax for tax in taxes), ZERO)
    note.gross = note.net + note.tax
    return taxes


def _tax_of(line: InvoiceLine) -> tuple[str, Decimal]:
    return line.tax_code, line.tax_percent.normalize()


def _credit_line(note: Invoice, line: InvoiceLine, position: int, amount: Decimal) -> InvoiceLine:
    whole = amount == line.amount
    return InvoiceLine(
        invoice=note,
        credits=line,
        position=position,
        text=line.text,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        quantity=-line.quantity if whole else Decimal(-1),
        unit=line.unit if whole else "",
        unit_price=line.unit_price if whole else amount,
        amount=-amount,
        tax_category=line.tax_category,
    )
