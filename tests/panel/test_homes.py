"""The three homes and the search: what they say, to whom, in a number of queries that does not grow."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.services import limits
from panel.core.actors import Actor
from panel.core.scoping import everything
from panel.dashboard import plan_use
from provisioning.models import HostingAccount, Operation, Package
from provisioning.services import databases, mailboxes
from tests.cast import Cast, Person
from tests.provisioning import factories

HOME = reverse("dashboard:home")
SEARCH = reverse("dashboard:search")
SYSTEM = Actor.system("test")
#: Role → the most queries that its home takes, sign-in and frame included.
BUDGETS = {"provider": 27, "reseller_a": 28, "client_a": 14}


class Day(NamedTuple):
    """What a chart draws."""

    date: date
    value: int


@pytest.fixture
def sold(cast: Cast) -> Package:
    """A package of reseller A, and a server to put accounts on."""
    factories.server(cast.provider.organization)
    return factories.package(cast.reseller_a.organization, mailboxes=5, databases=5)


def read(person: Person, url: str) -> str:
    return person.browser().get(url).content.decode()


def queries(person: Person, url: str) -> int:
    browser = person.browser()
    browser.get(url)
    with CaptureQueriesContext(connection) as taken:
        assert browser.get(url).status_code == 200
    return len(taken)


def accounts(cast: Cast, sold: Package, first: int, last: int) -> None:
    for number in range(first, last):
        factories.account(cast.client_a.organization, sold, f"shop-{number}.example")


def test_homes_keep_within_their_budgets_however_much_there_is(cast: Cast, sold: Package):
    accounts(cast, sold, 0, 2)
    few = {role: queries(getattr(cast, role), HOME) for role in BUDGETS}
    accounts(cast, sold, 2, 5)
    factories.server(cast.provider.organization, "web2", "198.51.100.3")
    assert {role: queries(getattr(cast, role), HOME) for role in BUDGETS} == few
    assert {role: used for role, used in few.items() if used > BUDGETS[role]} == {}


def test_a_fresh_reseller_is_led_to_a_branded_panel_and_the_first_account(cast: Cast):
    page = read(cast.reseller_b, HOME)
    assert "The way to your first account" in page
    assert f'href="{reverse("provisioning:package_create")}"' in page
    assert reverse("provisioning:server_add") not in page
    assert "http" in page
    assert cast.reseller_b.host in page


def test_a_reseller_sees_its_plan_with_a_forecast(cast: Cast, sold: Package):
    with everything("test"):
        limits.set_limits(organization=cast.reseller_a.organization, limits={"accounts": 10})
    accounts(cast, sold, 0, 2)
    page = read(cast.reseller_a, HOME)
    assert "2 of 10" in page
    assert "Full in 120 days at this pace" in page


@pytest.mark.parametrize(
    ("used", "limit", "gained", "left"),
    [(2, 10, 2, 120), (9, 10, 30, 1), (10, 10, 5, None), (2, 10, 0, None), (1, 10_000, 1, None), (3, None, 3, None)],
)
def test_a_forecast_goes_on_as_it_went(used: int, limit: int | None, gained: int, left: int | None):
    assert plan_use.days_left(used, limit, gained) == left


def test_what_fails_comes_first_for_those_who_can_see_it(cast: Cast, sold: Package):
    accounts(cast, sold, 0, 1)
    with everything("test"):
        part = HostingAccount.objects.get().slices.get()
        factories.finding(part)
        Operation.objects.update(status="rejected", reason="The server's disk is full.")
    provider, reseller, other = (read(person, HOME) for person in (cast.provider, cast.reseller_a, cast.reseller_b))
    assert "has 1 difference from what the panel made" in provider
    assert "has 1 setting on its server that is not as it was ordered" in reseller
    assert "web1" not in reseller
    assert "disk is full" in reseller
    assert "shop-0.example" not in other
    assert provider.index("has 1 difference") < provider.index("disk is full") < provider.index("Newest operations")


def test_a_client_with_several_accounts_gets_gauges_and_with_one_the_account(cast: Cast, sold: Package):
    accounts(cast, sold, 0, 1)
    with everything("test"):
        only = HostingAccount.objects.get()
    assert cast.client_a.browser().get(HOME).headers["Location"] == reverse("provisioning:account", args=[only.pk])
    accounts(cast, sold, 1, 2)
    page = read(cast.client_a, HOME)
    assert "0 of 5" in page
    assert "shop-1.example" in page


def test_the_search_finds_every_kind_within_ones_own_tenant(cast: Cast, sold: Package):
    accounts(cast, sold, 0, 1)
    with everything("test"):
        hosting = HostingAccount.objects.get()
        databases.create(actor=SYSTEM, hosting=hosting, name="shopware")
        mail = hosting.mail_domains.get()
        mailboxes.create(actor=SYSTEM, mail_domain=mail, local="shopkeeper", password="a-Long-enough-9")
    page = read(cast.reseller_a, f"{SEARCH}?q=shop")
    for kind in ("Accounts", "Names of sites", "DNS zones", "Mail addresses", "Databases"):
        assert kind in page
    assert "shop0_shopware" in page
    assert "shopkeeper@shop-0.example" in page
    assert "Client of A" in read(cast.reseller_a, f"{SEARCH}?q=client of a")
    assert "client-a@people.example" in read(cast.reseller_a, f"{SEARCH}?q=client-a@")
    assert "Sub of A" in read(cast.reseller_a, f"{SEARCH}?q=sub of")
    assert "web1" in read(cast.provider, f"{SEARCH}?q=web1")
    for stranger in (cast.reseller_b, cast.client_b, cast.outsider):
        assert "Nothing found" in read(stranger, f"{SEARCH}?q=shop")
    assert "Nothing found" in read(cast.client_a, f"{SEARCH}?q=web1")


def test_a_search_takes_as_many_queries_for_much_as_for_little(cast: Cast, sold: Package):
    accounts(cast, sold, 0, 1)
    few = queries(cast.provider, f"{SEARCH}?q=shop")
    accounts(cast, sold, 1, 12)
    assert queries(cast.provider, f"{SEARCH}?q=shop") == few
    assert "There are more" in read(cast.provider, f"{SEARCH}?q=shop")


def test_a_chart_says_the_same_as_a_table():
    days = [Day(date(2026, 11, day), day * 1_000_000) for day in (1, 2)]
    source = '{% load ui %}{% chart "Disk" days "bytes" 5000000 %}'
    drawn = Template(source).render(Context({"days": days}))
    assert '<time datetime="2026-11-02">' in drawn
    assert '<data value="2000000">2\N{NO-BREAK SPACE}MB</data>' in drawn
    assert 'data-limit="5000000"' in drawn
    assert "Nothing was measured yet" in Template(source).render(Context({"days": []}))
