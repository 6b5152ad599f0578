"""What tests of papers look into: an invoice, its PDF, the text of its pages and pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pypdfium2
from PIL import Image

from billing.models import Customer, Invoice
from billing.services import documents, invoices
from panel.core.actors import Actor
from tests.billing.services.books import charge

SYSTEM = Actor.system("test")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def issued(customer: Customer, *amounts: str, **values: object) -> Invoice:
    """An invoice of charges."""
    for amount in amounts:
        charge(customer, amount, **values)
    made = invoices.collect(actor=SYSTEM, customer=customer, until=date(2026, 12, 31), now=NOW)
    assert made is not None
    return made


@contextmanager
def opened(invoice: Invoice) -> Iterator[pypdfium2.PdfDocument]:
    """The PDF of a paper, to be looked into."""
    paper = pypdfium2.PdfDocument(documents.pdf(invoice))
    try:
        yield paper
    finally:
        paper.close()


def text(invoice: Invoice) -> str:
    """All that a paper says, without the places where words may break."""
    with opened(invoice) as paper:
        found = []
        for page in paper:
            words = page.get_textpage()
            found.append(words.get_text_bounded())
            words.close()
            page.close()
    return "\n".join(found).replace("\u200b", "").replace("\xa0", " ")


def pictures(invoice: Invoice) -> list[Image.Image]:
    """The pages of a paper as pictures, 72 points to the inch doubled."""
    with opened(invoice) as paper:
        found = []
        for page in paper:
            found.append(page.render(scale=2).to_pil().convert("L"))
            page.close()
    return found
