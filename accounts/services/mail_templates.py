"""A brand's own texts of mail, by language: set, reset, looked at with sample values, tried on oneself."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Brand, MailTemplate, OutgoingMail
from accounts.selectors import brand_mail as selectors
from accounts.selectors import users
from accounts.services import outgoing_mails
from accounts.voice import html, mustache
from accounts.voice.catalogue import KINDS, Kind
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Forbidden, Invalid, NotFound, clean_or_invalid

LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Preview:
    """A mail as its reader would get it."""

    subject: str
    text: str
    html: str


def chosen_language(brand: Brand, code: str = "") -> str:
    """Return the language that `code` names, by default the brand's. Raises Invalid where mail is not written in it."""
    known = [known for known, _name in selectors.languages()]
    if code and code not in known:
        raise Invalid(
            "unknown_language",
            _("Mail is not written in this language. Use one of %(codes)s.") % {"codes": ", ".join(known)},
            "language",
        )
    return code or brand.locale


def set(*, actor: Actor, brand: Brand, kind: str, subject: str, text: str, language: str = "") -> MailTemplate:
    """Give a kind of mail the brand's own text in a language, by default the brand's.

    Raises Invalid for a language that mail is not written in, a placeholder that the kind does not have, a section that
    is not closed, a missing word without which the mail would be of no use, or a subject of several lines.
    """
    policy.require(actor, "brand.change", brand)
    found, code = _kind(kind), chosen_language(brand, language)
    subject, text = subject.strip(), text.replace("\r\n", "\n").strip() + "\n"
    _check(found, subject, text)
    with transaction.atomic():
        rows = MailTemplate.objects.select_for_update(of=("self",))
        row = rows.filter(brand=brand, kind=kind, language=code).first()
        before = {"subject": row.subject, "text": row.text} if row else {}
        row = row or MailTemplate(brand=brand, kind=kind, language=code)
        row.subject, row.text = subject, text
        clean_or_invalid(row)
        row.save()
        audit.record(
            actor, "mail_template.set", row, audit.difference(before, {"subject": row.subject, "text": row.text})
        )
    return row


def reset(*, actor: Actor, brand: Brand, kind: str, language: str = "") -> None:
    """Give up the brand's own text in a language, by default the brand's; nothing happens where there is none."""
    policy.require(actor, "brand.change", brand)
    _kind(kind)
    code = chosen_language(brand, language)
    with transaction.atomic():
        row = MailTemplate.objects.filter(brand=brand, kind=kind, language=code).first()
        if row is not None:
            audit.record(actor, "mail_template.reset", row, {"subject": (row.subject, ""), "text": (row.text, "")})
            row.delete()


def preview(
    *, actor: Actor, brand: Brand, kind: str, subject: str | None = None, text: str | None = None, language: str = ""
) -> Preview:
    """Return a kind of mail with sample values, as a reader of a language (by default the brand's) gets it: as it
    stands, or with other words that are not stored.

    Raises Invalid as `set` does.
    """
    policy.require(actor, "brand.view", brand)
    found = _kind(kind)
    stands = selectors.text(brand, kind, chosen_language(brand, language))
    if stands is None:
        raise NotFound()
    subject = stands.subject if subject is None else subject.strip()
    text = stands.text if text is None else text
    _check(found, subject, text)
    return _filled(brand, found, subject, text, stands.language)


def send_test(*, actor: Actor, brand: Brand, kind: str, language: str = "") -> OutgoingMail:
    """Send a kind of mail with sample values, in a language, to the person who asks, and to nobody else."""
    policy.require(actor, "brand.change", brand)
    stands = selectors.text(brand, _kind(kind).name, chosen_language(brand, language))
    if actor.user_id is None or stands is None:
        raise Forbidden(_("Only a person can send a mail to themselves."), code="no_address")
    filled = _filled(brand, stands.kind, stands.subject, stands.text, stands.language)
    with transaction.atomic():
        mail = outgoing_mails.send_text(
            brand=brand,
            to=users.one(actor.user_id).email,
            subject=filled.subject,
            text=filled.text,
            kind="test",
            locale=stands.language,
        )
        if mail is None:
            raise NotFound()
        audit.record(actor, "mail_template.test", mail)
    return mail


def _kind(name: str) -> Kind:
    found = KINDS.get(name)
    if found is None:
        raise NotFound()
    return found


def _filled(brand: Brand, kind: Kind, subject: str, text: str, language: str) -> Preview:
    with translation.override(language):
        samples = {word: str(meaning.sample) for word, meaning in kind.words.items()}
        values = samples | outgoing_mails.common(brand)
        subject, text = " ".join(mustache.fill(subject, values).split()), mustache.fill(text, values)
        return Preview(subject, text, html.of(brand, subject, text, language))


def _check(kind: Kind, subject: str, text: str) -> None:
    if not subject or "\n" in subject or "\r" in subject:
        raise Invalid("subject", _("The subject is one line."), "subject")
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise Invalid("text", _("Give a text of at most %(count)d characters.") % {"count": LONGEST_TEXT}, "text")
    printed: frozenset[str] = frozenset()
    for field, template in (("subject", subject), ("text", text)):
        try:
            printed |= mustache.check(template, kind.words)
        except mustache.TemplateInvalid as error:
            raise Invalid(error.rule, error.message, field) from error
    missing = sorted(kind.required - printed)
    if missing:
        raise Invalid(
            "missing_placeholder",
            _("Without {{%(word)s}} this mail is of no use; put it into the text.") % {"word": missing[0]},
            "text",
        )
