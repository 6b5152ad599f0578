"""Name servers of a brand: what they should be, what a real BIND says of them, what can be added here."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Brand
from accounts.services import brands
from panel.core.actors import Actor
from panel.core.errors import Conflict
from panel.core.scoping import everything
from provisioning import nameserver_look
from provisioning.models import Address, NameServerCheck, Record, Server
from provisioning.nameserver_look import Finding
from provisioning.selectors import brand_names
from provisioning.selectors import nameservers as selectors
from provisioning.services import nameservers
from tests.provisioning import factories
from tests.provisioning.ground import Ground
from tests.servers import Server as RealServer

SYSTEM = Actor.system("test")
NS1, NS2 = "ns1.atelier.test", "ns2.atelier.test"
OURS = "203.0.113.10"

# As the public DNS: who asks it to resolve gets all, who asks the parent itself gets what the registrar has entered.
CONFIG = """
options { directory "/var/cache/bind"; listen-on { any; }; dnssec-validation no; allow-query { any; }; };
view "resolver" {
    match-recursive-only yes; recursion yes; allow-recursion { any; };
    zone "test" { type primary; file "/etc/bind/parent.zone"; };
    zone "atelier.test" { type primary; file "/etc/bind/child.zone"; };
};
view "parent" {
    recursion no;
    zone "test" { type primary; file "/etc/bind/parent.zone"; };
};
"""
PARENT = """$TTL 60
@ SOA a.nic.test. hostmaster.nic.test. 1 3600 600 86400 60
@ NS a.nic.test.
a.nic A {server}
atelier NS ns1.atelier.test.
atelier NS ns2.atelier.test.
ns1.atelier A {glue}
ns2.atelier A 203.0.113.10
bare NS ns1.atelier.test.
"""
CHILD = """$TTL 60
@ SOA ns1.atelier.test. hostmaster.atelier.test. 1 3600 600 86400 60
@ NS ns1.atelier.test.
@ NS ns2.atelier.test.
ns1 A 203.0.113.10
ns2 A 203.0.113.10
"""


@pytest.fixture(scope="module")
def bind(module_server: RealServer) -> RealServer:
    """A BIND that is the public DNS."""
    module_server.run(["systemctl", "stop", "named"])
    module_server.put("/etc/bind/public.conf", CONFIG)
    module_server.put("/etc/bind/child.zone", CHILD)
    module_server.put("/etc/bind/parent.zone", PARENT.format(server=module_server.address, glue=OURS))
    module_server.run(["named", "-u", "bind", "-c", "/etc/bind/public.conf"])
    return module_server


@pytest.fixture
def public(bind: RealServer, settings: Any) -> RealServer:
    """The same, asked by this test's panel."""
    settings.PUBLIC_RESOLVERS = [bind.address]
    return bind


def brand_of(ground: Ground, *hosts: str) -> Brand:
    """Give reseller A's brand name servers."""
    return brands.set(actor=SYSTEM, organization=ground.cast.reseller_a.organization, nameservers=list(hosts))


def look(ground: Ground, *hosts: str) -> selectors.Overview:
    """Look at them."""
    with everything("test"):
        return nameservers.check(actor=SYSTEM, brand=brand_of(ground, *hosts))


def addresses(brand: Brand) -> dict[str, list[str]]:
    """Return the addresses that its name servers should have."""
    return selectors.addresses_for(brand, selectors.holders(brand))


def move(ground: Ground, address: str) -> None:
    """Let the DNS server have another address."""
    with everything("test"):
        Address.objects.filter(server=ground.server, family=4).update(ip=address, public_ip=None)
        Address.objects.filter(server=ground.server, family=6).delete()


def test_what_the_registrar_and_the_dns_have_is_right(ground: Ground, public: RealServer) -> None:
    move(ground, OURS)
    found = look(ground, NS1, NS2)
    assert [server.state for server in found.servers] == ["right", "right"]
    assert found.complete
    seen = found.servers[0].seen
    assert seen is not None
    assert (seen.found, seen.glue, seen.delegated) == ([OURS], [OURS], [NS1, NS2])
    with everything("test"):
        assert NameServerCheck.objects.get().complete


