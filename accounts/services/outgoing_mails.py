"""Mail on its way: put down in the transaction of what it tells of, sent by a worker, tried again, given up in the end.

At least once: a worker that dies while it sends leaves the mail to the next one, with the same Message-ID.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime

import structlog
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Brand, MailSender, MailTemplate, OutgoingMail
from accounts.selectors import brands
from accounts.voice import attachments, html, identity, mustache, signing
from accounts.voice.catalogue import KINDS, Kind
from accounts.voice.smtp import SmtpBackend
from panel.core import audit, outbound, policy, vault
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError
from panel.core.names import NameInvalid, mail_address
from panel.core.queue import ring
from panel.core.scoping import everything

DELIVER = "accounts.tasks.deliver_mail"
MOST_ATTEMPTS = 8
FIRST_RETRY = timedelta(minutes=1)
CLAIM = timedelta(minutes=5)
KEPT = timedelta(days=30)
KEPT_TEXT = timedelta(days=3)
TIMEOUT_SECONDS = 20
BATCH = 100

log = structlog.get_logger(__name__)


class Undeliverable(Exception):
    """The mail will never be taken; the message says why, without what it holds."""


def send(
    *,
    brand: Brand,
    to: str,
    template: str,
    context: Mapping[str, str],
    locale: str = "",
    once: str | None = None,
    kind: str = "",
) -> OutgoingMail | None:
    """Send a mail of a kind of the catalogue in the name of `brand`, once the current transaction commits.

    `context` has the values of the kind's placeholders; what it leaves out counts as not there. Dates and numbers come
    as texts for the reader. `locale` is the reader's language; where the brand has no text of its own in it, the one in
    the brand's language goes out, and where it has none at all, ours in the reader's. With `once` nothing is sent, and
    None returned, when something was sent for it before. `kind` is what the outbox calls it, if not the template.
    """
    rows = MailTemplate._base_manager.filter(brand=brand, kind=template)
    own = {row.language: row for row in rows.filter(language__in={locale, brand.locale})}
    subject, text = _filled(brand, template, own, context, locale)
    return send_text(brand=brand, to=to, subject=subject, text=text, kind=kind or template, locale=locale, once=once)


@dataclass(frozen=True)
class Letter:
    """What `send` is told of a mail that goes out with others; `attachment` names a file (voice.attachments)."""

    brand: Brand
    to: str
    template: str
    context: Mapping[str, str]
    locale: str
    once: str
    attachment: str = ""


def send_all(letters: Sequence[Letter]) -> None:
    """Do what `send` does for many mails in a number of queries that does not grow with them."""
    rows = MailTemplate._base_manager.filter(
        brand__in={letter.brand.pk for letter in letters}, kind__in={letter.template for letter in letters}
    )
    own: dict[tuple[str, str], dict[str, MailTemplate]] = {}
    for row in rows:
        own.setdefault((row.brand_id, row.kind), {})[row.language] = row
    mails = []
    for letter in letters:
        words = own.get((letter.brand.pk, letter.template), {})
        subject, text = _filled(letter.brand, letter.template, words, letter.context, letter.locale)
        mail = _mail(
            letter.brand, letter.to, subject, text, kind=letter.template, locale=letter.locale, once=letter.once
        )
        mail.attachment = letter.attachment
        mails.append(mail)
    OutgoingMail._base_manager.bulk_create(mails, ignore_conflicts=True)
    for mail in mails:
        ring(DELIVER, mail.id)


def send_text(
    *, brand: Brand, to: str, subject: str, text: str, kind: str, locale: str = "", once: str | None = None
) -> OutgoingMail | None:
    """Send a mail whose words are ready; the same as `send` otherwise. `kind` is what the outbox calls it."""
    mail = _mail(brand, to, subject, text, kind=kind, locale=locale, once=once)
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
    except IntegrityError:
        if once is None:
            raise
        return None
    ring(DELIVER, mail.id)
    return mail


def _filled(
    brand: Brand, template: str, own: Mapping[str, MailTemplate], context: Mapping[str, str], locale: str
) -> tuple[str, str]:
    """Return subject and text of a kind of mail with its values; `own` has the brand's texts by language."""
    kind = KINDS[template]
    with translation.override(locale or brand.locale):
        subject, text = _texts(kind, own.get(locale) or own.get(brand.locale))
        values = dict.fromkeys(kind.words, "") | common(brand) | dict(context)
        return mustache.fill(subject, values), mustache.fill(text, values)


