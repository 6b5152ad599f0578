"""What one hosting account is to be on one server: its user, sites, zones, databases and mail."""

from __future__ import annotations

from dataclasses import dataclass

from panel.core import names
from provisioning.spec import checks

OWN_DIRECTORIES = frozenset({"logs", "mail", "tmp"})
"""Directories of every home that no site may publish."""


@dataclass(frozen=True)
class SiteSpec:
    """A name-based virtual host: `docroot` is relative to the home; `listen` names dedicated addresses, empty
    means the shared ones. `also` are its brand's addresses, which it answers on besides.
    """

    hostname: str
    aliases: tuple[str, ...]
    docroot: str
    php_version: str
    listen: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks.hostname("site", self.hostname)
        checks.hostnames("site alias", self.aliases)
        checks.canonical("docroot", self.docroot, names.relative_path)
        if self.docroot.split("/")[0] in OWN_DIRECTORIES:
            raise checks.SpecInvalid("docroot", "is a directory of the account's own that is never published")
        checks.canonical("php_version", self.php_version, names.php_version)
        for ip in (*self.listen, *self.also):
            checks.canonical("listen", ip, names.ip_address)
        if len(set(self.names)) != len(self.names):
            raise checks.SpecInvalid("site alias", "is listed twice")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hostname, *self.aliases)


@dataclass(frozen=True)
class RecordSpec:
    """One resource record: `name` relative to the zone (`@` for its apex), `content` in presentation format (RFC
    1035 §5.1); TXT holds the bare text.
    """

    name: str
    type: str
    ttl: int
    content: str


@dataclass(frozen=True)
class ZoneSpec:
    """A primary zone; `mname` and `rname` are the SOA's (RFC 1035 §3.3.13), `rname` as a mail address."""

    name: str
    mname: str
    rname: str
    records: tuple[RecordSpec, ...]
    ttl: int = 3600
    refresh: int = 10800
    retry: int = 3600
    expire: int = 1209600
    minimum: int = 3600
    serial_floor: int = 0

    def __post_init__(self) -> None:
        checks.hostname("zone", self.name)
        checks.hostname("mname", self.mname)
        checks.canonical("rname", self.rname, names.mail_address)
        for record in self.records:
            try:
                normal = names.record(record.type, record.name, record.content, self.name)
                names.ttl(record.ttl)
            except names.NameInvalid as error:
                kind = "type" if error.rule.startswith("record_type") else record.type
                raise checks.SpecInvalid(f"record {kind}", error.rule) from error
            if normal != (record.type, record.name, record.content):
                raise checks.SpecInvalid(f"record {record.type}", "is not stored in its normal form")


@dataclass(frozen=True)
class DatabaseSpec:
    name: str

    def __post_init__(self) -> None:
        checks.canonical("database", self.name, names.database_name)


@dataclass(frozen=True)
class DatabaseUserSpec:
    """A login of MariaDB with all rights on the databases it names; without a hash it is locked."""

    name: str
    password_hash: str | None
    databases: tuple[str, ...]
    host: str = "localhost"

    def __post_init__(self) -> None:
        checks.canonical("database user", self.name, names.database_name)
        checks.member("database host", self.host, ("localhost", "%"))
        if self.password_hash is not None:
            checks.mysql_native_hash("database password", self.password_hash)
        for database in self.databases:
            checks.canonical("database", database, names.database_name)


@dataclass(frozen=True)
class MailboxSpec:
    local: str
    password_hash: str
    quota_bytes: int | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        checks.canonical("mailbox", self.local, names.local_part)
        checks.bcrypt_hash("mailbox password", self.password_hash)
        checks.size("mailbox quota", self.quota_bytes)


@dataclass(frozen=True)
class MailAliasSpec:
    local: str
    destinations: tuple[str, ...]

    def __post_init__(self) -> None:
        checks.canonical("mail alias", self.local, names.local_part)
        if not self.destinations:
            raise checks.SpecInvalid("mail alias", "has no destination")
        for destination in self.destinations:
            checks.canonical("mail alias destination", destination, names.mail_address)


@dataclass(frozen=True)
class MailDomainSpec:
    """A mail domain; only with `deliver` does this server take its mail (the public MX points here, or staff
    vouched). `store` is the directory of its mailboxes, empty for its name.
    """

    name: str
    deliver: bool
    mailboxes: tuple[MailboxSpec, ...] = ()
    aliases: tuple[MailAliasSpec, ...] = ()
    store: str = ""

    def __post_init__(self) -> None:
        checks.hostname("mail domain", self.name)
        if self.store:
            checks.hostname("mail store", self.store)


@dataclass(frozen=True)
class AccountSpec:
    """One slice: the part of an account that `services` place on this server.

    `default_page` is the branded first index.html, `brand` whose pages visitors see where the account has none,
    `skeleton` the files (name, text) that its web directory begins with. `disk_bytes` is what the kernel is to hold it
    to; None where nothing is to be held, or nothing can be.
    """

    id: str
    username: str
    uid: int
    gid: int
    services: frozenset[str]
    suspended: bool = False
    default_page: str = ""
    brand: str = ""
    skeleton: tuple[tuple[str, str], ...] = ()
    sites: tuple[SiteSpec, ...] = ()
    zones: tuple[ZoneSpec, ...] = ()
    databases: tuple[DatabaseSpec, ...] = ()
    database_users: tuple[DatabaseUserSpec, ...] = ()
    mail_domains: tuple[MailDomainSpec, ...] = ()
    disk_bytes: int | None = None

    def __post_init__(self) -> None:
        checks.size("disk space", self.disk_bytes)
        checks.username(self.username)
        checks.identity("uid", self.uid)
        checks.identity("gid", self.gid)
        if self.brand:
            checks.brand(self.brand)
        for name, text in self.skeleton:
            checks.plain_file("skeleton", name, text)
        for service in self.services:
            checks.member("service", service, checks.SERVICES)

    @property
    def home(self) -> str:
        return f"/home/{self.username}"
