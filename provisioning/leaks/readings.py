"""What was read at one place of a brand, and what is compared with it; how it was read is the probes' affair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from provisioning.leaks.lexicon import Lexicon

Place = Literal[
    "panel.page",
    "panel.header",
    "panel.cookie",
    "panel.file",
    "panel.api",
    "panel.error",
    "panel.unknown",
    "panel.certificate",
    "mail.header",
    "mail.body",
    "mail.envelope",
    "dns.record",
    "dns.identity",
    "dns.pointer",
    "smtp.greeting",
    "imap.greeting",
    "pop.greeting",
    "ssh.greeting",
    "server.certificate",
    "site.page",
    "site.header",
    "site.suspended",
    "site.unknown",
]

MOST_FINDINGS = 200
"""So many findings are kept; the sum counts all."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that a stranger got: at which place, of what (an address, a record, a page), word for word."""

    place: Place
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A name that should not be there: where, in what, whose."""

    place: Place
    subject: str
    name: str
    kind: str
    owner: str
    excerpt: str


def compare(readings: Iterable[Reading], lexicon: Lexicon) -> list[Finding]:
    """Return every name of `lexicon` that the readings hold, once for each reading; subjects are looked at as well."""
    return [
        Finding(reading.place, reading.subject, hit.word.shown, hit.word.kind, hit.word.owner, hit.excerpt)
        for reading in readings
        for hit in lexicon.find(f"{reading.subject}\n{reading.text}")
    ]