def test_another_address_here_is_wrong_there(ground: Ground, public: RealServer) -> None:
    move(ground, "203.0.113.99")
    assert [server.state for server in look(ground, NS1, NS2).servers] == ["wrong", "wrong"]


def test_names_that_nobody_entered_are_missing(ground: Ground, public: RealServer) -> None:
    move(ground, OURS)
    found = look(ground, "ns8.atelier.test", "ns9.atelier.test")
    assert [server.state for server in found.servers] == ["missing", "missing"]
    assert not found.complete


def test_glue_that_differs_is_the_registrars_affair(ground: Ground, public: RealServer) -> None:
    move(ground, OURS)
    changed = PARENT.format(server=public.address, glue="203.0.113.77").replace(" 1 3600", " 2 3600")
    public.put("/etc/bind/parent.zone", changed)
    public.run(["sh", "-c", 'kill -HUP "$(cat /run/named/named.pid)"'])
    for _try in range(500):
        referral = nameserver_look.ask_parent("atelier.test")
        if referral is not None and "203.0.113.77" in referral.glue[NS1]:
            break
    assert [server.state for server in look(ground, NS1, NS2).servers] == ["glue", "right"]


def test_a_delegation_without_names_of_its_own_needs_no_glue(public: RealServer) -> None:
    referral = nameserver_look.ask_parent("bare.test")
    assert referral is not None
    assert (referral.nameservers, referral.glue) == ([NS1], {})


def test_when_nobody_answers_nothing_is_known(ground: Ground) -> None:
    found = look(ground, NS1, NS2)
    assert [server.state for server in found.servers] == ["missing", "missing"]
    assert [server.seen.asked for server in found.servers if server.seen] == [False, False]


def test_what_is_unwise_is_said(ground: Ground) -> None:
    with everything("test"):
        assert selectors.overview(brand_of(ground, NS1, NS2)).warnings == ["one_address"]
        fresh = brands.set(
            actor=SYSTEM,
            organization=ground.cast.sub_reseller.organization,
            nameservers=["ns1.sub.test", "ns2.sub.test"],
        )
        factories.server(ground.cast.provider.organization, "dns1", "198.51.100.91")
        assert len({tuple(found) for found in addresses(fresh).values()}) == 2
        assert selectors.overview(fresh).warnings == ["one_network"]
        Server.objects.filter(name="dns1").update(closed=True)
        factories.server(ground.cast.provider.organization, "dns2", "203.0.113.92")
        assert selectors.overview(fresh).warnings == []
        Server.objects.update(state=Server.State.RETIRED)
        assert selectors.overview(fresh).warnings == ["no_addresses"]


def test_shared_ones_are_the_affair_of_who_has_them(ground: Ground, settings: Any) -> None:
    """Whoever uses them wants the addresses that their holder has entered, and has nothing to enter."""
    settings.NEUTRAL_NAMESERVERS = shared = ["ns1.platform.test", "ns2.platform.test"]
    factories.server(ground.cast.provider.organization, "dns1", "198.51.100.91")
    with everything("test"):
        above = brand_of(ground, NS1, NS2)
        below = brands.set(actor=SYSTEM, organization=ground.cast.sub_reseller.organization, nameservers=[NS2, NS1])
        assert addresses(below) == addresses(above)
        found = selectors.overview(below)
        assert ([server.shared for server in found.servers], found.addable) == ([True, True], [])
        assert (selectors.overview(above).warnings, found.warnings) == (["one_address"], [])
        brands.set(actor=SYSTEM, organization=ground.cast.sub_reseller.organization, nameservers=shared)
        provider = brands.set(
            actor=SYSTEM, organization=ground.cast.provider.organization, hostmaster="h@platform.test"
        )
        at_top = {server.host: server for server in selectors.overview(provider).servers}
        assert not any(at_top[host].shared for host in shared)
        below.refresh_from_db()
        assert {server.host: server.addresses for server in selectors.overview(below).servers} == {
            host: at_top[host].addresses for host in shared
        }
    page = ground.cast.sub_reseller.browser().get("/brand/name-servers/").content.decode()
    assert "nothing to enter" in page
    assert "host objects" not in page


