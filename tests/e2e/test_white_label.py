"""A provider sells a plan, a reseller brands and sells on, a client works: live on a real server, and nobody along the
way reads a name that is not theirs to read.
"""

from __future__ import annotations

import imaplib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from panel.demo.proofs import dns_answer
from provisioning.leaks.lexicon import Lexicon, Word
from tests.e2e import panel as panels
from tests.e2e import recorder
from tests.e2e.panel import Panel
from tests.e2e.recorder import Tape
from tests.e2e.test_live import LIVE_MS, add_server, answers
from tests.provisioning.hosts import ANY_CERTIFICATE
from tests.servers import Server

pytestmark = pytest.mark.server

HOST = "panel.atelier-sol.example"
NAME = "Atelier Sol"
DOMAIN = "patisserie.example"
PASSWORD = "quiet-Harbour-27"
MOST_STEPS = 12
"""Clicks and fields, names left out, from a new reseller's first page to a branded sign-in page."""
PROVIDER_WORDS = [
    Word("Ferrum Hosting", "name"),
    Word("ferrum.example", "host"),
    Word("Northwind Studio", "name"),
    Word("northwind.example", "host"),
    Word("hostwright", "software"),
]
PARENT_WORDS = [Word(NAME, "name"), Word("atelier-sol.example", "host")]
SUB_HOST = "panel.luna-web.example"
SUB = """
import django
django.setup()
from accounts.models import Organization
from accounts.services import brands, organizations, users
from panel.core.scoping import everything
from panel.demo.world import SYSTEM, settle
from provisioning.models import Package
from provisioning.services import hosting_accounts
with everything("test"):
    parent = Organization.objects.get(name="Atelier Sol")
    sub = organizations.create_reseller(actor=SYSTEM, parent=parent, name="Luna Web")
    brands.set(actor=SYSTEM, organization=sub, name="Luna Web", panel_host="panel.luna-web.example",
        nameservers=["ns1.luna-web.example", "ns2.luna-web.example"], mail_host="mail.luna-web.example",
        hostmaster="hostmaster@luna-web.example", support_email="help@luna-web.example")
    client = organizations.create_client(actor=SYSTEM, parent=sub, name="Florist")
    users.create(actor=SYSTEM, organization=client, email="flo@florist.example", name="Flo", role="owner",
        password="quiet-Harbour-27")
    package = Package.objects.get(name="Starter")
    settle(hosting_accounts.create(actor=SYSTEM, organization=client, package=package, domain="florist.example")[1])
"""


@dataclass
class Hand:
    """A person at a browser, whose clicks and fields are counted; names, which nobody else can know, are not."""

    page: Page
    steps: int = 0

    def name(self, field: str, value: str) -> None:
        """Type a name."""
        self.page.locator(f"#id_{field}").fill(value)

    def fill(self, field: str, value: str) -> None:
        """Type something else."""
        self.steps += 1
        self.page.locator(f"#id_{field}").fill(value)

    def press(self, label: str) -> None:
        """Press a button."""
        self.steps += 1
        self.page.get_by_role("button", name=label).first.click()

    def follow(self, label: str) -> None:
        """Follow a link."""
        self.steps += 1
        self.page.get_by_role("link", name=label, exact=True).first.click()


@pytest.fixture
def panel(tmp_path: Path, server: Server) -> Iterator[Panel]:
    """A running panel that knows nothing of the server yet; the server's name server plays the public DNS."""
    with panels.running(tmp_path, server.address) as made:
        yield made


@pytest.fixture
def tape(panel: Panel) -> Iterator[Tape]:
    """What browsers receive."""
    with recorder.recording(panel.port) as made:
        yield made


def person(browser: Browser, tape: Tape) -> Page:
    """Return a page of somebody's own browser, all of whose traffic is taped."""
    proxy = {"server": f"http://127.0.0.1:{tape.port}", "bypass": "<-loopback>"}
    made = browser.new_context(viewport={"width": 1280, "height": 800}, proxy=proxy)  # type: ignore[arg-type]
    return made.new_page()


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Your sign-in")).to_be_visible()


