"""The order form in a real browser: the sum follows what is chosen; by keyboard, and on a phone without scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.services import brands
from billing.models import Order, Price, TaxRate
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests import cast as casts
from tests.billing import factories
from tests.cast import PASSWORD
from tests.provisioning import factories as ground

BRAND_HOST = "atelier.localhost"
SCREENS = os.environ.get("HOSTWRIGHT_SCREENSHOTS", "")
ADDED = "Disk space, 10 GB"


@pytest.fixture
def price(transactional_db: None) -> Price:
    """Reseller A sells hosting at 10 USD with disk space at 3 and a yearly certificate; Texas has a tax."""
    cast = casts.make()
    cache.clear()
    own = cast.reseller_a.organization
    with everything("test"):
        brands.set(actor=Actor.system("test"), organization=own, panel_host=BRAND_HOST)
        factories.seller(own, is_open=True, is_taxed=True, bank_details="Bank of A, 1234")
        TaxRate.objects.create(
            seller=own, country="US", region="TX", percent=Decimal("8.25"), valid_from=factories.START
        )
        ground.server(cast.provider.organization)
        made = factories.price(own, "Starter", kind="package", package=ground.package(own), is_public=True)
        year = {"product": made.product, "currency": "USD", "months": 12, "valid_from": factories.START}
        Price.objects.create(amount=100, **year)
        factories.price(own, ADDED, "3", setup=Decimal(2), is_public=True)
        factories.price(own, "Certificate", "30", months=12, is_public=True)
    return made


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """The brand's panel."""
    return f"http://{BRAND_HOST}:{live_server.thread.port}"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone without scripts."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False, locale="en-GB")
    yield context.new_page()
    context.close()


def fill(page: Page) -> None:
    """Say who orders, from Texas."""
    for label, text in (
        ("Your domain", "nia.example"), ("Your name", "Nia New"), ("Email", "nia@buyers.example"),
        ("Choose a password", PASSWORD), ("State or province", "Texas"),
    ):  # fmt: skip
        page.get_by_label(label).fill(text)
    page.get_by_label("Country").select_option("US")


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look."""
    if SCREENS:
        page.screenshot(path=Path(SCREENS) / f"{name}.png", full_page=True)


def test_the_sum_follows_what_is_chosen(page: Page, site: str, price: Price) -> None:
    page.goto(f"{site}/order/{price.product_id}/")
    summary = page.locator("#order-summary")
    expect(summary).to_contain_text("10.00\N{NO-BREAK SPACE}USD")
    fill(page)
    expect(summary).to_contain_text("10.83\N{NO-BREAK SPACE}USD")
    page.get_by_label(ADDED).focus()
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    expect(summary).to_contain_text("2 \N{MULTIPLICATION SIGN} Disk")
    expect(summary).to_contain_text("19.49\N{NO-BREAK SPACE}USD")
    shot(page, "order-form-wide")
    page.get_by_label("100.00\N{NO-BREAK SPACE}USD per year").check()
    expect(summary).to_contain_text("not sold per year")
    page.get_by_label("10.00\N{NO-BREAK SPACE}USD per month").check()
    expect(summary).to_contain_text("19.49\N{NO-BREAK SPACE}USD")
    page.get_by_role("button", name="Order with obligation to pay").press("Enter")
    expect(page.get_by_text("To pay: 19.49\N{NO-BREAK SPACE}USD")).to_be_visible()
    shot(page, "order-watch-wide")
    with everything("test"):
        order: Any = Order.objects.get()
        assert [(str(row.price.product), row.quantity) for row in order.addons.all()] == [(ADDED, 2)]


def test_it_is_ordered_on_a_phone_without_scripts(phone: Page, site: str, price: Price) -> None:
    phone.goto(f"{site}/order/{price.product_id}/")
    fill(phone)
    phone.get_by_label(ADDED).fill("2")
    phone.get_by_role("button", name="Work out the sum").click()
    expect(phone.locator("#order-summary")).to_contain_text("19.49\N{NO-BREAK SPACE}USD")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    shot(phone, "order-form-phone")
    phone.get_by_label("Choose a password").fill(PASSWORD)
    phone.get_by_role("button", name="Order with obligation to pay").click()
    expect(phone.get_by_text("To pay: 19.49\N{NO-BREAK SPACE}USD")).to_be_visible()
    expect(phone.locator("noscript p")).to_be_visible()
    shot(phone, "order-watch-phone")
