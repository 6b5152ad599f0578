"""Whether the public MX points here, asked of a small DNS server of the test's own on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from panel.core.scoping import everything
from provisioning import mx_check
from provisioning.models import MailDomain
from tests.provisioning.ground import Ground


@dataclass
class PublicDns:
    """Answers from `records` {(name, type): [contents]}, as a resolver does; with `authoritative` as the zone's own."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    authoritative: bool = False

    def answer(self, wire: bytes) -> bytes:
        """Return the answer to one query."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), question.rdtype.name
        answer = dns.message.make_response(query, recursion_available=True)
        if self.authoritative:
            answer.flags |= dns.flags.AA
        contents = self.records.get((name, kind), [])
        if contents:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *contents))
        elif not any(known == name for known, _kind in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()


@pytest.fixture
def public_dns(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicDns]:
    """The public DNS as far as this test's panel can see."""
    served = PublicDns()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                wire, client = server.recvfrom(4096)
                if not wire:
                    return
                server.sendto(served.answer(wire), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        settings.PUBLIC_RESOLVERS = ["127.0.0.1"]
        original = dns.resolver.Resolver.reset

        def reset(self: dns.resolver.Resolver) -> None:
            original(self)
            self.port = server.getsockname()[1]

        monkeypatch.setattr(dns.resolver.Resolver, "reset", reset)
        yield served
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join(5)


HERE = ["198.51.100.2"]
ELSEWHERE = ["203.0.113.50"]


@pytest.mark.parametrize(
    ("records", "authoritative", "expected"),
    [
        ({("a-site.org", "MX"): ["10 mail.a-site.org."], ("mail.a-site.org", "A"): HERE}, False, "verified"),
        ({("a-site.org", "MX"): ["10 mail.a-site.org."], ("mail.a-site.org", "A"): ELSEWHERE}, False, "pending"),
        ({("a-site.org", "MX"): ["10 mail.a-site.org."], ("mail.a-site.org", "A"): HERE}, True, "pending"),
        ({("a-site.org", "MX"): ["10 mail.a-site.org."], ("mail.a-site.org", "A"): HERE + ELSEWHERE}, False, "pending"),
        (
            {
                ("a-site.org", "MX"): ["10 mail.a-site.org.", "10 other.example."],
                ("mail.a-site.org", "A"): HERE,
                ("other.example", "A"): ELSEWHERE,
            },
            False,
            "pending",
        ),
        (
            {
                ("a-site.org", "MX"): ["10 mail.a-site.org.", "20 backup.example."],
                ("mail.a-site.org", "A"): HERE,
                ("backup.example", "A"): ELSEWHERE,
            },
            False,
            "verified",
        ),
        ({("a-site.org", "MX"): ["0 ."]}, False, "pending"),
        ({("a-site.org", "A"): HERE}, False, "pending"),
        ({}, False, "pending"),
    ],
    ids=["here", "elsewhere", "own zone", "half here", "equal elsewhere", "backup elsewhere", "null", "no MX", "none"],
)
def test_only_an_mx_that_points_here_for_sure_counts(
    ground: Ground,
    public_dns: PublicDns,
    records: dict[tuple[str, str], list[str]],
    authoritative: bool,
    expected: str,
):
    public_dns.records, public_dns.authoritative = records, authoritative
    MailDomain._base_manager.update(delivery="pending", vouched_by="")
    with everything("test"):
        mx_check.check_due()
    assert ground.mail_domain.delivery == expected
    assert ground.mail_domain.checked_at is not None
    assert MailDomain._base_manager.get(hosting=ground.account_b).delivery == "pending"
