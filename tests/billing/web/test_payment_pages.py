"""Pages of payments, as sellers and buyers use them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billing.models import BankEntry, Payment, PaymentMethod, Refund, Seller
from billing.services import methods, payments, settlements
from billing.web import statements
from panel.core.scoping import everything
from tests.billing.services.test_statements import entry, statement
from tests.billing.till import Till

pytestmark = pytest.mark.django_db


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="(\w+)"', page)
    assert found is not None
    return found[1]


def shown(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return str(answer.content.decode())


def test_a_client_pays_by_card_and_comes_back(till: Till) -> None:
    with everything("test"):
        Seller.objects.update(iban="DE89370400440532013000", bank_holder="Atelier A")
    invoice, browser = till.invoice("100"), till.buyer.browser()
    path = f"/billing/invoices/{invoice.pk}/pay/"
    answer = browser.get(path)
    page = answer.content.decode()
    assert "DE89370400440532013000" in page
    assert invoice.reference in page
    assert f"form-action 'self' {till_origin(till)}" in answer.headers["content-security-policy"]
    sent = browser.post(path, {"key": key_of(page), "method": "page"})
    assert sent.status_code == 302
    assert sent.headers["location"].startswith(till_origin(till))
    with everything("test"):
        payment = Payment.objects.get()
        back = f"/billing/payments/{payment.pk}/"
        assert "not finished" in shown(browser, back)
        till.account.pay(till.session(payment))
        till.deliver_all()
    assert invoice.label in shown(browser, back)
    assert "not finished" not in shown(browser, back)
    assert "Nothing is open" in shown(browser, path)
    assert invoice.label in shown(browser, "/billing/payments/made/")
    assert invoice.label in shown(till.seller.browser(), "/billing/payments/")


def till_origin(till: Till) -> str:
    from django.conf import settings

    return str(settings.STRIPE_API)


def test_other_pages_lead_nowhere_else(till: Till) -> None:
    answer = till.buyer.browser().get("/billing/cards/")
    assert "form-action 'self';" in answer.headers["content-security-policy"]


def test_a_service_that_does_not_answer_is_said(till: Till, settings: object) -> None:
    settings.STRIPE_API = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    invoice, browser = till.invoice("100"), till.buyer.browser()
    path = f"/billing/invoices/{invoice.pk}/pay/"
    sent = browser.post(path, {"key": "k", "method": "page"})
    assert sent.status_code == 503
    assert "does not answer" in sent.content.decode()


def test_all_is_paid_and_credit_is_used(till: Till) -> None:
    browser = till.buyer.browser()
    invoices = [till.invoice("10"), till.invoice("20")]
    page = shown(browser, "/billing/pay/")
    assert all(invoice.label in page for invoice in invoices)
    assert browser.post("/billing/pay/", {"key": key_of(page), "method": "page"}).status_code == 302
    with everything("test"):
        payments.record(
            actor=till.seller.actor,
            customer=till.customer,
            amount=Decimal(35),
            currency="USD",
            received_on=settlements.day_of(till.customer),
            reference="",
            key="k",
        )
        (first, *_rest) = invoices
    path = f"/billing/invoices/{first.pk}/pay/credit/"
    assert "5.00" in shown(browser, path)
    answer = browser.post(path, follow=True)
    assert "Nothing is open" in answer.content.decode()


def test_cards_are_saved_chosen_and_removed(till: Till) -> None:
    browser = till.buyer.browser()
    assert "No card is saved" in shown(browser, "/billing/cards/")
    answer = browser.post("/billing/cards/add/", {"key": "one"})
    assert answer.headers["location"].startswith(till_origin(till))
    with everything("test"):
        for number in ("one", "two"):
            url = methods.add(actor=till.buyer.actor, customer=till.customer, key=number)
            till.account.pay(till.account.things[url.rpartition("/")[2]])
        till.deliver_all()
        old = PaymentMethod.objects.get(is_default=False)
        methods.describe(old.pk)
    assert "Visa •••• 4242" in shown(browser, "/billing/cards/")
    browser.post(f"/billing/cards/{old.pk}/default/")
    browser.post(f"/billing/cards/{old.pk}/remove/")
    with everything("test"):
        left = PaymentMethod.objects.get(removed_at=None)
    assert left.is_default
    invoice = till.invoice("10")
    page = shown(browser, f"/billing/invoices/{invoice.pk}/pay/")
    sent = browser.post(f"/billing/invoices/{invoice.pk}/pay/", {"key": key_of(page), "method": left.pk}, follow=True)
    assert "under way" in sent.content.decode()


def test_a_seller_records_and_pays_back(till: Till) -> None:
    invoice, browser = till.invoice("100"), till.seller.browser()
    page = shown(browser, f"/billing/payments/record/?invoice={invoice.pk}")
    given = {"key": key_of(page), "customer": till.customer.pk, "amount": "100", "received_on": "2026-01-02"}
    answer = browser.post("/billing/payments/record/", given | {"invoice": invoice.pk}, follow=True)
    assert "Recorded" in answer.content.decode()
    with everything("test"):
        payment = Payment.objects.get()
    path = f"/billing/payments/{payment.pk}"
    page = shown(browser, f"{path}/refund/")
    wrong = browser.post(f"{path}/refund/", {"key": key_of(page), "amount": "101"})
    assert wrong.status_code == 409
    browser.post(f"{path}/refund/", {"key": key_of(page), "amount": "30", "reason": "Left"})
    page = shown(browser, f"{path}/keep/")
    browser.post(f"{path}/keep/", {"key": key_of(page), "amount": "20", "invoice": invoice.pk})
    with everything("test"):
        assert Refund.objects.get().amount == 30
    assert till.open(invoice) == 50
    assert "30.00" in shown(browser, f"{path}/")


def test_statements_are_looked_at_before_they_are_booked(till: Till) -> None:
    invoice, browser = till.invoice("100"), till.seller.browser()
    data = statement(entry(reference=invoice.reference), entry("7.00", bank="B2", name="Somebody"))
    answer = browser.post("/billing/bank/import/", {"statement": SimpleUploadedFile("a.xml", data)}, follow=True)
    assert "2 new bookings" in answer.content.decode()
    assert till.open(invoice) == 100
    assert invoice.label in shown(browser, "/billing/bank/book/")
    browser.post("/billing/bank/book/")
    assert till.open(invoice) == 0
    with everything("test"):
        other = BankEntry.objects.get(status="open")
    path = f"/billing/bank/{other.pk}/"
    assert "Somebody" in shown(browser, path)
    assert browser.post(path, {}).status_code == 400
    assert "Booked" in browser.post(path, {"customer": till.customer.pk}, follow=True).content.decode()
    wrong = browser.post("/billing/bank/import/", {"statement": SimpleUploadedFile("a.xml", b"<a/>")})
    assert wrong.status_code == 400
    assert "CAMT.053" in wrong.content.decode()


def test_as_many_are_booked_as_are_shown(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST", 1)
    invoices = [till.invoice("100"), till.invoice("100")]
    rows = [entry(reference=of.reference, bank=of.label) for of in invoices]
    browser = till.seller.browser()
    browser.post("/billing/bank/import/", {"statement": SimpleUploadedFile("a.xml", statement(*rows))})
    page = shown(browser, "/billing/bank/book/")
    assert [of.label in page for of in invoices] == [True, False]
    assert "come back for them" in page
    assert "1 transfer is booked" in browser.post("/billing/bank/book/", follow=True).content.decode()
    assert [till.open(of) for of in invoices] == [0, 100]
    assert "come back for them" not in shown(browser, "/billing/bank/book/")


def test_keys_are_set_tested_and_never_shown(till: Till) -> None:
    browser = till.seller.browser()
    page = shown(browser, "/billing/gateway/")
    assert till.gateway.hook in page
    assert "sk_test_stub" not in page
    assert "whsec_stub" not in page
    assert "Stub shop" in browser.post("/billing/gateway/test/", follow=True).content.decode()
    wrong = browser.post("/billing/gateway/", {"secret_key": "hunter2"})
    assert wrong.status_code == 400
    assert "hunter2" not in wrong.content.decode()
    browser.post("/billing/gateway/switch/")
    assert "No cards are taken" in shown(browser, "/billing/gateway/")
    invoice = till.invoice("5")
    assert "Ask your seller" in shown(till.buyer.browser(), f"/billing/invoices/{invoice.pk}/pay/")


def test_a_new_seller_is_told_what_cards_need(till: Till) -> None:
    assert "your own account at Stripe" in shown(till.cast.reseller_b.browser(), "/billing/gateway/")
