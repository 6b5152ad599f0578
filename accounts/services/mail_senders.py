"""From whom a brand's mail comes: its address, its key for signing, its own SMTP account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dns.exception
import dns.resolver
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Brand, MailSender
from accounts.selectors import brand_mail as selectors
from accounts.services import outgoing_mails
from accounts.voice import identity, signing
from panel.core import audit, policy, vault
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Invalid, clean_or_invalid
from panel.core.queue import ring
from panel.core.scoping import everything

CHECK = "accounts.tasks.check_sender"
TRY = "accounts.tasks.try_sender"
FIELDS = ("from_address", "reply_to")
SMTP_FIELDS = ("smtp_host", "smtp_port", "smtp_security", "smtp_user")
PORTS = (25, 465, 587, 2525)
LONGEST_PASSWORD = 256
WAITING_EVERY = timedelta(minutes=5)
PUBLISHED_EVERY = timedelta(hours=6)
LIFETIME_SECONDS = 3.0
BATCH = 20

Publisher = Callable[[Actor, Brand, str, str], bool]
_publishers: list[Publisher] = []


def publish_by(publisher: Publisher) -> None:
    """Let `publisher` put a TXT record (name, text) of a brand into a zone; it tells whether it has one that holds it.

    For apps above this one, which have the zones.
    """
    _publishers.append(publisher)


def change(*, actor: Actor, brand: Brand, **values: Any) -> MailSender:
    """Set the address that a brand's mail comes from, or where answers go; a new domain has to publish the key anew."""
    _known(values, FIELDS)
    policy.require(actor, "brand.change", brand)
    with transaction.atomic():
        sender = _locked(brand)
        domain = _domain(sender)
        before = {field: getattr(sender, field) for field in values}
        for field, value in values.items():
            setattr(sender, field, value)
        clean_or_invalid(sender)
        if sender.dkim_state != MailSender.DkimState.OFF and _domain(sender) != domain:
            sender.dkim_state, sender.dkim_checked_at, sender.dkim_detail = MailSender.DkimState.WAITING, None, ""
        sender.save()
        after = {field: getattr(sender, field) for field in values}
        audit.record(actor, "mail_sender.change", sender, audit.difference(before, after))
        if sender.dkim_state == MailSender.DkimState.WAITING:
            _publish(actor, sender)
    return sender


def set_smtp(*, actor: Actor, brand: Brand, password: str | None = None, **values: Any) -> MailSender:
    """Give a brand its own SMTP account, which is tried before any mail leaves by it; without a host, take it away.

    `password` None keeps the one that is stored, as long as host, port and user stay what they are.
    """
    _known(values, SMTP_FIELDS)
    policy.require(actor, "brand.change", brand)
    with transaction.atomic():
        sender = _locked(brand)
        before = {field: getattr(sender, field) for field in values}
        for field, value in values.items():
            setattr(sender, field, value)
        sender.smtp_state = MailSender.SmtpState.TESTING if sender.smtp_host else MailSender.SmtpState.OFF
        clean_or_invalid(sender)
        if sender.smtp_port not in PORTS:
            allowed = ", ".join(str(port) for port in PORTS)
            raise Invalid(
                "smtp_port", _("Mail leaves by one of the ports %(ports)s.") % {"ports": allowed}, "smtp_port"
            )
        after = {field: getattr(sender, field) for field in values}
        if password is None and sender.smtp_secret and before != after and sender.smtp_host:
            raise Invalid(
                "password_again", _("Give the password again: it is only for the server it was given for."), "password"
            )
        _store_password(sender, password if sender.smtp_host else "")
        if any(character in sender.smtp_user for character in "\r\n\0"):
            raise Invalid("smtp_user", _("A user name is one line."), "smtp_user")
        sender.smtp_detail, sender.smtp_tested_at = "", None
        sender.save()
        changes = audit.difference(before, after)
        if password is not None:
            changes["password"] = ("", password)
        audit.record(actor, "mail_sender.smtp", sender, changes)
        if sender.smtp_host:
            ring(TRY, sender.id)
    return sender


def try_again(*, actor: Actor, brand: Brand) -> MailSender:
    """Try the own SMTP account once more."""
    policy.require(actor, "brand.change", brand)
    with transaction.atomic():
        sender = _locked(brand)
        if not sender.smtp_host:
            raise Conflict(_("There is no SMTP account to try."), code="no_smtp")
        sender.smtp_state, sender.smtp_detail = MailSender.SmtpState.TESTING, ""
        sender.save(update_fields=["smtp_state", "smtp_detail"])
        audit.record(actor, "mail_sender.try", sender)
        ring(TRY, sender.id)
    return sender


def allow_private(*, actor: Actor, brand: Brand, allowed: bool) -> MailSender:
    """Let a brand's own server be one that is not on the public Internet, or no longer. For the provider."""
    policy.require(actor, "brand.allow_private", brand)
    with transaction.atomic():
        sender = _locked(brand)
        before = sender.private_allowed
        sender.private_allowed = allowed
        sender.save(update_fields=["private_allowed"])
        audit.record(actor, "mail_sender.allow_private", sender, {"private_allowed": (before, allowed)})
    return sender


def make_key(*, actor: Actor, brand: Brand) -> MailSender:
    """Make a new key to sign mail with, and publish it where the zone is ours. Nothing is signed until the DNS has it.

    A brand that has a key gets another one under another name, so that mail on its way still verifies.
    """
    policy.require(actor, "brand.change", brand)
    private, public = signing.make()
    with transaction.atomic():
        sender = _locked(brand)
        number = int(sender.dkim_selector.removeprefix("mail") or 0) + 1
        secret = vault.put(f"DKIM key of {brand.id}", private)
        if sender.dkim_secret:
            vault.forget(sender.dkim_secret)
        sender.dkim_selector, sender.dkim_secret, sender.dkim_public = f"mail{number}", secret.id, public
        sender.dkim_state, sender.dkim_checked_at, sender.dkim_detail = MailSender.DkimState.WAITING, None, ""
        sender.save()
        audit.record(actor, "mail_sender.key", sender, {"dkim_selector": ("", sender.dkim_selector)})
        _publish(actor, sender)
    return sender