def _mail(brand: Brand, to: str, subject: str, text: str, *, kind: str, locale: str, once: str | None) -> OutgoingMail:
    subject = " ".join(subject.split())[:250]
    language = locale or brand.locale
    with translation.override(language):
        content = {"subject": subject, "text": text, "html": html.of(brand, subject, text, language)}
    return OutgoingMail(
        brand=brand,
        kind=kind,
        recipient=to,
        sealed=vault.seal(json.dumps(content)),
        once=once,
        next_at=timezone.now(),
    )


def common(brand: Brand) -> dict[str, str]:
    """Return the values of the placeholders that every mail of a brand has."""
    support = brand.support_email or brand.support_url
    return {"brand": brand.name, "panel": brands.base_url(brand), "support": support}


def deliver(mail_id: str) -> None:
    """Send a mail whose turn it is; what fails waits for its next turn, twice as long each time, and is given up after
    the eighth. For the worker.
    """
    now = timezone.now()
    with everything("outgoing mail"):
        due = OutgoingMail.objects.filter(pk=mail_id, state=OutgoingMail.State.WAITING, next_at__lte=now)
        if not due.update(attempts=F("attempts") + 1, next_at=now + CLAIM):
            return
        mail = OutgoingMail.objects.select_related("brand__organization").get(pk=mail_id)
        try:
            _carry(mail)
        except (Undeliverable, OSError, DomainError) as error:
            _failed(mail, error)
            return
        mail.state, mail.sent_at, mail.sealed, mail.detail = OutgoingMail.State.SENT, timezone.now(), "", ""
        mail.save(update_fields=["state", "sent_at", "sealed", "detail"])


def due() -> list[str]:
    """Return mail whose turn has come, oldest first; for the sweep, since a ring may get lost."""
    with everything("outgoing mail"):
        rows = OutgoingMail.objects.filter(state=OutgoingMail.State.WAITING, next_at__lte=timezone.now())
        return list(rows.order_by("id").values_list("id", flat=True)[:BATCH])


def forget() -> None:
    """Empty what was given up three days ago, and delete what is older than a month."""
    now = timezone.now()
    with everything("outgoing mail"):
        given_up = OutgoingMail.objects.filter(state=OutgoingMail.State.FAILED, created_at__lt=now - KEPT_TEXT)
        given_up.exclude(sealed="").update(sealed="")
        OutgoingMail.objects.exclude(state=OutgoingMail.State.WAITING).filter(created_at__lt=now - KEPT).delete()


def retry(*, actor: Actor, mail: OutgoingMail) -> OutgoingMail:
    """Try a mail again that was given up."""
    policy.require(actor, "brand.change", mail)
    with transaction.atomic():
        waiting = OutgoingMail.objects.filter(pk=mail.pk, state=OutgoingMail.State.FAILED).exclude(sealed="")
        if not waiting.update(state=OutgoingMail.State.WAITING, attempts=0, next_at=timezone.now(), detail=""):
            raise Conflict(_("Only mail that was given up, and not long ago, can be sent again."), code="not_retryable")
        audit.record(actor, "mail.retry", mail)
        ring(DELIVER, mail.id)
    mail.refresh_from_db()
    return mail


def _texts(kind: Kind, own: MailTemplate | None) -> tuple[str, str]:
    return (own.subject, own.text) if own is not None else (str(kind.subject), str(kind.text))


def _carry(mail: OutgoingMail) -> None:
    """Hand a mail to a server; raises OSError (smtplib's errors are such) or Undeliverable."""
    found = MailSender.objects.filter(brand=mail.brand).first()
    message = written(mail, found)
    message.connection = connection(found, identity.domain(mail.brand, found))
    with closing(message.connection):
        message.send()


@contextmanager
def closing(server: BaseEmailBackend) -> Iterator[None]:
    """Close a connection in the end, also one that never came about; what a server says to that does not matter."""
    try:
        yield
    finally:
        with suppress(OSError):
            server.close()


