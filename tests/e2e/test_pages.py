"""The pages in a real browser: sign-in, an order with plan and live steps, theme, keyboard, phone, content policy.

The servers' part is played by rows, as the worker would write them; tests/e2e/test_live.py drives a real server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Operation, Preview, Run, RunStep
from tests import cast as casts
from tests.cast import PASSWORD, Cast
from tests.provisioning import factories, plans

PHONE = {"width": 390, "height": 844}
BRAND_HOST = "atelier.localhost"
PLAN = {
    "servers": [
        {
            "server": "web1",
            "changes": [
                {
                    "key": "file:/etc/nginx/hostwright/bakery.conf",
                    "change": "add",
                    "service": "nginx",
                    "diff": "@@ -0,0 +1 @@\n+server_name bakery.example;",
                }
            ],
            "reloads": ["nginx"],
            "removals": 0,
            "resources": 1,
        }
    ]
}


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, with the panel of reseller A at a name that leads to this machine."""
    made = casts.make()
    with everything("test"):
        brands.set(
            actor=Actor.system("test"),
            organization=made.reseller_a.organization,
            panel_host=BRAND_HOST,
            primary_color="#0f766e",
        )
    return made


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """The address of reseller A's panel."""
    return f"http://{BRAND_HOST}:{live_server.thread.port}"


