"""Specifications from plain JSON values: what a case leaves out has a common default. Not for rows of the database."""

from __future__ import annotations

from typing import Any

from provisioning.spec import (
    AccountSpec,
    AddressSpec,
    BrandPagesSpec,
    DatabaseSpec,
    DatabaseUserSpec,
    IdentitySpec,
    MailAliasSpec,
    MailboxSpec,
    MailDomainSpec,
    RecordSpec,
    ServerSpec,
    SiteSpec,
    ZoneSpec,
)

Values = dict[str, Any]
SERVICES = ("web", "database", "dns", "mail")
BCRYPT = "$2b$12$" + "a" * 53
NATIVE = "*" + "A" * 40


def server(values: Values) -> ServerSpec:
    """A server with every role, Debian 13 and both web servers, unless `values` says otherwise."""
    debian = values.get("debian", 13)
    return ServerSpec(
        id="srv_1",
        platform_name=values.get("platform_name", "web1.platform.example"),
        debian=debian,
        stack=values.get("stack", "nginx+apache"),
        roles=frozenset(values.get("roles", SERVICES)),
        php_versions=tuple(values.get("php_versions", ["8.4" if debian == 13 else "8.2"])),
        addresses=tuple(address(ip) for ip in values.get("addresses", ["198.51.100.2"])),
        apache_port=values.get("apache_port", 8080),
        brand_pages=tuple(BrandPagesSpec(brand, *texts) for brand, texts in values.get("brand_pages", {}).items()),
        identities=tuple(
            IdentitySpec(brand, name, tuple(ips)) for brand, (name, *ips) in values.get("identities", {}).items()
        ),
    )


def address(ip: str) -> AddressSpec:
    """An address of a server; `!` before it makes it a dedicated one."""
    plain = ip.removeprefix("!")
    return AddressSpec(plain, 6 if ":" in plain else 4, plain, dedicated=ip != plain)


def account(values: Values) -> AccountSpec:
    """An account `alice` with every service and nothing else, unless `values` says otherwise."""
    return AccountSpec(
        id="acc_1",
        username=values.get("username", "alice"),
        uid=values.get("uid", 20001),
        gid=values.get("gid", 20001),
        services=frozenset(values.get("services", SERVICES)),
        suspended=values.get("suspended", False),
        default_page=values.get("default_page", ""),
        brand=values.get("brand", ""),
        skeleton=tuple(sorted(values.get("skeleton", {}).items())),
        sites=tuple(site(item) for item in values.get("sites", [])),
        zones=tuple(zone(item) for item in values.get("zones", [])),
        databases=tuple(DatabaseSpec(name) for name in values.get("databases", [])),
        database_users=tuple(database_user(item) for item in values.get("database_users", [])),
        mail_domains=tuple(mail_domain(item) for item in values.get("mail_domains", [])),
        disk_bytes=values.get("disk_bytes"),
    )


def site(values: Values) -> SiteSpec:
    """A site in public_html."""
    return SiteSpec(
        values["hostname"],
        tuple(values.get("aliases", [])),
        values.get("docroot", "public_html"),
        values.get("php_version", "8.4"),
        tuple(values.get("listen", [])),
        tuple(values.get("also", [])),
    )


def zone(values: Values) -> ZoneSpec:
    """A zone whose records are `[name, type, content]` or `[name, type, content, ttl]`."""
    records = [
        RecordSpec(name, kind, rest[0] if rest else 3600, content)
        for name, kind, content, *rest in values.get("records", [["@", "NS", "ns1.brand.example."]])
    ]
    return ZoneSpec(
        name=values["name"],
        mname=values.get("mname", "ns1.brand.example"),
        rname=values.get("rname", "hostmaster@brand.example"),
        records=tuple(records),
        serial_floor=values.get("serial_floor", 0),
    )


def database_user(values: Values) -> DatabaseUserSpec:
    """A log-in with a password."""
    return DatabaseUserSpec(
        values["name"],
        values.get("password_hash", NATIVE),
        tuple(values.get("databases", [])),
        values.get("host", "localhost"),
    )


def mail_domain(values: Values) -> MailDomainSpec:
    """A domain that delivers; mailboxes are objects, aliases `{local: [destination, …]}`."""
    mailboxes = [
        MailboxSpec(
            item["local"], item.get("password_hash", BCRYPT), item.get("quota_bytes"), item.get("enabled", True)
        )
        for item in values.get("mailboxes", [])
    ]
    aliases = [MailAliasSpec(local, tuple(destinations)) for local, destinations in values.get("aliases", {}).items()]
    return MailDomainSpec(values["name"], values.get("deliver", True), tuple(mailboxes), tuple(aliases))
