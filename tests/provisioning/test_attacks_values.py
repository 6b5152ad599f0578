"""Attacks by values: DNS records, SQL, templates, foreign owners. Each test bears its row of docs/attacks.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from accounts.services import brands, organizations
from panel.core.actors import Actor
from panel.core.errors import Invalid
from panel.core.scoping import everything
from provisioning import drivers
from provisioning.desired import accounts, server_spec
from provisioning.models import DatabaseUser, Record
from provisioning.services import (
    addresses,
    database_users,
    databases,
    hosting_accounts,
    mail_aliases,
    mailboxes,
    packages,
    servers,
    sites,
    zones,
)
from provisioning.services.passwords import mysql_native
from tests.provisioning.ground import Ground, acting, dirty, refused

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"
TEMPLATE = "{{7*7}}{% %}$()%0a;}#\"'\\"


def add(ground: Ground, **values: Any) -> Record:
    """Add a record to client A's zone as the client."""
    with acting(ground.cast.client_a):
        wanted = {"type": "A", "name": "x", "content": "203.0.113.7", **values}
        return zones.add_record(actor=ground.cast.client_a.actor, zone=ground.zone, **wanted)[0]


def slices(ground: Ground) -> dict[str, str]:
    """Return everything that would be sent of client A's slice, as text by resource key."""
    with everything("test"):
        spec = accounts(ground.server, [ground.account_a.id])[ground.account_a.id]
        assert not isinstance(spec, Exception)
        made = drivers.for_account(server_spec(ground.server), spec)
    return {resource.key: str(resource.body) for resource in made}


@pytest.mark.parametrize(
    "name",
    [
        "www\t60\tIN\tA\t6.6.6.6 ;\n@",
        "www 60 IN A 6.6.6.6",
        "www;",
        "www\n",
        "(www",
        '"www"',
        "w\\119w",
        "@ ",
        "a..b",
        "-a",
        "a b",
        "*x",
        "x.*",
    ],
)
def test_b2_owners_that_are_more_than_a_name(ground: Ground, name: str):
    with refused(None, "name"):
        add(ground, name=name)


@pytest.mark.parametrize("type_", ["A\n@ IN NS evil.example.", "ANY", "AXFR", "SOA", "TYPE65280", "a;", "", None, 1])
def test_b2_types_that_are_none(ground: Ground, type_: Any):
    with refused(None, "type"):
        add(ground, type=type_)


def test_b2_a_type_that_tenants_do_not_have(ground: Ground):
    with refused("invalid_choice", "type"):
        add(ground, type="PTR", content="x.example.net")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "$INCLUDE", "content": "203.0.113.7"},
        {"name": "$INCLUDE /etc/bind/rndc.key", "content": "203.0.113.7"},
        {"name": "$GENERATE 1-65535 a$", "content": "203.0.113.7"},
        {"name": "$ORIGIN", "content": "203.0.113.7"},
        {"name": "$TTL", "content": "203.0.113.7"},
    ],
)
def test_b3_directives_as_owners(ground: Ground, values: dict[str, Any]):
    with refused("record_name", "name"):
        add(ground, **values)


@pytest.mark.parametrize("directive", ["$INCLUDE /etc/bind/rndc.key", "$GENERATE 1-65535 a$ A 1.2.3.4", "$ORIGIN x."])
def test_b3_directives_as_content(ground: Ground, directive: str):
    for type_ in ("A", "CNAME", "NS", "MX"):
        with refused(None, "content"):
            add(ground, type=type_, content=f"203.0.113.7\n{directive}")
        with refused(None, "content"):
            add(ground, type=type_, content=directive)
    add(ground, type="TXT", content=directive)
    zone = slices(ground)["zone:a-site.org"]
    assert f"\\n{directive}" not in zone
    assert f'"{directive}"' in zone


@pytest.mark.parametrize(
    "content", ["x" * 300, "y" * 4000, '"quoted" \\ \\010 ; end', "; comment", "ünïcode " * 60, "a" * 255, "a" * 256]
)
def test_b4_texts_are_split_and_come_back_identical(ground: Ground, content: str):
    """The driver parses what it wrote with dnspython and compares; here the text is what was stored."""
    assert add(ground, type="TXT", content=content).content == content
    assert "zone:a-site.org" in slices(ground)


@pytest.mark.parametrize("content", ["x" * 4097, "two\nlines", "nul\0", "tab\t", "", "sep\u2028"])
def test_b4_texts_that_are_none(ground: Ground, content: str):
    with refused(None, "content"):
        add(ground, type="TXT", content=content)


