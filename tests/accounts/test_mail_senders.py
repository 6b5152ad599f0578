"""From whom a brand's mail comes: where an own server may be, when it is used, what is signed; secrets stay secret."""

from __future__ import annotations

import json
import smtplib
import socket
from typing import Any

import dns.exception
import dns.resolver
import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.urls import reverse
from pytest_django import Settings

from accounts.mail import send
from accounts.models import Brand, MailSender
from accounts.selectors import brand_mail as selectors
from accounts.services import mail_senders, outgoing_mails
from panel.core import outbound, vault
from panel.core.errors import Conflict, Forbidden, Invalid
from panel.core.models import AuditEntry, Secret
from panel.core.scoping import everything
from tests.accounts import smtp_server
from tests.cast import Cast

SMTP: dict[str, Any] = {
    "smtp_host": "mail.sender.example",
    "smtp_port": 587,
    "smtp_security": "starttls",
    "smtp_user": "anna",
}
PASSWORD = "an-SMTP-pass.word"


@pytest.fixture
def brand(cast: Cast) -> Brand:
    with everything("test"):
        return cast.reseller_a.organization.brand


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_senders, "ring", lambda *_arguments: None)


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look_up(_host: str, port: int, *_more: object, **_options: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def set_up(cast: Cast, brand: Brand, **more: object) -> MailSender:
    with everything("test"):
        return mail_senders.set_smtp(actor=cast.reseller_a.actor, brand=brand, password=PASSWORD, **{**SMTP, **more})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 -- nothing listens there
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "ff02::1",
    ],
)
def test_a_host_that_is_not_on_the_internet_is_never_reached(
    cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    sender = set_up(cast, brand)
    resolving_to(monkeypatch, "93.184.216.34", address)
    reached: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *where, **_options: reached.append(where))
    mail_senders.try_out(sender.id)
    sender.refresh_from_db()
    assert sender.smtp_state == MailSender.SmtpState.FAILED
    assert sender.smtp_detail == "This host is not on the public Internet; give one that is."
    assert reached == []


@pytest.mark.parametrize(
    "host", ["0x7f000001", "2130706433", "127.0.0.1", "[::1]", "localhost", "file:///etc/passwd", "a b"]
)
def test_an_own_server_has_a_host_name(cast: Cast, brand: Brand, host: str) -> None:
    with pytest.raises(Invalid) as refused:
        set_up(cast, brand, smtp_host=host)
    assert refused.value.field == "smtp_host"


@pytest.mark.parametrize("port", [22, 80, 3306, 6379, 65535])
def test_mail_leaves_by_ports_of_mail(cast: Cast, brand: Brand, port: int) -> None:
    with pytest.raises(Invalid) as refused:
        set_up(cast, brand, smtp_port=port)
    assert refused.value.field == "smtp_port"


def test_the_address_that_was_checked_is_the_one_connected_to(
    cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = set_up(cast, brand)
    resolving_to(monkeypatch, "93.184.216.34")
    server = outgoing_mails.own_server(sender, "panel.reseller-a.example")
    resolving_to(monkeypatch, "127.0.0.1")
    reached: list[tuple[str, int]] = []

    def connect(where: tuple[str, int], *_rest: object) -> socket.socket:
        reached.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        server.open()
    assert reached == [("93.184.216.34", 587)]


def test_a_server_without_encryption_gets_no_password(
    cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_server.running() as server:
        sender = set_up(cast, brand)
        MailSender._base_manager.update(smtp_port=server.port, private_allowed=True)
        resolving_to(monkeypatch, "127.0.0.1")
        mail_senders.try_out(sender.id)
    sender.refresh_from_db()
    assert sender.smtp_state == MailSender.SmtpState.FAILED
    assert sender.smtp_detail == "The mail server does not offer what is needed: encryption, and signing in."


def test_mail_leaves_by_the_own_server_only_once_it_works(
    cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    sender = set_up(cast, brand)
    resolving_to(monkeypatch, "93.184.216.34")
    with everything("test"):
        assert not isinstance(outgoing_mails.connection(sender, "x.example"), EmailBackend)
        monkeypatch.setattr(EmailBackend, "open", lambda _self: True)
        mail_senders.try_out(sender.id)
        sender.refresh_from_db()
        found = outgoing_mails.connection(sender, "x.example")
    assert sender.smtp_state == MailSender.SmtpState.WORKING
    assert isinstance(found, EmailBackend)
    assert (found.host, found.username, found.password, found.use_tls) == (SMTP["smtp_host"], "anna", PASSWORD, True)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPAuthenticationError(535, b"secret banner"), "refused the user name or password"),
        (TimeoutError("x"), "did not answer in time"),
        (ConnectionRefusedError("x"), "could not be reached"),
        (smtplib.SMTPResponseException(554, b"secret banner"), "did not take the mail"),
    ],
)
def test_what_a_server_says_is_not_passed_on(
    cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    sender = set_up(cast, brand)
    resolving_to(monkeypatch, "93.184.216.34")

    def fail(_self: EmailBackend) -> bool:
        raise error

    monkeypatch.setattr(EmailBackend, "open", fail)
    mail_senders.try_out(sender.id)
    sender.refresh_from_db()
    assert words in sender.smtp_detail
    assert "secret" not in sender.smtp_detail


def test_another_host_needs_the_password_again(cast: Cast, brand: Brand) -> None:
    set_up(cast, brand)
    with everything("test"):
        with pytest.raises(Invalid) as refused:
            mail_senders.set_smtp(
                actor=cast.reseller_a.actor, brand=brand, **{**SMTP, "smtp_host": "mail.evil.example"}
            )
        assert refused.value.field == "password"
        kept = mail_senders.set_smtp(actor=cast.reseller_a.actor, brand=brand, **SMTP)
        assert vault.get(kept.smtp_secret).decode() == PASSWORD
        mail_senders.set_smtp(actor=cast.reseller_a.actor, brand=brand, smtp_host="")
    assert not Secret.objects.filter(name__startswith="SMTP").exists()


def test_no_answer_and_no_log_holds_a_secret(cast: Cast, brand: Brand) -> None:
    set_up(cast, brand)
    with everything("test"):
        sender = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
        key = vault.get(sender.dkim_secret).decode().splitlines()[1]
        audit = json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))
    url = f"/api/v1/organizations/{cast.reseller_a.organization.pk}/brand/mail"
    answer = cast.reseller_a.program().get(url)
    page = cast.reseller_a.browser().get(reverse("accounts:mail", args=[cast.reseller_a.organization.pk]))
    assert answer.json()["dkim_record"]["name"] == "mail1._domainkey.panel.reseller-a.example"
    for text in (audit, answer.content.decode(), page.content.decode()):
        for secret in (PASSWORD, key, sender.dkim_secret, sender.smtp_secret):
            assert not secret or secret not in text


