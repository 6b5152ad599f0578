"""A stranger orders on a brand's page, pays by card and watches until the site answers: on a real server, with a
stand-in for the payment service, at a desk and on a phone; nothing is read that is the provider's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from panel.demo.stripe_stub import HOOK_SECRET, KEY, Stub
from tests.e2e import panel as panels
from tests.e2e.panel import ROOT, Panel
from tests.e2e.test_live import add_server, answers, sign_in
from tests.e2e.walk import AXE, JUDGE, OVERFLOW, SERIOUS
from tests.servers import Server

pytestmark = pytest.mark.server

DOMAIN = "lantern.example"
PASSWORD = "quiet-Harbour-27"
LIVE_MS = 30_000
SHOP = """
import django, json, sys
django.setup()
from decimal import Decimal
from accounts.models import Membership, Organization
from accounts import actors
from billing.models import Product
from billing.services import gateways, prices, products, sellers
from panel.core.scoping import everything
from provisioning.services import packages
key, hook_secret = sys.argv[1:]
with everything("test"):
    seller = Organization.objects.get(name="Northwind Studio")
    owner = Membership.objects.select_related("organization", "user").filter(organization=seller, role="owner")[0]
    actor = actors.for_membership(owner)
    package = packages.create(actor=actor, organization=seller, name="Lantern", disk_bytes=10**10, mailboxes=20)
    gateway = gateways.set_keys(actor=actor, public_key="pk_test_stub", secret_key=key, hook_secret=hook_secret)
    product = products.create(
        actor=actor, organization=seller, kind=Product.Kind.PACKAGE, name="Lantern", package=package, is_public=True
    )
    day = sellers.ensure(seller).created_at.date()
    prices.create(actor=actor, product=product, currency="USD", months=1, amount=Decimal(10), valid_from=day)
    sellers.change(actor=actor, organization=seller, is_open=True)
print(json.dumps(gateway.hook))
"""


@pytest.fixture
def stub() -> Iterator[Stub]:
    """The stand-in for the payment service."""
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def panel(tmp_path: Path, server: Server, stub: Stub) -> Iterator[Panel]:
    """A running panel whose reseller takes cards by the stand-in."""
    with panels.running(tmp_path, server.address, HOSTWRIGHT_STRIPE_API=stub.url) as made:
        yield made


def open_shop(panel: Panel, stub: Stub) -> None:
    """Put a product on the reseller's order page, and lead the payment service's messages to the panel."""
    argv = [sys.executable, "-c", SHOP, KEY, HOOK_SECRET]
    done = subprocess.run(argv, cwd=ROOT, env=panel.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    hook = json.loads(done.stdout.strip().splitlines()[-1])
    stub.account.hook_url = f"{panel.provider}/hooks/payments/{hook}"


def judge(page: Page) -> None:
    """Look at the page as screen readers and phones would, and for names that its readers do not know."""
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert [found for found in page.evaluate(JUDGE, []) if found["impact"] in SERIOUS] == []
        assert page.evaluate(OVERFLOW) <= 0
    words = page.locator("body").inner_text()
    assert "Ferrum" not in words
    assert "hostwright" not in words.lower()


def test_from_the_order_page_to_a_site_that_answers(browser: Browser, panel: Panel, server: Server, stub: Stub) -> None:
    add_server(sign_in(browser, panel, "provider"), server)
    open_shop(panel, stub)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto(f"{panel.reseller}/order/")
    judge(page)
    page.get_by_role("link", name="Order Lantern").click()
    page.locator("#id_domain").fill(DOMAIN)
    page.locator("#id_domain").blur()
    expect(page.locator("#order-summary")).to_contain_text(f"{DOMAIN} can be ordered")
    expect(page.locator("#order-summary")).to_contain_text("10.00")
    page.locator("#id_person").fill("Lou Lantern")
    page.locator("#id_email").fill("lou@lantern-people.example")
    page.locator("#id_password").fill(PASSWORD)
    judge(page)
    page.get_by_role("button", name="Order with obligation to pay").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(DOMAIN)
    judge(page)
    link = page.url
    page.get_by_role("button", name="Pay by card").click()
    expect(page.get_by_label("Card")).to_be_visible()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(link)
    page.close()

    later = context.new_page()  # the browser was closed meanwhile; the link in the mail opens the order again
    later.goto(link)
    expect(later.get_by_role("link", name="Open your site")).to_be_visible(timeout=LIVE_MS)
    judge(later)
    assert answers(server, DOMAIN)
    assert answers(server, f"www.{DOMAIN}")

    later.goto(f"{panel.reseller}/sign-in/")
    later.get_by_label("Email").fill("lou@lantern-people.example")
    later.get_by_label("Password").fill(PASSWORD)
    later.get_by_role("button", name="Sign in", exact=True).click()
    expect(later.get_by_role("heading", level=1)).to_contain_text(DOMAIN)
