"""Dedicated addresses that a brand was given: what is refused, what follows, which reverse name to ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Brand
from accounts.services import brands
from panel.core import public_dns
from panel.core.actors import Actor
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning import desired
from provisioning.models import Address, Intent, Server, Slice
from provisioning.selectors import brand_names
from provisioning.selectors import pointers as selectors
from provisioning.selectors import zones as zone_selectors
from provisioning.services import addresses, branding, pointers, renumbering
from provisioning.spec import IdentitySpec
from tests.provisioning import factories
from tests.provisioning.ground import Ground, refused

SYSTEM = Actor.system("test")
OWN = "203.0.113.50"
MAIL = "mail.atelier.example"


def dedicated(server: Server, ip: str = OWN, **more: Any) -> Address:
    return Address.objects.create(server=server, ip=ip, family=6 if ":" in ip else 4, kind="dedicated", **more)


@pytest.fixture(autouse=True)
def _unscoped() -> Iterator[None]:
    with everything("test"):
        yield


@pytest.fixture
def brand(ground: Ground) -> Brand:
    """Reseller A's brand, with a mail host."""
    with everything("test"):
        return brands.set(actor=SYSTEM, organization=ground.cast.reseller_a.organization, mail_host=MAIL)


@pytest.fixture
def given(ground: Ground, brand: Brand) -> Address:
    """An address that the provider gave to it."""
    return give(ground, dedicated(ground.server))


def give(ground: Ground, address: Address) -> Address:
    with everything("test"):
        return addresses.give(
            actor=ground.cast.provider.actor, address=address, organization=ground.cast.reseller_a.organization
        )[0]


def test_giving_reaches_the_servers_own_slice_and_the_brands_accounts_there(ground: Ground, brand: Brand) -> None:
    Intent.objects.all().delete()
    address = give(ground, dedicated(ground.server))
    assert address.brand == brand
    dirty = set(Intent.objects.values_list("slice__hosting", flat=True))
    assert dirty == {None, ground.account_a.pk}
    entry = AuditEntry.objects.filter(action="address.give").latest("id")
    assert entry.changes == {"brand": [None, brand.name]}


def test_the_server_is_the_brand_there_and_its_accounts_use_it(ground: Ground, given: Address, brand: Brand) -> None:
    assert desired.server_spec(ground.server).identities == (IdentitySpec(brand.id, MAIL, (OWN,)),)
    specs = desired.accounts(ground.server, [ground.account_a.pk, ground.account_b.pk])
    ours, theirs = specs[ground.account_a.pk], specs[ground.account_b.pk]
    assert not isinstance(ours, Exception)
    assert not isinstance(theirs, Exception)
    assert ours.sites[0].also == (OWN,)
    assert ours.sites[0].listen == ()
    assert theirs.sites[0].also == ()
    assert ours.brand == brand.id


def test_default_records_and_the_brands_own_name_the_address(ground: Ground, given: Address, brand: Brand) -> None:
    served = {(row.name, row.type, row.content) for row in zone_selectors.records(ground.zone)}
    assert {("@", "A", OWN), ("mail", "A", OWN)} <= served
    shared = ground.server.addresses.get(kind="shared").public
    assert not [row for row in served if shared in row]
    with everything("test"):
        records = {(row.purpose, row.content) for row in brand_names.records(brand)}
    assert ("mail", OWN) in records
    assert ("spf", f"v=spf1 ip4:{OWN} -all") in records


def test_another_family_keeps_the_shared_address(ground: Ground, given: Address) -> None:
    Address.objects.create(server=ground.server, ip="2001:db8::7", family=6)
    served = {(row.name, row.type, row.content) for row in zone_selectors.records(ground.zone)}
    assert ("@", "AAAA", "2001:db8::7") in served


def test_an_accounts_own_address_comes_before_its_brands(ground: Ground, given: Address) -> None:
    dedicated(ground.server, "203.0.113.51", hosting=ground.account_a)
    served = {(row.name, row.type, row.content) for row in zone_selectors.records(ground.zone)}
    assert {("@", "A", "203.0.113.51"), ("mail", "A", OWN)} <= served


def test_what_is_refused_says_why(ground: Ground, brand: Brand) -> None:
    shared = ground.server.addresses.get(kind="shared")
    held = dedicated(ground.server, "203.0.113.52", hosting=ground.account_b)
    first, second = dedicated(ground.server), dedicated(ground.server, "203.0.113.53")
    give(ground, first)
    with refused("shared", None, 409, says="Add a dedicated one"):
        give(ground, shared)
    with refused("in_use", None, 409, says="An account has this address"):
        give(ground, held)
    with refused("in_use", None, 409, says="Take it back first"):
        give(ground, first)
    with refused("taken", None, 409, says=OWN):
        give(ground, second)
    assert give(ground, dedicated(ground.server, "2001:db8::50")).brand == brand


