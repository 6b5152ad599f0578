"""What provider, resellers and clients do in a browser, step by step, as the pages lead them."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Browser, Page, expect

from tests.e2e.panel import Panel
from tests.e2e.recorder import Tape
from tests.e2e.test_live import LIVE_MS, go
from tests.servers import Server

PASSWORD = "quiet-Harbour-27"


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


@dataclass(frozen=True)
class Order:
    """What a reseller types to have a client with an account."""

    client: str
    person: str
    email: str
    domain: str


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


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Your sign-in").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def join(hand: Hand, link: str, name: str) -> None:
    """Follow an invitation's link and choose a password."""
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


def sell_plan(page: Page, panel: Panel, name: str, email: str, owner: str) -> None:
    """Let the provider make a plan and a reseller who has it, and invite its owner."""
    go(page, "Reseller plans")
    page.get_by_role("link", name="New plan").first.click()
    page.locator("#id_name").fill("Studio")
    page.locator("#id_accounts").fill("20")
    page.locator("#id_resellers_allowed").check()
    page.get_by_role("button", name="Create plan").click()
    expect(page.get_by_text("Studio").first).to_be_visible()
    invite_reseller(page, name, email, owner)
    page.goto(f"{page.url.split('?')[0]}plan/")
    page.locator("#id_plan").select_option(label="Studio")
    page.get_by_role("button", name="Give this plan").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def invite_reseller(page: Page, name: str, email: str, owner: str) -> None:
    """Let a seller make a reseller below and invite its owner."""
    go(page, "Resellers")
    page.get_by_role("link", name="New reseller").first.click()
    page.locator("#id_name").fill(name)
    page.locator("#id_email").fill(email)
    page.locator("#id_person").fill(owner)
    page.get_by_role("button", name="Create the reseller").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def brand(hand: Hand, host: str) -> None:
    """Let the reseller give itself a name of its own on the web, and open the sign-in page there."""
    hand.follow("Brand")
    hand.name("panel_host", host)
    hand.press("Save")
    card = hand.page.locator("section").filter(has=hand.page.get_by_role("heading", name=host))
    ready = card.get_by_role("link", name="Open the sign-in page")
    check = hand.page.get_by_role("button", name="Check now")
    expect(ready.or_(check)).to_be_visible()
    if check.is_visible():  # else the worker was faster
        hand.press("Check now")
    expect(ready).to_be_visible(timeout=LIVE_MS)
    hand.steps += 1
    ready.click()


def add_name_servers(page: Page, hosts: list[str], address: str) -> None:
    """Let the reseller name its name servers, and look whether the DNS has their address."""
    go(page, "Brand")
    page.locator("#id_nameservers").fill("\n".join(hosts))
    page.get_by_role("button", name="Save").first.click()
    go(page, "Brand")
    page.get_by_role("link", name="Name servers").first.click()
    page.get_by_role("button", name="Check now").click()
    for host in hosts:
        row = page.get_by_role("row").filter(has_text=host)
        expect(row.locator("[data-label='Seen']")).to_contain_text(address)


def sell_package(page: Page) -> None:
    """Let a seller put a package on sale, with all that a package has by itself."""
    go(page, "Packages")
    page.get_by_role("link", name="New package").first.click()
    page.locator("#id_name").fill("Starter")
    page.get_by_role("button", name="Create package").click()
    expect(page.get_by_role("link", name="Starter")).to_be_visible()


def order(page: Page, wanted: Order) -> None:
    """Let a seller invite a client and create its account."""
    go(page, "Clients")
    page.get_by_role("link", name="New client").first.click()
    page.locator("#id_name").fill(wanted.client)
    page.locator("#id_email").fill(wanted.email)
    page.locator("#id_person").fill(wanted.person)
    page.get_by_role("button", name="Create the client").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(wanted.client)
    page.get_by_role("link", name="New account").first.click()
    page.locator("#id_organization").select_option(label=wanted.client)
    page.locator("#id_domain").fill(wanted.domain)
    page.locator("#id_package").select_option(label="Starter")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_role("button", name="Confirm and create").click(timeout=LIVE_MS)
    done(page)


def done(page: Page) -> None:
    """Wait until the operation on the page is done."""
    expect(page.locator("[id^=operation-opr_]").get_by_text("Done", exact=True).first).to_be_visible(timeout=LIVE_MS)


def part(page: Page, label: str) -> None:
    """Go to a part of an account."""
    go(page, label, "Parts of this account")


def add_site_alias(page: Page, hostname: str) -> None:
    part(page, "Sites")
    page.get_by_role("link", name="Add alias").click()
    page.locator("#id_hostname").fill(hostname)
    page.get_by_role("button", name="Add alias").click()
    done(page)


def add_record(page: Page, name: str, address: str) -> None:
    part(page, "DNS")
    page.get_by_role("link", name="Add record").first.click()
    page.locator("#id_name").fill(name)
    page.locator("#id_type").select_option("A")
    page.locator("#id_content").fill(address)
    page.get_by_role("button", name="Add record").click()
    done(page)


def add_database(page: Page, name: str) -> None:
    part(page, "Databases")
    page.get_by_role("link", name="Add database").first.click()
    page.locator("#id_name").fill(name)
    page.get_by_role("button", name="Add database").click()
    done(page)


def add_mailbox(page: Page, local: str) -> str:
    """Add a mailbox; returns the password that the page made."""
    part(page, "Mail")
    page.get_by_role("link", name="Add mailbox").first.click()
    page.locator("#id_local").fill(local)
    page.wait_for_load_state()  # of the script behind the button
    page.get_by_role("button", name="Make a password").click()
    password = page.locator("#id_password").input_value()
    page.get_by_role("button", name="Add mailbox").click()
    done(page)
    return password


def add_mail_alias(page: Page, local: str, destination: str) -> None:
    part(page, "Mail")
    page.get_by_role("link", name="Add alias").first.click()
    page.locator("#id_local").fill(local)
    page.locator("#id_destinations").fill(destination)
    page.get_by_role("button", name="Add alias").click()
    done(page)


def vouch(page: Page, domain: str) -> None:
    """Let the provider say that a domain's mail belongs here, whose MX the whole Internet does not see yet."""
    go(page, "Accounts")
    page.get_by_role("link", name=domain).first.click()
    part(page, "Mail")
    page.get_by_role("link", name="Vouch for it").click()
    page.get_by_role("button", name="Vouch and take mail").click()
    done(page)


def make_token(page: Page) -> str:
    """Make an API token; returns its text."""
    go(page, "API tokens")
    page.get_by_role("link", name="New token").first.click()
    page.locator("#id_name").fill("Reader")
    page.get_by_role("button", name="Create the token").click()
    return page.locator(".secret-once [data-copy]").first.get_attribute("data-copy") or ""


def forget_password(page: Page, address: str, email: str) -> None:
    """Ask for a link to a new password."""
    page.goto(f"{address}/sign-in/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("button", name="Send the link")).to_be_hidden()