@pytest.fixture
def quiet(page: Page) -> Iterator[list[str]]:
    """Fails the test when the browser complains: blocked inline code, missing files, errors in scripts."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        expected = "the server responded with a status of 4" in message.text
        if message.type in ("error", "warning") and not expected:
            said.append(message.text)

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what the browser gives up when the page is left
            said.append(f"{request.url} {request.failure}")

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", failed)
    yield said
    assert said == []


def sign_in(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Your sign-in")).to_be_visible()


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_a_wrong_password_is_refused_and_the_right_one_leads_home(
    page: Page, site: str, people: Cast, quiet: list[str]
):
    page.goto(site)
    expect(page).to_have_url(f"{site}/sign-in/?next=/")
    page.get_by_label("Email").fill(people.reseller_a.user.email)
    page.get_by_label("Password").fill("wrong-password-1")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Atelier A")).to_be_visible()
    assert page.get_by_text("Northwind Hosting").count() == 0


def test_an_order_from_form_to_live_steps(page: Page, site: str, people: Cast, quiet: list[str]):
    factories.server(people.provider.organization)
    factories.package(people.reseller_a.organization)
    sign_in(page, site, people.reseller_a.user.email)
    page.get_by_role("link", name="New account").click()
    page.locator("#id_organization").select_option(label="Client of A")
    page.locator("#id_domain").fill("bakery.example")
    page.locator("#id_package").select_option(label="Basic")
    page.get_by_role("button", name="Show what will change").click()
    expect(page.get_by_text("Working out what would change")).to_be_visible()
    with everything("test"):
        preview = Preview.objects.get()
        plans.ready(preview.pk, PLAN)
    expect(page.get_by_role("heading", name="What this will change")).to_be_visible()
    page.get_by_text("/etc/nginx/hostwright/bakery.conf").click()
    expect(page.get_by_text("+server_name bakery.example;")).to_be_visible()
    page.get_by_role("button", name="Confirm and create").click()
    expect(page.get_by_role("heading", name="Create bakery.example")).to_be_visible()
    with everything("test"):
        hosting = HostingAccount.objects.get()
        operation = Operation.objects.get(hosting=hosting)
        target = operation.targets.get()
        run = Run.objects.create(server_id=target.slice.server_id, epoch=1)
        RunStep.objects.create(run=run, position=0, name="check nginx", status=RunStep.Status.STARTED)
        operation.targets.update(run=run)
        Operation.objects.update(status=Operation.Status.RUNNING, started_at=timezone.now())
    live = page.locator(f"#operation-{operation.pk}")
    expect(live.get_by_text("Check nginx")).to_be_visible()
    expect(live.get_by_text("Running", exact=True)).to_be_visible()
    with everything("test"):
        RunStep.objects.update(status=RunStep.Status.OK, ms=14)
        Operation.objects.update(status=Operation.Status.APPLIED, finished_at=timezone.now())
    expect(live.get_by_text("14 ms")).to_be_visible()
    expect(live.get_by_text("Done", exact=True)).to_be_visible()
    assert live.get_attribute("hx-get") is None


def test_a_refusal_stands_at_its_field_and_the_field_has_the_focus(
    page: Page, site: str, people: Cast, quiet: list[str]
):
    factories.server(people.provider.organization)
    package = factories.package(people.reseller_a.organization)
    hosting = factories.account(people.client_a.organization, package, "bakery.example")
    sign_in(page, site, people.client_a.user.email)
    expect(page.get_by_role("heading", name="bakery.example", level=1)).to_be_visible()
    page.goto(f"{site}/accounts/{hosting.pk}/sites/")
    page.get_by_role("link", name="Add alias").click()
    page.locator("#id_hostname").fill("gmail.com")
    page.get_by_role("button", name="Add alias").click()
    expect(page.get_by_text("public mail provider")).to_be_visible()
    expect(page.locator("#id_hostname")).to_be_focused()
    assert page.locator("#id_hostname").get_attribute("aria-invalid") == "true"


def test_a_termination_waits_for_the_right_name(page: Page, site: str, people: Cast, quiet: list[str]):
    factories.server(people.provider.organization)
    package = factories.package(people.reseller_a.organization)
    hosting = factories.account(people.client_a.organization, package, "bakery.example")
    sign_in(page, site, people.reseller_a.user.email)
    page.goto(f"{site}/accounts/{hosting.pk}/terminate/")
    button = page.get_by_role("button", name="Terminate the account")
    expect(button).to_be_disabled()
    page.get_by_label("Type bakery.example to confirm").fill("bakery.exampl")
    expect(button).to_be_disabled()
    page.get_by_label("Type bakery.example to confirm").fill("bakery.example")
    button.click()
    expect(page.get_by_text("This account has been terminated")).to_be_visible()


def test_the_theme_follows_the_system_until_it_is_chosen(page: Page, site: str, people: Cast, quiet: list[str]):
    page.emulate_media(color_scheme="dark")
    sign_in(page, site, people.reseller_a.user.email)
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    page.get_by_role("button", name="Light", exact=True).click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_the_keyboard_reaches_the_content_first(page: Page, site: str, people: Cast, quiet: list[str]):
    sign_in(page, site, people.reseller_a.user.email)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_password_is_made_and_shown_on_demand(page: Page, site: str, people: Cast, quiet: list[str]):
    factories.server(people.provider.organization)
    package = factories.package(people.reseller_a.organization)
    hosting = factories.account(people.client_a.organization, package, "bakery.example")
    with everything("test"):
        mail = hosting.mail_domains.get()
    sign_in(page, site, people.client_a.user.email)
    page.goto(f"{site}/mail-domains/{mail.pk}/mailboxes/add/")
    field = page.locator("#id_password")
    page.get_by_role("button", name="Make a password").click()
    assert len(field.input_value()) >= 16
    expect(field).to_have_attribute("type", "text")


PAGES = [
    "/",
    "/accounts/",
    "/accounts/new/",
    "/clients/",
    "/clients/new/",
    "/packages/",
    "/packages/new/",
    "/operations/",
    "/activity/",
    "/people/",
    "/tokens/",
    "/brand/",
    "/profile/",
    "/search/?q=bak",
    "/2fa/",
    "/no-such-page/",
]


def test_every_page_fits_a_phone(page: Page, site: str, people: Cast, quiet: list[str]):
    factories.server(people.provider.organization)
    package = factories.package(people.reseller_a.organization, "A package with a rather long name for a small screen")
    hosting = factories.account(people.client_a.organization, package, "a-rather-long-name-of-a-bakery.example")
    parts = ["", "sites/", "databases/", "mail/", "dns/", "history/", "terminate/", "suspend/"]
    page.set_viewport_size({"width": 1280, "height": 800})
    sign_in(page, site, people.reseller_a.user.email)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    for path in [*PAGES, *(f"/accounts/{hosting.pk}/{part}" for part in parts)]:
        page.goto(site + path)
        assert overflow(page) <= 0, path
        assert page.get_by_role("heading", level=1).count() == 1, path
    page.goto(site)
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Packages").click()
    expect(page.get_by_role("heading", name="Packages")).to_be_visible()
