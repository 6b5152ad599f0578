"""Zones as they are served: default records, and those that people add."""

from __future__ import annotations

import pytest

from accounts.services import brands, limits
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.scoping import everything
from provisioning.models import Address, Record
from provisioning.selectors import zones as selectors
from provisioning.services import sites, zones
from tests.provisioning.ground import Ground, acting, dirty, refused, used

SYSTEM = Actor.system("test")

DEFAULTS = [
    ("@", "A", "198.51.100.2"),
    ("@", "MX", "10 mail.a-site.org."),
    ("@", "NS", "ns1.reseller-a.example."),
    ("@", "NS", "ns2.reseller-a.example."),
    ("@", "TXT", "v=spf1 mx a include:_spf.reseller-a.example ~all"),
    ("_dmarc", "TXT", "v=DMARC1; p=none"),
    ("mail", "A", "198.51.100.2"),
    ("www", "A", "198.51.100.2"),
]


def add(ground: Ground, name: str, type_: str, content: str, ttl: int = 3600) -> Record:
    """Add a record as the client does."""
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        return zones.add_record(actor=actor, zone=ground.zone, type=type_, name=name, content=content, ttl=ttl)[0]


def served(ground: Ground) -> list[tuple[str, str, str]]:
    """Return what client A's zone serves."""
    with everything("test"):
        return [(row.name, row.type, row.content) for row in selectors.records(ground.zone)]


def test_a_new_zone_has_the_brands_default_records(ground: Ground):
    assert served(ground) == DEFAULTS


def test_defaults_follow_addresses_brand_and_aliases(ground: Ground):
    with everything("test"):
        Address.objects.create(server=ground.server, ip="2001:db8::2", family=6)
        Address.objects.filter(ip="198.51.100.2").update(public_ip="203.0.113.9")
        brands.set(
            actor=SYSTEM,
            organization=ground.cast.reseller_a.organization,
            nameservers=["ns.new.example", "ns.newer.example"],
        )
        sites.add_alias(actor=SYSTEM, site=ground.site, hostname="shop.a-site.org")
    found = served(ground)
    for name in ("@", "www", "shop", "mail"):
        assert [row[2] for row in found if row[0] == name and row[1] == "A"] == ["203.0.113.9"]
        assert [row[2] for row in found if row[0] == name and row[1] == "AAAA"] == ["2001:db8::2"]
    assert [row[2] for row in found if row[1] == "NS"] == ["ns.new.example.", "ns.newer.example."]


def test_a_dedicated_address_replaces_the_shared_one_of_its_family(ground: Ground):
    Address.objects.create(
        server=ground.server, ip="198.51.100.77", family=4, kind="dedicated", hosting=ground.account_a
    )
    found = served(ground)
    assert ("@", "A", "198.51.100.77") in found
    assert ("@", "A", "198.51.100.2") not in found
    assert ("mail", "A", "198.51.100.2") in found


@pytest.mark.parametrize(
    ("name", "type_", "content", "replaced"),
    [
        ("@", "A", "203.0.113.5", ("@", "A", "198.51.100.2")),
        ("www", "A", "203.0.113.5", ("www", "A", "198.51.100.2")),
        ("@", "MX", "5 mx.example.net", ("@", "MX", "10 mail.a-site.org.")),
        ("@", "TXT", "v=spf1 -all", ("@", "TXT", "v=spf1 mx a include:_spf.reseller-a.example ~all")),
        ("_dmarc", "TXT", "v=DMARC1; p=reject", ("_dmarc", "TXT", "v=DMARC1; p=none")),
    ],
)
def test_an_own_record_takes_the_place_of_defaults_until_it_goes(
    ground: Ground, name: str, type_: str, content: str, replaced: tuple[str, str, str]
):
    record = add(ground, name, type_, content)
    found = served(ground)
    assert replaced not in found
    assert len(found) == len(DEFAULTS)
    with acting(ground.cast.client_a):
        zones.remove_record(actor=ground.cast.client_a.actor, record=record)
    assert served(ground) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "content"),
    [("@", "site-verification=1"), ("sub", "v=spf1 -all"), ("_dmarc.sub", "v=DMARC1; p=reject"), ("_dmarc", "other")],
)
def test_other_texts_stand_beside_the_defaults(ground: Ground, name: str, content: str):
    add(ground, name, "TXT", content)
    found = served(ground)
    assert set(DEFAULTS) < set(found)
    assert (name, "TXT", content) in found