def written(mail: OutgoingMail, found: MailSender | None) -> signing.SignedMessage:
    """Return a mail as it leaves, to the last header; how it is carried is left open. Raises Undeliverable."""
    brand = mail.brand
    content = json.loads(vault.unseal(mail.sealed))
    domain = identity.domain(brand, found)
    answers = identity.reply_to(brand, found)
    try:
        mail_address(mail.recipient)
    except NameInvalid as error:
        raise Undeliverable(_("This is no mail address.")) from error
    message = signing.SignedMessage(
        content["subject"],
        content["text"],
        identity.sender(brand, found),
        [mail.recipient],
        reply_to=[answers] if answers else None,
        headers={
            "Message-ID": f"<{mail.id}@{domain}>",
            "Date": format_datetime(mail.created_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(content["html"], "text/html")
    if mail.attachment:
        found_file = _attachment(mail.attachment)
        message.attach(found_file.name, found_file.content, found_file.content_type)
    own_server = found is not None and found.has_own_server
    if found is not None and not own_server and found.dkim_state == MailSender.DkimState.PUBLISHED:
        message.key = signing.Key(domain, found.dkim_selector, vault.get(found.dkim_secret))
    return message


def _attachment(reference: str) -> attachments.Attachment:
    try:
        return attachments.fetch(reference)
    except attachments.AttachmentGone as error:
        raise Undeliverable(_("The file that goes with this mail is gone.")) from error


def connection(sender: MailSender | None, helo: str) -> SmtpBackend:
    """Return the way out: the brand's own SMTP account when it works, else the installation's.

    Raises Invalid when the own server's host is not one that may be connected to.
    """
    if sender is None or not sender.has_own_server:
        found: SmtpBackend = get_connection(helo=helo)
        return found
    return own_server(sender, helo)


def own_server(sender: MailSender, helo: str) -> SmtpBackend:
    """Return a connection to the brand's own server, whose host is looked up now and only now."""
    addresses = outbound.resolve(
        sender.smtp_host, sender.smtp_port, private_allowed=sender.private_allowed, field="smtp_host"
    )
    tls = sender.smtp_security == MailSender.Security.TLS
    return SmtpBackend(
        host=sender.smtp_host,
        port=sender.smtp_port,
        username=sender.smtp_user,
        password=vault.get(sender.smtp_secret).decode() if sender.smtp_secret else "",
        use_tls=not tls,
        use_ssl=tls,
        timeout=TIMEOUT_SECONDS,
        helo=helo,
        address=addresses[0],
    )


def _failed(mail: OutgoingMail, error: Exception) -> None:
    for_good = isinstance(error, Undeliverable) or (
        isinstance(error, smtplib.SMTPRecipientsRefused)
        and all(500 <= code < 600 for code, _words in error.recipients.values())
    )
    mail.detail = reason(error)
    if for_good or mail.attempts >= MOST_ATTEMPTS:
        mail.state = OutgoingMail.State.FAILED
    else:
        mail.next_at = timezone.now() + FIRST_RETRY * 2 ** (mail.attempts - 1)
    mail.save(update_fields=["state", "next_at", "detail"])
    log.warning("mail.failed", mail=mail.id, brand=mail.brand_id, kind=mail.kind, error=type(error).__name__)


def reason(error: Exception) -> str:
    """Return why a server could not be used, in words that tell a person what to look at and nothing that the server
    said: it may be anybody's.
    """
    if isinstance(error, DomainError):
        return error.message
    if isinstance(error, Undeliverable):
        return str(error)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return _("The mail server refused the user name or password.")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _("The mail server refused the recipient.")
    if isinstance(error, smtplib.SMTPSenderRefused):
        return _("The mail server refused the sender's address.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return _("The mail server does not offer what is needed: encryption, and signing in.")
    if isinstance(error, smtplib.SMTPException):
        return _("The mail server did not take the mail.")
    if isinstance(error, TimeoutError):
        return _("The mail server did not answer in time.")
    if type(error).__module__ == "ssl":
        return _("The mail server's certificate is not valid for its name.")
    return _("The mail server could not be reached.")
