"""A brand's mail as pages and API show it: sender, records to publish, texts, and what is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation

from accounts.models import Brand, MailSender, MailTemplate, OutgoingMail
from accounts.voice import identity, signing
from accounts.voice.catalogue import KINDS, Kind


@dataclass(frozen=True)
class Text:
    """The text of a kind of mail as readers of a language get it: the brand's own in that language (`own`), else the
    brand's own in its language (`stands_in` names that), else ours.
    """

    kind: Kind
    language: str
    subject: str
    text: str
    own: bool
    stands_in: str = ""


def sender(brand: Brand) -> MailSender:
    """Return the brand's sender; one that is not in the database while nothing was set."""
    return MailSender.objects.select_related("brand__organization").filter(brand=brand).first() or MailSender(
        brand=brand
    )


def languages() -> list[tuple[str, str]]:
    """Return code and name of each language that mail is written in."""
    return list(settings.LANGUAGES)


def texts(brand: Brand, language: str = "") -> list[Text]:
    """Return every kind of mail with its text in a language, by default the brand's; one query."""
    rows: dict[str, dict[str, MailTemplate]] = {kind: {} for kind in KINDS}
    for row in MailTemplate.objects.filter(brand=brand):
        rows.setdefault(row.kind, {})[row.language] = row
    return [_text(brand, kind, rows[kind.name], language) for kind in KINDS.values()]


def text(brand: Brand, name: str, language: str = "") -> Text | None:
    """Return one kind of mail with its text in a language, by default the brand's; None where there is no such kind."""
    kind = KINDS.get(name)
    if kind is None:
        return None
    rows = {row.language: row for row in MailTemplate.objects.filter(brand=brand, kind=name)}
    return _text(brand, kind, rows, language)


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


def _text(brand: Brand, kind: Kind, rows: Mapping[str, MailTemplate], language: str) -> Text:
    language = language or brand.locale
    row = rows.get(language) or rows.get(brand.locale)
    if row is not None:
        stands_in = "" if row.language == language else row.language
        return Text(kind, language, row.subject, row.text, own=not stands_in, stands_in=stands_in)
    with translation.override(language):
        return Text(kind, language, str(kind.subject), str(kind.text), own=False)
