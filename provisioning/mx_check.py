"""Whether the public MX of a mail domain points to the server that carries its mail (RFC 5321 §5)."""

from __future__ import annotations

import time
from datetime import timedelta

import dns.exception
import dns.flags
import dns.name
import dns.resolver
from django.db.models import F, Q
from django.utils import timezone

from panel.core import public_dns
from provisioning.models import Address, HostingAccount, MailDomain
from provisioning.services import mail_domains

BATCH = 50
FIRST_HOUR_EVERY = timedelta(seconds=30)
LATER_EVERY = timedelta(hours=1)
LIFETIME_SECONDS = 3.0
TASK_SECONDS = 20.0


def due() -> Q:
    """Select mail domains to look at now: half a minute apart in their first hour, hourly later."""
    now = timezone.now()
    never = Q(checked_at__isnull=True)
    young = Q(created_at__gt=now - LATER_EVERY, checked_at__lt=now - FIRST_HOUR_EVERY)
    waiting = Q(delivery=MailDomain.Delivery.PENDING, hosting__status=HostingAccount.Status.ACTIVE)
    return waiting & (never | young | Q(checked_at__lt=now - LATER_EVERY))


def check_due() -> None:
    """Look at the mail domains whose turn it is, for at most about twenty seconds; each by one worker only."""
    deadline = time.monotonic() + TASK_SECONDS
    for mail_domain in MailDomain.objects.filter(due()).order_by(F("checked_at").asc(nulls_first=True))[:BATCH]:
        if time.monotonic() > deadline:
            return
        if mail_domains.take_check(mail_domain=mail_domain):
            check(mail_domain)


def check(mail_domain: MailDomain) -> None:
    """Look up the MX in the public DNS and record whether every preferred host is the domain's own mail server."""
    placed = Address.objects.filter(
        server__placements__hosting=mail_domain.hosting_id, server__placements__service="mail"
    )
    own = {address.public for address in placed}
    mail_domains.record_check(
        mail_domain_id=mail_domain.id, points_here=bool(own) and _points_to(mail_domain.name, own)
    )


def _points_to(name: str, own: set[str]) -> bool:
    resolver = public_dns.resolver(LIFETIME_SECONDS)
    try:
        answer = resolver.resolve(f"{name}.", "MX")
        if answer.response.flags & dns.flags.AA:
            return False  # From a server that holds the zone itself, perhaps ours: it says nothing of the public DNS.
        best = min(row.preference for row in answer)
        found: set[str] = set()
        for row in answer:
            if row.preference == best:
                found |= _addresses(resolver, row.exchange)
    except (dns.exception.DNSException, OSError):
        return False
    return bool(found) and found <= own


def _addresses(resolver: dns.resolver.Resolver, host: dns.name.Name) -> set[str]:
    answers = [resolver.resolve(host, kind, raise_on_no_answer=False) for kind in ("A", "AAAA")]
    return {row.address for answer in answers for row in answer}
