"""The PDFs of papers: what they show, that data is never source, that bytes stay, and that nothing overflows."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import typst
from django.db import IntegrityError, transaction

from accounts.selectors import brands
from accounts.services import brand_images
from accounts.voice.attachments import AttachmentGone
from billing.models import Customer, Document, Invoice
from billing.selectors import invoices as selectors
from billing.services import documents, invoices, papers
from panel.core.errors import Conflict
from panel.core.scoping import everything
from tests.billing.services import books
from tests.billing.services.books import charge
from tests.billing.services.pdfs import NOW, SYSTEM, issued, opened, pictures, text
from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOSTILE = '#read("/etc/passwd") #import "@preview/x:0.1.0": * $x$ *bold* <label> @ref \\ ` // /* {{ 1 }} [#{2}] " \' ='
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 60"><rect width="300" height="60" fill="#080"/></svg>'


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def content(invoice: Invoice) -> dict[str, Any]:
    """What the typesetter is given."""
    with everything("test"):
        return papers.content(invoice, brands.for_organization(invoice.seller))


def test_a_paper_says_all_that_it_must(cast: Cast, customer: Customer) -> None:
    """Both parties, number, days, period, lines with unit, quantity, net, tax by rate, totals, reference, bank, law."""
    with everything("test"):
        Customer.objects.update(address="Somewhere 5\n1000 Brussels", vat_number="DE123456788")
    charge(
        customer, "10.01", starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 1), kind="usage", text="Disk space",
        quantity=Decimal("1001"), unit="GB", unit_price=Decimal("0.01"),
    )  # fmt: skip
    said = text(issued(customer, "5.55", tax_category="reduced"))
    for part in (
        "Invoice", "INV-2026-00001", "1 Mar 2026", "15 Mar 2026", "31 Mar 2026", "Atelier A Ltd",
        "Client of A", "1000 Brussels", "DE123456788", "Disk space", "1,001 GB", "0.01", "19 %", "7 %", "10.01 EUR",
        "1.90 EUR", "0.39 EUR", "15.56 EUR", "17.85 EUR", "DE89 3704 0044 0532 0130 00", "RF", "HRB 12345",
        "Page 1 of 1",
    ):  # fmt: skip
        assert part in said, part


def test_a_paper_speaks_the_brands_language(cast: Cast, customer: Customer) -> None:
    """Days and amounts as German readers write them."""
    with everything("test"):
        cast.reseller_a.organization.brand.__class__.objects.update(locale="de")
    said = text(issued(customer, "1234.50"))
    assert "1. März 2026" in said
    assert "1.234,50 EUR" in said


def test_data_is_never_source(cast: Cast) -> None:
    """What looks like markup stands on the paper as it is typed, wherever it comes from; no file is read."""
    customer = books.customer(cast, legal_name=HOSTILE[:100], address=HOSTILE, legal_line=HOSTILE, bank_details=HOSTILE)
    with everything("test"):
        Customer.objects.update(name=HOSTILE[:100], address=HOSTILE)
        cast.reseller_a.organization.brand.__class__.objects.update(name=HOSTILE[:40])
    invoice = issued(customer, "1", text=HOSTILE, unit="#pagebreak()")
    note = invoices.credit(actor=SYSTEM, invoice=invoice, reason=HOSTILE, now=NOW)
    for paper in (invoice, note):
        said = "".join(text(paper).split())
        assert said.count("".join(HOSTILE.split())) >= 4
        assert "root:" not in said


def test_the_typesetter_reads_no_file_and_no_network(monkeypatch: pytest.MonkeyPatch, customer: Customer) -> None:
    """Even a source that asks for a file of the system, or a package, gets neither."""
    invoice = issued(customer, "1")
    for source in (b'#read("/etc/passwd")', b'#read("../../../etc/passwd")', b'#import "@preview/cetz:0.3.4"'):
        template = type("Source", (), {"read_bytes": lambda self, source=source: source})
        monkeypatch.setattr(papers, "SOURCE", template())
        with pytest.raises(typst.TypstError):
            papers.pdf(invoice)


def test_bytes_are_kept(cast: Cast, customer: Customer) -> None:
    """A paper is made once: the same bytes when brand and parties are others, and their hash beside them."""
    invoice = issued(customer, "1")
    first = documents.pdf(invoice)
    with everything("test"):
        Customer.objects.update(name="Another")
        cast.reseller_a.organization.brand.__class__.objects.update(name="Another", primary_color="#112233")
        kept = Document.objects.get(invoice=invoice)
        assert documents.pdf(Invoice.objects.get(pk=invoice.pk)) == first == bytes(kept.pdf)
        assert kept.sha256 == hashlib.sha256(first).hexdigest()
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.all().delete()


def test_the_same_data_gives_the_same_bytes(customer: Customer) -> None:
    """Nothing of the clock or of chance is in a PDF."""
    invoice = issued(customer, "1", "2", "3")
    assert papers.pdf(invoice) == papers.pdf(invoice)


def test_forty_lines_and_long_names_stay_on_the_page(cast: Cast) -> None:
    """Several pages with their numbers, every line on one of them, and white margins on each."""
    customer = books.customer(cast, tax_mode="inclusive", legal_line="Legal " * 45)
    with everything("test"):
        Customer.objects.update(name="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten" * 2)
    for number in range(40):
        charge(customer, "12345678.99", text=f"Line{number} " + ("x" * 280 if number % 2 else "word " * 50))
    invoice = issued(customer)
    said = text(invoice)
    pages = pictures(invoice)
    assert len(pages) > 3
    assert f"Page {len(pages)} of {len(pages)}" in said
    for number in range(40):
        assert f"Line{number} " in said
    for page in pages:
        width, height = page.size
        for edge in (
            (0, 0, 90, height), (width - 90, 0, width, height), (0, 0, width, 40), (0, height - 30, width, height)
        ):  # fmt: skip
            assert page.crop(edge).getextrema() == (255, 255)


def test_items_stand_above_figures_that_leave_them_no_room(cast: Cast) -> None:
    """Huge amounts and long units take no more room than is there: the item gets a row of its own, whole."""
    customer = books.customer(cast, tax_mode="inclusive")
    charge(customer, "12345678901.99", text="word " * 56, unit="W" * 20, quantity=Decimal("123456789.123456"))
    charge(customer, "12345678901.99", text="x" * 280, unit_price=Decimal("0.123456789012"))
    invoice = issued(customer)
    said = text(invoice)
    assert "word word word word word word word word" in said
    assert "12,345,678,901.99" in said
    assert "W" * 20 in said
    pages = pictures(invoice)
    assert len(pages) == 1
    assert pages[0].crop((0, 1500, 1190, 1565)).getextrema() == (255, 255)  # between the lines and the footer


def test_a_small_invoice_has_items_beside_their_figures(customer: Customer) -> None:
    """A name, its quantity and its amounts are one row, which the text has as one line."""
    invoice = issued(customer, "10.01", text="Data out", quantity=Decimal("2448181.5"), unit="connection minutes")
    row = next(line for line in text(invoice).splitlines() if line.startswith("Data out"))
    assert row.split() == ["Data", "out", "2,448,181.5", "connection", "minutes", "10.01", "19", "%", "10.01"]


def test_a_pro_forma_paper_asks_for_no_tax_to_be_deducted(customer: Customer) -> None:
    """It has no number of the series, and says what it is."""
    made = invoices.pro_forma(actor=SYSTEM, customer=customer, charges=[charge(customer, "10", text="Starter")])
    said = text(made)
    for part in ("Pro-forma invoice", "Starter", "11.90 EUR", "This is no invoice"):
        assert part in said
    assert "INV-2026" not in said


def test_a_region_stands_before_its_country(customer: Customer) -> None:
    """As buyers there write it."""
    with everything("test"):
        Customer.objects.update(country="US", region="TX")
    assert "TX, United States" in text(issued(customer, "10"))


def test_a_paper_has_the_brands_logo_and_colour(cast: Cast, customer: Customer) -> None:
    """The logo at the top left, in its own colour."""
    with everything("test"):
        brand_images.put(actor=SYSTEM, organization=cast.reseller_a.organization, slot="logo", content=LOGO)
    with opened(issued(customer, "1")) as paper:
        page = paper[0]
        picture = page.render(scale=2).to_pil().convert("RGB")
        page.close()
    assert picture.getpixel((130, 120)) == (0, 136, 0)


def test_a_credit_note_says_what_it_gives_back(customer: Customer) -> None:
    """Amounts without a sign, what it corrects, and nothing to pay."""
    invoice = issued(customer, "10")
    said = text(invoices.credit(actor=SYSTEM, invoice=invoice, reason="Cancelled", now=NOW))
    for part in ("Credit note", "CN-2026-00001", "INV-2026-00001", "Cancelled", "11.90 EUR"):
        assert part in said
    assert "\N{MINUS SIGN}" not in said
    assert "IBAN" not in said


def test_reverse_charge_is_said(cast: Cast, customer: Customer) -> None:
    """A business in another member state with a checked number owes the tax itself, and the paper says so."""
    with everything("test"):
        Customer.objects.update(country="BE", vat_number="BE0428759497", vat_state="valid", is_business=True)
    invoice = issued(customer, "10")
    assert invoice.tax == 0
    assert "Reverse charge" in text(invoice)


def test_yen_are_whole(cast: Cast) -> None:
    """No places, and no code for euro transfers."""
    customer = books.customer(cast, currency="JPY")
    invoice = issued(customer, "1050")
    assert "1,250 JPY" in text(invoice)
    assert content(invoice)["code"] == ""


def test_the_code_is_what_banks_read(customer: Customer) -> None:
    """Euro, the account, the amount and the reference; as SVG."""
    assert content(issued(customer, "10"))["code"].startswith(("<?xml", "<svg"))


def test_a_draft_has_no_pdf(customer: Customer) -> None:
    """Nor has what is not there."""
    from billing.services import drafts

    with pytest.raises(Conflict, match="draft"):
        documents.pdf(drafts.create(actor=SYSTEM, customer=customer))
    with pytest.raises(AttachmentGone):
        documents.attachment("inv_nothing")
    assert selectors.without_document("") == []
