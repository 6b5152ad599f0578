"""Whether the public MX of a mail domain points to the server that carries its mail (RFC 5321 §5)."""

from __future__ import annotations

from datetime import timedelta

import dns.exception
import dns.resolver
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from provisioning.models import Address, MailDomain
from provisioning.services import mail_domains

BATCH = 50
FIRST_HOUR_EVERY = timedelta(seconds=30)
LATER_EVERY = timedelta(hours=1)
LIFETIME_SECONDS = 3.0


def due() -> Q:
    """Select mail domains to look at now: half a minute apart in their first hour, hourly later."""
    now = timezone.now()
    never = Q(checked_at__isnull=True)
    young = Q(created_at__gt=now - LATER_EVERY, checked_at__lt=now - FIRST_HOUR_EVERY)
    return Q(delivery=MailDomain.Delivery.PENDING) & (never | young | Q(checked_at__lt=now - LATER_EVERY))


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
    resolver = dns.resolver.Resolver(configure=not settings.PUBLIC_RESOLVERS)
    if settings.PUBLIC_RESOLVERS:
        resolver.nameservers = list(settings.PUBLIC_RESOLVERS)
    resolver.lifetime = LIFETIME_SECONDS
    try:
        exchanges = sorted(resolver.resolve(f"{name}.", "MX"), key=lambda row: row.preference)
        found: set[str] = set()
        for kind in ("A", "AAAA"):
            answer = resolver.resolve(exchanges[0].exchange, kind, raise_on_no_answer=False)
            found |= {row.address for row in answer}
    except (dns.exception.DNSException, OSError):
        return False
    return bool(found) and found <= own
