"""A provider sells a plan, a reseller brands and sells on, also to a reseller of its own, clients work: live on a real
server, and nobody along the way reads a name that is not theirs to read, by whatever protocol.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from provisioning.leaks import mail as leaks
from provisioning.leaks.lexicon import Word
from tests.e2e import journeys, recorder
from tests.e2e import panel as panels
from tests.e2e.journeys import PASSWORD, Hand, Order, person, sign_in
from tests.e2e.panel import Panel
from tests.e2e.recorder import Tape
from tests.e2e.test_live import add_server, answers
from tests.e2e.wires import Ear
from tests.servers import Server

pytestmark = pytest.mark.server

HOST = "panel.atelier-sol.example"
NAME = "Atelier Sol"
LENA = Order("Patisserie Lune", "Lena Baker", "lena@patisserie-lune.example", "patisserie.example")
SUB_HOST = "panel.luna-web.example"
SUB_NAME = "Luna Web"
FLO = Order("Corner Florist", "Flo Marsh", "flo@corner-florist.example", "florist.example")
REFUSALS = {400, 401, 403, 404, 405, 406, 415}
MOST_STEPS = 12
"""Clicks and fields, names left out, from a new reseller's first page to a branded sign-in page."""
PROVIDER_WORDS = [
    Word("Ferrum Hosting", "name"),
    Word("ferrum.example", "host"),
    Word("Northwind Studio", "name"),
    Word("northwind.example", "host"),
]
SOFTWARE_WORDS = [Word("hostwright", "software")]
PARENT_WORDS = [Word(NAME, "name"), Word("atelier-sol.example", "host")]
SERVER_WORDS = [Word("platform.test", "host")]
"""The server's neutral name, which its mail servers do say: it shows that what they say is searched."""


@dataclass(frozen=True)
class World:
    """The panel, where its mail goes, the tape, and the server."""

    panel: Panel
    post: leaks.Reader
    tape: Tape
    server: Server

    def url(self, host: str) -> str:
        """Return where the panel answers under a host."""
        return f"http://{host}:{self.panel.port}"

    def mails(self, address: str) -> list[tuple[leaks.Received, EmailMessage]]:
        """Return every mail that left the panel for an address, as it was received and as it reads, oldest first."""
        parser = BytesParser(policy=policy.default)
        read = [(received, parser.parsebytes(received.message)) for received in self.post.mails]
        return [(received, mail) for received, mail in read if mail["to"] == address]

    def link(self, address: str, kind: str) -> str:
        """Return the link in the newest mail to an address, once it has come."""

        def found() -> str:
            texts = [mail.get_body(("plain",)) for _received, mail in self.mails(address)]
            links = [link for text in texts if text for link in re.findall(r"https?://\S+", text.get_content())]
            return next((link for link in reversed(links) if kind in link), "")

        return until(f"a link {kind} for {address}", found)

    def tape_mails(self, host: str, address: str) -> None:
        """Put the panel's mails for somebody under a brand on the tape: how they came, and what they say."""
        mails = self.mails(address)
        assert mails
        for received, mail in mails:
            self.tape.add(host, "mail", str(mail["subject"]), received.message)
            for reading in leaks.readings(str(mail["subject"]), received):
                self.tape.add(host, "mail", reading.place, reading.text.encode())


@pytest.fixture
def world(tmp_path: Path, server: Server) -> Iterator[World]:
    """A running panel that knows nothing of the server yet; the server's name server plays the public DNS."""
    with leaks.reader() as post:
        sending = {"DJANGO_SETTINGS_MODULE": "tests.e2e.mailing", "HOSTWRIGHT_SMTP_PORT": str(post.port)}
        with panels.running(tmp_path, server.address, **sending) as panel, recorder.recording(panel.port) as tape:
            yield World(panel, post, tape, server)


