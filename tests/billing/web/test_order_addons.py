"""The order form with add-ons and regions: offered, summed up, kept through refusals, and usable without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from billing.models import Order, Price, Seller, TaxRate
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.web.test_order_pages import form, send, stranger
from tests.cast import Cast
from tests.panel import pseudo
from tests.provisioning import factories as ground

USD = "\N{NO-BREAK SPACE}USD"


@pytest.fixture
def price(cast: Cast) -> Iterator[Price]:
    cache.clear()
    with everything("test"):
        own = cast.reseller_a.organization
        factories.seller(own, is_open=True, bank_details="Bank of A, 1234")
        ground.server(cast.provider.organization)
        yield factories.price(own, "Starter", kind="package", package=ground.package(own), is_public=True)


@pytest.fixture
def disk(price: Price) -> Price:
    made = factories.price(price.product.organization, "Disk", "3", setup=Decimal(2), is_public=True)
    factories.price(price.product.organization, "Secret", "9")
    return made


def field(addon: Price) -> str:
    return f"addon-{addon.product_id}"


def summary(price: Price, values: dict[str, str]) -> str:
    url = reverse("billing:order_summary", args=[price.product_id])
    return stranger().post(url, {"price": price.pk, **values}).content.decode()


def test_add_ons_are_offered_summed_and_ordered(price: Price, disk: Price) -> None:
    browser = stranger()
    page = browser.get(reverse("billing:order_form", args=[price.product_id])).content.decode()
    assert f"3.00{USD} per month, setup 2.00{USD}" in page
    assert f'name="{field(disk)}"' in page
    assert "Secret" not in page
    said = summary(price, {field(disk): "2"})
    assert "2 \N{MULTIPLICATION SIGN} Disk" in said
    assert f"18.00{USD}" in said
    answer = send(browser, price, form(browser, price, **{field(disk): "2"}))
    assert answer.status_code == 302, answer.content.decode()
    assert "Starter + 2 Disk" in browser.get(answer.headers["location"]).content.decode()
    order: Any = Order.objects.get()
    assert order.invoice.gross == Decimal(18)


@pytest.mark.parametrize("many", ["-1", "1.5", "1e3", "100001", "9" * 40, "two"])
def test_what_is_no_quantity_is_refused_at_its_field(price: Price, disk: Price, many: str) -> None:
    browser = stranger()
    assert "Disk: " in summary(price, {field(disk): many})
    answer = send(browser, price, form(browser, price, **{field(disk): many}))
    assert answer.status_code == 400
    assert f'id="id_{field(disk)}_error"' in answer.content.decode()
    assert not Order.objects.exists()


def test_an_add_on_of_another_cycle_is_refused_with_what_to_do(price: Price, disk: Price) -> None:
    with everything("test"):
        yearly = Price.objects.create(
            product=price.product, currency="USD", months=12, amount=100, valid_from=factories.START
        )
    browser = stranger()
    chosen = {"price": yearly.pk, field(disk): "1"}
    text = "This is not sold per year in USD. Choose another period, or 0."
    assert text in summary(price, chosen)
    answer = send(browser, price, form(browser, price, **chosen))
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert send(browser, price, form(browser, price, **{**chosen, field(disk): "0"})).status_code == 302


def test_add_ons_that_are_not_offered_are_not_bought(price: Price, disk: Price, cast: Cast) -> None:
    """Fields of other products, this seller's or another's, are nothing to the form."""
    with everything("test"):
        foreign = factories.price(cast.reseller_b.organization, "Foreign", is_public=True)
        hidden = Price.objects.get(product__name="Secret")
    browser = stranger()
    send(browser, price, form(browser, price, **{field(foreign): "1", field(hidden): "1"}))
    order: Any = Order.objects.get()
    assert order.invoice.gross == Decimal(10)
    assert not order.addons.exists()


def test_without_scripts_a_button_works_out_the_sum(price: Price, disk: Price) -> None:
    """What was typed stays, nothing is ordered, nothing is complained about, and no password comes back."""
    browser = stranger()
    values = {**form(browser, price), "look": "1", field(disk): "3", "email": "", "password": "Not to be seen 1"}
    answer = send(browser, price, values)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f"21.00{USD}" in page
    assert f'name="{field(disk)}" value="3"' in page
    assert "nia.example" in page
    assert "Not to be seen" not in page
    assert "is-invalid" not in page
    assert not Order.objects.exists()


def test_a_region_is_asked_for_where_tax_needs_it(price: Price, cast: Cast) -> None:
    url = reverse("billing:order_form", args=[price.product_id])
    assert 'name="region"' not in stranger().get(url).content.decode()
    with everything("test"):
        Seller.objects.update(is_taxed=True)
        for region, percent in (("TX", "8.25"), ("MA", "6.25")):
            TaxRate.objects.create(
                seller=cast.reseller_a.organization, country="US", region=region, percent=Decimal(percent),
                valid_from=factories.START,
            )  # fmt: skip
    browser = stranger()
    assert "Needed for the tax in: United States" in browser.get(url).content.decode()
    assert f"10.83{USD}" in summary(price, {"country": "US", "region": "Texas"})
    assert "There is no such region" in summary(price, {"country": "US", "region": "Bavaria"})
    assert "There is no such region" not in summary(price, {"country": "DE", "region": "Bavaria"})
    values = {**form(browser, price), "country": "US"}
    answer = send(browser, price, values)
    assert (answer.status_code, "Give the state or province" in answer.content.decode()) == (400, True)
    assert send(browser, price, {**values, "region": "texas"}).status_code == 302
    order: Any = Order.objects.get()
    assert (order.region, order.invoice.gross) == ("TX", Decimal("10.83"))


def test_a_country_whose_tax_nobody_set_is_said_and_breaks_no_page(price: Price) -> None:
    with everything("test"):
        Seller.objects.update(is_taxed=True, country="DE")
    browser = stranger()
    page = browser.get(reverse("billing:order_form", args=[price.product_id]))
    assert page.status_code == 200
    assert "its tax is not known here" in page.content.decode()
    assert "its tax is not known here" in summary(price, {"country": "FR"})
    answer = send(browser, price, {**form(browser, price), "country": "FR"})
    assert (answer.status_code, "its tax is not known here" in answer.content.decode()) == (400, True)
    assert not Order.objects.exists()


def test_a_trial_tells_what_comes_first_and_what_later(price: Price, disk: Price) -> None:
    with everything("test"):
        price.product.trial_days = 14
        price.product.save()
    said = summary(price, {field(disk): "1"})
    assert f"15.00{USD}. After that 13.00{USD} for each period" in said


def test_the_seller_sees_what_was_ordered(price: Price, disk: Price, cast: Cast) -> None:
    browser = stranger()
    send(browser, price, form(browser, price, **{field(disk): "2"}))
    page = cast.reseller_a.browser().get(reverse("billing:order", args=[Order.objects.get().pk])).content.decode()
    assert "2 Disk" in page


def test_the_form_holds_no_plain_english(price: Price, disk: Price, cast: Cast) -> None:
    known = ["Starter", "Disk", "example.org", "Atelier A", "reseller-a.example", "help@reseller-a.example"]
    with pseudo.spoken():
        page = summary(price, {field(disk): "-1"}) + summary(price, {field(disk): "2"})
    assert sorted(set(pseudo.english(page, known, frozenset({"usd"})))) == []
