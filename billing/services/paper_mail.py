"""Mailing papers with their PDF, in the seller's brand, to the buyer's billing address or those who see to money."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import structlog
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from stdnum import iso11649

from accounts.mail import Letter, send_all
from accounts.models import Brand, Membership
from accounts.selectors import brands
from billing import formats
from billing.models import Customer, Invoice
from billing.selectors import invoices as selectors
from billing.services import documents
from panel.core import audit, ids, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError
from panel.core.scoping import everything

READERS = (Membership.Role.OWNER, Membership.Role.BILLING)
LOOK_BACK = timedelta(days=30)

log = structlog.get_logger(__name__)


class Reader(NamedTuple):
    """Somebody who gets a paper; `key` names them."""

    key: str
    address: str
    name: str
    locale: str


def make_waiting() -> int:
    """Mail issued papers and make their PDFs, oldest first, as many as there are; return how many. For the worker.

    Each is mailed once, however often this runs; one that can't be made is left for the next time, and logged.
    """
    done, last = 0, ids.first("inv", timezone.now() - LOOK_BACK)
    while waiting := selectors.without_document(last):
        for pk in waiting:
            with everything("papers that were issued"):
                invoice = Invoice.objects.select_related("customer", "seller", "buyer", "corrects").get(pk=pk)
            try:
                fetch(invoice)
            except DomainError as error:
                log.warning("paper.left", invoice=pk, code=error.code)
            else:
                done += 1
        last = waiting[-1]
    return done


def fetch(invoice: Invoice) -> bytes:
    """Return the PDF of an issued paper, for the worker or whoever asks sooner: the first of them has it mailed, too,
    since what has its PDF is not looked for any more. Raises Conflict for a draft.
    """
    is_mailed = invoice.status == Invoice.Status.ISSUED and invoice.kind != Invoice.Kind.PRO_FORMA
    if is_mailed and not selectors.has_document(invoice):
        _send(invoice, once=f"paper:{invoice.pk}")
    return documents.pdf(invoice)


def send_again(*, actor: Actor, invoice: Invoice) -> int:
    """Mail an issued paper once more; return to how many. Raises Conflict for a draft, or where nobody would get it."""
    policy.require(actor, "invoice.send", invoice)
    if invoice.status != Invoice.Status.ISSUED:
        raise Conflict(_("A draft is not mailed. Issue the invoice first."), code="draft")
    with transaction.atomic():
        count = _send(invoice, once=f"again:{ids.new('pm')}")
        if not count:
            message = _("Nobody there sees to invoices. Give the customer a mail address first.")
            raise Conflict(message, code="no_reader")
        audit.record(actor, "invoice.send", invoice)
    return count


def _send(invoice: Invoice, once: str) -> int:
    with everything("mail to a buyer's people"):
        brand = brands.for_organization(invoice.seller)
        template = "credit_note" if invoice.kind == Invoice.Kind.CREDIT_NOTE else "invoice"
        letters = [
            Letter(
                brand,
                reader.address,
                template,
                _context(invoice, brand, reader),
                reader.locale,
                f"{once}:{reader.key}",
                f"{documents.KIND}:{invoice.pk}",
            )
            for reader in _readers(invoice.customer, brand)
        ]
        send_all(letters)
    return len(letters)


def _readers(customer: Customer, brand: Brand) -> Iterator[Reader]:
    if customer.email:
        yield Reader("own", customer.email, customer.name, brand.locale)
        return
    people = Membership.objects.filter(organization=customer.buyer, role__in=READERS, user__is_active=True)
    for member in people.select_related("user").order_by("id"):
        yield Reader(member.user.pk, member.user.email, member.user.name, member.user.locale)


def _context(invoice: Invoice, brand: Brand, reader: Reader) -> dict[str, str]:
    link = brands.base_url(brand) + reverse("billing:invoice", args=[invoice.pk])
    with translation.override(reader.locale or brand.locale):
        words = {"name": reader.name, "number": invoice.label, "link": link}
        if invoice.kind == Invoice.Kind.CREDIT_NOTE:
            amount = formats.money(-invoice.gross, invoice.currency)
            corrected = invoice.corrects.label if invoice.corrects else ""
            return {**words, "amount": amount, "invoice": corrected, "reason": invoice.note}
        still = selectors.open_of(invoice)
        return {
            **words,
            "amount": formats.money(invoice.gross, invoice.currency),
            "open": formats.money(still, invoice.currency) if still else "",
            "due": date_format(invoice.due_on),
            "reference": iso11649.format(invoice.reference) if invoice.reference and still else "",
        }
