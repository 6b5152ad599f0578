"""Whom a scan looks at, as plain values: where the brand answers, its zones and servers, and the names to look for."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.leaks.lexicon import Word
from provisioning.leaks.web import Front


@dataclass(frozen=True)
class Machine:
    """A server that carries accounts of the brand: the address that the world sees, and what it does for them. `name`
    is the brand's mail host where the address is the brand's own.
    """

    address: str
    roles: frozenset[str]
    ssh_port: int = 22
    name: str = ""


@dataclass(frozen=True)
class Zone:
    """A zone of an account under the brand, and the addresses of servers that answer for it."""

    name: str
    servers: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A host name that a server serves; `suspended` when it shows the page for that."""

    hostname: str
    address: str
    suspended: bool = False


@dataclass(frozen=True)
class MailDomain:
    """A domain whose mail a server takes."""

    name: str
    address: str


@dataclass(frozen=True)
class Subject:
    """Everything that a scan of one brand looks at and for."""

    name: str
    front: Front
    words: tuple[Word, ...]
    own: tuple[str, ...]
    machines: tuple[Machine, ...] = ()
    zones: tuple[Zone, ...] = ()
    sites: tuple[Site, ...] = ()
    mail_domains: tuple[MailDomain, ...] = ()
    resolvers: tuple[str, ...] = ()
