"""Hypothesis strategies for specifications: all that the rules accept, near their edges, and texts that attack."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from hypothesis import strategies as st

from panel.core import names
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

EXAMPLES = 10_000 if os.environ.get("HOSTWRIGHT_LONG") else 200
FEW = EXAMPLES // 4
"""For tests whose every example is a whole account on a whole server."""
SERVICES = frozenset({"web", "database", "dns", "mail"})
BCRYPT = "$2b$12$" + "a" * 53
NATIVE = "*" + "A" * 40

HOSTILE = "{{7*7}}{% %}$()%0a;}#\"'\\"
ATTACKS = (
    HOSTILE,
    "} server { listen 80;",
    "a;\ninclude /etc/passwd",
    "</VirtualHost>\n<VirtualHost *:80>",
    "${PATH}",
    "%{HTTP_HOST}",
    "128M\nphp_admin_value[open_basedir]=/",
    "$INCLUDE /etc/bind/rndc.key",
    "www\t60\tIN\tA\t6.6.6.6 ;\n@",
    "../../etc/passwd",
    "-oProxyCommand=x",
    "|/bin/sh",
    ":include:/etc/passwd",
    "x' OR '1'='1",
    "a`b",
    "\x00",
    "a\n",
    "\u2028",
    "\u202e",
    "\uff20",
    "@SERIAL@",
)


def _accepted(rule: Callable[[str], str]) -> Callable[[str], bool]:
    def test(value: str) -> bool:
        try:
            return rule(value) == value
        except names.NameInvalid:
            return False

    return test


_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=63).filter(
    lambda text: bool(_LABEL.fullmatch(text))
)
hostnames = (
    st.lists(labels, min_size=1, max_size=4)
    .map(lambda parts: ".".join([*parts, "example"]))
    .filter(_accepted(names.hostname))
)
usernames = st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True).filter(_accepted(names.username))
paths = (
    st.lists(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True), min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda path: path.split("/")[0] not in ("mail", "logs", "tmp"))
    .filter(_accepted(names.relative_path))
)
database_names = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True).filter(_accepted(names.database_name))
locals_ = st.from_regex(r"[a-z0-9_]([a-z0-9._+=~'-]{0,20}[a-z0-9_])?", fullmatch=True).filter(
    _accepted(names.local_part)
)
mail_addresses = st.tuples(locals_, hostnames).map("@".join).filter(_accepted(names.mail_address))
texts = st.one_of(
    st.sampled_from([attack for attack in ATTACKS if attack.isprintable()]),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=600),
)
uids = st.integers(1000, 60000)
stacks = st.sampled_from(["nginx", "apache", "nginx+apache"])


def server(stack: str = "nginx+apache", debian: int = 13) -> ServerSpec:
    """A server with every role."""
    return ServerSpec("srv_1", "web1.platform.example", debian, stack, SERVICES, ("8.2", "8.4"))


@st.composite
def sites(draw: st.DrawFn) -> SiteSpec:
    found = draw(st.lists(hostnames, min_size=1, max_size=4, unique=True))
    return SiteSpec(found[0], tuple(found[1:]), draw(paths), draw(st.sampled_from(["8.2", "8.4"])))


@st.composite
def records(draw: st.DrawFn, zone: str) -> RecordSpec:
    """A record as the rules bring it into its normal form."""
    kind, content = draw(
        st.one_of(
            st.tuples(st.just("TXT"), texts),
            st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
            st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str).filter(_accepted(names.ip_address))),
            st.tuples(st.just("MX"), st.tuples(st.integers(0, 65535).map(str), hostnames).map(" ".join)),
            st.tuples(st.just("CAA"), st.just('0 issue "ca.example.net; account=1"')),
            st.tuples(st.just("NS"), hostnames),
            st.tuples(st.just("SRV"), hostnames.map(lambda host: f"1 2 443 {host}")),
        )
    )
    owner = draw(st.one_of(st.just("@"), st.just("*"), labels, st.lists(labels, min_size=2, max_size=2).map(".".join)))
    parts = names.record(kind, owner, content, zone)
    return RecordSpec(parts.name, parts.type, draw(st.integers(30, 604_800)), parts.content)


@st.composite
def zones(draw: st.DrawFn) -> ZoneSpec:
    name = draw(hostnames)
    server_name = draw(hostnames)
    found = draw(st.lists(records(name), max_size=8))
    apex = RecordSpec("@", "NS", 3600, f"{server_name}.")
    return ZoneSpec(name, server_name, f"{draw(locals_)}@{draw(hostnames)}", (apex, *found))


@st.composite
def mail_domains(draw: st.DrawFn) -> MailDomainSpec:
    found = draw(st.lists(locals_, max_size=4, unique=True))
    half = len(found) // 2
    return MailDomainSpec(
        draw(hostnames),
        draw(st.booleans()),
        tuple(MailboxSpec(local, BCRYPT, draw(st.none() | st.integers(0, 2**62))) for local in found[:half]),
        tuple(
            MailAliasSpec(local, tuple(draw(st.lists(mail_addresses, min_size=1, max_size=3))))
            for local in found[half:]
        ),
    )


@st.composite
def accounts(draw: st.DrawFn) -> AccountSpec:
    """A whole account: every name in it is used once, as the panel's database sees to."""
    uid = draw(uids)
    databases = draw(st.lists(database_names, max_size=3, unique=True))
    found = draw(st.lists(sites(), max_size=3, unique_by=lambda site: site.hostname))
    return AccountSpec(
        id="acc_1",
        username=draw(usernames),
        uid=uid,
        gid=uid,
        services=SERVICES,
        suspended=draw(st.booleans()),
        default_page=draw(st.sampled_from(["", HOSTILE, "<h1>Soon</h1>"])),
        sites=tuple(found),
        zones=tuple(draw(st.lists(zones(), max_size=2, unique_by=lambda zone: zone.name))),
        databases=tuple(DatabaseSpec(name) for name in databases),
        database_users=tuple(
            DatabaseUserSpec(name, NATIVE, tuple(databases), draw(st.sampled_from(["localhost", "%"])))
            for name in databases
        ),
        mail_domains=tuple(draw(st.lists(mail_domains(), max_size=2, unique_by=lambda domain: domain.name))),
    )