def test_a_brand_without_a_mail_host_gets_none(ground: Ground, brand: Brand) -> None:
    Brand.objects.filter(pk=brand.pk).update(mail_host="")
    address = dedicated(ground.server)
    with refused("mail_host", "organization", says="mail host"):
        give(ground, address)


def test_one_that_is_given_is_not_removed_until_it_is_taken_back(ground: Ground, given: Address) -> None:
    actor = ground.cast.provider.actor
    with everything("test"):
        with refused("in_use", None, 409, says="Take it back from the brand"):
            addresses.remove(actor=actor, address=given)
        Intent.objects.all().delete()
        taken = addresses.take_back(actor=actor, address=given)[0]
        assert taken.brand is None
        assert set(Intent.objects.values_list("slice__hosting", flat=True)) == {None, ground.account_a.pk}
        with refused("not_given", None, 409):
            addresses.take_back(actor=actor, address=taken)
        addresses.remove(actor=actor, address=taken)
    assert desired.server_spec(ground.server).identities == ()


def test_another_mail_host_reaches_the_server_and_none_makes_it_neutral(ground: Ground, given: Address) -> None:
    Intent.objects.all().delete()
    organization = ground.cast.reseller_a.organization
    with everything("test"):
        branding.change(actor=SYSTEM, organization=organization, mail_host="mx.atelier.example")
    assert None in set(Intent.objects.values_list("slice__hosting", flat=True))
    assert desired.server_spec(ground.server).identities[0].name == "mx.atelier.example"
    with everything("test"):
        branding.change(actor=SYSTEM, organization=organization, mail_host="")
    assert desired.server_spec(ground.server).identities == ()


def test_no_reseller_gives_itself_an_address(ground: Ground, brand: Brand) -> None:
    address = dedicated(ground.server)
    with everything("test"), refused("not_found", None, 404):
        addresses.give(
            actor=ground.cast.reseller_a.actor, address=address, organization=ground.cast.reseller_a.organization
        )


def test_a_replaced_server_hands_it_over(ground: Ground, given: Address, brand: Brand) -> None:
    spare = factories.server(ground.cast.provider.organization, name="spare")
    new = dedicated(spare, "203.0.113.60")
    old = list(ground.server.addresses.select_related("hosting", "brand").order_by("kind", "family", "id"))
    renumbering.hand_over(renumbering.match(old, list(spare.addresses.order_by("id")), {}))
    new.refresh_from_db()
    given.refresh_from_db()
    assert (new.brand, given.brand) == (brand, None)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([MAIL], "right"),
        ([], "missing"),
        (["one.platform.example"], "wrong"),
        ([MAIL, "x.example"], "wrong"),
        (None, "unknown"),
    ],
)
def test_the_reverse_name_is_the_mail_hosts(
    ground: Ground, given: Address, monkeypatch: pytest.MonkeyPatch, found: list[str] | None, state: str
) -> None:
    assert selectors.of(given).state == "unknown"
    monkeypatch.setattr(public_dns, "pointers", lambda address: found)
    seen = pointers.check(actor=ground.cast.provider.actor, address=given)
    assert (seen.wanted, seen.record, seen.state) == (MAIL, "50.113.0.203.in-addr.arpa", state)


def test_a_shared_address_has_the_platforms_name(ground: Ground) -> None:
    shared = ground.server.addresses.select_related("server", "brand").get(kind="shared")
    assert selectors.of(shared).wanted == ground.server.platform_name


def test_those_of_brands_are_looked_at_every_hour_others_every_day(
    ground: Ground, given: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(public_dns, "pointers", lambda address: asked.append(address))
    shared = ground.server.addresses.get(kind="shared")
    for hours, expected in ((0, [shared.ip, OWN]), (2, [OWN]), (25, [shared.ip, OWN])):
        asked.clear()
        if hours:
            Address.objects.update(pointers_checked_at=timezone.now() - timedelta(hours=hours))
        with everything("test"):
            pointers.check_due()
            pointers.check_due()
        assert sorted(asked) == sorted(expected)


def test_no_slice_is_dirtied_by_a_look(ground: Ground, given: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    Intent.objects.all().delete()
    monkeypatch.setattr(public_dns, "pointers", lambda address: [MAIL])
    pointers.check(actor=SYSTEM, address=given)
    assert not Intent.objects.exists()
    assert Slice.objects.filter(server=ground.server).exists()
