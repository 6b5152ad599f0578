"""The page of an address: what to ask for, what was seen, giving it to a brand and taking it back."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.services import brands
from panel.core import public_dns
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Address
from tests.provisioning.ground import Ground

MAIL = "mail.atelier.example"


@pytest.fixture
def address(ground: Ground) -> Address:
    with everything("test"):
        organization = ground.cast.reseller_a.organization
        brands.set(actor=Actor.system("test"), organization=organization, mail_host=MAIL)
        return Address.objects.create(server=ground.server, ip="203.0.113.5", family=4, kind="dedicated")


def test_it_is_given_looked_up_and_taken_back(
    ground: Ground, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = ground.cast.provider.browser()
    page = reverse("provisioning:address", args=[address.pk])
    assert ground.server.platform_name in browser.get(page).content.decode()
    give = reverse("provisioning:address_give", args=[address.pk])
    form = browser.get(give).content.decode()
    assert ground.cast.reseller_a.organization.name in form
    assert browser.post(give, {"organization": ground.cast.reseller_a.organization.pk}).status_code == 302
    shown = browser.get(page).content.decode()
    assert f"5.113.0.203.in-addr.arpa. IN PTR {MAIL}." in shown
    monkeypatch.setattr(public_dns, "pointers", lambda asked: ["old.platform.example"])
    assert browser.post(page).status_code == 302
    shown = browser.get(page).content.decode()
    assert "old.platform.example" in shown
    assert "Another name" in shown
    back = reverse("provisioning:address_take_back", args=[address.pk])
    assert MAIL not in browser.get(reverse("provisioning:server", args=[ground.server.pk])).content.decode()
    assert browser.post(back).status_code == 302
    assert Address.objects.get(pk=address.pk).brand is None


def test_a_reseller_sees_the_state_of_its_own_and_no_name_of_others(ground: Ground, address: Address) -> None:
    brand = ground.cast.reseller_a.organization.brand
    Address.objects.filter(pk=address.pk).update(
        brand=brand, pointers=["secret.platform.example"], pointers_checked_at=address.created_at
    )
    shown = ground.cast.reseller_a.browser().get(reverse("provisioning:nameservers")).content.decode()
    assert address.ip in shown
    assert MAIL in shown
    assert "secret.platform.example" not in shown
    assert ground.cast.reseller_a.browser().get(reverse("provisioning:address", args=[address.pk])).status_code in (
        403,
        404,
    )
