"""A brand's mail on a real Postfix: by its own account with STARTTLS and a password, or signed and sent by the
installation; read by IMAP where it arrives, to the last header.
"""

from __future__ import annotations

import dataclasses
import datetime
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dkim
import dns.message
import dns.query
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone
from pytest_django import Settings

from accounts.mail import send_text
from accounts.models import Brand, MailSender, OutgoingMail
from accounts.selectors import brand_mail as selectors
from accounts.services import mail_senders, outgoing_mails
from panel.core.scoping import everything
from provisioning.spec import RecordSpec
from tests.cast import Cast
from tests.provisioning.hosts import PASSWORD, Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

SMTP_HOST = "mail.reseller-a.example"
FROM = "anna@reseller-a.example"
TO = "bob@beta.example"
ABOVE = ("northwind", "hostwright", "reseller-b", "bureau", "localhost", socket.gethostname().lower())


@dataclasses.dataclass(frozen=True)
class Mails:
    """The real server, and the file with the authority that signed its certificate."""

    host: Host
    authority: Path


@pytest.fixture(scope="module")
def mails(module_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Mails:
    """A server with the domain of the brand and a customer's elsewhere, and a certificate for SMTP_HOST."""
    host = Host.prepare(module_server)
    host.apply(account("ab", 20001, "reseller-a.example"), account("xy", 20002, "beta.example"))
    authority, chain = certificates()
    host.shell('cat > "$(postconf -h smtpd_tls_chain_files)"; postfix reload', input=chain)
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    file.write_text(authority)
    return Mails(host, file)


@pytest.fixture
def brand(cast: Cast, monkeypatch: pytest.MonkeyPatch, mails: Mails) -> Brand:
    """Reseller A's brand, whose SMTP host's name leads to the real server."""
    look_up = socket.getaddrinfo

    def known(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host in (SMTP_HOST, "smtp.reseller-a.example"):
            return look_up(mails.host.server.address, port, *more, **options)
        return look_up(host, port, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    monkeypatch.setenv("SSL_CERT_FILE", str(mails.authority))
    with everything("test"):
        found = Brand.objects.select_related("organization").get(organization=cast.reseller_a.organization)
        mail_senders.change(actor=cast.reseller_a.actor, brand=found, from_address=FROM)
        mail_senders.allow_private(actor=cast.provider.actor, brand=found, allowed=True)
    return found


def own_account(cast: Cast, brand: Brand, *, password: str = PASSWORD, host: str = SMTP_HOST) -> MailSender:
    """Give the brand its own SMTP account, and let a worker try it."""
    values = {"smtp_host": host, "smtp_port": 587, "smtp_security": "starttls", "smtp_user": FROM}
    with everything("test"):
        sender = mail_senders.set_smtp(actor=cast.reseller_a.actor, brand=brand, password=password, **values)
        mail_senders.try_out(sender.id)
        sender.refresh_from_db()
    return sender


def deliver(brand: Brand, subject: str) -> OutgoingMail:
    """Send a mail in the name of the brand; returns it as the outbox has it after the first try."""
    with everything("test"):
        text = "Bob,\n\nyou are invited:\n\nhttps://panel.reseller-a.example/invitations/x/\n"
        mail = send_text(brand=brand, to=TO, subject=subject, text=text, kind="invitation")
        assert mail is not None
    outgoing_mails.deliver(mail.id)
    mail.refresh_from_db()
    return mail


def arrived(mails: Mails, subject: str) -> tuple[EmailMessage, bytes]:
    """Return a message from the customer's mailbox, parsed and as it is."""
    mails.host.wait_for_message(TO, subject)
    client = mails.host.mailbox(TO)
    try:
        (number,) = client.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        part = client.fetch(number, "(BODY[])")[1][0]
        assert isinstance(part, tuple)
        return message_from_bytes(part[1], policy=policy.default), part[1]
    finally:
        client.logout()


def test_mail_leaves_by_the_brand_s_own_account_encrypted_and_names_only_the_brand(
    mails: Mails, cast: Cast, brand: Brand
) -> None:
    sender = own_account(cast, brand)
    assert (sender.smtp_state, sender.smtp_detail) == (MailSender.SmtpState.WORKING, "")
    assert deliver(brand, "By our own server").state == OutgoingMail.State.SENT
    message, octets = arrived(mails, "By our own server")
    assert (message["From"], message["To"]) == (f"Atelier A <{FROM}>", TO)
    assert message["Message-ID"].endswith("@reseller-a.example>")
    assert "ESMTPSA" in str(message.get_all("Received"))
    assert [name for name in ABOVE if name in octets.decode().lower()] == []
    for header in ("Sender", "X-Mailer", "User-Agent", "List-Unsubscribe"):
        assert message[header] is None


def test_a_wrong_password_is_told_and_the_account_is_not_used(mails: Mails, cast: Cast, brand: Brand) -> None:
    sender = own_account(cast, brand, password="not-the-Password-1")
    assert sender.smtp_state == MailSender.SmtpState.FAILED
    assert sender.smtp_detail == "The mail server refused the user name or password."
    assert not sender.has_own_server
    deliver(brand, "Refused")
    assert "Refused" not in mails.host.subjects(TO)


@pytest.mark.parametrize(("trusted", "host"), [(False, SMTP_HOST), (True, "smtp.reseller-a.example")])
def test_a_certificate_that_nobody_vouches_for_or_of_another_name_gets_no_password(
    mails: Mails, cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch, trusted: bool, host: str
) -> None:
    if not trusted:
        monkeypatch.delenv("SSL_CERT_FILE")
    sender = own_account(cast, brand, host=host)
    assert sender.smtp_state == MailSender.SmtpState.FAILED
    assert sender.smtp_detail == "The mail server's certificate is not valid for its name."


def test_mail_waits_while_the_certificate_is_not_trusted_and_arrives_once_afterwards(
    mails: Mails, cast: Cast, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_account(cast, brand)
    with monkeypatch.context() as untrusted:
        untrusted.delenv("SSL_CERT_FILE")
        mail = deliver(brand, "Later")
    assert (mail.state, mail.attempts) == (OutgoingMail.State.WAITING, 1)
    assert "certificate" in mail.detail
    OutgoingMail._base_manager.filter(pk=mail.pk).update(next_at=timezone.now())
    outgoing_mails.deliver(mail.id)
    mail.refresh_from_db()
    assert mail.state == OutgoingMail.State.SENT
    arrived(mails, "Later")
    assert mails.host.subjects(TO).count("Later") == 1


def test_mail_of_the_installation_is_signed_by_the_key_in_the_brand_s_real_zone(
    mails: Mails, cast: Cast, brand: Brand, settings: Settings
) -> None:
    server = mails.host.server.address
    settings.EMAIL_BACKEND = "accounts.voice.smtp.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = server, 25, False
    settings.PUBLIC_RESOLVERS = [server]
    with everything("test"):
        sender = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
        name, text = selectors.key_record(sender)
        mail_senders.look(sender.id)
        sender.refresh_from_db()
    assert sender.dkim_state == MailSender.DkimState.WAITING
    plain = account("ab", 20001, "reseller-a.example")
    record = RecordSpec(name.removesuffix(".reseller-a.example"), "TXT", 300, text)
    (zone,) = plain.zones
    mails.host.apply(dataclasses.replace(plain, zones=(dataclasses.replace(zone, records=(*zone.records, record)),)))
    with everything("test"):
        mail_senders.look(sender.id)
        sender.refresh_from_db()
    assert sender.dkim_state == MailSender.DkimState.PUBLISHED
    assert deliver(brand, "Signed").state == OutgoingMail.State.SENT
    message, octets = arrived(mails, "Signed")
    assert "d=reseller-a.example" in message["DKIM-Signature"]
    assert dkim.verify(octets, dnsfunc=lambda wanted, timeout=5: published(server, wanted))
    assert [word for word in ABOVE if word in octets.decode().lower()] == []


def published(server: str, name: bytes) -> bytes:
    """Return a TXT record as the real name server answers it."""
    answer = dns.query.tcp(dns.message.make_query(name.decode(), "TXT"), server, timeout=10)
    return b"".join(part for row in answer.answer[0] for part in row.strings)


def certificates() -> tuple[str, str]:
    """Return an authority's certificate, and key and certificate for SMTP_HOST that it signed, as PEM texts."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])

    def build(name: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> x509.Certificate:
        made = x509.CertificateBuilder(root_name, name, public, x509.random_serial_number())
        made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        return made.add_extension(extension, critical=False).sign(root_key, hashes.SHA256())

    root = build(root_name, root_key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SMTP_HOST)])
    leaf = build(name, key.public_key(), x509.SubjectAlternativeName([x509.DNSName(SMTP_HOST)]))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return root.public_bytes(pem).decode(), (private + leaf.public_bytes(pem)).decode()