def until(what: str, found: Callable[[], str], seconds: float = 20) -> str:
    """Poll until there is something."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
    return value


def letter(sender: str, recipient: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message.set_content("Good morning.")
    return message


def scan(panel: Panel, host: str) -> list[str]:
    """Return what a scan of a brand finds."""
    done = panel.manage("scan_brand", host, "--json")
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    assert [step for step in document["steps"] if step["status"] != "ok"] == []
    return [f"{found['place']} {found['subject']}: {found['excerpt']}" for found in document["findings"]]


def ask_api(ear: Ear, port: int, token: str, domain: str) -> set[int]:
    """Read the API's documents and lists, and every sort of refusal; returns which statuses came."""
    status, document = ear.call(port, "GET", "/api/schema/?format=json")
    assert (status, document["openapi"][0]) == (200, "3")
    statuses = {ear.call(port, "GET", path)[0] for path in ("/api/", "/api/docs/", "/api/v1/", "/api/v1/me")}
    lists = (
        "me",
        "accounts",
        "sites",
        "zones",
        "databases",
        "mailboxes",
        "mail-domains",
        "operations",
        "audit",
        "tokens",
    )
    for name in (*lists, "organizations", "packages", "servers", "accounts/acc_none", "no-such-thing"):
        statuses.add(ear.call(port, "GET", f"/api/v1/{name}", token=token)[0])
    account = ear.call(port, "GET", "/api/v1/accounts", token=token)[1]["items"][0]
    assert account["domain"] == domain
    site = ear.call(port, "GET", f"/api/v1/accounts/{account['id']}/sites", token=token)[1]["items"][0]
    aliases = f"/api/v1/sites/{site['id']}/aliases"
    for body in ({}, {"hostname": "not a name"}, {"hostname": domain}, {"hostname": HOST}, b"{"):
        statuses.add(ear.call(port, "POST", aliases, token=token, body=body)[0])
    for method, path in (
        ("DELETE", "/api/schema/?format=json"),
        ("POST", "/api/v1/packages"),
        ("POST", "/api/v1/accounts"),
    ):
        statuses.add(ear.call(port, method, path, token=token, body={})[0])
    statuses.add(ear.call(port, "POST", aliases, token=token, body=b"<a/>", Content_Type="application/xml")[0])
    statuses.add(ear.call(port, "GET", "/api/v1/me", token=token, Accept="text/csv")[0])
    statuses.add(ear.call(port, "GET", "/api/v1/me", token="hw_wrong")[0])
    return statuses


