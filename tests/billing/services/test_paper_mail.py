"""Papers reach the buyer by mail: with their PDF, in the seller's brand, once, whatever runs twice or fails between."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import OutgoingMail
from accounts.voice import attachments
from billing.models import Customer, Document, Invoice
from billing.services import documents, invoices, paper_mail
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing.services import books
from tests.billing.services.books import charge
from tests.cast import HOST_A, Cast

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def issued(customer: Customer, amount: str = "10") -> Invoice:
    """An invoice of one charge."""
    charge(customer, amount)
    made = invoices.collect(actor=SYSTEM, customer=customer, until=date(2026, 12, 31), now=datetime.now(UTC))
    assert made is not None
    return made


def test_a_paper_that_is_read_before_it_was_mailed_is_mailed_all_the_same(
    customer: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    invoice = issued(customer)
    with django_capture_on_commit_callbacks(execute=True):
        first = paper_mail.fetch(invoice)
        assert paper_mail.fetch(invoice) == first
        assert paper_mail.make_waiting() == 0
    assert [sent.subject for sent in mail.outbox] == ["Invoice INV-2026-00001 from Atelier A"]


def test_an_invoice_is_mailed_once_with_its_pdf(
    customer: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """To the owner, from the brand, with the link to its page and the very bytes that are kept."""
    invoice = issued(customer)
    with django_capture_on_commit_callbacks(execute=True):
        assert paper_mail.make_waiting() == 1
        assert paper_mail.make_waiting() == 0
    (sent,) = mail.outbox
    assert sent.to == ["client-a@people.example"]
    assert sent.subject == "Invoice INV-2026-00001 from Atelier A"
    assert f"https://{HOST_A}/invoices/{invoice.pk}/" in sent.body
    assert "11.90" in sent.body
    (attached,) = sent.attachments
    with everything("test"):
        assert attached == ("INV-2026-00001.pdf", bytes(Document.objects.get().pdf), "application/pdf")
    whole = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
    assert [part.get_content_type() for part in whole.walk()].count("application/pdf") == 1


def test_a_billing_address_comes_first(
    customer: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Where the customer has named one, it gets the paper, and nobody else."""
    with everything("test"):
        Customer.objects.update(email="books@client.example")
    issued(customer)
    with django_capture_on_commit_callbacks(execute=True):
        paper_mail.make_waiting()
    assert [sent.to for sent in mail.outbox] == [["books@client.example"]]


def test_a_mail_that_left_before_a_crash_does_not_leave_again(
    customer: Customer,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """The worker dies between mail and PDF; the next run makes the PDF and mails nothing anew."""
    issued(customer)

    def crash(invoice: Invoice) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(documents, "pdf", crash)
        with pytest.raises(KeyboardInterrupt):
            paper_mail.make_waiting()
    with django_capture_on_commit_callbacks(execute=True):
        assert paper_mail.make_waiting() == 1
    with everything("test"):
        assert OutgoingMail.objects.count() == 1


def test_a_credit_note_is_mailed(
    customer: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """With what it corrects, and why."""
    invoice = issued(customer)
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="You cancelled", now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        paper_mail.make_waiting()
    note = mail.outbox[-1]
    assert note.subject == "Credit note CN-2026-00001 from Atelier A"
    assert "to invoice INV-2026-00001" in note.body
    assert "You cancelled" in note.body


def test_mail_again(cast: Cast, customer: Customer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks):
    """The seller's money roles may; the buyer and those above may not; a draft is not mailed."""
    invoice = issued(customer)
    with django_capture_on_commit_callbacks(execute=True):
        assert paper_mail.send_again(actor=cast.reseller_a.actor, invoice=invoice) == 1
        assert paper_mail.send_again(actor=cast.reseller_a.actor, invoice=invoice) == 1
    assert len(mail.outbox) == 2
    with pytest.raises(Forbidden):
        paper_mail.send_again(actor=cast.client_a.actor, invoice=invoice)
    with pytest.raises(NotFound):
        paper_mail.send_again(actor=cast.provider.actor, invoice=invoice)
    with everything("test"):
        assert AuditEntry.objects.filter(action="invoice.send").count() == 2
        cast.client_a.user.__class__.objects.update(is_active=False)
    with pytest.raises(Conflict, match="Nobody"):
        paper_mail.send_again(actor=SYSTEM, invoice=invoice)


def test_a_mail_whose_file_is_gone_is_given_up(
    customer: Customer,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """It does not leave without the file, and says why it did not."""

    def gone(key: str) -> attachments.Attachment:
        raise attachments.AttachmentGone(key)

    issued(customer)
    monkeypatch.setitem(attachments._givers, documents.KIND, gone)
    with django_capture_on_commit_callbacks(execute=True):
        paper_mail.make_waiting()
    assert mail.outbox == []
    with everything("test"):
        found = OutgoingMail.objects.get()
    assert found.detail == "The file that goes with this mail is gone."
