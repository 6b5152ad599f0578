"""The PDFs of issued papers: made once, kept with their hash, and the same bytes ever after."""

from __future__ import annotations

import hashlib

import structlog
import typst
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.voice.attachments import Attachment, AttachmentGone
from billing.models import Document, Invoice
from billing.services import papers
from panel.core.errors import Conflict
from panel.core.queue import ring
from panel.core.scoping import everything

MAKE = "billing.tasks.make_papers"
KIND = "paper"

log = structlog.get_logger(__name__)


def pdf(invoice: Invoice) -> bytes:
    """Return the PDF of an issued paper: as it was kept, or made and kept now. Raises Conflict for a draft.

    Not for a transaction that others wait for: making it takes tens of milliseconds.
    """
    with everything("a paper belongs to two parties"):
        kept = Document.objects.filter(invoice=invoice).first() or _make(invoice)
    return bytes(kept.pdf)


def wanted(invoice: Invoice) -> None:
    """Have the PDF of a paper made, and the paper mailed, soon after this transaction; follows what is issued."""
    ring(MAKE)


def name(invoice: Invoice) -> str:
    """Return what a paper's file is called: its number, in letters that every system takes."""
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in invoice.label) + ".pdf"


def attachment(key: str) -> Attachment:
    """Return the PDF of the paper with this id as mail carries it; raises AttachmentGone."""
    with everything("mail carries a paper"):
        invoice = Invoice.objects.filter(pk=key, status=Invoice.Status.ISSUED).first()
    if invoice is None:
        raise AttachmentGone(key)
    return Attachment(name(invoice), pdf(invoice), "application/pdf")


def _make(invoice: Invoice) -> Document:
    if invoice.status != Invoice.Status.ISSUED:
        raise Conflict(_("A draft has no PDF. Issue the invoice first."), code="draft")
    try:
        content = papers.pdf(invoice)
    except typst.TypstError as error:
        log.error("paper.failed", invoice=invoice.pk, error=error.message)
        raise Conflict(_("This paper could not be set. The provider has been told."), code="not_set") from error
    try:
        with transaction.atomic():
            return Document.objects.create(invoice=invoice, pdf=content, sha256=hashlib.sha256(content).hexdigest())
    except IntegrityError:
        return Document.objects.get(invoice=invoice)
