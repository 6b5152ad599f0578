"""Pages of selling: from a product to its price, who keeps what, one's own details, rates by one button."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.models import Customer, Price, Product, TaxRate
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import Cast


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        yield


def send(browser: Client, url: str, data: dict[str, Any], status: int = 302) -> str:
    """Send a form; return where it leads, or the page that comes back."""
    answer = browser.post(url, data)
    assert answer.status_code == status, answer.content.decode()
    return answer.headers["location"] if status == 302 else answer.content.decode()


def test_from_a_product_to_its_price(cast: Cast) -> None:
    browser = cast.reseller_a.browser()
    assert "No products yet" in browser.get(reverse("billing:product_list")).content.decode()
    url = reverse("billing:product_create", args=["addon"])
    price_url = send(browser, url, {"name": "Support", "tax_category": "standard", "trial_days": "0"})
    given = {"currency": "USD", "months": "1", "amount": "10", "setup": "", "valid_from": "2026-03-01"}
    product_url = send(browser, price_url, given)
    refused = send(browser, price_url, {**given, "amount": "9.999", "valid_from": "2026-04-01"}, 400)
    assert "USD has 2 decimal places." in refused
    send(browser, price_url, {**given, "amount": "12.5", "valid_from": "2026-04-01"})
    page = browser.get(product_url).content.decode()
    assert "From 1 Apr 2026 it costs 12.50\N{NO-BREAK SPACE}USD (month)." in page
    listed = browser.get(reverse("billing:price_list")).content.decode()
    assert "10.00\N{NO-BREAK SPACE}USD" in listed
    assert "12.50" not in listed
    later = browser.get(reverse("billing:price_list"), {"on": "2026-04-01"}).content.decode()
    assert "12.50\N{NO-BREAK SPACE}USD" in later
    file = browser.get(reverse("billing:price_list"), {"export": "csv"}).getvalue().decode()
    assert "10.00" in file


def test_who_keeps_what_is_shown_first(cast: Cast) -> None:
    browser = cast.reseller_a.browser()
    price = factories.price(cast.reseller_a.organization, "Support")
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    factories.subscription(buyer, price)
    url = reverse("billing:price_create", args=[price.product_id])
    given = {"currency": "USD", "months": "1", "amount": "12", "setup": "0", "valid_from": "2026-04-01"}
    page = send(browser, url, given, 200)
    assert "1 subscription keeps what it pays." in page
    assert Price._base_manager.count() == 1
    found = re.search(r'name="confirmed" value="(\w+)"', page)
    assert found is not None
    send(browser, url, {**given, "confirmed": found[1]})
    assert Price._base_manager.count() == 2
    archive = reverse("billing:product_archive", args=[price.product_id])
    assert "1 subscription has it and keeps it." in browser.get(archive).content.decode()
    send(browser, archive, {})
    assert Product._base_manager.get().archived_at is not None


def test_rates_are_adopted_by_one_button(cast: Cast) -> None:
    browser = cast.reseller_a.browser()
    page = browser.get(reverse("billing:tax_rate_adopt")).content.decode()
    assert "1 Jan 2026" in page
    assert "Finland: 25.5 %" in page
    send(browser, reverse("billing:tax_rate_adopt"), {})
    assert TaxRate._base_manager.count() == 27
    assert "Adopt EU rates" not in browser.get(reverse("billing:tax_rate_list")).content.decode()


def test_a_client_says_who_it_is(cast: Cast) -> None:
    factories.seller(cast.reseller_a.organization, country="DE", currency="EUR")
    browser = cast.client_a.browser()
    page = browser.get(reverse("billing:own_details")).content.decode()
    assert "EUR" in page
    assert "Northwind" not in page
    url = reverse("billing:own_details_change")
    given = {"name": "Anna Ltd", "address": "4 Rue\nParis", "country": "FR", "vat_number": "FR40303265046"}
    refused = send(browser, url, given, 400)
    assert "This is no VAT number of France" in refused
    assert Customer._base_manager.count() == 0
    assert send(browser, url, {**given, "vat_number": "40 303 265 045"}) == reverse("billing:own_details")
    with everything("test"):
        made = Customer.objects.get()
    assert (made.name, made.vat_number, made.vat_state, made.currency) == (
        "Anna Ltd",
        "FR40303265045",
        "unchecked",
        "EUR",
    )
    seen = cast.reseller_a.browser().get(reverse("billing:customer", args=[made.pk])).content.decode()
    assert "Anna Ltd" in seen
    assert "Not checked yet" in seen


def test_those_below_are_taken_in(cast: Cast) -> None:
    browser = cast.reseller_a.browser()
    url = reverse("billing:customer_take_in")
    assert "Take in 2 organizations" in browser.get(reverse("billing:customer_list")).content.decode()
    assert "Client of A" in browser.get(url).content.decode()
    send(browser, url, {})
    page = browser.get(reverse("billing:customer_list")).content.decode()
    assert "Sub of A" in page
    assert "Take in" not in page


def test_the_bank_account_asks_who_you_are(cast: Cast) -> None:
    url = reverse("billing:seller_bank")
    answer = cast.reseller_a.browser(fresh=False).get(url)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/sign-in/again/")
    browser = cast.reseller_a.browser()
    assert "This is no IBAN" in send(browser, url, {"iban": "DE00"}, 400)
    send(browser, url, {"iban": "DE89 3704 0044 0532 0130 00"})
    assert "DE89370400440532013000" in browser.get(url).content.decode()
