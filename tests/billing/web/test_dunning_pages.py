"""Pages of dunning: what sellers see of what is overdue and do about it, and what buyers are told before it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from billing.models import DunningPause, Hold
from panel.core.scoping import everything
from tests.billing import debt as debts
from tests.billing.debt import DUE, Debt, at
from tests.provisioning.ground import Ground


@pytest.fixture
def debt(ground: Ground) -> Debt:
    return debts.of_client(ground)


def shown(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return " ".join(answer.content.decode().split())


def lines(browser: Client, path: str) -> list[str]:
    """Return the lines of a list's file, without its heading."""
    answer = browser.get(path)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode().splitlines()[1:]  # type: ignore[attr-defined]


def test_what_is_overdue_stands_in_a_list_with_its_next_step(debt: Debt) -> None:
    late, later = debt.invoice("12.5"), debt.invoice(issued=debts.ISSUED.replace(day=28))
    debt.run(at(1))
    with time_machine.travel(at(3), tick=False):
        seller = debt.ground.cast.reseller_a.browser()
        page = shown(seller, "/overdue/")
        assert late.label in page
        assert later.label not in page
        row = f"{late.label},Client of A,2026-03-10,3,12.50,2026-03-11 Overdue,2026-03-15 Reminder,"
        assert lines(seller, "/overdue/?export=csv") == [row]
        assert lines(seller, "/overdue/?export=csv&state=held") == []
        assert lines(seller, "/overdue/?export=csv&q=client of") == [row]
        for other in (debt.ground.cast.provider, debt.ground.cast.reseller_b):
            assert late.label not in shown(other.browser(), "/overdue/")
        assert debt.ground.cast.client_a.browser().get("/overdue/").status_code == 403


def test_a_seller_waits_with_an_invoice_and_its_buyer_reads_until_when_but_not_why(debt: Debt) -> None:
    invoice = debt.invoice()
    with time_machine.travel(at(3), tick=False):
        seller, buyer = debt.ground.cast.reseller_a.browser(), debt.ground.cast.client_a.browser()
        for browser in (seller, buyer):
            page = shown(browser, f"/invoices/{invoice.pk}/")
            assert "Access and sites suspended" in page
            assert "17 Mar 2026" in page
        path = f"/invoices/{invoice.pk}/dunning/wait/"
        assert path in shown(seller, f"/invoices/{invoice.pk}/")
        assert path not in shown(buyer, f"/invoices/{invoice.pk}/")
        refused = seller.post(path, {"until": "2026-03-13", "reason": "Too soon"})
        assert refused.status_code == 400
        assert "Give a day after today" in refused.content.decode()
        sent = seller.post(path, {"until": "2026-04-20", "reason": "A cheque is in the post."})
        assert sent.headers["location"] == f"/invoices/{invoice.pk}/"
        for browser, knows_why in ((seller, True), (buyer, False)):
            page = shown(browser, f"/invoices/{invoice.pk}/")
            assert "Nothing follows before 20 Apr 2026." in page
            assert ("A cheque is in the post." in page) == knows_why
        assert lines(seller, "/overdue/?export=csv&state=paused")[0].endswith("Waits until 2026-04-20")
        with everything("test"):
            pause = DunningPause.objects.get()
        assert seller.post(f"/dunning-pauses/{pause.pk}/end/").status_code == 302
        assert "Nothing follows before" not in shown(seller, f"/invoices/{invoice.pk}/")


def test_a_seller_lifts_a_hold_after_reading_what_comes_all_the_same(ground: Ground) -> None:
    reseller = debts.of_reseller(ground)
    invoice = reseller.invoice()
    reseller.run(*[at(day) for day in range(8)])
    reseller.report(at(7, 7))
    with time_machine.travel(at(8), tick=False):
        seller, buyer = ground.cast.provider.browser(), ground.cast.reseller_a.browser()
        customer = f"/customers/{reseller.customer.pk}/dunning/"
        page = shown(seller, customer)
        assert invoice.label in page
        assert "No new accounts" in page
        with everything("test"):
            hold = Hold.objects.get()
        assert f"/holds/{hold.pk}/lift/" in shown(seller, f"/invoices/{invoice.pk}/")
        page = shown(buyer, f"/invoices/{invoice.pk}/")
        assert "No new accounts" in page
        assert f"/holds/{hold.pk}/lift/" not in page
        asked = shown(seller, f"/holds/{hold.pk}/lift/")
        assert f"24 Mar 2026: Panel closed but for invoices, for invoice {invoice.label}" in asked
        assert buyer.post(f"/holds/{hold.pk}/lift/").status_code == 403
        assert seller.post(f"/holds/{hold.pk}/lift/").headers["location"] == customer
        assert reseller.holds() == {"orders": "lifted"}
        again = seller.post(f"/holds/{hold.pk}/lift/", follow=True)
        assert "This hold is lifted already." in again.content.decode()


def test_a_suspended_client_reads_on_its_invoice_what_comes(ground: Ground) -> None:
    debt = debts.of_client(ground, terminate_days=30)
    invoice = debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    with time_machine.travel(at(8), tick=False):
        page = shown(ground.cast.client_a.browser(), f"/invoices/{invoice.pk}/")
        assert "In force" in page
        assert "Hosting accounts terminated" in page
        assert "9 Apr 2026" in page


def test_all_invoices_of_a_customer_wait_at_once(debt: Debt) -> None:
    debt.invoice()
    debt.invoice()
    with time_machine.travel(at(3), tick=False):
        seller = debt.ground.cast.reseller_a.browser()
        path = f"/customers/{debt.customer.pk}/dunning/"
        sent = seller.post(f"{path}wait/", {"until": str(DUE + timedelta(days=30)), "reason": "Moving house"})
        assert sent.headers["location"] == path
        assert "Moving house" in shown(seller, path)
        assert len(lines(seller, "/overdue/?export=csv&state=paused")) == 2
        assert lines(seller, "/overdue/?export=csv&state=free") == []


def test_the_providers_home_leads_from_what_is_overdue_to_its_list(ground: Ground) -> None:
    debts.of_reseller(ground).invoice()
    browser = ground.cast.provider.browser()
    with time_machine.travel(at(-1), tick=False):
        assert 'href="/billing/reports/owed/"' in shown(browser, "/")
    with time_machine.travel(at(1), tick=False):
        assert 'href="/overdue/" class="card' in shown(browser, "/")
