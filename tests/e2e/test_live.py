"""The main job in a real browser on a real server: add it, order an account, add aliases; then all of it answers."""

from __future__ import annotations

import http.client
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import panel as panels
from tests.e2e.panel import Panel
from tests.servers import Server

SETUP_MS = 300_000
LIVE_MS = 20_000
DOMAIN = "bakery.example"


@pytest.fixture
def panel(tmp_path: Path, server: Server) -> Iterator[Panel]:
    """A running panel that knows nothing of the server yet."""
    with panels.running(tmp_path, server.address) as made:
        yield made


def sign_in(browser: Browser, panel: Panel, role: str) -> Page:
    """Return a page of somebody's own browser, signed in at their panel."""
    address = panel.provider if role == "provider" else panel.reseller
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{address}/sign-in/")
    page.get_by_label("Email").fill(panel.logins[role]["email"])
    page.get_by_label("Password").fill(panel.logins[role]["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Your sign-in")).to_be_visible()
    return page


def go(page: Page, label: str, navigation: str = "Main") -> None:
    """Follow a link of a navigation."""
    page.get_by_role("navigation", name=navigation).get_by_role("link", name=label, exact=True).click()


def http_status(server: Server, name: str) -> int:
    connection = http.client.HTTPConnection(server.address, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": name})
        return connection.getresponse().status
    finally:
        connection.close()


def answers(server: Server, name: str) -> bool:
    """Whether the server serves a site of this name, given ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if http_status(server, name) == 200:
            return True
        time.sleep(0.1)
    return False


def takes_mail(server: Server, address: str) -> int:
    """Return what the server says to mail for an address."""
    with smtplib.SMTP(server.address, timeout=10) as smtp:
        smtp.ehlo("client.example")
        smtp.mail("somebody@elsewhere.example")
        return smtp.rcpt(address)[0]


def add_server(page: Page, server: Server) -> None:
    """Add a server as the provider does: compare its key, let the panel's key in, set it up, add its address."""
    go(page, "Servers")
    page.get_by_role("link", name="Add server").first.click()
    page.locator("#id_name").fill("web1")
    page.locator("#id_platform_name").fill("web1.platform.test")
    page.locator("#id_host").fill(server.address)
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_text(server.host_key)).to_be_visible(timeout=LIVE_MS)
    page.get_by_role("button", name="trust this key").click()
    key = page.locator("#server-setup [data-copy^='ssh-ed25519']").get_attribute("data-copy")
    server.run(["sh", "-c", "umask 077; mkdir -p /root/.ssh; cat >> /root/.ssh/authorized_keys"], input=f"{key}\n")
    page.get_by_role("button", name="Set up now").click()
    operation = page.locator("[id^=operation-opr_]")
    expect(operation.get_by_text("Done", exact=True)).to_be_visible(timeout=SETUP_MS)
    page.reload()
    expect(page.get_by_role("heading", level=1).get_by_text("Ready")).to_be_visible()
    if page.get_by_text(server.address, exact=True).count() == 1:
        page.get_by_role("link", name="Add address").click()
        page.locator("#id_ip").fill(server.address)
        page.get_by_role("button", name="Add address").click()


def sell_package(page: Page) -> None:
    go(page, "Packages")
    page.get_by_role("link", name="New package").first.click()
    page.locator("#id_name").fill("Starter")
    page.locator("#id_disk_bytes").fill("10")
    page.get_by_role("button", name="Create package").click()
    expect(page.get_by_role("link", name="Starter")).to_be_visible()


def order_account(page: Page) -> None:
    go(page, "Accounts")
    page.get_by_role("link", name="New account").first.click()
    page.locator("#id_organization").select_option(index=1)
    page.locator("#id_domain").fill(DOMAIN)
    page.locator("#id_package").select_option(label="Starter")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_role("heading", name="What this will change")).to_be_visible(timeout=LIVE_MS)
    expect(page.get_by_role("heading", name="nginx")).to_be_visible()
    page.get_by_role("button", name="Confirm and create").click()
    expect(page.locator("[id^=operation-opr_]").get_by_text("Done", exact=True)).to_be_visible(timeout=LIVE_MS)


def test_from_a_new_server_to_a_live_account_with_aliases(browser: Browser, panel: Panel, server: Server) -> None:
    add_server(sign_in(browser, panel, "provider"), server)
    reseller = sign_in(browser, panel, "reseller")
    sell_package(reseller)
    order_account(reseller)
    assert answers(server, DOMAIN)
    assert answers(server, f"www.{DOMAIN}")

    client = sign_in(browser, panel, "client")
    expect(client.get_by_role("heading", level=1)).to_contain_text(DOMAIN)
    go(client, "Sites", "Parts of this account")
    client.get_by_role("link", name="Add alias").click()
    client.locator("#id_hostname").fill(f"shop.{DOMAIN}")
    client.get_by_role("button", name="Add alias").click()
    expect(client.locator("[id^=operation-opr_]").get_by_text("Done", exact=True)).to_be_visible(timeout=LIVE_MS)
    assert answers(server, f"shop.{DOMAIN}")

    go(client, "Mail", "Parts of this account")
    client.get_by_role("link", name="Add mailbox").click()
    client.locator("#id_local").fill("lena")
    client.get_by_role("button", name="Make a password").click()
    client.get_by_role("button", name="Add mailbox").click()
    expect(client.get_by_text(f"lena@{DOMAIN}").first).to_be_visible()
    client.get_by_role("link", name="Add alias").click()
    client.locator("#id_local").fill("hello")
    client.locator("#id_destinations").fill(f"lena@{DOMAIN}")
    client.get_by_role("button", name="Add alias").click()
    expect(client.locator("[id^=operation-opr_]").get_by_text("Done", exact=True)).to_be_visible(timeout=LIVE_MS)
    assert takes_mail(server, f"hello@{DOMAIN}") == 250
    assert takes_mail(server, f"nobody@{DOMAIN}") == 550


def test_a_server_that_shows_no_host_key_says_why(browser: Browser, panel: Panel, server: Server) -> None:
    page = sign_in(browser, panel, "provider")
    page.goto(f"{panel.provider}/servers/add/")
    page.locator("#id_name").fill("closed")
    page.locator("#id_platform_name").fill("closed.platform.test")
    page.locator("#id_host").fill(server.address)
    page.locator("#id_port").fill("2")
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_text("No host key could be fetched")).to_be_visible(timeout=LIVE_MS)
