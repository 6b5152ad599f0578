"""The order page of a brand as strangers, clients and the seller meet it; hostile and repeated forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import plans
from billing import countries
from billing.models import Order, Price, Seller, TaxRate
from billing.selectors import orders as selectors
from billing.services import orders
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import HOST_A, HOST_B, PASSWORD, PROVIDER_HOST, Cast
from tests.panel import pseudo
from tests.provisioning import factories as ground

SYSTEM = Actor.system("test")


@pytest.fixture
def price(cast: Cast) -> Iterator[Price]:
    cache.clear()
    with everything("test"):
        organization = cast.reseller_a.organization
        factories.seller(organization, is_open=True, bank_details="Bank of A, 1234", iban="DE02120300000000202051")
        made = factories.price(organization, "Starter", kind="package", package=ground.package(organization))
        made.product.is_public = True
        made.product.save()
        ground.server(cast.provider.organization)
        yield made


def stranger(host: str = HOST_A) -> Client:
    return Client(headers={"host": host}, enforce_csrf_checks=False)


def form(browser: Client, at: Price, /, **values: str) -> dict[str, str]:
    """Fill in the form as its page offers it."""
    page = browser.get(reverse("billing:order_form", args=[at.product.pk])).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    given = {"price": at.pk, "domain": "nia.example", "person": "Nia New", "email": "nia@buyers.example"}
    return {**given, "password": PASSWORD, "pays_by": "transfer", "key": key[1], **values}


def send(browser: Client, price: Price, values: dict[str, str]) -> Any:
    return browser.post(reverse("billing:order_form", args=[price.product.pk]), values)


def test_a_stranger_sees_prices_and_orders_without_signing_in(price: Price):
    browser = stranger()
    shop = browser.get(reverse("billing:shop")).content.decode()
    assert "Starter" in shop
    assert "10.00\N{NO-BREAK SPACE}USD" in shop
    assert "Northwind" not in shop  # the provider
    answer = send(browser, price, form(browser, price))
    assert answer.status_code == 302, answer.content.decode()
    page = browser.get(answer.headers["location"]).content.decode()
    assert "To pay: 10.00\N{NO-BREAK SPACE}USD" in page
    assert "DE02 1203 0000 0000 2020 51" in page or "DE02120300000000202051" in page
    assert "Northwind" not in page


def test_the_same_form_twice_leads_to_the_same_order(price: Price):
    browser = stranger()
    values = form(browser, price)
    first, second = send(browser, price, values), send(browser, price, values)
    assert first.headers["location"] == second.headers["location"]
    assert Order.objects.count() == 1


def test_a_known_address_is_answered_like_an_unknown_one(price: Price, cast: Cast):
    answers = [
        send(browser := stranger(), price, form(browser, price, email=email, domain=f"n{number}.example"))
        for number, email in enumerate(("new@buyers.example", cast.client_a.user.email))
    ]
    pages = [
        stranger().get(answer.headers["location"]).content.decode().replace(cast.client_a.user.email, "MAIL")
        for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    texts = [re.sub(r"<[^>]+>|n[01]\.example|new@buyers\.example|MAIL|INV\S*|RF\S.*", "", page) for page in pages]
    assert texts[0].split() == texts[1].split()


@pytest.mark.parametrize(
    "values",
    [
        {"website": "https://spam.example"},
        {"key": "short"},
        {"price": "prc_other"},
        {"pays_by": "barter"},
        {"domain": "x;rm -rf /"},
        {"email": "a\r\nb@c.example"},
        {"person": "<script>alert(1)</script>" * 20},
        {"password": "1"},
    ],
)
def test_what_is_not_an_order_is_refused_and_makes_nothing(price: Price, values: dict[str, str]):
    browser = stranger()
    answer = send(browser, price, form(browser, price, **values))
    assert answer.status_code == 400
    assert not Order.objects.exists()


def test_a_form_needs_its_token(price: Price):
    browser = Client(headers={"host": HOST_A}, enforce_csrf_checks=True)
    assert send(browser, price, form(browser, price)).status_code == 403


def test_many_forms_from_one_address_are_held_up(price: Price):
    browser = stranger()
    values = form(browser, price, website="x")
    assert {send(browser, price, values).status_code for _each in range(20)} == {400}
    assert send(browser, price, values).status_code == 429


def test_the_page_is_at_the_brand_s_own_host_and_only_while_it_is_open(price: Price):
    product = reverse("billing:order_form", args=[price.product.pk])
    assert stranger(HOST_B).get(reverse("billing:shop")).status_code == 404
    assert stranger(HOST_B).get(product).status_code == 404
    Seller.objects.update(is_open=False)
    assert stranger().get(reverse("billing:shop")).status_code == 404
    assert stranger().get(product).status_code == 404


def test_an_order_s_page_opens_by_its_link_alone(price: Price):
    browser = stranger()
    location = send(browser, price, form(browser, price)).headers["location"]
    assert stranger().get(location).status_code == 200
    assert stranger().get(f"{location}part/").status_code == 200
    assert stranger(HOST_B).get(location).status_code == 404
    order = Order.objects.get()
    for token in (order.pk, f"{order.pk}:forged", selectors.token(order)[:-1]):
        assert stranger().get(reverse("billing:order_watch", args=[token])).status_code == 404


def test_the_summary_tells_what_it_costs_and_whether_the_domain_can_be_had(price: Price):
    url = reverse("billing:order_summary", args=[price.product.pk])
    free = stranger().post(url, {"price": price.pk, "domain": "free.example"}).content.decode()
    assert "free.example can be ordered" in free
    assert "10.00\N{NO-BREAK SPACE}USD" in free
    assert "public suffix" in stranger().post(url, {"price": price.pk, "domain": "co.uk"}).content.decode()


def test_a_client_who_is_signed_in_is_not_asked_who_it_is(price: Price, cast: Cast):
    browser = cast.client_a.browser()
    values = form(browser, price)
    assert 'name="password"' not in browser.get(reverse("billing:order_form", args=[price.product.pk])).content.decode()
    assert send(browser, price, values).status_code == 302
    assert Order.objects.get().buyer == cast.client_a.organization
    assert "nia.example" in browser.get(reverse("billing:order_list")).content.decode()


def test_the_seller_looks_but_does_not_order(price: Price, cast: Cast):
    browser = cast.reseller_a.browser()
    page = browser.get(reverse("billing:order_form", args=[price.product.pk])).content.decode()
    assert "You are signed in as somebody who sells here" in page
    assert send(browser, price, form(browser, price)).status_code == 400
    assert not Order.objects.exists()


def test_the_seller_reviews_refuses_and_exports(price: Price, cast: Cast):
    Seller.objects.update(reviews_orders=True)
    browser = stranger()
    send(browser, price, form(browser, price))
    order = Order.objects.get()
    seller = cast.reseller_a.browser()
    assert "Nia New" in seller.get(reverse("billing:order_list"), {"q": "nia", "status": "unpaid"}).content.decode()
    assert "nia@buyers.example" in seller.get(reverse("billing:order_list"), {"export": "csv"}).getvalue().decode()
    detail = reverse("billing:order", args=[order.pk])
    assert "Refuse" in seller.get(detail).content.decode()
    assert seller.post(reverse("billing:order_refuse", args=[order.pk]), {"reason": ""}).status_code == 400
    seller.post(reverse("billing:order_refuse", args=[order.pk]), {"reason": "Not for us."})
    order.refresh_from_db()
    assert order.status == "refused"
    assert "Refused" in seller.get(detail).content.decode()


def test_settings_open_the_page(price: Price, cast: Cast):
    seller = cast.reseller_a.browser()
    url = reverse("billing:order_settings")
    assert f"//{HOST_A}" in seller.get(url).content.decode()
    seller.post(url, {"reviews_orders": "on"})
    found = Seller.objects.get()
    assert (found.is_open, found.reviews_orders, found.takes_invoices) == (False, True, False)


def test_tax_stands_in_the_summary_and_on_the_invoice_alike(price: Price, cast: Cast):
    Seller.objects.update(is_taxed=True, country="DE")
    with everything("test"):
        TaxRate.objects.create(
            seller=cast.reseller_a.organization, country="DE", percent=Decimal(19), valid_from=factories.START
        )
    browser = stranger()
    url = reverse("billing:order_summary", args=[price.product.pk])
    summary = browser.post(url, {"price": price.pk, "country": "DE"}).content.decode()
    assert "11.90\N{NO-BREAK SPACE}USD" in summary
    values = form(browser, price)
    assert send(browser, price, values).status_code == 400  # no country
    assert send(browser, price, {**values, "country": "DE"}).status_code == 302
    order: Any = Order.objects.get()
    assert order.invoice.gross == Decimal("11.90")


def test_a_reseller_who_has_yet_to_pay_reaches_its_order_and_no_more(cast: Cast):
    provider = cast.provider.organization
    with everything("test"):
        factories.seller(provider, is_open=True, bank_details="Bank")
        plan = plans.create(actor=SYSTEM, organization=provider, name="Studio", accounts=20)
        at = factories.price(provider, "Studio", "30", kind="plan", plan=plan)
        at.product.is_public = True
        at.product.save()
        wish = orders.Wish(key="form:p", email="new@buyers.example", person="Nia", pays_by="transfer")
        order = orders.place(actor=None, price=at, wish=wish, password=PASSWORD)
    browser = stranger(PROVIDER_HOST)
    browser.force_login(User.objects.get(email="new@buyers.example"))
    answer = browser.get(reverse("billing:order_watch", args=[selectors.token(order)]))
    assert answer.status_code == 200
    assert "To pay: 30.00\N{NO-BREAK SPACE}USD" in answer.content.decode()
    assert browser.get(reverse("provisioning:account_list")).status_code == 403


def test_the_pages_hold_no_plain_english(price: Price):
    browser = stranger()
    watch = send(browser, price, form(browser, price)).headers["location"]
    known = [
        "Starter",
        "nia@buyers.example",
        "nia.example",
        "Atelier A",
        "example.org",
        "reseller-a.example",
        "Bank of A",
        "DE02120300000000202051",
    ]
    known += [name for _code, name in countries.choices()]
    with everything("test"):
        paper: Any = Order.objects.get().invoice
        known += [paper.label, paper.reference, "help@reseller-a.example", "Atelier A Ltd"]
    known.sort(key=len, reverse=True)
    for url in (reverse("billing:shop"), reverse("billing:order_form", args=[price.product.pk]), watch):
        with pseudo.spoken():
            page = browser.get(url).content.decode()
        assert sorted(set(pseudo.english(page, known, frozenset({"usd", "iban", "gb", "vat", "eu", "utc"})))) == []
