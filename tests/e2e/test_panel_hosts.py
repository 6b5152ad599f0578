"""Panel hosts in a real browser: a neutral one for who has no other, and a replaced one that leads on."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Brand
from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests import cast as casts
from tests.cast import PASSWORD, Cast

OWN, NEW = "luna.localhost", "login.luna.localhost"
ABOVE = ("Atelier", "reseller-a", "Northwind", "northwind")


@pytest.fixture
def people(transactional_db: None, live_server: LiveServer, settings: Settings) -> Cast:
    """The cast of an installation whose neutral domain leads to this machine."""
    cache.clear()
    settings.NEUTRAL_PANEL_DOMAIN = "panels.localhost"
    settings.PANEL_SCHEME, settings.PANEL_PORT = "http", str(live_server.thread.port)
    return casts.make()


def sign_in(page: Page, email: str) -> None:
    """Fill in the sign-in page that is open."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def shows_nobody_above(page: Page) -> None:
    """The page and its address name nobody above the sub-reseller."""
    text = f"{page.url} {page.title()} {page.content()}"
    assert [name for name in ABOVE if name in text] == []


def test_a_client_of_a_sub_reseller_never_reads_a_name_from_above_and_is_led_to_the_new_host(
    people: Cast, live_server: LiveServer, page: Page
) -> None:
    sub, client = people.sub_reseller.organization, people.client_sub
    port = live_server.thread.port
    with everything("test"):
        neutral = Brand.objects.get(organization=sub).neutral_host
    page.goto(f"http://{neutral}:{port}/sign-in/")
    shows_nobody_above(page)
    page.get_by_role("link", name=re.compile("forgot", re.IGNORECASE)).click()
    page.get_by_label("Email").fill(client.user.email)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("form button[type=submit]").last.click()
    page.wait_for_load_state()
    shows_nobody_above(page)
    link = re.search(r"http://\S+", str(mail.outbox[-1].body))
    assert link is not None
    assert urlsplit(link[0]).netloc == f"{neutral}:{port}"
    assert [name for name in ABOVE if name in mail.outbox[-1].message().as_string()] == []

    page.goto(f"http://{neutral}:{port}/sign-in/")
    sign_in(page, client.user.email)
    for path in ("/", "/profile/", "/nothing-there/"):
        page.goto(f"http://{neutral}:{port}{path}")
        shows_nobody_above(page)

    with everything("test"):
        for host in (OWN, NEW):
            brands.set(actor=Actor.system("test"), organization=sub, panel_host=host)
    page.goto(f"http://{OWN}:{port}/profile/")
    assert urlsplit(page.url).netloc == f"{NEW}:{port}"
    sign_in(page, client.user.email)
    page.wait_for_url(f"http://{NEW}:{port}/profile/")
    page.goto(f"http://{neutral}:{port}/profile/")
    expect(page).to_have_url(f"http://{neutral}:{port}/profile/")
