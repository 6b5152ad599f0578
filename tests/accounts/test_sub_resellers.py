"""Provider, reseller, sub-reseller, client: whoever is two levels up is nobody to the client."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.selectors import brands as brand_selectors
from accounts.services import brands, invitations, limits, organizations
from panel.core.actors import Actor
from panel.core.errors import Forbidden, LimitReached, NotFound
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, PASSWORD, Cast

HOST_SUB = "panel.sub.example"
ABOVE = ("Atelier", "reseller-a.example", "Northwind", "northwind.example")


@pytest.fixture
def sub(cast: Cast) -> Cast:
    """The cast, with a brand of the sub-reseller's own."""
    with everything("test"):
        brands.set(
            actor=Actor.system("test"),
            organization=cast.sub_reseller.organization,
            name="Sub Studio",
            panel_host=HOST_SUB,
            nameservers=["ns1.sub.example", "ns2.sub.example"],
            support_email="help@sub.example",
        )
    return cast


def sign_in(host: str, email: str) -> Client:
    browser = Client(headers={"host": host})
    browser.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return browser


def test_the_sub_reseller_s_clients_sign_in_at_its_panel_and_see_nobody_above(sub: Cast) -> None:
    client = sub.client_sub
    assert sign_in(HOST_A, client.user.email).get("/api/v1/me").status_code == 401
    browser = sign_in(HOST_SUB, client.user.email)
    for url in ("/", reverse("accounts:profile"), reverse("accounts:member_list"), reverse("dashboard:activity")):
        page = browser.get(url, follow=True).content.decode()
        assert "Sub Studio" in page, url
        assert [name for name in ABOVE if name in page] == [], url
    organization = browser.get("/api/v1/me").json()["organization"]
    assert not any(name in str(organization) for name in ABOVE)


def test_what_somebody_above_did_is_nameless_to_the_client(sub: Cast) -> None:
    with tenant(sub.reseller_a.actor.path):
        organizations.change(actor=sub.reseller_a.actor, organization=sub.client_sub.organization, name="Renamed")
    items = sub.client_sub.program().get("/api/v1/audit").json()["items"]
    (entry,) = (item for item in items if item["action"] == "organization.change")
    assert entry["actor"] == ""


def test_invitations_of_the_sub_reseller_are_in_its_own_name(
    sub: Cast, django_capture_on_commit_callbacks: object
) -> None:
    assert callable(django_capture_on_commit_callbacks)
    with tenant(sub.sub_reseller.actor.path), django_capture_on_commit_callbacks(execute=True):
        invitations.create(
            actor=sub.sub_reseller.actor,
            organization=sub.client_sub.organization,
            email="new@people.example",
            role="owner",
        )
    text = mail.outbox[-1].message().as_string()
    assert f"https://{HOST_SUB}/invitations/" in str(mail.outbox[-1].body)
    assert [name for name in ABOVE if name in text] == []


def test_a_limit_two_levels_up_is_refused_without_a_name(sub: Cast) -> None:
    limits.set_limit(subject=sub.reseller_a.organization.id, resource="databases", limit=0)
    with everything("test"), pytest.raises(LimitReached) as refused:
        limits.take(organization=sub.client_sub.organization, resource="databases")
    assert not any(name in refused.value.message for name in ABOVE)


def test_a_suspended_parent_is_no_business_of_the_client(sub: Cast) -> None:
    with tenant(sub.provider.actor.path):
        organizations.suspend(
            actor=sub.provider.actor, organization=sub.reseller_a.organization, reason="Atelier A owes us."
        )
    text = sign_in(HOST_SUB, sub.client_sub.user.email).get("/").content.decode()
    assert "not available to you" in text
    assert [name for name in ABOVE if name in text] == []
    assert "help@sub.example" in text


def test_a_sub_reseller_works_within_its_own_part_and_makes_no_resellers(sub: Cast) -> None:
    actor = sub.sub_reseller.actor
    with tenant(actor.path):
        made = organizations.create_client(actor=actor, parent=sub.sub_reseller.organization, name="New")
        assert brand_selectors.for_organization(made).name == "Sub Studio"
        with pytest.raises(Forbidden):
            organizations.create_reseller(actor=actor, parent=sub.sub_reseller.organization, name="Deeper")
        for foreign in (sub.client_a, sub.reseller_a):
            with pytest.raises(NotFound):
                organizations.suspend(actor=actor, organization=foreign.organization)
