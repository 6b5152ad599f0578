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
    """A text that a stranger got: at which place, of what (an address, a record, a page), word for word.

    `names` are the host names by which the other end calls itself there, `expected` the one name that it should use;
    empty where any neutral one will do.
    """

    place: Place
    subject: str
    text: str
    names: tuple[str, ...] = ()
    expected: str = ""


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
    """Return every name of `lexicon` that the readings hold, once for each reading, and every name other than the one
    that is expected; subjects are looked at as well.
    """
    found = []
    for reading in readings:
        found += [
            Finding(reading.place, reading.subject, hit.word.shown, hit.word.kind, hit.word.owner, hit.excerpt)
            for hit in lexicon.find(f"{reading.subject}\n{reading.text}")
        ]
        if reading.expected:
            others = dict.fromkeys(name for name in reading.names if name != reading.expected)
            found += [
                Finding(reading.place, reading.subject, name, "host", "", f"{name} ≠ {reading.expected}")
                for name in others
            ]
    return found