def test_sold_on_under_brands_that_show_no_other_name(browser: Browser, world: World) -> None:
    panel, tape, server = world.panel, world.tape, world.server
    provider = person(browser, tape)
    sign_in(provider, panel.provider, panel.logins["provider"]["email"], panel.logins["provider"]["password"])
    add_server(provider, server)
    hosts = [f"dns{number}.atelier-sol.example" for number in (1, 2)]
    glue = "\n".join(f"dns{number} A {server.address}" for number in (1, 2))
    journeys.publish(server, "atelier-sol.example", f"panel A 127.0.0.1\n{glue}")
    journeys.publish(server, "luna-web.example", "panel A 127.0.0.1")
    journeys.sell_plan(provider, panel, NAME, "sol@atelier-sol.example", "Sol Vega")

    reseller = Hand(person(browser, tape))
    journeys.join(reseller, world.link("sol@atelier-sol.example", "/invitations/"), "Sol Vega")
    shop = reseller.page.url
    journeys.brand(reseller, HOST)
    expect(reseller.page).to_have_title(re.compile(NAME))
    assert urlsplit(reseller.page.url).hostname == HOST
    assert reseller.steps <= MOST_STEPS

    reseller.page.goto(shop)
    journeys.add_name_servers(reseller.page, hosts, server.address)
    journeys.sell_package(reseller.page)
    journeys.order(reseller.page, LENA)
    journeys.invite_reseller(reseller.page, SUB_NAME, "luna@luna-web.example", "Luna Rey")

    link = world.link(LENA.email, "/invitations/")
    assert urlsplit(link).hostname == HOST
    lena = Hand(person(browser, tape))
    journeys.join(lena, link, LENA.person)
    journeys.sign_out(lena.page)
    sign_in(lena.page, world.url(HOST), LENA.email, PASSWORD)
    journeys.add_site_alias(lena.page, f"shop.{LENA.domain}")
    journeys.add_record(lena.page, "office", "203.0.113.77")
    journeys.add_database(lena.page, "shop")
    lena_password = journeys.add_mailbox(lena.page, "lena")
    journeys.add_mail_alias(lena.page, "gone", f"nobody@{FLO.domain}")
    lena_token = journeys.make_token(lena.page)
    ear = Ear(tape, HOST, server.address)
    assert answers(server, f"shop.{LENA.domain}")
    assert ear.look_up(f"office.{LENA.domain}", "A") == ["203.0.113.77"]
    assert sorted(ear.look_up(LENA.domain, "NS")) == [f"{host}." for host in hosts]
    assert "_shop" in server.run(["mariadb", "-Ne", "SHOW DATABASES"]).stdout

    seller = Hand(person(browser, tape))
    journeys.join(seller, world.link("luna@luna-web.example", "/invitations/"), "Luna Rey")
    journeys.brand(seller, SUB_HOST)
    sign_in(seller.page, world.url(SUB_HOST), "luna@luna-web.example", PASSWORD)
    journeys.sell_package(seller.page)
    journeys.order(seller.page, FLO)
    link = world.link(FLO.email, "/invitations/")
    assert urlsplit(link).hostname == SUB_HOST
    flo = Hand(person(browser, tape))
    journeys.join(flo, link, FLO.person)
    journeys.sign_out(flo.page)
    sign_in(flo.page, world.url(SUB_HOST), FLO.email, PASSWORD)
    journeys.add_record(flo.page, "office", "203.0.113.78")
    flo_password = journeys.add_mailbox(flo.page, "flo")
    flo_token = journeys.make_token(flo.page)
    for page in ("/people/", "/operations/", "/profile/", "/no-such-page/", "/"):
        flo.page.goto(f"{world.url(SUB_HOST)}{page}")
    journeys.sign_out(flo.page)
    journeys.forget_password(flo.page, world.url(SUB_HOST), FLO.email)
    assert urlsplit(world.link(FLO.email, "/password/")).hostname == SUB_HOST
    sub_ear = Ear(tape, SUB_HOST, server.address)
    assert sub_ear.look_up(f"office.{FLO.domain}", "A") == ["203.0.113.78"]
    assert "ns1.luna-web.example." in sub_ear.look_up(FLO.domain, "NS")

    for domain in (LENA.domain, FLO.domain):
        journeys.vouch(provider, domain)
    # Letters: from outside to her, from her to a customer of the other brand, and one that comes back.
    at_lena, at_flo = f"lena@{LENA.domain}", f"flo@{FLO.domain}"
    said = ear.send(letter("guest@guest.invalid", at_lena, "Croissants"))
    assert said == {"nobody": 550, "relay": 554}
    assert b"Received: " in ear.read(at_lena, lena_password, "Croissants")
    assert sub_ear.send(letter(at_lena, at_flo, "Roses"), login=(at_lena, lena_password)) == {"nobody": 550}
    assert sub_ear.read(at_flo, flo_password, "Roses").count(b"Received: ") >= 2
    ear.send(letter(at_lena, f"gone@{LENA.domain}", "Come back"), login=(at_lena, lena_password))
    assert b"multipart/report" in ear.read(at_lena, lena_password, "Undelivered Mail")
    for heard, mailbox in ((ear, at_lena), (sub_ear, at_flo)):
        code, refusal = heard.guess(mailbox)
        assert (code, "AUTHENTICATIONFAILED" in refusal) == (535, True)

    for heard, domain, token, address in (
        (ear, LENA.domain, lena_token, LENA.email),
        (sub_ear, FLO.domain, flo_token, FLO.email),
    ):
        heard.look_around(domain)
        assert ask_api(heard, panel.port, token, domain) >= REFUSALS
        world.tape_mails(heard.host, address)
        assert set(tape.holding(heard.host, SERVER_WORDS)) >= {"SMTP", "IMAP"}
    assert set(tape.holding(HOST, PARENT_WORDS)) >= {"HTTP", "DNS", "mail"}

    assert tape.holding(HOST, PROVIDER_WORDS, NAME) == {}
    for host in (HOST, SUB_HOST):
        software = [hit for hits in tape.holding(host, SOFTWARE_WORDS).values() for hit in hits]
        assert [hit for hit in software if not hit.startswith("GET /previews/")] == []  # plans name files on servers
    assert tape.holding(SUB_HOST, [*PROVIDER_WORDS, *PARENT_WORDS], SUB_NAME) == {}
    assert scan(panel, HOST) == []
    assert scan(panel, SUB_HOST) == []