@pytest.mark.parametrize(
    ("type_", "name", "content", "kept"),
    [
        ("a", "WWW2.a-site.org.", "203.0.113.7", ("www2", "A", "203.0.113.7")),
        ("AAAA", "x", "2001:DB8:0::1", ("x", "AAAA", "2001:db8::1")),
        ("CNAME", "blog", "pages.example.net", ("blog", "CNAME", "pages.example.net.")),
        ("CNAME", "b2", "www", ("b2", "CNAME", "www.a-site.org.")),
        ("MX", "", "10 mx", ("@", "MX", "10 mx.a-site.org.")),
        ("SRV", "_sip._tcp", "10 5 5060 sip.example.net", ("_sip._tcp", "SRV", "10 5 5060 sip.example.net.")),
        ("CAA", "@", "0 issue ca.example.net", ("@", "CAA", '0 issue "ca.example.net"')),
        ("NS", "child", "ns.example.net", ("child", "NS", "ns.example.net.")),
        ("TXT", "*", "any", ("*", "TXT", "any")),
        ("A", "bücher", "203.0.113.7", ("xn--bcher-kva", "A", "203.0.113.7")),
    ],
)
def test_records_are_kept_in_normal_form(
    ground: Ground, type_: str, name: str, content: str, kept: tuple[str, str, str]
):
    record = add(ground, name, type_, content)
    assert (record.name, record.type, record.content) == kept
    assert len(dirty(ground.account_a)) == 2
    assert used(ground.account_a.id, "records") == 1


def test_a_record_is_there_once(ground: Ground):
    add(ground, "x", "A", "203.0.113.7")
    with acting(ground.cast.client_a), refused("conflict", "content", 409):
        zones.add_record(actor=ground.cast.client_a.actor, zone=ground.zone, type="A", name="X", content="203.0.113.7")


def test_the_zones_own_name_servers_are_the_brands(ground: Ground):
    with acting(ground.cast.client_a), refused("brand_nameservers", "type"):
        zones.add_record(
            actor=ground.cast.client_a.actor, zone=ground.zone, type="NS", name="@", content="ns.example.net"
        )


def test_a_change_keeps_the_rest_and_counts_nothing(ground: Ground):
    record = add(ground, "x", "A", "203.0.113.7", 600)
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        changed, _operation = zones.change_record(actor=actor, record=record, content="203.0.113.8")
        assert (changed.name, changed.ttl, changed.content) == ("x", 600, "203.0.113.8")
        with refused("ttl", "ttl"):
            zones.change_record(actor=actor, record=record, ttl=5)
        with refused("unknown", "zone"):
            zones.change_record(actor=actor, record=record, zone="other")
    assert used(ground.account_a.id, "records") == 1


def test_a_record_removed_meanwhile_can_neither_change_nor_go_twice(ground: Ground):
    record = add(ground, "x", "A", "203.0.113.7")
    add(ground, "y", "A", "203.0.113.7")
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        zones.remove_record(actor=actor, record=record)
        record.pk = record.id
        with pytest.raises(NotFound):
            zones.remove_record(actor=actor, record=record)
        with pytest.raises(NotFound):
            zones.change_record(actor=actor, record=record, content="203.0.113.8")
    assert used(ground.account_a.id, "records") == 1


def test_the_limit_of_records_holds(ground: Ground):
    with everything("test"):
        limits.set_limit(subject=ground.account_a.id, resource="records", limit=1)
    add(ground, "x", "A", "203.0.113.7")
    with acting(ground.cast.client_a), refused("limit_reached", None, 409):
        zones.add_record(actor=ground.cast.client_a.actor, zone=ground.zone, type="A", name="y", content="203.0.113.7")


def test_others_can_not_touch_a_zone(ground: Ground):
    record = add(ground, "x", "A", "203.0.113.7")
    for person in (ground.cast.client_b, ground.cast.reseller_b, ground.cast.outsider):
        with everything("test"), refused("not_found", None, 404):
            zones.add_record(actor=person.actor, zone=ground.zone, type="A", name="z", content="203.0.113.7")
        with everything("test"), refused("not_found", None, 404):
            zones.remove_record(actor=person.actor, record=record)
    with everything("test"), refused("forbidden", None, 403):
        zones.add_record(
            actor=ground.cast.readonly_a.actor, zone=ground.zone, type="A", name="z", content="203.0.113.7"
        )