def until(what: str, found: Callable[[], str], seconds: float = 20) -> str:
    """Poll until there is something."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
    return value


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_for(panel: Panel, address: str) -> str:
    """Return the link in the newest mail to an address, once it has come."""

    def found() -> str:
        links = [
            link
            for mail in panel.mails()
            if mail["to"] == address
            for link in re.findall(r"https?://\S+/invitations/\S+", text_of(mail))
        ]
        return links[-1] if links else ""

    return until(f"an invitation for {address}", found)


def join(hand: Hand, link: str, name: str) -> None:
    hand.page.goto(link)
    hand.name("name", name)
    hand.fill("password", PASSWORD)
    hand.press("Join")
    expect(hand.page.get_by_role("button", name="Your sign-in")).to_be_visible()


def publish(server: Server, zone: str, text: str) -> None:
    """Put a zone into the DNS that the panel asks, as its owner's DNS host would."""
    lines = f"$TTL 60\n@ SOA ns hostmaster 1 60 60 600 60\n@ NS ns\nns A {server.address}\n{text}\n"
    server.put(f"/var/lib/bind/{zone}.public", lines)
    server.run(["chown", "bind:", f"/var/lib/bind/{zone}.public"])
    server.run(["rndc", "addzone", zone, f'{{ type primary; file "/var/lib/bind/{zone}.public"; }};'])


def sell_plan(page: Page, panel: Panel) -> None:
    """Let the provider make a plan and a reseller who has it, and invite its owner."""
    page.goto(f"{panel.provider}/reseller-plans/new/")
    page.locator("#id_name").fill("Studio")
    page.locator("#id_accounts").fill("20")
    page.locator("#id_resellers_allowed").check()
    page.get_by_role("button", name="Create plan").click()
    expect(page.get_by_text("Studio").first).to_be_visible()
    page.goto(f"{panel.provider}/resellers/new/")
    page.locator("#id_name").fill(NAME)
    page.locator("#id_email").fill("sol@atelier-sol.example")
    page.locator("#id_person").fill("Sol Vega")
    page.get_by_role("button", name="Create the reseller").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)
    page.goto(f"{page.url.split('?')[0]}plan/")
    page.locator("#id_plan").select_option(label="Studio")
    submit(page, "Give this plan")
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAME)


def submit(page: Page, label: str) -> None:
    """Press the button of a form that first shows what it would do, and then the one that does it."""
    page.get_by_role("button", name=label).click()
    page.get_by_role("button", name="Yes, do it").click()


def brand(hand: Hand) -> None:
    """Let the reseller give itself a name of its own on the web; the names of its servers follow from it."""
    hand.follow("Brand")
    hand.name("panel_host", HOST)
    hand.press("Save")
    ready = hand.page.get_by_role("link", name="Open the sign-in page")
    check = hand.page.get_by_role("button", name="Check now")
    expect(ready.or_(check)).to_be_visible()
    if check.is_visible():  # else the worker was faster
        hand.press("Check now")
    expect(ready).to_be_visible(timeout=LIVE_MS)


def sell_package(page: Page, base: str) -> None:
    page.goto(f"{base}/packages/new/")
    page.locator("#id_name").fill("Starter")
    page.get_by_role("button", name="Create package").click()
    expect(page.get_by_role("link", name="Starter")).to_be_visible()


def order(page: Page, base: str) -> None:
    page.goto(f"{base}/clients/new/")
    page.locator("#id_name").fill("Patisserie Lune")
    page.locator("#id_email").fill("lena@patisserie-lune.example")
    page.locator("#id_person").fill("Lena Baker")
    page.get_by_role("button", name="Create the client").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Patisserie Lune")
    page.goto(f"{base}/accounts/new/")
    page.locator("#id_organization").select_option(label="Patisserie Lune")
    page.locator("#id_domain").fill(DOMAIN)
    page.locator("#id_package").select_option(label="Starter")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_role("button", name="Confirm and create").click(timeout=LIVE_MS)
    done(page)


def done(page: Page) -> None:
    """Wait until the operation on the page is done."""
    expect(page.locator("[id^=operation-opr_]").get_by_text("Done", exact=True).first).to_be_visible(timeout=LIVE_MS)


def part(page: Page, label: str) -> None:
    page.get_by_role("navigation", name="Parts of this account").get_by_role("link", name=label, exact=True).click()


def use(page: Page, base: str) -> str:
    """Let the client add a site alias, a record, a database and a mailbox; returns the mailbox's password."""
    page.goto(f"{base}/accounts/")
    page.get_by_role("link", name=DOMAIN).first.click()
    part(page, "Sites")
    page.get_by_role("link", name="Add alias").click()
    page.locator("#id_hostname").fill(f"shop.{DOMAIN}")
    page.get_by_role("button", name="Add alias").click()
    done(page)
    part(page, "DNS")
    page.get_by_role("link", name="Add record").first.click()
    page.locator("#id_name").fill("office")
    page.locator("#id_type").select_option("A")
    page.locator("#id_content").fill("203.0.113.77")
    page.get_by_role("button", name="Add record").click()
    done(page)
    part(page, "Databases")
    page.get_by_role("link", name="Add database").first.click()
    page.locator("#id_name").fill("shop")
    page.get_by_role("button", name="Add database").click()
    done(page)
    part(page, "Mail")
    page.get_by_role("link", name="Add mailbox").first.click()
    page.locator("#id_local").fill("lena")
    page.get_by_role("button", name="Make a password").click()
    password = page.locator("#id_password").input_value()
    page.get_by_role("button", name="Add mailbox").click()
    done(page)
    return password


