"""Bank statements: read in, each booking once; matched by reference or by a person, or left out as none of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import iso11649

from accounts.models import Organization
from accounts.selectors import organizations
from billing import camt
from billing.models import BankEntry, Customer, Invoice, Payment, Receivable
from billing.pricing import money
from billing.selectors import sellers
from billing.services import payments, settlements
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Invalid

UNREADABLE = {
    "size": gettext_lazy("The file is larger than 10 MB. Ask the bank for a shorter period."),
    "xml": gettext_lazy("This is not XML that can be read. Choose the bank's file of the kind CAMT.053."),
    "kind": gettext_lazy("This is no CAMT.053 of versions 001.02 to 001.08. Choose that kind at the bank."),
    "count": gettext_lazy("The file has more than 10,000 bookings. Ask the bank for a shorter period."),
    "date": gettext_lazy("A booking has no date. Ask the bank for another file."),
}
CREDITOR_REFERENCE = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
MOST_SUGGESTED = 5
TOGETHER = 200
"""So many entries are looked up in one query."""
Status = BankEntry.Status

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Report:
    """What reading a statement in came to."""

    new: int
    known: int
    left_out: int


@dataclass(frozen=True)
class Booked:
    """What booking by reference came to: `failed` ones stay open."""

    booked: int
    failed: int


@dataclass(frozen=True)
class Suggestion:
    """Whose money it may be; `sure` when the booking carries the reference or number of the invoice."""

    customer: Customer
    invoice: Invoice
    sure: bool


def read_in(*, actor: Actor, statement: bytes) -> Report:
    """Keep what came in by a statement, to be matched; what was read in before stays as it is. Nothing is booked yet.

    Raises Invalid for a file that is no CAMT.053, or is of another account than the seller's IBAN.
    """
    policy.require(actor, "receipt.match")
    organization = organizations.of_actor(actor)
    try:
        found = camt.read(statement)
    except camt.Unreadable as error:
        raise Invalid(f"statement_{error}", str(UNREADABLE[str(error)]), "statement") from error
    own = sellers.of(organization).iban.replace(" ", "")
    if own and any(booking.account and booking.account != own for booking in found):
        text = _("This statement is not of your account %(iban)s. Choose its file.") % {"iban": own}
        raise Invalid("statement_account", text, "statement")
    rows = [_entry(organization, booking) for booking in found if _is_money(booking)]
    with transaction.atomic():
        entries = BankEntry.objects.filter(organization=organization)
        before = entries.count()
        BankEntry.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        new = entries.count() - before
        audit.record(actor, "statement.read_in", organization, {"bookings": (None, new)})
    return Report(new, len(rows) - new, len(found) - len(rows))


def match(*, actor: Actor, entry: BankEntry, customer: Customer, invoice: Invoice | None = None) -> Payment:
    """Book an entry as a payment of a customer, which pays `invoice` first. The same again returns the payment.

    Raises Conflict for an entry that is matched otherwise or left out, Invalid for another currency.
    """
    policy.require(actor, "receipt.match", entry)
    with settlements.locked(customer.pk):
        entry = BankEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        found = entry.payment
        if found is not None and found.customer_id == customer.pk:
            return found
        if entry.status != Status.OPEN:
            raise Conflict(_("This booking is matched already, or left out."), code="not_open")
        payment = payments.record(
            actor=actor,
            customer=customer,
            amount=entry.amount,
            currency=entry.currency,
            received_on=min(entry.booked_on, settlements.day_of(customer)),
            reference=entry.remittance[:200],
            key=f"bank:{entry.pk}",
            invoice=invoice,
            source=Payment.Source.BANK,
        )
        entry.status, entry.payment = Status.MATCHED, payment
        entry.save(update_fields=["status", "payment"])
        audit.record(actor, "statement.match", entry, {"customer": (None, customer.name)})
    return payment


def sure(*, actor: Actor, most: int | None = None) -> list[tuple[BankEntry, Suggestion]]:
    """Return the open entries that carry the reference or number of one invoice, the oldest first, with whose they are;
    no more than `most`.
    """
    policy.require(actor, "receipt.match")
    waiting = BankEntry.objects.filter(organization=actor.organization_id, status=Status.OPEN).order_by("id")
    found: list[tuple[BankEntry, Suggestion]] = []
    entries = list(waiting)
    for start in range(0, len(entries), TOGETHER):
        for entry, named in _carried(entries[start : start + TOGETHER]):
            if len(named) == 1:
                found.append((entry, Suggestion(named[0].customer, named[0], sure=True)))
        if most is not None and len(found) >= most:
            return found[:most]
    return found


def match_sure(*, actor: Actor, most: int | None = None) -> Booked:
    """Book open entries that carry an invoice's reference or number, all of them or the oldest `most`.

    One that can't be booked stays open and holds up no other.
    """
    policy.require(actor, "receipt.match")
    booked = failed = 0
    for entry, option in sure(actor=actor, most=most):
        try:
            match(actor=actor, entry=entry, customer=option.customer, invoice=option.invoice)
            booked += 1
        except DomainError as error:
            log.warning("statements.not_booked", entry=entry.pk, code=error.code)
            failed += 1
    return Booked(booked, failed)


def ignore(*, actor: Actor, entry: BankEntry) -> BankEntry:
    """Leave an entry out, which is no payment of a customer, or take one back in. Raises Conflict for a matched one."""
    policy.require(actor, "receipt.match", entry)
    with transaction.atomic():
        entry = BankEntry.objects.select_for_update(of=("self",)).select_related("organization").get(pk=entry.pk)
        if entry.status == Status.MATCHED:
            raise Conflict(_("This booking is matched already."), code="not_open")
        before = entry.status
        entry.status = Status.IGNORED if before == Status.OPEN else Status.OPEN
        entry.save(update_fields=["status"])
        audit.record(actor, "statement.ignore", entry, {"status": (before, entry.status)})
    return entry


def suggestions(entry: BankEntry) -> list[Suggestion]:
    """Return whose money an open entry may be: by the invoice's reference or number, else by amount and name."""
    ((_entry, named),) = _carried([entry])
    if len(named) == 1:
        return [Suggestion(named[0].customer, named[0], sure=True)]
    if named:
        return [Suggestion(invoice.customer, invoice, sure=False) for invoice in named[:MOST_SUGGESTED]]
    return _by_amount(entry)


