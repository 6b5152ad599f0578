"""Sites and the names that they answer to."""

from __future__ import annotations

import pytest

from accounts.services import limits
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.scoping import everything
from provisioning.models import Domain, Record, SiteName, Zone
from provisioning.services import sites, zones
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, refused, used

SYSTEM = Actor.system("test")


def add(ground: Ground, hostname: str) -> SiteName:
    """Add a name to the site of client A as the client does."""
    with acting(ground.cast.client_a):
        return sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=hostname)[0]


def remove(ground: Ground, alias: SiteName) -> None:
    """Remove a name as the client does."""
    with acting(ground.cast.client_a):
        sites.remove_alias(actor=ground.cast.client_a.actor, alias=alias)


def test_a_name_below_an_own_domain_joins_its_zone(ground: Ground):
    alias = add(ground, "Shop.A-Site.org")
    assert (alias.hostname, alias.kind, alias.domain.name) == ("shop.a-site.org", "alias", "a-site.org")
    assert Zone._base_manager.filter(hosting=ground.account_a).count() == 1
    assert used(ground.account_a.id, "subdomains") == 1
    assert len(dirty(ground.account_a)) == 2


def test_a_name_of_its_own_becomes_a_domain_with_a_zone(ground: Ground):
    alias = add(ground, "shop-of-a.net")
    assert alias.domain.kind == Domain.Kind.ALIAS
    assert Zone._base_manager.get(name="shop-of-a.net").domain_id == alias.domain_id
    assert used(ground.account_a.id, "alias_domains") == 1
    below = add(ground, "m.shop-of-a.net")
    assert below.domain_id == alias.domain_id
    assert used(ground.account_a.id, "subdomains") == 1


def test_the_last_name_below_goes_before_the_domain_and_all_counts_with_it(ground: Ground):
    alias, below = add(ground, "shop-of-a.net"), add(ground, "m.shop-of-a.net")
    with everything("test"):
        zone = Zone.objects.get(name="shop-of-a.net")
        zones.add_record(actor=SYSTEM, zone=zone, type="TXT", name="x", content="y")
    with acting(ground.cast.client_a), refused("in_use", None, 409):
        sites.remove_alias(actor=ground.cast.client_a.actor, alias=alias)
    remove(ground, below)
    with acting(ground.cast.client_a):
        for word in ("", "shop-of-a"):
            with refused("confirm", "confirm"):
                sites.remove_alias(actor=ground.cast.client_a.actor, alias=alias, confirm=word)
        sites.remove_alias(actor=ground.cast.client_a.actor, alias=alias, confirm="shop-of-a.net")
    counts = [used(ground.account_a.id, name) for name in ("alias_domains", "subdomains", "records")]
    assert counts == [0, 0, 0]
    with everything("test"):
        assert not Record.objects.filter(zone=zone).exists()
        assert not Domain.objects.filter(name="shop-of-a.net").exists()


def test_removing_a_name_twice_gives_its_count_back_once(ground: Ground):
    first, _second = add(ground, "one.a-site.org"), add(ground, "two.a-site.org")
    remove(ground, first)
    with pytest.raises(NotFound):
        remove(ground, first)
    assert used(ground.account_a.id, "subdomains") == 1


def test_the_sites_own_names_stay(ground: Ground):
    with everything("test"):
        for name in SiteName.objects.filter(site=ground.site):
            with refused("not_an_alias", "hostname"):
                sites.remove_alias(actor=SYSTEM, alias=name)


@pytest.mark.parametrize("taken", ["www.a-site.org", "a-site.org", "shop.a-site.org"])
def test_a_name_is_served_once(ground: Ground, taken: str):
    add(ground, "shop.a-site.org")
    with acting(ground.cast.client_a), refused("conflict", "hostname", 409):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=taken)


def test_a_name_has_no_addresses_beside_a_cname(ground: Ground):
    with everything("test"):
        zones.add_record(actor=SYSTEM, zone=ground.zone, type="CNAME", name="shop", content="other.example.net.")
    with acting(ground.cast.client_a), refused("conflict", "hostname", 409, says="CNAME"):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname="shop.a-site.org")


def test_names_below_another_account_of_the_same_client_belong_there(ground: Ground):
    factories.account(ground.cast.client_a.organization, ground.package_a, "lab.a-site.org")
    with acting(ground.cast.client_a), refused("conflict", "hostname", 409):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname="x.lab.a-site.org")
    assert add(ground, "lab2.a-site.org").domain.name == "a-site.org"


def test_limits_of_names_hold(ground: Ground):
    with everything("test"):
        limits.set_limit(subject=ground.account_a.id, resource="subdomains", limit=1)
        limits.set_limit(subject=ground.account_a.id, resource="alias_domains", limit=0)
    add(ground, "one.a-site.org")
    with acting(ground.cast.client_a):
        for hostname in ("two.a-site.org", "alias-of-a.net"):
            with refused("limit_reached", None, 409, says="this hosting account"):
                sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=hostname)


def test_others_can_not_touch_a_site(ground: Ground):
    alias = add(ground, "shop.a-site.org")
    for person in (ground.cast.client_b, ground.cast.reseller_b, ground.cast.outsider):
        with everything("test"), refused("not_found", None, 404):
            sites.add_alias(actor=person.actor, site=ground.site, hostname="x.a-site.org")
        with everything("test"), refused("not_found", None, 404):
            sites.remove_alias(actor=person.actor, alias=alias)
    with everything("test"), refused("forbidden", None, 403):
        sites.add_alias(actor=ground.cast.readonly_a.actor, site=ground.site, hostname="x.a-site.org")
