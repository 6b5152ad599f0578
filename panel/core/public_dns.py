"""Questions to the public DNS, by the resolvers configured for the panel, bounded in time. Keeps nothing."""

import dns.exception
import dns.resolver
import dns.reversename
from django.conf import settings

LIFETIME_SECONDS = 3.0


def resolver(lifetime: float = LIFETIME_SECONDS) -> dns.resolver.Resolver:
    """Return a resolver that asks `PUBLIC_RESOLVERS`, or this machine's own without any, for `lifetime` seconds."""
    made = dns.resolver.Resolver(configure=not settings.PUBLIC_RESOLVERS)
    if settings.PUBLIC_RESOLVERS:
        made.nameservers = list(settings.PUBLIC_RESOLVERS)
    made.lifetime = lifetime
    return made


def addresses(host: str) -> list[str]:
    """Return the IPv4 and IPv6 addresses of a host name, sorted; none when it has none or nobody answers."""
    found: set[str] = set()
    asked = resolver()
    for kind in ("A", "AAAA"):
        try:
            found |= {row.address for row in asked.resolve(f"{host}.", kind, raise_on_no_answer=False)}
        except (dns.exception.DNSException, OSError):
            continue
    return sorted(found)


def pointers(address: str) -> list[str] | None:
    """Return the reverse names (PTR) of an address, sorted, without the dot at the end; None when nobody answers."""
    try:
        answer = resolver().resolve(dns.reversename.from_address(address), "PTR", raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return []
    except (dns.exception.DNSException, OSError):
        return None
    return sorted(str(row.target).rstrip(".").lower() for row in answer)


def texts(name: str) -> list[str]:
    """Return the TXT records of a name, each joined to one text; none when it has none or nobody answers."""
    try:
        answer = resolver().resolve(f"{name}.", "TXT", raise_on_no_answer=False)
    except (dns.exception.DNSException, OSError):
        return []
    return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