@pytest.mark.parametrize("name", ["@", "", "a-site.org", "a-site.org."])
def test_b5_a_cname_at_the_apex(ground: Ground, name: str):
    with refused("cname_beside_others", "name", 409):
        add(ground, type="CNAME", name=name, content="x.example.net")


@pytest.mark.parametrize("name", ["www", "mail", "_dmarc", "WWW.a-site.org."])
def test_b5_a_cname_beside_a_default(ground: Ground, name: str):
    with refused("cname_beside_others", "name", 409):
        add(ground, type="CNAME", name=name, content="x.example.net")


def test_b5_a_cname_beside_others_in_any_order(ground: Ground):
    record = add(ground, name="a", content="203.0.113.7")
    with refused("cname_beside_others", "name", 409):
        add(ground, type="CNAME", name="a", content="x.example.net")
    add(ground, type="CNAME", name="c", content="x.example.net")
    for type_, content in (("A", "203.0.113.7"), ("TXT", "x"), ("CNAME", "y.example.net"), ("MX", "10 y.example.net")):
        with refused(None, "name", 409):
            add(ground, type=type_, name="c", content=content)
    with acting(ground.cast.client_a), refused("cname_beside_others", "name", 409):
        zones.change_record(actor=ground.cast.client_a.actor, record=record, name="c")
    with everything("test"):
        sites.add_alias(actor=SYSTEM, site=ground.site, hostname="shop.a-site.org")
    with refused("cname_beside_others", "name", 409):
        add(ground, type="CNAME", name="shop", content="x.example.net")


@pytest.mark.parametrize("name", ["victim.test.", "www.victim.test.", "a-site.org.victim.test.", "xa-site.org.", "."])
def test_b6_owners_outside_the_zone(ground: Ground, name: str):
    with refused("record_outside_zone" if name != "." else None, "name"):
        add(ground, name=name)


@pytest.mark.parametrize(
    "name",
    ["a`b", "a'b", "a;b", "a\0b", "a b", "a-b", "a/b", "a.b", "A", "ä", "a%", "a" * 65, "a" * 60, "x\n", "--", "*"],
)
def test_c1_database_names(ground: Ground, name: str):
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused(None, "name"):
            databases.create(actor=actor, hosting=ground.account_a, name=name)
        with refused(None, "name"):
            database_users.create(actor=actor, hosting=ground.account_a, name=name, password=PASSWORD)


def test_c1_a_login_has_at_most_32_characters(ground: Ground):
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused("database_length", "name"):
            database_users.create(actor=actor, hosting=ground.account_a, name="a" * 27, password=PASSWORD)
        database_users.create(actor=actor, hosting=ground.account_a, name="a" * 26, password=PASSWORD)


@pytest.mark.parametrize(
    "password", ["o'brien; DROP--", "back\\slash\\'\\\"", "per%cent_ %s", "`tick` {{7*7}}", "grün 🐎 pferd"]
)
def test_c2_passwords_are_only_ever_hashed(ground: Ground, password: str):
    with acting(ground.cast.client_a):
        user = database_users.create(
            actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop", password=password
        )[0]
        mailbox = mailboxes.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="anna", password=password
        )[0]
    assert user.password_hash == mysql_native(password)
    assert mailbox.password_hash.startswith("$2b$")
    sent = "".join(slices(ground).values())
    assert password not in sent
    assert user.password_hash in sent


@pytest.mark.parametrize("password", ["new\nline 1234", "nul\0 1234567", "esc\x1b 123456"])
def test_c2_passwords_that_nobody_can_type(ground: Ground, password: str):
    with acting(ground.cast.client_a), refused("not_printable", "password"):
        database_users.create(
            actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop", password=password
        )


@pytest.mark.parametrize("host", ["x' IDENTIFIED BY 'y", "10.%", "%%", "localhost'", "example.org", "", "::1"])
def test_c4_hosts_that_are_none(ground: Ground, host: str):
    with acting(ground.cast.client_a), refused(None, "host"):
        database_users.create(
            actor=ground.cast.client_a.actor, hosting=ground.account_a, name="shop", password=PASSWORD, host=host
        )


def test_c4_anywhere_only_where_the_package_has_it(ground: Ground):
    with everything("test"), refused("remote_databases", "host"):
        database_users.create(
            actor=ground.cast.client_b.actor, hosting=ground.account_b, name="shop", password=PASSWORD, host="%"
        )
    assert not DatabaseUser._base_manager.exists()


