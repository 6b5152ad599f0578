"""One attack in every field of a specification: refused by name of field and rule, or present only as data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisioning.drivers import for_account
from provisioning.planning.resources import Resource
from provisioning.spec import (
    AccountSpec,
    DatabaseSpec,
    DatabaseUserSpec,
    MailAliasSpec,
    MailboxSpec,
    MailDomainSpec,
    RecordSpec,
    ServerSpec,
    SiteSpec,
    ZoneSpec,
)
from provisioning.spec.checks import SpecInvalid
from tests.provisioning import strategies
from tests.provisioning.strategies import ATTACKS, BCRYPT, HOSTILE, NATIVE, SERVICES

NS = RecordSpec("@", "NS", 3600, "ns1.brand.example.")


def account(**values: object) -> AccountSpec:
    fields = {"id": "acc_1", "username": "alice", "uid": 20001, "gid": 20001, "services": SERVICES, **values}
    return AccountSpec(**fields)  # type: ignore[arg-type]


def record(kind: str, content: str) -> Callable[[str], object]:
    """A zone with one record whose content has the attack at its end."""
    return lambda text: ZoneSpec(
        "example.org", "ns1.brand.example", "a@b.example", (NS, RecordSpec("@", kind, 60, content + text))
    )


FIELDS: dict[str, Callable[[str], object]] = {
    "username": lambda text: account(username=text),
    "service": lambda text: account(services=frozenset({text})),
    "site": lambda text: SiteSpec(text, (), "public_html", "8.4"),
    "site with a name before": lambda text: SiteSpec(f"example.org{text}", (), "public_html", "8.4"),
    "alias": lambda text: SiteSpec("example.org", (text,), "public_html", "8.4"),
    "docroot": lambda text: SiteSpec("example.org", (), text, "8.4"),
    "docroot below": lambda text: SiteSpec("example.org", (), f"public_html/{text}", "8.4"),
    "php_version": lambda text: SiteSpec("example.org", (), "public_html", text),
    "listen": lambda text: SiteSpec("example.org", (), "public_html", "8.4", (text,)),
    "zone": lambda text: ZoneSpec(text, "ns1.brand.example", "a@b.example", (NS,)),
    "mname": lambda text: ZoneSpec("example.org", text, "a@b.example", (NS,)),
    "rname": lambda text: ZoneSpec("example.org", "ns1.brand.example", text, (NS,)),
    "record name": lambda text: ZoneSpec(
        "example.org", "n.example", "a@b.example", (RecordSpec(text, "A", 60, "198.51.100.2"),)
    ),
    "record type": lambda text: ZoneSpec("example.org", "n.example", "a@b.example", (RecordSpec("@", text, 60, "x"),)),
    **{
        f"{kind} content": record(kind, content)
        for kind, content in {
            "A": "198.51.100.2",
            "AAAA": "2001:db8::2",
            "CNAME": "example.net.",
            "MX": "10 mail.example.org.",
            "NS": "ns2.brand.example.",
            "PTR": "host.example.org.",
            "SRV": "1 2 3 host.example.org.",
            "TLSA": "3 1 1 abab",
            "SSHFP": "4 2 abab",
            "DS": "1 13 2 abab",
        }.items()
    },
    "database": lambda text: DatabaseSpec(text),
    "database user": lambda text: DatabaseUserSpec(text, NATIVE, ()),
    "database host": lambda text: DatabaseUserSpec("alice_u", NATIVE, (), text),
    "database password": lambda text: DatabaseUserSpec("alice_u", NATIVE[:-1] + text, ()),
    "mailbox": lambda text: MailboxSpec(text, BCRYPT),
    "mailbox password": lambda text: MailboxSpec("anna", BCRYPT + text),
    "alias name": lambda text: MailAliasSpec(text, ("a@b.example",)),
    "alias destination": lambda text: MailAliasSpec("info", (text,)),
    "alias destination before": lambda text: MailAliasSpec("info", (f"{text}@b.example",)),
    "mail domain": lambda text: MailDomainSpec(text, True),
    "platform_name": lambda text: ServerSpec("srv_1", text, 13, "nginx", SERVICES, ("8.4",)),
    "stack": lambda text: ServerSpec("srv_1", "a.example", 13, text, SERVICES, ("8.4",)),
    "php_versions": lambda text: ServerSpec("srv_1", "a.example", 13, "nginx", SERVICES, (text,)),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: ascii(text))
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_takes_an_attack(name: str, attack: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        FIELDS[name](attack)
    assert refused.value.field
    assert refused.value.rule
    assert attack not in str(refused.value)


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.isprintable()], ids=lambda text: ascii(text))
def test_a_text_record_takes_it_as_data(attack: str) -> None:
    zone = ZoneSpec("example.org", "n.example", "a@b.example", (NS, RecordSpec("@", "TXT", 60, attack)))
    (found,) = of_kind(for_account(strategies.server(), account(zones=(zone,))), "zone")
    assert len(found.body["text"].splitlines()) == 3
    assert "49" not in found.body["text"]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: ascii(text))
def test_the_first_page_takes_it_as_data(attack: str) -> None:
    site = SiteSpec("example.org", (), "public_html", "8.4")
    resources = for_account(strategies.server(), account(default_page=attack, sites=(site,)))
    holders = [item.key for item in resources if attack in item.body.get("text", "")]
    assert "file:/home/alice/public_html/index.html" in holders
    page = next(item for item in resources if item.name.endswith("/index.html"))
    assert page.body["text"] == attack


def test_a_template_in_a_value_is_never_run() -> None:
    zone = ZoneSpec("example.org", "n.example", "a@b.example", (NS, RecordSpec("@", "TXT", 60, HOSTILE)))
    site = SiteSpec("example.org", (), "public_html", "8.4")
    resources = for_account(strategies.server(), account(default_page=HOSTILE, zones=(zone,), sites=(site,)))
    assert not any("49" in item.body.get("text", "") for item in resources)


@pytest.mark.parametrize("directory", ["mail", "mail/example.org", "logs", "tmp", "tmp/x"])
def test_no_site_publishes_mail_logs_or_temporary_files(directory: str) -> None:
    with pytest.raises(SpecInvalid, match="docroot"):
        SiteSpec("example.org", (), directory, "8.4")


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    """The resources of one kind."""
    return [item for item in resources if item.kind == kind]
