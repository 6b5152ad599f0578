"""What is left of a suspended organization: one page that says why and what to do, and a plain answer to programs."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.selectors.organizations import standing
from accounts.services import memberships, organizations
from panel.core.scoping import everything
from tests.cast import HOST_A, PASSWORD, PROVIDER_HOST, Cast, Person


def suspend(by: Person, target: Person, reason: str = "The invoice of May is not paid.") -> None:
    with everything("test"):
        organizations.suspend(actor=by.actor, organization=target.organization, reason=reason)


def test_sessions_and_tokens_stop_with_the_next_request(cast: Cast) -> None:
    browser, program = cast.client_a.browser(), cast.client_a.program()
    assert browser.get("/accounts/").status_code == 200
    suspend(cast.reseller_a, cast.client_a)
    for client in (browser, program):
        answer = client.get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    with everything("test"):
        organizations.unsuspend(actor=cast.reseller_a.actor, organization=cast.client_a.organization)
    assert browser.get("/accounts/").status_code == 200
    assert program.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("route", ["accounts:profile", "provisioning:account_list", "dashboard:home", "mfa_index"])
def test_signing_in_leads_to_the_reason_and_nothing_else(cast: Cast, route: str) -> None:
    suspend(cast.reseller_a, cast.client_a)
    browser = Client(headers={"host": HOST_A})
    browser.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    for answer in (browser.get(reverse(route)), browser.post(reverse(route), {"name": "X"})):
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "The invoice of May is not paid." in page
        assert "https://reseller-a.example/help" in page
        assert "mailto:help@reseller-a.example" in page
        assert "Northwind" not in page
    assert browser.post(reverse("account_logout")).status_code == 302


def test_people_below_learn_neither_reason_nor_who(cast: Cast) -> None:
    suspend(cast.provider, cast.reseller_a, "Owes us three months.")
    page = cast.client_a.browser().get("/").content.decode()
    assert "not available" in page
    assert "Owes us" not in page
    assert "Northwind" not in page
    assert "Owes us three months." in cast.reseller_a.browser().get("/").content.decode()
    assert not standing(cast.client_sub.organization).active
    assert not standing(cast.client_sub.organization).own
    assert standing(cast.client_b.organization).active


def test_a_suspended_reseller_is_not_told_to_ask_itself(cast: Cast) -> None:
    suspend(cast.provider, cast.reseller_a)
    page = cast.reseller_a.browser().get("/").content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    assert "reseller-a.example" not in main
    assert "Ask whoever provides this panel to you" in main
    assert "Northwind" not in page
    browser = Client(headers={"host": PROVIDER_HOST})
    browser.post(reverse("account_login"), {"login": cast.reseller_a.user.email, "password": PASSWORD})
    assert browser.get("/").status_code == 403


def test_another_organization_of_the_same_person_goes_on(cast: Cast) -> None:
    with everything("test"):
        second = organizations.create_client(
            actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name="Second"
        )
        memberships.add(actor=cast.reseller_a.actor, organization=second, user=cast.client_a.user, role="owner")
    suspend(cast.reseller_a, cast.client_a)
    browser = cast.client_a.browser()
    assert "Go on with Second" in browser.get("/").content.decode()
    browser.post(reverse("dashboard:switch"), {"organization": second.id})
    assert browser.get("/api/v1/me").json()["organization"]["name"] == "Second"