@pytest.mark.parametrize("text", ["'; DROP TABLE provisioning_record; --", "1) OR (1=1", "%' OR '1'='1"])
def test_c6_sql_in_lists(ground: Ground, text: str):
    with acting(ground.cast.client_a), refused(None, "destinations"):
        mail_aliases.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="x", destinations=[text]
        )
    with everything("test"), refused(None, "nameservers"):
        brands.set(actor=SYSTEM, organization=ground.cast.reseller_a.organization, nameservers=[text])
    assert add(ground, type="TXT", content=text).content == text


FREE_TEXTS: dict[str, Callable[[Ground, str], Any]] = {
    "record content": lambda ground, text: add(ground, type="TXT", content=text),
    "package name": lambda ground, text: packages.change(actor=SYSTEM, package=ground.package_a, name=text),
    "suspension": lambda ground, text: hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a, reason=text),
    "client name": lambda ground, text: organizations.change(
        actor=SYSTEM, organization=ground.cast.client_a.organization, name=text
    ),
    "brand name": lambda ground, text: brands.set(
        actor=SYSTEM, organization=ground.cast.reseller_a.organization, name=text
    ),
    "support": lambda ground, text: brands.set(
        actor=SYSTEM, organization=ground.cast.reseller_a.organization, support_email=text
    ),
    "support page": lambda ground, text: brands.set(
        actor=SYSTEM, organization=ground.cast.reseller_a.organization, support_url=text
    ),
    "hostmaster": lambda ground, text: brands.set(
        actor=SYSTEM, organization=ground.cast.reseller_a.organization, hostmaster=text
    ),
    "server name": lambda ground, text: servers.change(actor=SYSTEM, server=ground.server, name=text),
    "platform name": lambda ground, text: servers.change(actor=SYSTEM, server=ground.server, platform_name=text),
    "address": lambda ground, text: addresses.add(actor=SYSTEM, server=ground.server, ip=text),
    "alias": lambda ground, text: sites.add_alias(actor=SYSTEM, site=ground.site, hostname=text),
    "database": lambda ground, text: databases.create(actor=SYSTEM, hosting=ground.account_a, name=text),
    "mailbox": lambda ground, text: mailboxes.create(
        actor=SYSTEM, mail_domain=ground.mail_domain, local=text, password=PASSWORD
    ),
    "mail alias": lambda ground, text: mail_aliases.create(
        actor=SYSTEM, mail_domain=ground.mail_domain, local="x", destinations=[text]
    ),
}


@pytest.mark.parametrize("field", FREE_TEXTS)
def test_a5_a_template_in_a_text_is_refused_or_stays_text(ground: Ground, field: str):
    with everything("test"), suppress(Invalid):
        FREE_TEXTS[field](ground, TEMPLATE)
    sent = slices(ground)
    assert "49" not in "".join(sent.values()).replace(ground.account_a.id, "")
    if field == "record content":
        assert '{{7*7}}{% %}$()%0a;}#\\\\"' in sent["zone:a-site.org"]


def test_f2_an_owner_is_who_the_tree_says(ground: Ground):
    """A reseller orders for its own clients only, at its own cost; bodies with `owner` are refused, see previews."""
    for person in (ground.cast.client_b, ground.cast.provider, ground.cast.outsider, ground.cast.reseller_b):
        with acting(ground.cast.reseller_a), refused("not_found", None, 404):
            hosting_accounts.create(
                actor=ground.cast.reseller_a.actor,
                organization=person.organization,
                package=ground.package_a,
                domain="charged.org",
            )
    with acting(ground.cast.sub_reseller), refused("not_found", None, 404):
        hosting_accounts.create(
            actor=ground.cast.sub_reseller.actor,
            organization=ground.cast.client_a.organization,
            package=ground.package_a,
            domain="charged.org",
        )


@pytest.mark.parametrize("field", ["uid", "hosting", "id", "password_hash", "role", "is_staff", "home"])
def test_f3_fields_beyond_the_changeable_ones(ground: Ground, field: str):
    with everything("test"):
        mailbox = mailboxes.create(actor=SYSTEM, mail_domain=ground.mail_domain, local="anna", password=PASSWORD)[0]
    record = add(ground)
    intents = len(dirty(ground.account_a))
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused("unknown", field):
            mailboxes.change(actor=actor, mailbox=mailbox, **{field: "x"})
        with refused("unknown", field):
            zones.change_record(actor=actor, record=record, **{field: "x"})
    with everything("test"):
        with refused("unknown", field):
            packages.change(actor=SYSTEM, package=ground.package_a, **{field: "x"})
        with refused("unknown", field):
            servers.change(actor=SYSTEM, server=ground.server, **{field: "x"})
    assert len(dirty(ground.account_a)) == intents
