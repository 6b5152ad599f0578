"""Whatever the rules accept, a configuration read back has the shape that plain names give it, and holds the values."""

from __future__ import annotations

import dns.rdata
import dns.rdtypes.ANY.TXT
import dns.zone
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.drivers import apache, bind, for_account, for_server, nginx, php
from provisioning.planning.resources import SERIAL, Resource, by_key
from provisioning.spec import AccountSpec, ServerSpec, SiteSpec, ZoneSpec
from tests.provisioning import parsers, strategies

many = settings(max_examples=strategies.EXAMPLES, deadline=None)
few = settings(max_examples=strategies.FEW, deadline=None)


def holding(site: SiteSpec, username: str = "alice", *, suspended: bool = False) -> AccountSpec:
    """An account with one site."""
    return AccountSpec("acc_1", username, 20001, 20001, frozenset({"web"}), suspended, sites=(site,))


def plain(site: SiteSpec) -> SiteSpec:
    """The same site with names that nobody could misread."""
    aliases = tuple(f"alias{number}.example" for number in range(len(site.aliases)))
    return SiteSpec("site.example", aliases, "docroot", site.php_version)


def text_of(resources: list[Resource]) -> str:
    """The text of the only resource."""
    (resource,) = resources
    return str(resource.body["text"])


@many
@given(strategies.sites(), strategies.usernames, strategies.stacks, st.booleans())
def test_nginx_site_has_the_shape_of_a_plain_one(site: SiteSpec, username: str, stack: str, suspended: bool) -> None:
    server = strategies.server(stack)
    if not server.has_nginx:
        assert nginx.account(server, holding(site, username)) == []
        return
    tree = parsers.nginx(text_of(nginx.account(server, holding(site, username, suspended=suspended))))
    assert tree.shape == parsers.nginx(text_of(nginx.account(server, holding(plain(site), suspended=suspended)))).shape
    assert [set(found.arguments) for found in tree.all("server_name")] == [set(site.names)]
    if stack == "nginx" and not suspended:
        assert tree.all("root")[0].arguments == [f"/home/{username}/{site.docroot}"]
        assert [found.arguments for found in tree.all("fastcgi_pass")] == [
            [f"unix:/run/php/hostwright-{username}-{site.php_version}.sock"]
        ]


@many
@given(strategies.sites(), strategies.usernames, strategies.stacks, st.booleans())
def test_apache_site_has_the_shape_of_a_plain_one(site: SiteSpec, username: str, stack: str, suspended: bool) -> None:
    server = strategies.server(stack)
    if not server.has_apache or (suspended and server.has_nginx):
        assert apache.account(server, holding(site, username, suspended=suspended)) == []
        return
    tree = parsers.apache(text_of(apache.account(server, holding(site, username, suspended=suspended))))
    reference = parsers.apache(text_of(apache.account(server, holding(plain(site), suspended=suspended))))
    assert tree.shape == reference.shape
    assert {name for found in tree.all("ServerName") + tree.all("ServerAlias") for name in found.arguments} == set(
        site.names
    )
    if not suspended:
        assert tree.all("DocumentRoot")[0].arguments == [f"/home/{username}/{site.docroot}"]
        assert tree.all("Directory")[0].arguments == [f"/home/{username}/{site.docroot}"]


@many
@given(strategies.sites(), strategies.usernames)
def test_pool_has_the_shape_of_a_plain_one(site: SiteSpec, username: str) -> None:
    found = parsers.ini(text_of(php.account(strategies.server(), holding(site, username))))
    reference = parsers.ini(text_of(php.account(strategies.server(), holding(plain(site)))))
    assert list(found) == [username]
    assert found[username].keys() == reference["alice"].keys()
    changed = {
        key for key, value in found[username].items() if value != reference["alice"][key].replace("alice", username)
    }
    assert changed == set()


@many
@given(strategies.zones())
def test_zone_reads_back_as_its_records(zone: ZoneSpec) -> None:
    account = AccountSpec("acc_1", "alice", 20001, 20001, frozenset({"dns"}), zones=(zone,))
    text = text_of(bind.account(strategies.server(), account))
    assert not any(line.startswith("$") for line in text.splitlines())
    parsed = dns.zone.from_text(text.replace(SERIAL, "7"), zone.name + ".", relativize=False)
    found = {
        (owner.to_text(omit_final_dot=True), data.rdtype.name, content_of(data))
        for owner, _, data in parsed.iterate_rdatas()
        if data.rdtype.name != "SOA"
    }
    meant = {
        (
            zone.name if record.name == "@" else f"{record.name}.{zone.name}",
            record.type,
            comparable(record.type, record.content),
        )
        for record in zone.records
    }
    assert found == meant
    assert len(text.splitlines()) == len(meant) + 1


def content_of(data: dns.rdata.Rdata) -> str:
    """A record's content as it was entered."""
    if isinstance(data, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(data.strings).decode()
    return comparable(data.rdtype.name, data.to_text())


def comparable(kind: str, content: str) -> str:
    """Contents that differ only in writing, in one writing."""
    return content if kind == "TXT" else content.lower()


@few
@given(strategies.accounts(), strategies.stacks, st.sampled_from([12, 13]))
def test_a_slice_is_stable_and_names_nothing_twice(account: AccountSpec, stack: str, debian: int) -> None:
    server = strategies.server(stack, debian)
    first, second = for_account(server, account), for_account(server, shuffled(account))
    assert [(item.key, item.hash) for item in first] == [(item.key, item.hash) for item in second]


def shuffled(account: AccountSpec) -> AccountSpec:
    """The same account with its parts in another order."""
    parts = {
        name: tuple(reversed(getattr(account, name)))
        for name in ("sites", "zones", "databases", "database_users", "mail_domains")
    }
    return AccountSpec(**{**{name: getattr(account, name) for name in account.__dataclass_fields__}, **parts})


@few
@given(strategies.accounts(), strategies.stacks)
def test_nothing_of_an_account_is_roots_below_its_home(account: AccountSpec, stack: str) -> None:
    for resource in for_account(strategies.server(stack), account):
        if resource.kind in ("file", "directory", "link") and resource.name.startswith(f"{account.home}/"):
            assert resource.body["as"] == account.username
            assert resource.body.get("owner", account.username) == account.username


@few
@given(strategies.accounts(), strategies.stacks)
def test_every_reference_of_an_account_stays_in_its_slice(account: AccountSpec, stack: str) -> None:
    keys = by_key(for_account(strategies.server(stack), account))
    for resource in keys.values():
        for grant in resource.body.get("grants", []):
            assert f"database:{grant['database']}" in keys
        if resource.kind == "row" and resource.body["table"] != "domain":
            assert f"row:domain:{resource.body['key'].rpartition('@')[2]}" in keys


def test_the_servers_slice_is_the_same_twice() -> None:
    for stack in ("nginx", "apache", "nginx+apache"):
        server: ServerSpec = strategies.server(stack)
        assert [item.hash for item in for_server(server)] == [item.hash for item in for_server(server)]
