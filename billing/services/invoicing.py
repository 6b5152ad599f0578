"""Issuing many invoices in few statements: what a run does for thousands of customers. The same papers, to the letter,
as `invoices.collect` issues one by one; credit notes go that way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When

from billing.models import Charge, Customer, Invoice, InvoiceLine, InvoiceTax, LedgerEntry, Receivable, Seller
from billing.services import happenings, invoice_lines, invoices, numbers, settlements
from panel.core import audit
from panel.core.actors import Actor


@dataclass
class _Paper:
    customer: Customer
    invoice: Invoice
    lines: list[InvoiceLine]
    taxes: list[InvoiceTax]


def collect_many(
    *, actor: Actor, seller: Seller, on: date, now: datetime, wanted: Mapping[str, Iterable[str]]
) -> list[Invoice]:
    """Issue a paper dated `on` to each customer, of its `wanted` charges that are on none yet, numbered in the order of
    the customers' ids. For the run: it asks for no permission. All of them, or none when one can't be issued.

    Where a later paper has a number already, theirs are dated as that one: numbers follow days.
    """
    issued: list[Invoice] = []
    with transaction.atomic():
        rows = Customer.objects.select_for_update(of=("self",), no_key=True).select_related("seller", "buyer")
        customers = list(rows.filter(pk__in=list(wanted)).order_by("id"))
        waiting = _waiting(charge for ids in wanted.values() for charge in ids)
        zone, owing = ZoneInfo(seller.time_zone), []
        for customer in customers:
            charges = waiting.get(customer.pk, [])
            if sum((charge.amount for charge in charges), Decimal(0)) < 0:
                until = max(charge.due_on for charge in charges)
                noted_on = numbers.earliest_day(seller.organization, seller.credit_series, on)
                then = datetime.combine(noted_on, time(), zone)
                note = invoices.collect(actor=actor, customer=customer, until=until, now=then, charges=charges)
                issued += [note] if note else []
            elif charges:
                owing.append((customer, charges))
        if owing:
            on = numbers.earliest_day(seller.organization, seller.series, on)
        moment = datetime.combine(on, time(), zone)
        papers = [_paper(seller, customer, charges, moment) for customer, charges in owing]
        invoice_lines.take_back([line for paper in papers for line in paper.lines])
        _keep(actor, seller, papers, on)
    return issued + [paper.invoice for paper in papers]


def _waiting(ids: Iterable[str]) -> dict[str, list[Charge]]:
    found: dict[str, list[Charge]] = {}
    for charge in Charge.objects.filter(pk__in=list(ids), line=None).order_by("due_on", "id"):
        found.setdefault(charge.customer_id, []).append(charge)
    return found


def _paper(seller: Seller, customer: Customer, charges: Sequence[Charge], moment: datetime) -> _Paper:
    invoice = invoices.new(seller, customer, moment)
    lines = invoice_lines.of_charges(invoice, charges)
    taxes = invoice_lines.reckon(invoice, lines, seller, customer, invoices.day_of(invoice))
    return _Paper(customer, invoice, lines, taxes)


def _keep(actor: Actor, seller: Seller, papers: Sequence[_Paper], on: date) -> None:
    """Keep papers as drafts with their lines, then number and book them: an issued one takes no lines any more."""
    if not papers:
        return
    made = [paper.invoice for paper in papers]
    first = numbers.next_numbers(seller.organization, seller.series, on.year, len(made))
    for number, invoice in enumerate(made, start=first):
        invoice.series, invoice.year = seller.series, on.year
        invoice.label = numbers.label(seller.series, on.year, number)
        invoice.reference = numbers.reference(seller.series, on.year, number)
    Invoice.objects.bulk_create(made)
    InvoiceLine.objects.bulk_create([line for paper in papers for line in paper.lines])
    InvoiceTax.objects.bulk_create([tax for paper in papers for tax in paper.taxes])
    numbered = [When(pk=invoice.pk, then=Value(number)) for number, invoice in enumerate(made, start=first)]
    issued = Invoice.objects.filter(pk__in=[invoice.pk for invoice in made])
    issued.update(status=Invoice.Status.ISSUED, number=Case(*numbered, output_field=IntegerField()))
    for number, invoice in enumerate(made, start=first):
        invoice.number, invoice.status = number, Invoice.Status.ISSUED
    audit.record_all(actor, "invoice.issue", made)
    entries = [entry for paper in papers for entry in invoices.entries(paper.invoice, paper.customer)]
    LedgerEntry.objects.bulk_create(entries)
    Receivable.objects.bulk_create([invoices.receivable(invoice) for invoice in made])
    _follow(papers)


def _follow(papers: Sequence[_Paper]) -> None:
    """Tell of papers, and let credit of their customers pay them."""
    credit = settlements.credits_of([paper.customer.pk for paper in papers])
    happenings.tell_all("invoice.issued", [paper.invoice for paper in papers])
    for paper in papers:
        if not paper.invoice.gross:
            happenings.tell("invoice.settled", paper.invoice)
            happenings.tell("invoice.paid", paper.invoice)
        elif credit.get(paper.customer.pk):
            settlements.use_credit(paper.invoice)
