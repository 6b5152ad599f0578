"""The pages of papers: written by hand, issued, credited, read by both parties, hidden from everybody else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Customer, Invoice
from panel.core.scoping import everything
from tests.billing.services import books
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def test_an_invoice_from_draft_to_credit_note(cast: Cast, customer: Customer) -> None:
    """Begun, filled, issued, downloaded, credited in part, in the books; its buyer reads it and nobody else does."""
    seller, buyer = cast.reseller_a.browser(), cast.client_a.browser()
    begun = seller.post("/invoices/new/", {"customer": customer.pk, "note": "With thanks"})
    page = begun.headers["Location"]
    line = {"text": "Moving", "quantity": "2.5", "unit": "hours", "unit_price": "80", "tax_category": "standard"}
    assert seller.post(f"{page}lines/new/", {**line, "quantity": "0"}).status_code == 400
    assert seller.post(f"{page}lines/new/", line).status_code == 302
    assert buyer.get(page).status_code == 404
    draft = seller.get(page).content.decode()
    assert "238.00" in draft
    assert "With thanks" in draft
    assert seller.post(f"{page}issue/").status_code == 302
    for browser in (seller, buyer):
        assert re.search(r"INV-20\d\d-00001", browser.get(page).content.decode())
        pdf = browser.get(f"{page}pdf/")
        assert pdf.headers["Content-Type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF")
    assert cast.provider.browser().get(page).status_code == 404
    assert cast.client_b.browser().get(f"{page}pdf/").status_code == 404
    assert buyer.post(f"{page}credit/", {"reason": "x"}).status_code == 403
    with everything("test"):
        (row,) = Invoice.objects.get().lines.all()
    assert seller.post(f"{page}credit/", {"reason": "Too long", f"line_{row.pk}": "201"}).status_code == 400
    assert seller.post(f"{page}credit/", {"reason": "Too long", f"line_{row.pk}": "100"}).status_code == 302
    assert "119.00" in seller.get(page).content.decode()
    assert seller.post(f"{page}write-off/", {"reason": "Bankrupt"}).status_code == 302
    assert "Written off" in seller.get("/invoices/books/").content.decode()
    books.check(cast.reseller_a.organization)


def test_a_draft_without_a_day_is_due_as_usual(cast: Cast, customer: Customer) -> None:
    """It says so instead of a day, which can be given and taken away again."""
    seller = cast.reseller_a.browser()
    page = seller.post("/invoices/new/", {"customer": customer.pk}).headers["Location"]
    said, given = "The usual days after its issue", f"{timezone.localdate() + timedelta(days=30)}"
    assert said in seller.get(page).content.decode()
    assert seller.post(f"{page}change/", {"due_on": given, "note": ""}).status_code == 302
    assert said not in seller.get(page).content.decode()
    assert given in seller.get(f"{page}change/").content.decode()
    seller.post(f"{page}change/", {"due_on": "", "note": ""})
    assert said in seller.get(page).content.decode()
    program, path = cast.reseller_a.program(), f"/api/v1{page.rstrip('/')}"
    for sent in (given, None):
        answer = program.patch(path, {"due_on": sent}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        with everything("test"):
            assert Invoice.objects.get().due_as_usual == (sent is None)


def test_lists_show_each_party_its_own(cast: Cast, customer: Customer) -> None:
    """What was sold to the seller, what was bought to the buyer, nothing to others; drafts to the seller alone."""
    seller = cast.reseller_a.browser()
    page = seller.post("/invoices/new/", {"customer": customer.pk}).headers["Location"]
    assert "Draft" in seller.get("/invoices/").content.decode()
    assert page not in cast.client_a.browser().get("/invoices/received/").content.decode()
    seller.post(f"{page}lines/new/", {"text": "x", "quantity": "1", "unit_price": "10", "tax_category": "standard"})
    seller.post(f"{page}issue/")
    assert page in cast.client_a.browser().get("/invoices/received/").content.decode()
    assert page in seller.get("/invoices/?state=open").content.decode()
    assert page not in seller.get("/invoices/?state=overdue").content.decode()
    assert page not in cast.provider.browser().get("/invoices/").content.decode()
    assert page not in cast.reseller_b.browser().get("/invoices/").content.decode()


def test_programs_do_what_people_do(cast: Cast, customer: Customer) -> None:
    """A draft with a line, issued, credited; exact amounts as text; the PDF; balances that sum to zero."""
    program = cast.reseller_a.program()

    def post(path: str, body: dict[str, object]) -> dict[str, str]:
        answer = program.post(f"/api/v1{path}", body, content_type="application/json")
        assert answer.status_code in (200, 201), answer.content
        return answer.json()  # type: ignore[no-any-return]

    draft = post("/invoices", {"customer": customer.pk})["id"]
    assert post(f"/invoices/{draft}/lines", {"text": "Work", "unit_price": "10.01"})["gross"] == "11.91"
    issued = post(f"/invoices/{draft}/issue", {})
    assert (issued["status"], issued["open"]) == ("issued", "11.91")
    assert post(f"/invoices/{draft}/credit", {"reason": "Cancelled"})["gross"] == "-11.91"
    assert program.get(f"/api/v1/invoices/{draft}/pdf").content.startswith(b"%PDF")
    assert program.get("/api/v1/invoices?side=sold&kind=credit_note").json()["items"][0]["corrects"] == draft
    balances = program.get("/api/v1/ledger/balances").json()["items"]
    assert sum(float(row["balance"]) for row in balances) == 0
    assert program.delete(f"/api/v1/invoices/{draft}").status_code == 409
    buyer = cast.client_a.program()
    assert buyer.get(f"/api/v1/invoices/{draft}").json()["gross"] == "11.91"
    assert buyer.get("/api/v1/ledger").status_code == 403
    assert cast.provider.program().get(f"/api/v1/invoices/{draft}").status_code == 404
