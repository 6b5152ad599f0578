"""Mail leaves once it is committed, in the brand's name and no other, signed where a key is published, else waits."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import dkim
import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.mail import send
from accounts.models import Brand, MailSender, OutgoingMail
from accounts.selectors import brand_mail as selectors
from accounts.selectors import brands
from accounts.services import mail_senders, outgoing_mails
from panel.core.errors import Conflict
from panel.core.scoping import everything
from tests.accounts import smtp_server
from tests.accounts.smtp_server import MailServer
from tests.cast import Cast

TO = "anna@people.example"


@pytest.fixture
def brand(cast: Cast) -> Brand:
    with everything("test"):
        return brands.for_organization(cast.reseller_a.organization)


@pytest.fixture
def relay(settings: Settings) -> Iterator[MailServer]:
    with smtp_server.running() as server:
        settings.EMAIL_BACKEND = "accounts.voice.smtp.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def send_one(brand: Brand, once: str | None = None) -> OutgoingMail | None:
    return send(
        brand=brand,
        to=TO,
        template="invitation",
        context={"name": "Anna", "link": "https://panel.reseller-a.example/x", "email": TO},
        once=once,
    )


def test_nothing_leaves_before_the_commit(
    brand: Brand, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send_one(brand)
        assert not mail.outbox
    assert [message.to for message in mail.outbox] == [[TO]]


def test_what_is_rolled_back_is_never_sent(brand: Brand) -> None:
    with transaction.atomic():
        send_one(brand)
        transaction.set_rollback(True)
    assert not OutgoingMail._base_manager.exists()


def test_it_names_the_brand_and_nobody_else(brand: Brand, cast: Cast, relay: MailServer) -> None:
    send_one(brand)
    outgoing_mails.deliver(outgoing_mails.due()[0])
    (taken,) = relay.taken
    message = message_from_bytes(taken.content, policy=policy.default)
    assert message["From"] == "Atelier A <panel@panel.reseller-a.example>"
    assert message["Reply-To"] == "help@reseller-a.example"
    assert re.fullmatch(r"<oml_\w+@panel\.reseller-a\.example>", message["Message-ID"])
    assert taken.helo == "panel.reseller-a.example"
    assert taken.sender.startswith("FROM:<panel@panel.reseller-a.example>")
    said = taken.content.decode().lower()
    assert "northwind" not in said
    assert "hostwright" not in said
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}


def test_what_it_says_is_not_kept(brand: Brand) -> None:
    sent = send_one(brand)
    assert sent is not None
    assert "reseller-a.example/x" not in sent.sealed
    outgoing_mails.deliver(sent.id)
    kept = OutgoingMail._base_manager.get()
    assert (kept.state, kept.sealed, kept.attempts) == ("sent", "", 1)
    assert kept.sent_at is not None


def test_the_same_cause_sends_once(brand: Brand) -> None:
    assert send_one(brand, once="welcome:acc_x") is not None
    assert send_one(brand, once="welcome:acc_x") is None
    assert OutgoingMail._base_manager.count() == 1


def test_what_fails_is_tried_again_and_given_up_in_the_end(brand: Brand, cast: Cast, relay: MailServer) -> None:
    relay.answer = b"450 later\r\n"
    sent = send_one(brand)
    assert sent is not None
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for attempt in range(1, outgoing_mails.MOST_ATTEMPTS + 1):
            assert outgoing_mails.due() == [sent.id]
            outgoing_mails.deliver(sent.id)
            sent.refresh_from_db()
            assert sent.attempts == attempt
            outgoing_mails.deliver(sent.id)  # Not its turn.
            clock.shift(timedelta(hours=3))
    assert sent.state == OutgoingMail.State.FAILED
    assert sent.detail == "The mail server refused the recipient."
    assert not relay.taken
    relay.answer = b"250 ok\r\n"
    with everything("test"):
        outgoing_mails.retry(actor=cast.reseller_a.actor, mail=sent)
        outgoing_mails.deliver(sent.id)
        assert len(relay.taken) == 1
        with pytest.raises(Conflict):
            outgoing_mails.retry(actor=cast.reseller_a.actor, mail=sent)


def test_a_recipient_who_does_not_exist_is_given_up_at_once(brand: Brand, relay: MailServer) -> None:
    relay.answer = b"550 nobody here\r\n"
    sent = send_one(brand)
    assert sent is not None
    outgoing_mails.deliver(sent.id)
    sent.refresh_from_db()
    assert sent.state == OutgoingMail.State.FAILED


def test_a_worker_that_died_leaves_the_mail_to_the_next(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = send_one(brand)
    assert sent is not None

    def die(_mail: OutgoingMail) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outgoing_mails, "_carry", die)
        with pytest.raises(KeyboardInterrupt):
            outgoing_mails.deliver(sent.id)
    assert outgoing_mails.due() == []
    with time_machine.travel(timezone.now() + outgoing_mails.CLAIM + timedelta(seconds=1)):
        (left,) = outgoing_mails.due()
        outgoing_mails.deliver(left)
    assert len(mail.outbox) == 1


def test_a_published_key_signs(brand: Brand, cast: Cast, relay: MailServer) -> None:
    with everything("test"):
        sender = mail_senders.make_key(actor=cast.reseller_a.actor, brand=brand)
        name, text = selectors.key_record(sender)
    assert name == "mail1._domainkey.panel.reseller-a.example"
    send_one(brand)
    outgoing_mails.deliver(outgoing_mails.due()[0])
    assert b"DKIM-Signature" not in relay.taken[0].content
    MailSender._base_manager.update(dkim_state=MailSender.DkimState.PUBLISHED)
    send_one(brand)
    outgoing_mails.deliver(outgoing_mails.due()[0])
    signed = relay.taken[1].content
    record = {f"{name}.".encode(): text.encode()}

    def look_up(wanted: bytes, timeout: int = 5) -> bytes | None:
        return record.get(wanted)

    assert dkim.verify(signed, dnsfunc=look_up)
    assert not dkim.verify(signed.replace(b"Anna", b"Otto", 1), dnsfunc=look_up)
    assert not dkim.verify(b"From: other@example.org\r\n" + signed, dnsfunc=look_up)


def test_old_mail_is_forgotten(brand: Brand) -> None:
    sent = send_one(brand)
    assert sent is not None
    OutgoingMail._base_manager.update(state=OutgoingMail.State.FAILED)
    with time_machine.travel(timezone.now() + outgoing_mails.KEPT_TEXT + timedelta(hours=1)):
        outgoing_mails.forget()
        assert OutgoingMail._base_manager.get().sealed == ""
    with time_machine.travel(timezone.now() + outgoing_mails.KEPT + timedelta(hours=1)):
        outgoing_mails.forget()
    assert not OutgoingMail._base_manager.exists()
