"""Every page, for everybody, in a language that nobody speaks: what is left in plain English can't be translated."""

from __future__ import annotations

import re
import zoneinfo

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from pytest_django import DjangoDbBlocker

from accounts.voice.catalogue import KINDS
from billing.pricing.money import PLACES
from panel.core.scoping import everything
from tests.panel import pseudo
from tests.panel.matrix import PUBLIC, ROWS, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)

FACES = ("provider", "reseller_a", "client_a")
WORD = pseudo.WORD
#: What people have written, and what is made of it: model → its fields.
WRITTEN = {
    "accounts.Organization": ["name"],
    "accounts.User": ["name", "email"],
    "accounts.ApiToken": ["name", "prefix"],
    "accounts.Brand": ["name", "panel_host", "mail_host", "hostmaster", "support_email", "support_url"],
    "accounts.ResellerPlan": ["name"],
    "core.AuditEntry": ["actor_label", "object_label", "action", "via"],
    "provisioning.Address": ["ip"],
    "provisioning.Database": ["name"],
    "provisioning.DatabaseUser": ["name"],
    "provisioning.Domain": ["name"],
    "provisioning.DriftItem": ["key"],
    "provisioning.HostingAccount": ["username", "domain"],
    "provisioning.LimitOverride": ["reason"],
    "provisioning.MailAlias": ["local"],
    "provisioning.Mailbox": ["local"],
    "provisioning.Operation": ["subject"],
    "provisioning.Package": ["name"],
    "provisioning.Record": ["name", "content"],
    "provisioning.Server": ["name", "platform_name", "host"],
    "provisioning.SiteName": ["hostname"],
    "billing.Charge": ["text"],
    "billing.Customer": ["name"],
    "billing.DunningPause": ["reason"],
    "billing.InvoiceLine": ["text"],
    "billing.InvoiceTax": ["reason"],
    "billing.Meter": ["name", "unit"],
    "billing.Order": ["person", "email", "domain"],
    "billing.PriceFeed": ["name"],
    "billing.Product": ["name"],
    "billing.Subscription": ["label"],
    "mfa.Authenticator": ["data"],
}
#: What stands for people's data where it is shown how a mail will look.
EXAMPLES = {"Anna Berg", "exampleorg", "panel@"}
#: Names of protocols, programs and formats, which are the same in every language.
NAMES = frozenset(
    """
    aaaa apache apache2 api bind caa cname com csv debian dkim dmarc dns dovecot ds english example gb gib home
    hostwright htaccess http https imap ip ipv4 ipv6 jpeg json kb kib localhost mariadb mb mib ms mx mysql nginx
    ns ok php platform png pop3 postfix ptr public_html px smtp soa spf srv ssh sshfp ssl svg tb tls tlsa totp
    ttl txt uid url usd utc visa whsec www
    """.split()
)
API_PAGES = {"api_schema", "api_docs"}
#: Links that open nothing: their pages say so.
DEAD = {
    "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
    "accounts:address_confirm": {"text": "gone"},
    "accounts:invitation_accept": {"token": "gone"},
    "billing:order_form": {"pk": "gone"},
    "billing:order_part": {"token": "gone"},
    "billing:order_pay": {"token": "gone"},
    "billing:order_summary": {"pk": "gone"},
    "billing:order_watch": {"token": "gone"},
    "dashboard:brand_file": {"name": "gone"},
}


def rows() -> list[Row]:
    """Return every page that can be looked at, once."""
    found = {row.route: row for row in ROWS if "GET" in row.methods.split() and "_api:" not in row.route}
    return list(found.values())


@pytest.fixture(scope="module")
def data(world: World, django_db_blocker: DjangoDbBlocker) -> list[str]:  # noqa: F811
    """What people have written, the names of time zones, and the codes of currencies, longest first."""
    found = set(zoneinfo.available_timezones()) | set(PLACES)
    with django_db_blocker.unblock(), everything("test"):
        for label, fields in WRITTEN.items():
            for row in apps.get_model(label)._base_manager.values_list(*fields):
                found |= {str(value) for value in row if isinstance(value, str)}
                found |= {str(value["name"]) for value in row if isinstance(value, dict) and "name" in value}
    found |= EXAMPLES
    return sorted((value for value in found if WORD.search(value)), key=len, reverse=True)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.route)
def test_no_page_holds_plain_english(world: World, db: None, data: list[str], row: Row):  # noqa: F811
    cache.clear()
    arguments = {}
    for part in row.of.split():
        name, _equals, key = part.rpartition("=")
        arguments["pk" if name in ("", "below") else name] = world.objects[key][0]
    url = reverse(row.route, kwargs=arguments)
    found = {}
    for face in FACES:
        if face not in row.may:
            continue
        browser = getattr(world.cast, face).browser()
        with pseudo.spoken(), transaction.atomic():
            answer = browser.get(url)
            transaction.set_rollback(True)
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            left = pseudo.english(answer.content.decode(), data, NAMES)
            if left:
                found[face] = sorted(set(left))
    assert found == {}


@pytest.mark.parametrize("route", sorted(PUBLIC - API_PAGES))
def test_no_page_for_strangers_holds_plain_english(world: World, db: None, data: list[str], route: str):  # noqa: F811
    cache.clear()
    url = reverse(route, kwargs=DEAD.get(route))
    with pseudo.spoken():
        answer = Client(headers={"host": world.cast.client_a.host}).get(url)
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert sorted(set(pseudo.english(answer.content.decode(), data, NAMES))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_holds_plain_english(kind: str):
    with pseudo.spoken():
        mail = f"<h1>{KINDS[kind].subject}</h1><p>{KINDS[kind].text}</p>"
    assert pseudo.english(mail, [], NAMES) == []


def test_the_reader_finds_what_it_must():
    page = f'<p title="Plain">Hello <b class="mono">literal</b> {pseudo.accent("dear")}</p><input placeholder="There">'
    assert pseudo.english(page, ["Hello"], NAMES) == ["Plain", "There"]
    assert pseudo.english("<p>CBXCDVAKGJJE7FJONZYOID5JZVMLG4W2</p>", ["NZ"], NAMES) == []
    assert re.search(r"%\(x\)s", pseudo.accent("dear %(x)s"))
    with pseudo.spoken():
        assert gettext("Save").isalpha()
        assert not gettext("Save").isascii()
        assert ngettext("%(n)s day", "%(n)s days", 2) == pseudo.accent("%(n)s days")