def test_records_are_added_where_the_zone_is_here(ground: Ground) -> None:
    package = factories.package(ground.cast.reseller_a.organization, "Own")
    with everything("test"):
        factories.account(ground.cast.client_a.organization, package, "atelier-a.org")
        brand = brand_of(ground, "ns1.atelier-a.org", "ns2.atelier-a.org")
        wanted = selectors.overview(brand)
        assert [server.has_records for server in wanted.servers] == [False, False]
        operations = nameservers.add_records(actor=ground.cast.reseller_a.actor, brand=brand)
        assert len(operations) == Record.objects.filter(name__in=("ns1", "ns2")).count() >= 2
        assert {row.content for row in Record.objects.filter(name="ns1")} == set(wanted.servers[0].addresses)
        assert selectors.overview(brand).addable == []
        with pytest.raises(Conflict):
            nameservers.add_records(actor=ground.cast.reseller_a.actor, brand=brand)


def test_panel_and_mail_of_the_brand_have_their_records(ground: Ground, settings: Any) -> None:
    settings.PANEL_ADDRESSES = ["203.0.113.80", "2001:db8::80"]
    package = factories.package(ground.cast.reseller_a.organization, "Own")
    with everything("test"):
        factories.account(ground.cast.client_a.organization, package, "atelier-a.org")
        brand = brands.set(
            actor=SYSTEM,
            organization=ground.cast.reseller_a.organization,
            panel_host="login.atelier-a.org",
            mail_host="mail.atelier-a.org",
        )
        wanted = {(one.name, one.type, one.content): one.present for one in brand_names.records(brand)}
        assert wanted == {
            ("login.atelier-a.org", "A", "203.0.113.80"): False,
            ("login.atelier-a.org", "AAAA", "2001:db8::80"): False,
            ("mail.atelier-a.org", "A", "198.51.100.2"): True,
            ("_spf.atelier-a.org", "TXT", "v=spf1 ip4:198.51.100.2 -all"): False,
        }
        nameservers.add_records(actor=ground.cast.reseller_a.actor, brand=brand)
        assert all(one.present for one in brand_names.records(brand))
    here = {"host": "login.atelier-a.org"}
    page = ground.cast.reseller_a.browser().get("/brand/name-servers/", headers=here).content.decode()
    assert "v=spf1 ip4:198.51.100.2 -all" in page
    url = f"/api/v1/organizations/{ground.cast.reseller_a.organization.pk}/name-servers"
    shown = ground.cast.reseller_a.program().get(url, headers=here).json()
    assert {record["purpose"] for record in shown["records"]} == {"panel", "mail", "spf"}


def test_zones_of_other_tenants_are_none_of_its_own(ground: Ground) -> None:
    package = factories.package(ground.cast.reseller_b.organization, "Other")
    with everything("test"):
        factories.account(ground.cast.client_b.organization, package, "bureau-b.org")
        brand = brand_of(ground, "ns1.bureau-b.org", "ns2.bureau-b.org")
        assert [server.zone for server in selectors.overview(brand).servers] == [None, None]


def test_a_page_shows_what_to_enter(ground: Ground) -> None:
    with everything("test"):
        NameServerCheck.objects.create(
            brand=brand_of(ground, NS1, NS2),
            findings=[Finding(NS1, "atelier.test", ["203.0.113.5"], asked=True).plain()],
            checked_at="2026-11-22T00:00:00Z",
        )
        address = addresses(Brand.objects.get(organization=ground.cast.reseller_a.organization))[NS1][0]
    page = ground.cast.reseller_a.browser().get("/brand/name-servers/").content.decode()
    for shown in (NS1, NS2, address, "203.0.113.5", "Another address", "RFC 2182"):
        assert shown in page
