"""Signing in with a real browser and its own authenticator (WebAuthn over DevTools), as a person does it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import CDPSession, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from accounts.services import brands, sign_in_policies
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests import cast as casts
from tests.cast import PASSWORD, Cast

BRAND_HOST = "atelier.localhost"
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, with the panel of reseller A at a name that leads to this machine."""
    cache.clear()
    made = casts.make()
    with everything("test"):
        brands.set(actor=Actor.system("test"), organization=made.reseller_a.organization, panel_host=BRAND_HOST)
    return made


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """The address of reseller A's panel."""
    return f"http://{BRAND_HOST}:{live_server.thread.port}"


@pytest.fixture
def key(page: Page) -> Iterator[CDPSession]:
    """Give the browser an authenticator like a phone's: keeps passkeys, knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield session
    session.detach()


@pytest.fixture
def quiet(page: Page) -> Iterator[list[str]]:
    """Fails the test when the browser complains."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield said
    assert [text for text in said if "status of 4" not in text] == []


def sign_in(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page, site: str) -> None:
    page.goto(f"{site}/sign-out/")
    page.get_by_role("button", name="Sign out").click()


def test_a_passkey_is_set_up_as_demanded_and_signs_in_alone_and_as_second_factor(
    people: Cast, site: str, page: Page, key: CDPSession, quiet: list[str]
) -> None:
    with everything("test"):
        sign_in_policies.change(
            actor=people.reseller_a.actor, organization=people.reseller_a.organization, second_factor="everyone"
        )
    sign_in(page, site, people.client_a.user.email)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name", exact=True).fill("Phone")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name=re.compile("Recovery Codes", re.IGNORECASE))).to_be_visible()
    page.goto(f"{site}/profile/sign-in/")
    expect(page.get_by_text("Phone", exact=True)).to_be_visible()
    expect(page.get_by_text("This one")).to_be_visible()

    sign_out(page, site)
    page.goto(f"{site}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/")

    sign_out(page, site)
    sign_in(page, site, people.client_a.user.email)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remember it").click()
    page.wait_for_url(f"{site}/")

    sign_out(page, site)
    sign_in(page, site, people.client_a.user.email)
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/profile/sign-in/")
    page.get_by_role("link", name=re.compile("^Forget")).click()
    page.get_by_role("button", name="Forget the device").click()
    expect(page.get_by_text("The device is forgotten.")).to_be_visible()


def test_a_browser_without_a_passkey_says_so(people: Cast, site: str, page: Page, key: CDPSession) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
