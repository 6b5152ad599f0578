"""From rows to specifications: what one server and the dirty accounts on it should be.

Reads only; drivers do the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connections, transaction

from accounts.models import Brand, Skeleton
from panel.core import vault
from provisioning import brand_pages
from provisioning.brand_pages import Look
from provisioning.models import (
    Address,
    Database,
    DatabaseUser,
    HostingAccount,
    MailAlias,
    Mailbox,
    MailDomain,
    Placement,
    Server,
    Site,
    SiteName,
    Zone,
)
from provisioning.selectors import brand_pages as page_selectors
from provisioning.selectors import brands, usage
from provisioning.selectors import zones as zone_selectors
from provisioning.spec import (
    AccountSpec,
    AddressSpec,
    DatabaseSpec,
    DatabaseUserSpec,
    IdentitySpec,
    MailAliasSpec,
    MailboxSpec,
    MailDomainSpec,
    ServerSpec,
    SiteSpec,
    Target,
    ZoneSpec,
)
from provisioning.spec.checks import SpecInvalid

ROLE_ALIASES = ("abuse", "postmaster")
SNAPSHOT = "snapshot"

# What rows of the wrong shape, written past every service, make of the code below.
UNFIT = (ValueError, TypeError, LookupError, AttributeError)

Desired = dict[str, AccountSpec | Exception]


@contextmanager
def snapshot() -> Iterator[str]:
    """Open one consistent read of the database (REPEATABLE READ; on SQLite a deferred transaction) and give its
    alias.
    """
    connection = connections[SNAPSHOT]
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=SNAPSHOT):
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield SNAPSHOT


def target(server: Server) -> Target:
    """Return where and how the server's node program is reached, with the panel's key from the vault."""
    return Target(
        id=server.id,
        transport=server.transport,
        host=server.host,
        port=server.port,
        host_key=server.host_key,
        private_key=vault.get(server.key_id) if server.key_id else b"",
    )


def server_spec(server: Server, using: str = "default", *, pages: bool = True) -> ServerSpec:
    """Return what `server` is to be; raises SpecInvalid when a stored value is not fit for a configuration.

    `pages`: with those of the brands that it shows, which only its own slice needs.
    """
    rows = list(Address.objects.using(using).filter(server=server).select_related("brand").order_by("family", "id"))
    return ServerSpec(
        id=server.id,
        platform_name=server.platform_name,
        debian=server.debian or 0,
        stack=server.stack,
        roles=server.roles,
        php_versions=tuple(server.php_versions),
        addresses=tuple(
            AddressSpec(row.ip, row.family, row.public, row.kind == Address.Kind.DEDICATED) for row in rows
        ),
        identities=_identities(rows),
        brand_pages=tuple(map(brand_pages.notices, page_selectors.of_server(server, using))) if pages else (),
    )


def _identities(rows: Sequence[Address]) -> tuple[IdentitySpec, ...]:
    """Who the server is on the addresses that brands were given; a brand without a mail host has no name there."""
    given: dict[Brand, list[str]] = defaultdict(list)
    for row in rows:
        if row.brand is not None and row.brand.mail_host:
            given[row.brand].append(row.ip)
    return tuple(IdentitySpec(brand.id, brand.mail_host, tuple(ips)) for brand, ips in given.items())


def accounts(server: Server, hosting_ids: Collection[str], using: str = "default") -> Desired:
    """Return the specification of each account's slice on `server`, or why it can't have one, by account id.

    A terminated account has a specification without services: nothing of it is to be. The number of queries is fixed.
    """
    rows = _Rows.read(server, hosting_ids, using)
    found: Desired = {}
    for hosting in rows.hostings:
        try:
            found[hosting.id] = _account(hosting, rows)
        except UNFIT as error:
            found[hosting.id] = error
    return found


@dataclass
class _Rows:
    """Everything that the wanted slices are made of, by account (or by what it belongs to)."""

    hostings: list[HostingAccount]
    services: dict[str, set[str]]
    brands: dict[str, Brand]
    looks: dict[str, Look]
    skeletons: dict[str, Skeleton]
    addresses: dict[str, list[str]]
    branded: dict[str, list[str]]
    sites: dict[str, list[Site]] = field(default_factory=dict)
    names: dict[str, list[SiteName]] = field(default_factory=dict)
    zones: dict[str, list[Zone]] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    databases: dict[str, list[Database]] = field(default_factory=dict)
    users: dict[str, list[DatabaseUser]] = field(default_factory=dict)
    mail_domains: dict[str, list[MailDomain]] = field(default_factory=dict)
    mailboxes: dict[str, list[Mailbox]] = field(default_factory=dict)
    aliases: dict[str, list[MailAlias]] = field(default_factory=dict)
    disk: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def read(cls, server: Server, hosting_ids: Collection[str], using: str) -> _Rows:
        ids = list(hosting_ids)

        def of(model: Any, path: str = "hosting") -> Any:
            return model._base_manager.using(using).filter(**{f"{path}__in": ids}).order_by("id")

        hostings = list(
            HostingAccount._base_manager.using(using)
            .filter(pk__in=ids)
            .select_related("organization", "package")
            .order_by("id")
        )
        services = defaultdict(set)
        for hosting_id, service in of(Placement).filter(server=server).values_list("hosting_id", "service"):
            services[hosting_id].add(service)
        dedicated = of(Address).filter(server=server).values_list("hosting_id", "ip")
        given = Address.objects.using(using).filter(server=server, brand__isnull=False).order_by("family", "id")
        zones = list(of(Zone).select_related("hosting__organization"))
        branded = brands.of_organizations({item.organization for item in hostings}, using)
        return cls(
            hostings=hostings,
            services=services,
            brands=branded,
            looks={look.brand.id: look for look in page_selectors.looks(set(branded.values()), using)},
            skeletons=page_selectors.skeletons((item.skeleton_id for item in hostings), using),
            addresses=_grouped(dedicated, lambda row: row[0], lambda row: row[1]),
            branded=_grouped(given.values_list("brand_id", "ip"), lambda row: row[0], lambda row: row[1]),
            sites=_grouped(of(Site).select_related("domain"), lambda row: row.hosting_id),
            names=_grouped(of(SiteName, "site__hosting"), lambda row: row.site_id),
            zones=_grouped(zones, lambda row: row.hosting_id),
            records=zone_selectors.specs(zones, using),
            databases=_grouped(of(Database), lambda row: row.hosting_id),
            users=_grouped(of(DatabaseUser).prefetch_related("databases"), lambda row: row.hosting_id),
            mail_domains=_grouped(of(MailDomain), lambda row: row.hosting_id),
            mailboxes=_grouped(of(Mailbox, "mail_domain__hosting"), lambda row: row.mail_domain_id),
            aliases=_grouped(of(MailAlias, "mail_domain__hosting"), lambda row: row.mail_domain_id),
            disk=usage.held_to(server, ids, using),
        )


def _grouped(rows: Any, key: Any, value: Any = lambda row: row) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(value(row))
    return groups


def _account(hosting: HostingAccount, rows: _Rows) -> AccountSpec:
    terminated = hosting.status == HostingAccount.Status.TERMINATED
    services = frozenset() if terminated else frozenset(rows.services[hosting.id])
    brand = rows.brands.get(hosting.organization_id)
    return AccountSpec(
        id=hosting.id,
        username=hosting.username,
        uid=hosting.uid,
        gid=hosting.uid,
        services=services,
        suspended=hosting.status == HostingAccount.Status.SUSPENDED,
        default_page=brand_pages.first(hosting.domain, rows.looks.get(brand.id) if brand else None)
        if "web" in services
        else "",
        brand=brand.id if brand else "",
        skeleton=_skeleton(hosting, rows),
        sites=tuple(_site(site, brand, rows) for site in rows.sites[hosting.id] if "web" in services),
        zones=tuple(_zone(zone, brand, rows) for zone in rows.zones[hosting.id] if "dns" in services),
        databases=tuple(DatabaseSpec(row.name) for row in rows.databases[hosting.id] if "database" in services),
        database_users=tuple(_user(row) for row in rows.users[hosting.id] if "database" in services),
        mail_domains=tuple(_mail(row, brand, rows) for row in rows.mail_domains[hosting.id] if "mail" in services),
        disk_bytes=rows.disk.get(hosting.id),
    )


def _skeleton(hosting: HostingAccount, rows: _Rows) -> tuple[tuple[str, str], ...]:
    found = rows.skeletons.get(hosting.skeleton_id or "")
    return tuple(sorted(found.files.items())) if found is not None else ()


def _site(site: Site, brand: Brand | None, rows: _Rows) -> SiteSpec:
    names = rows.names[site.id]
    primary = [name.hostname for name in names if name.kind == SiteName.Kind.PRIMARY]
    if not primary:
        raise SpecInvalid("site", "has no main name")
    return SiteSpec(
        hostname=primary[0],
        aliases=tuple(name.hostname for name in names if name.kind != SiteName.Kind.PRIMARY),
        docroot=site.docroot,
        php_version=site.php_version,
        listen=tuple(rows.addresses[site.hosting_id]),
        also=tuple(rows.branded.get(brand.id, ())) if brand else (),
    )


def _zone(zone: Zone, brand: Brand | None, rows: _Rows) -> ZoneSpec:
    if brand is None or not brand.nameservers or not isinstance(brand.nameservers, list):
        raise SpecInvalid("name servers", "are missing: the brand has none")
    return ZoneSpec(
        name=zone.name,
        mname=brand.nameservers[0],
        rname=brand.hostmaster or f"hostmaster@{zone.name}",
        records=rows.records[zone.id],
        serial_floor=zone.serial,
    )


def _user(user: DatabaseUser) -> DatabaseUserSpec:
    return DatabaseUserSpec(
        name=user.name,
        password_hash=user.password_hash,
        databases=tuple(sorted(database.name for database in user.databases.all())),
        host=user.host,
    )


def _mail(mail_domain: MailDomain, brand: Brand | None, rows: _Rows) -> MailDomainSpec:
    mailboxes = tuple(
        MailboxSpec(row.local, row.password_hash, row.quota_bytes, row.enabled)
        for row in rows.mailboxes[mail_domain.id]
    )
    aliases = [MailAliasSpec(row.local, _texts(row.destinations)) for row in rows.aliases[mail_domain.id]]
    taken = {mailbox.local for mailbox in mailboxes} | {alias.local for alias in aliases}
    if brand is not None and brand.hostmaster:
        aliases += [MailAliasSpec(local, (brand.hostmaster,)) for local in ROLE_ALIASES if local not in taken]
    return MailDomainSpec(mail_domain.name, mail_domain.delivers, mailboxes, tuple(aliases), mail_domain.store)


def _texts(value: object) -> tuple[str, ...]:
    """A column of JSON that is to hold a list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SpecInvalid("list", "is no list of texts")
    return tuple(value)
