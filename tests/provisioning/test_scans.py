"""Scans of brands: who may ask, what is looked for, and what who may learn of it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Brand, Organization
from accounts.services import brands
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, NotFound
from panel.core.scoping import everything, tenant
from provisioning.models import BrandScan
from provisioning.selectors import scans as selectors
from provisioning.services import scans
from tests.cast import Cast, Person


def finding(owner: Person, name: str, excerpt: str, kind: str = "host") -> dict[str, str]:
    row = {"place": "dns.record", "subject": "NS shop.example", "kind": kind, "name": name, "excerpt": excerpt}
    return {**row, "owner": owner.organization.id}


def seen_by(person: Person, scan: BrandScan) -> list[tuple[str, str]]:
    with tenant(person.actor.path):
        return [(found.name, found.excerpt) for found in selectors.findings(scan, person.actor)]


def test_words_are_those_of_all_other_brands_and_the_software(cast: Cast) -> None:
    with everything("test"):
        brand = Brand.objects.get(organization=cast.reseller_a.organization)
        words = {(word.kind, word.shown) for word in selectors.words(brand)}
    assert ("software", "hostwright") in words
    assert {("name", "Northwind Hosting"), ("host", "northwind.example"), ("name", "Bureau B")} <= words
    assert ("host", "reseller-b.example") in words
    assert ("host", "people.example") in words
    assert not {word for word in words if "reseller-a" in word[1] or word[1] == "Atelier A"}


def test_name_servers_of_a_brand_above_are_looked_for_and_shared_ones_are_not(cast: Cast, settings: Any) -> None:
    settings.NEUTRAL_NAMESERVERS = ["ns1.platform.example", "ns2.platform.example"]
    sub = cast.sub_reseller.organization
    with everything("test"):
        for names in (["ns1.reseller-a.example", "ns2.reseller-a.example"], settings.NEUTRAL_NAMESERVERS):
            brand = brands.set(actor=Actor.system("test"), organization=sub, nameservers=names)
            for other in (cast.reseller_b, cast.provider):
                Brand.objects.filter(organization=other.organization).update(nameservers=settings.NEUTRAL_NAMESERVERS)
            hosts = {word.shown for word in selectors.words(brand) if word.kind == "host"}
            assert "reseller-a.example" in hosts
            assert "platform.example" not in hosts


def test_names_that_a_reseller_must_not_learn_are_masked_wherever_they_stand(cast: Cast) -> None:
    rows = [
        finding(cast.provider, "northwind.example", "ns1.northwind.example beside ns1.reseller-b.example"),
        finding(cast.reseller_b, "reseller-b.example", "ns1.northwind.example beside ns1.reseller-b.example"),
    ]
    with everything("test"):
        scan = BrandScan.objects.create(organization=cast.reseller_a.organization, host="x.example", findings=rows)
    text = "ns1.northwind.example beside ns1.•••"
    assert seen_by(cast.reseller_a, scan) == [("northwind.example", text), ("", text)]
    assert [name for name, _excerpt in seen_by(cast.provider, scan)] == ["northwind.example", "reseller-b.example"]


def test_a_sub_reseller_learns_its_parents_name_and_not_the_providers(cast: Cast) -> None:
    rows = [
        finding(cast.provider, "Northwind Hosting", "by northwind-hosting", "name"),
        finding(cast.reseller_a, "Atelier A", "by Atelier A", "name"),
    ]
    with everything("test"):
        scan = BrandScan.objects.create(organization=cast.sub_reseller.organization, host="x.example", findings=rows)
    assert seen_by(cast.sub_reseller, scan) == [("", "by •••"), ("Atelier A", "by Atelier A")]


def test_one_scan_of_a_brand_at_a_time(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path):
        scans.start(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)
        with pytest.raises(Conflict, match="being looked at"):
            scans.start(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)


def test_a_brand_without_a_panel_is_not_looked_at(cast: Cast) -> None:
    with tenant("/"), pytest.raises(Invalid, match="panel host"):
        scans.start(actor=Actor.system("test"), organization=cast.sub_reseller.organization)


def test_nobody_scans_the_brand_of_another(cast: Cast) -> None:
    with everything("test"), pytest.raises(NotFound):
        scans.start(actor=cast.reseller_b.actor, organization=cast.reseller_a.organization)


def test_a_brand_without_a_host_of_its_own_is_looked_at_where_its_neutral_one_is(cast: Cast) -> None:
    sub = cast.sub_reseller.organization
    with tenant(cast.reseller_a.actor.path):
        brand = brands.set(actor=cast.reseller_a.actor, organization=sub, name="Sub Studio")
        assert sub not in selectors.scannable()
    Brand._base_manager.filter(pk=brand.pk).update(neutral_host="bcdfgh.panels.example")
    with tenant(cast.reseller_a.actor.path):
        sub = Organization.objects.get(pk=sub.pk)
        assert sub in selectors.scannable()
        assert scans.start(actor=cast.reseller_a.actor, organization=sub).host == "bcdfgh.panels.example"
