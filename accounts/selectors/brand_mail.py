"""A brand's mail as pages and API show it: sender, records to publish, texts, and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation

from accounts.models import Brand, MailSender, MailTemplate, OutgoingMail
from accounts.voice import identity, signing
from accounts.voice.catalogue import KINDS, Kind


@dataclass(frozen=True)
class Text:
    """The text of a kind of mail as it stands: a brand's own, or ours in the brand's language."""

    kind: Kind
    subject: str
    text: str
    own: bool


def sender(brand: Brand) -> MailSender:
    """Return the brand's sender; one that is not in the database while nothing was set."""
    return MailSender.objects.select_related("brand__organization").filter(brand=brand).first() or MailSender(
        brand=brand
    )


def texts(brand: Brand) -> list[Text]:
    """Return every kind of mail with its text."""
    rows = {row.kind: row for row in MailTemplate.objects.filter(brand=brand)}
    return [_text(brand, kind, rows.get(kind.name)) for kind in KINDS.values()]


def text(brand: Brand, name: str) -> Text | None:
    """Return one kind of mail with its text, or None where there is no such kind."""
    kind = KINDS.get(name)
    return None if kind is None else _text(brand, kind, MailTemplate.objects.filter(brand=brand, kind=name).first())


def outgoing(brand: Brand) -> QuerySet[OutgoingMail]:
    """Return the mail of a brand of the last month, newest first."""
    return OutgoingMail.objects.filter(brand=brand)


def title(kind: str) -> str:
    """Return what a mail of the outbox is called."""
    name = "security" if kind.startswith("notice.") else kind
    return str(KINDS[name].title) if name in KINDS else kind


def sender_line(brand: Brand) -> str:
    """Return the From of a brand's mail."""
    return identity.sender(brand, sender(brand))


def key_record(sender: MailSender) -> tuple[str, str]:
    """Return name and text of the TXT record that publishes a sender's key (RFC 6376 §3.6.2)."""
    domain = identity.wanted(sender.brand, sender).rpartition("@")[2]
    return signing.record_name(sender.dkim_selector, domain), signing.record_text(sender.dkim_public)


def spf(sender: MailSender) -> tuple[str, str] | None:
    """Return name and text of the SPF record (RFC 7208) under which the installation may send for the brand; None where
    the settings do not say from which addresses it sends.
    """
    if not settings.MAIL_SOURCES:
        return None
    addresses = " ".join(f"ip{6 if ':' in address else 4}:{address}" for address in settings.MAIL_SOURCES)
    return identity.wanted(sender.brand, sender).rpartition("@")[2], f"v=spf1 {addresses} ~all"


def _text(brand: Brand, kind: Kind, row: MailTemplate | None) -> Text:
    if row is not None:
        return Text(kind, row.subject, row.text, own=True)
    with translation.override(brand.locale):
        return Text(kind, str(kind.subject), str(kind.text), own=False)
