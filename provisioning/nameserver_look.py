"""Asks the public DNS and the parent zone's own servers about name servers: addresses, delegation, glue (RFC 9471)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.resolver

from panel.core import public_dns
from panel.core.public_suffixes import registrable

SECONDS = 3.0
MOST_PARENTS = 3


@dataclass(frozen=True)
class Finding:
    """What one name server is in the DNS.

    `found` are its addresses by the public DNS; `delegated` are the name servers that the parent zone gives for
    `domain`, `glue` the addresses that it gives for this one. `asked` tells whether a server of the parent answered.
    """

    host: str
    domain: str
    found: list[str] = field(default_factory=list)
    asked: bool = False
    delegated: list[str] = field(default_factory=list)
    glue: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Finding:
        """Return what `plain` wrote."""
        return cls(**stored)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Referral:
    """What a parent zone says of a domain: its name servers, and the addresses of those below the domain itself."""

    nameservers: list[str]
    glue: dict[str, list[str]]


def look(hosts: Iterable[str]) -> list[Finding]:
    """Look each name server up and ask its domain's parent zone; some seconds for each domain at most."""
    hosts = list(hosts)
    domains = {host: registrable(host) or host for host in hosts}
    referrals = {domain: ask_parent(domain) for domain in dict.fromkeys(domains.values())}
    findings = []
    for host in hosts:
        referral = referrals[domains[host]]
        findings.append(
            Finding(
                host=host,
                domain=domains[host],
                found=public_dns.addresses(host),
                asked=referral is not None,
                delegated=referral.nameservers if referral else [],
                glue=referral.glue.get(host, []) if referral else [],
            )
        )
    return findings


def ask_parent(domain: str) -> Referral | None:
    """Ask the servers of the zone above `domain` how they delegate it; None when none of them answers."""
    parent = domain.partition(".")[2] or "."
    for address in _servers_of(parent)[:MOST_PARENTS]:
        question = dns.message.make_query(f"{domain.rstrip('.')}.", dns.rdatatype.NS)
        question.flags &= ~dns.flags.RD
        try:
            answer, _tcp = dns.query.udp_with_fallback(question, address, timeout=SECONDS)
        except (dns.exception.DNSException, OSError):
            continue
        return _referral(answer, dns.name.from_text(domain))
    return None


def _servers_of(zone: str) -> list[str]:
    """Return addresses of a zone's own servers; the nearest zone above that has some, where the name is no zone."""
    asked = public_dns.resolver(SECONDS)
    try:
        apex = dns.resolver.zone_for_name(f"{zone.rstrip('.')}.", resolver=asked)
        hosts = [str(row.target).rstrip(".") for row in asked.resolve(apex, "NS")]
    except (dns.exception.DNSException, OSError):
        return []
    found: list[str] = []
    for host in sorted(hosts)[:MOST_PARENTS]:
        found += [address for address in public_dns.addresses(host) if address not in found]
    return sorted(found, key=lambda address: ":" in address)


def _referral(answer: dns.message.Message, domain: dns.name.Name) -> Referral:
    nameservers: list[str] = []
    for section in (answer.answer, answer.authority):
        for rows in section:
            if rows.rdtype == dns.rdatatype.NS and rows.name == domain:
                nameservers += [str(row.target).rstrip(".").lower() for row in rows]
    glue: dict[str, list[str]] = {}
    for rows in answer.additional:
        if rows.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) and rows.name.is_subdomain(domain):
            glue.setdefault(str(rows.name).rstrip(".").lower(), []).extend(row.address for row in rows)
    return Referral(sorted(set(nameservers)), {host: sorted(addresses) for host, addresses in glue.items()})