def opens_mailbox(server: Server, address: str, password: str) -> bool:
    """Whether a mail program gets in."""
    with imaplib.IMAP4_SSL(server.address, 993, ssl_context=ANY_CERTIFICATE, timeout=10) as client:
        return client.login(address, password)[0] == "OK"


def leaks(tape: Tape, host: str, words: list[Word], own: str) -> list[str]:
    """Return which recorded answers under a host hold one of `words`."""
    lexicon = Lexicon(words, [own])
    return [
        f"{path}: {hit.word.shown}: {hit.excerpt}"
        for path, data in tape.under(host)
        for hit in lexicon.find(data.decode("utf-8", "replace"))
    ]


def in_mails(panel: Panel, address: str, words: list[Word]) -> list[str]:
    lexicon = Lexicon(words)
    found = [mail for mail in panel.mails() if mail["to"] == address]
    assert found
    texts = [f"{mail.as_string()}\n{text_of(mail)}" for mail in found]
    return [f"{hit.word.shown}: {hit.excerpt}" for text in texts for hit in lexicon.find(text)]


def scan(panel: Panel, host: str) -> list[str]:
    """Return what a scan of a brand finds."""
    done = panel.manage("scan_brand", host, "--json")
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    assert [step for step in document["steps"] if step["status"] != "ok"] == []
    return [f"{found['place']} {found['subject']}: {found['excerpt']}" for found in document["findings"]]


def test_sold_on_under_a_brand_that_shows_no_other_name(
    browser: Browser, panel: Panel, tape: Tape, server: Server
) -> None:
    base = f"http://{HOST}:{panel.port}"
    provider = person(browser, tape)
    sign_in(provider, panel.provider, panel.logins["provider"]["email"], panel.logins["provider"]["password"])
    add_server(provider, server)
    publish(server, "atelier-sol.example", "panel A 127.0.0.1")
    sell_plan(provider, panel)

    hand = Hand(person(browser, tape))
    link = link_for(panel, "sol@atelier-sol.example")
    shop = f"http://{urlsplit(link).netloc}"
    join(hand, link, "Sol Vega")
    brand(hand)
    hand.follow("Open the sign-in page")
    expect(hand.page).to_have_title(re.compile(NAME))
    assert urlsplit(hand.page.url).hostname == HOST
    assert hand.steps <= MOST_STEPS

    reseller = hand.page
    reseller.goto(f"{shop}/brand/name-servers/")
    expect(reseller.get_by_text("ns1.atelier-sol.example").first).to_be_visible()
    sell_package(reseller, shop)
    order(reseller, shop)

    link = link_for(panel, "lena@patisserie-lune.example")
    assert urlsplit(link).hostname == HOST
    client = Hand(person(browser, tape))
    join(client, link, "Lena Baker")
    password = use(client.page, base)
    assert answers(server, f"shop.{DOMAIN}")
    assert dns_answer(server.address, f"office.{DOMAIN}", "A") == ["203.0.113.77"]
    assert any(name.startswith("ns1.atelier-sol.example") for name in dns_answer(server.address, DOMAIN, "NS"))
    assert "_shop" in server.run(["mariadb", "-Ne", "SHOW DATABASES"]).stdout
    assert opens_mailbox(server, f"lena@{DOMAIN}", password)

    assert len(tape.under(HOST)) > 20
    assert leaks(tape, HOST, PROVIDER_WORDS, NAME) == []
    assert in_mails(panel, "lena@patisserie-lune.example", PROVIDER_WORDS) == []
    assert scan(panel, HOST) == []

    made = panel.run_code(SUB)
    assert made.returncode == 0, made.stderr
    florist = person(browser, tape)
    sub = f"http://{SUB_HOST}:{panel.port}"
    sign_in(florist, sub, "flo@florist.example", PASSWORD)
    for page in ("/", "/accounts/", "/people/", "/operations/", "/profile/", "/no-such-page/"):
        florist.goto(f"{sub}{page}")
    assert leaks(tape, SUB_HOST, [*PROVIDER_WORDS, *PARENT_WORDS], "Luna Web") == []
    assert scan(panel, SUB_HOST) == []
