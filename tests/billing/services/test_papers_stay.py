"""That the database itself refuses to change what was issued or booked, whoever asks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations import Migration
from django.utils import timezone

from billing import immutability
from billing.models import Allocation, Charge, Document, Invoice, InvoiceLine, InvoiceTax, LedgerEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)
CHANGES: dict[str, tuple[type[models.Model], dict[str, object]]] = {
    "invoice": (Invoice, {"note": "another"}),
    "invoice back to draft": (Invoice, {"status": "draft", "number": None}),
    "line": (InvoiceLine, {"text": "another"}),
    "tax": (InvoiceTax, {"reason": "another"}),
    "document": (Document, {"sha256": "another"}),
    "entry": (LedgerEntry, {"text": "another"}),
    "allocation": (Allocation, {"amount": Decimal(1)}),
    "charge": (Charge, {"text": "another"}),
}


def draft(cast: Cast) -> Invoice:
    """A draft with a line and its tax."""
    customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    charge = Charge.objects.create(
        customer=customer, kind="item", starts_on=DAY, ends_on=DAY, due_on=DAY, text="Work", unit_price=5, amount=5,
        currency="USD",
    )  # fmt: skip
    invoice = Invoice.objects.create(
        seller=customer.seller, buyer=customer.buyer, customer=customer, due_on=DAY, currency="USD",
        tax_mode="exclusive", net=5, gross=5,
    )  # fmt: skip
    add_line(invoice, position=1, charge=charge)
    InvoiceTax.objects.create(invoice=invoice, code="O", percent=0, base=5, tax=0)
    return invoice


def add_line(invoice: Invoice, position: int, charge: Charge | None = None) -> InvoiceLine:
    """Put a line on an invoice."""
    return InvoiceLine.objects.create(
        invoice=invoice, position=position, text="Work", quantity=1, unit_price=5, amount=5, net=5, tax_code="O",
        tax_percent=0, charge=charge,
    )  # fmt: skip


def issue(invoice: Invoice) -> None:
    """Make an invoice an issued one, with a document, an entry and an allocation."""
    Invoice.objects.filter(pk=invoice.pk).update(
        status="issued", series="INV", year=2026, number=1, label="INV-2026-00001", issued_on=DAY,
        issued_at=timezone.now(),
    )  # fmt: skip
    Document.objects.create(invoice=invoice, pdf=b"%PDF", sha256="0" * 64)
    LedgerEntry.objects.create(
        seller=invoice.seller, key="k", on=DAY, debit="receivable", credit="revenue", amount=5, currency="USD"
    )
    Allocation.objects.create(invoice=invoice, amount=5, key="k")


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_issued_is_not_changed(cast: Cast, what: str) -> None:
    """An update of each table is refused."""
    with everything("test"):
        issue(draft(cast))
        model, values = CHANGES[what]
        with pytest.raises(IntegrityError), transaction.atomic():
            model._base_manager.update(**values)


@pytest.mark.parametrize("model", dict(CHANGES.values()), ids=lambda model: model.__name__)
def test_what_is_issued_is_not_deleted(cast: Cast, model: type[models.Model]) -> None:
    """A delete of each table is refused, in SQL that knows no foreign keys of Django's."""
    with everything("test"):
        issue(draft(cast))
        before = model._base_manager.count()
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - our own name
        assert model._base_manager.count() == before == 1


def test_nothing_is_added_to_an_issued_invoice(cast: Cast) -> None:
    """Neither a line nor a tax, nor a line that is moved there from a draft."""
    with everything("test"):
        invoice = draft(cast)
        issue(invoice)
        with pytest.raises(IntegrityError), transaction.atomic():
            add_line(invoice, position=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            InvoiceTax.objects.create(invoice=invoice, code="S", percent=19, base=0, tax=0)
        other = Invoice.objects.create(
            seller=invoice.seller, buyer=invoice.buyer, customer=invoice.customer, due_on=DAY, currency="USD",
            tax_mode="exclusive",
        )  # fmt: skip
        line = add_line(other, position=7)
        with pytest.raises(IntegrityError), transaction.atomic():
            InvoiceLine.objects.filter(pk=line.pk).update(invoice=invoice)


def test_a_draft_is_free(cast: Cast) -> None:
    """What is not issued can be changed and thrown away, but has no document."""
    with everything("test"):
        invoice = draft(cast)
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.create(invoice=invoice, pdf=b"%PDF", sha256="0" * 64)
        assert InvoiceLine.objects.update(text="Other work") == 1
        assert Invoice.objects.update(note="Soon") == 1
        InvoiceTax.objects.all().delete()
        InvoiceLine.objects.all().delete()
        invoice.delete()
        assert not Invoice.objects.exists()


def triggers() -> set[str]:
    """The names of the guards that the database has."""
    sql = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'billing%'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'billing%'",
    }
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor])
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_made_anew_keeps_its_guards() -> None:
    """SQLite makes a table anew to change it, would stumble over triggers, and loses them: migrating puts them back."""
    names = {guard.name for guard in immutability.GUARDS}
    assert triggers() == names
    now: models.Field[str, str] = Invoice._meta.get_field("note")
    longer: models.Field[str, str] = models.CharField(max_length=501, blank=True)
    longer.set_attributes_from_name("note")
    for old, new in ((now, longer), (longer, now)):
        immutability.lay_aside(using="default", plan=[(Migration("0000_any", "billing"), False)])
        with connection.schema_editor() as editor:
            editor.alter_field(Invoice, old, new, strict=True)
        call_command("migrate", verbosity=0)
        assert triggers() == names
