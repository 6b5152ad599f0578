"""A sub-reseller's customers live under its own brand: of the reseller and the provider above it they read nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.cache import cache
from django.urls import NoReverseMatch, reverse

from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount
from tests.cast import Cast, Person
from tests.panel.matrix import ROWS
from tests.provisioning import factories

HOST = "panel.sub-brand.example"
#: Of reseller A, its brand and its people, and of the provider.
ABOVE = ("Atelier", "reseller-a", "Northwind", "northwind", "provider@")


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of the sub-reseller's client, whose brand has none of the links that its parent's has."""
    with everything("test"):
        brands.set(
            actor=Actor.system("test"),
            organization=cast.sub_reseller.organization,
            name="Studio Sub",
            panel_host=HOST,
            nameservers=["ns1.sub-brand.example", "ns2.sub-brand.example"],
        )
        factories.server(cast.provider.organization)
        return factories.account(
            cast.client_sub.organization, factories.package(cast.sub_reseller.organization), "cellar.example"
        )


def at_own_host(client: Person) -> Person:
    """Return a person of the sub-reseller's customers at its own panel host."""
    return replace(client, host=HOST)


def test_pages_and_answers_of_a_sub_resellers_client_name_nobody_above(cast: Cast, account: HostingAccount) -> None:
    client = at_own_host(cast.client_sub)
    browser = client.browser()
    found, walked = [], 0
    for row in ROWS:
        if "GET" not in row.methods.split() or "client_a" not in row.may or row.of not in ("", "account", "client_a"):
            continue
        given = {"account": [account.pk], "client_a": [client.organization.pk]}.get(row.of, [])
        try:
            url = reverse(row.route, args=given)
        except NoReverseMatch:
            continue
        cache.clear()
        answer = browser.get(url)
        if answer.status_code != 200 or answer.streaming:
            continue
        walked += 1
        shown = answer.content.decode("utf-8", "replace")
        found += [f"{row}: {word}" for word in ABOVE if word in shown]
    assert walked > 25
    assert found == []


def test_the_parents_links_are_not_the_sub_resellers(cast: Cast, account: HostingAccount) -> None:
    url = reverse("provisioning:operation_list")
    shown = at_own_host(cast.client_sub).browser().get(url).content.decode()
    assert "Studio Sub" in shown
    assert "Help:" not in shown
    assert "https://reseller-a.example/help" in cast.client_a.browser().get(url).content.decode()