def _carried(entries: Sequence[BankEntry]) -> list[tuple[BankEntry, list[Invoice]]]:
    """Return entries of one seller, each with the invoices whose reference, or else whose number, it carries."""
    references = {entry.pk: _references(entry.remittance) for entry in entries}
    words = {entry.pk: _words(entry.remittance) for entry in entries}
    carry = Q(reference__in={text for found in references.values() for text in found})
    carry |= Q(label__in={text for found in words.values() for text in found})
    issued = Invoice.objects.select_related("customer__buyer", "customer__seller").filter(
        carry,
        seller__in={entry.organization_id for entry in entries},
        kind=Invoice.Kind.INVOICE,
        status=Invoice.Status.ISSUED,
    )
    known, matched = list(issued.order_by("-id")), []
    for entry in entries:
        own = [invoice for invoice in known if invoice.currency == entry.currency]
        by_reference = [invoice for invoice in own if invoice.reference in references[entry.pk]]
        matched.append((entry, by_reference or [invoice for invoice in own if invoice.label in words[entry.pk]]))
    return matched


def _references(remittance: str) -> set[str]:
    """Return the creditor references (ISO 11649) in a remittance, of any length: text may follow without a space."""
    text, found = remittance.upper().replace(" ", ""), set()
    for start in re.finditer("RF", text):
        longest = CREDITOR_REFERENCE.match(text, start.start())
        if longest is not None:
            found |= {longest[0][:end] for end in range(5, len(longest[0]) + 1)}
    return {reference for reference in found if iso11649.is_valid(reference)}


def _words(remittance: str) -> set[str]:
    """Return what may be the number of an invoice: each word of a remittance."""
    return {word.strip(".,;:()").upper() for word in remittance.split()} - {""}


def _by_amount(entry: BankEntry) -> list[Suggestion]:
    rows = Receivable.objects.select_related("invoice", "customer__buyer", "customer__seller").filter(
        seller=entry.organization_id, currency=entry.currency, open=entry.amount, settled_at__isnull=True
    )
    found = [Suggestion(row.customer, row.invoice, sure=False) for row in rows.order_by("due_on", "id")[:50]]
    payer = _letters(entry.debtor)
    alike = [option for option in found if payer and _letters(option.customer.name) in payer]
    return (alike or found)[:MOST_SUGGESTED]


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _entry(organization: Organization, booking: camt.Booking) -> BankEntry:
    return BankEntry(
        organization=organization,
        reference=booking.reference,
        booked_on=booking.booked_on,
        amount=booking.amount,
        currency=booking.currency,
        debtor=booking.debtor,
        remittance=booking.remittance,
    )


def _is_money(booking: camt.Booking) -> bool:
    """Tell whether a booking's currency is sold in, and its amount has no more places than that has."""
    return booking.currency in money.PLACES and money.rounded(booking.amount, booking.currency) == booking.amount