def check(*, actor: Actor, brand: Brand) -> MailSender:
    """Have a worker look whether the key is published."""
    policy.require(actor, "brand.change", brand)
    with transaction.atomic():
        sender = _locked(brand)
        if sender.dkim_state == MailSender.DkimState.OFF:
            raise Conflict(_("There is no key yet. Make one first."), code="no_key")
        audit.record(actor, "mail_sender.check", sender)
        ring(CHECK, sender.id)
    return sender


def due() -> list[str]:
    """Return the senders whose key is to be looked up again: soon while it waits, now and then once it is there."""
    now = timezone.now()
    with everything("keys of mail senders"):
        waiting = Q(dkim_state=MailSender.DkimState.WAITING, dkim_checked_at__lt=now - WAITING_EVERY)
        never = Q(dkim_state=MailSender.DkimState.WAITING, dkim_checked_at__isnull=True)
        there = Q(dkim_state=MailSender.DkimState.PUBLISHED, dkim_checked_at__lt=now - PUBLISHED_EVERY)
        rows = MailSender.objects.filter(waiting | never | there)
        return list(rows.order_by(F("dkim_checked_at").asc(nulls_first=True)).values_list("id", flat=True)[:BATCH])


def look(sender_id: str) -> None:
    """Look the key of a sender up in the public DNS and record what is there. For the worker."""
    with everything("key of a mail sender"):
        sender = MailSender.objects.select_related("brand__organization").filter(pk=sender_id).first()
        if sender is None or sender.dkim_state == MailSender.DkimState.OFF:
            return
        name = selectors.key_record(sender)[0]
        found, detail = _published(name, sender.dkim_public)
        state = MailSender.DkimState.PUBLISHED if found else MailSender.DkimState.WAITING
        if found is None and sender.dkim_state == MailSender.DkimState.PUBLISHED:
            state = MailSender.DkimState.PUBLISHED  # No answer says nothing; what was there stands until it is gone.
        same = MailSender.objects.filter(pk=sender.pk, dkim_secret=sender.dkim_secret)
        same.exclude(dkim_state=MailSender.DkimState.OFF).update(
            dkim_state=state, dkim_detail=detail, dkim_checked_at=timezone.now()
        )


def try_out(sender_id: str) -> None:
    """Connect to a sender's own server, encrypted, and sign in; record how it went. For the worker."""
    with everything("SMTP account of a brand"):
        sender = MailSender.objects.select_related("brand__organization").filter(pk=sender_id).first()
        if sender is None or sender.smtp_state != MailSender.SmtpState.TESTING:
            return
        state, detail = MailSender.SmtpState.WORKING, ""
        try:
            server = outgoing_mails.own_server(sender, identity.domain(sender.brand, sender))
            with outgoing_mails.closing(server):
                server.open()
        except (OSError, DomainError) as error:
            state, detail = MailSender.SmtpState.FAILED, outgoing_mails.reason(error)
        same = MailSender.objects.filter(pk=sender.pk, smtp_host=sender.smtp_host, smtp_secret=sender.smtp_secret)
        same.filter(smtp_state=MailSender.SmtpState.TESTING).update(
            smtp_state=state, smtp_detail=detail, smtp_tested_at=timezone.now()
        )


def _domain(sender: MailSender) -> str:
    return identity.wanted(sender.brand, sender).rpartition("@")[2]


def _known(values: dict[str, Any], fields: tuple[str, ...]) -> None:
    for field in values:
        if field not in fields:
            raise Invalid("unknown", _("A sender has no such field."), field)


def _locked(brand: Brand) -> MailSender:
    """The brand's sender, made when there is none, its row locked; inside a transaction."""
    MailSender.objects.get_or_create(brand=brand)
    rows = MailSender.objects.select_for_update(of=("self",)).select_related("brand__organization")
    return rows.get(brand=brand)


def _store_password(sender: MailSender, password: str | None) -> None:
    if password is None:
        return
    if len(password) > LONGEST_PASSWORD or "\0" in password:
        raise Invalid(
            "smtp_password", _("A password has at most %(count)d characters.") % {"count": LONGEST_PASSWORD}, "password"
        )
    if sender.smtp_secret:
        vault.forget(sender.smtp_secret)
    sender.smtp_secret = vault.put(f"SMTP password of {sender.brand_id}", password.encode()).id if password else ""


def _publish(actor: Actor, sender: MailSender) -> None:
    name, text = selectors.key_record(sender)
    for publisher in _publishers:
        if publisher(actor, sender.brand, name, text):
            break
    ring(CHECK, sender.id)


def _published(name: str, public: str) -> tuple[bool | None, str]:
    """Whether the DNS has the key, None when it did not answer, and what is wrong."""
    resolver = dns.resolver.Resolver(configure=not settings.PUBLIC_RESOLVERS)
    if settings.PUBLIC_RESOLVERS:
        resolver.nameservers = list(settings.PUBLIC_RESOLVERS)
    resolver.lifetime = LIFETIME_SECONDS
    try:
        answer = resolver.resolve(f"{name}.", "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False, _("There is no such record yet.")
    except (dns.exception.DNSException, OSError):
        return None, _("The DNS did not answer.")
    texts = [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
    if any(signing.says(text, public) for text in texts):
        return True, ""
    return False, _("The record holds another key.")