def test_only_the_provider_lets_a_private_server_in(cast: Cast, brand: Brand) -> None:
    with everything("test"):
        with pytest.raises(Forbidden):
            mail_senders.allow_private(actor=cast.reseller_a.actor, brand=brand, allowed=True)
        assert mail_senders.allow_private(actor=cast.provider.actor, brand=brand, allowed=True).private_allowed


def test_a_key_counts_once_the_dns_has_it(cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = cast.reseller_a.actor
    with everything("test"):
        with pytest.raises(Conflict):
            mail_senders.check(actor=owner, brand=brand)
        sender = mail_senders.make_key(actor=owner, brand=brand)
        name, text = selectors.key_record(sender)
    zone: dict[str, str] = {}

    class Row:
        def __init__(self, content: str) -> None:
            half = len(content) // 2
            self.strings = (content[:half].encode(), content[half:].encode())

    def resolve(_self: dns.resolver.Resolver, wanted: str, kind: str) -> list[Row]:
        assert kind == "TXT"
        if wanted not in zone:
            raise dns.resolver.NXDOMAIN
        return [Row(zone[wanted])]

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", resolve)

    def looked() -> tuple[str, str]:
        mail_senders.look(sender.id)
        sender.refresh_from_db()
        return sender.dkim_state, sender.dkim_detail

    assert sender.id in mail_senders.due()
    assert looked() == ("waiting", "There is no such record yet.")
    zone[f"{name}."] = "v=DKIM1; p=AAAA"
    assert looked() == ("waiting", "The record holds another key.")
    zone[f"{name}."] = text
    assert looked() == ("published", "")
    assert mail_senders.due() == []

    def silent(*_arguments: object) -> None:
        raise dns.exception.Timeout

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", silent)
    assert looked()[0] == "published"
    with everything("test"):
        changed = mail_senders.change(actor=owner, brand=brand, from_address="hello@other.example")
    assert changed.dkim_state == MailSender.DkimState.WAITING
    assert selectors.key_record(changed)[0] == "mail1._domainkey.other.example"


def test_another_key_has_another_name(cast: Cast, brand: Brand) -> None:
    with everything("test"):
        first = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
        second = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
    assert (first.dkim_selector, second.dkim_selector) == ("mail1", "mail2")
    assert Secret.objects.filter(name__startswith="DKIM").count() == 1


def test_spf_names_the_addresses_that_mail_leaves_from(cast: Cast, brand: Brand, settings: Settings) -> None:
    settings.MAIL_SOURCES = []
    with everything("test"):
        assert selectors.spf(selectors.sender(brand)) is None
        settings.MAIL_SOURCES = ["203.0.113.5", "2001:db8::5"]
        assert selectors.spf(selectors.sender(brand)) == (
            "panel.reseller-a.example",
            "v=spf1 ip4:203.0.113.5 ip6:2001:db8::5 ~all",
        )


def test_public_addresses_are_let_through() -> None:
    assert all(outbound.is_public(address) for address in ("93.184.216.34", "2606:2800:220:1::1"))


def test_nobody_speaks_as_somebody_else_by_typing_an_address(cast: Cast, brand: Brand) -> None:
    usual = "Atelier A <panel@panel.reseller-a.example>"
    with everything("test"):
        mail_senders.change(actor=cast.reseller_a.actor, brand=brand, from_address="ceo@bank.example")
        assert selectors.sender_line(brand) == usual
        sender = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
        assert selectors.key_record(sender)[0] == "mail1._domainkey.bank.example"
        assert selectors.sender_line(brand) == usual
        MailSender._base_manager.update(dkim_state=MailSender.DkimState.PUBLISHED)
        assert selectors.sender_line(brand) == "Atelier A <ceo@bank.example>"


def test_a_brand_without_a_host_speaks_from_the_installations_address(cast: Cast, brand: Brand) -> None:
    Brand._base_manager.filter(pk=brand.pk).update(panel_host="")
    brand.refresh_from_db()
    with everything("test"):
        assert selectors.sender_line(brand) == "Atelier A <panel@localhost>"
        sent = send(brand=brand, to="anna@people.example", template="test", context={"name": "Anna"})
    assert sent is not None
