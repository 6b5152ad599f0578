"""What nobody can take back asks for its name, in pages and by the API; what can be undone does not."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.services import tokens
from panel.core.scoping import everything
from provisioning.models import Record, SiteName, Zone
from provisioning.services import sites, zones
from tests.cast import HOST_A, Cast, person
from tests.provisioning import factories


@pytest.fixture
def alias(cast: Cast) -> SiteName:
    """A domain of its own of client A's site."""
    factories.server(cast.provider.organization)
    hosting = factories.account(
        cast.client_a.organization, factories.package(cast.reseller_a.organization), "bakery.example"
    )
    with everything("test"):
        return sites.add_alias(actor=cast.client_a.actor, site=hosting.sites.get(), hostname="cakes.example")[0]


def add_record(cast: Cast) -> None:
    with everything("test"):
        zone = Zone.objects.get(name="cakes.example")
        zones.add_record(actor=cast.client_a.actor, zone=zone, type="TXT", name="proof", content="y")


def is_there() -> bool:
    with everything("test"):
        return SiteName.objects.filter(hostname="cakes.example").exists()


def test_an_alias_without_records_can_be_added_again_and_goes_at_once(cast: Cast, alias: SiteName):
    url, browser = reverse("provisioning:site_alias_remove", args=[alias.pk]), cast.client_a.browser()
    page = browser.get(url).content.decode()
    assert "The domain is let go with its zone." in page
    assert 'name="confirm"' not in page
    assert browser.post(url).status_code == 302
    assert not is_there()


def test_an_alias_with_records_asks_for_its_name_and_says_what_goes(cast: Cast, alias: SiteName):
    add_record(cast)
    url, browser = reverse("provisioning:site_alias_remove", args=[alias.pk]), cast.client_a.browser()
    page = browser.get(url).content.decode()
    assert 'data-must-equal="cakes.example"' in page
    assert "proof TXT" in page
    for typed in ("", "cakes"):
        refused = browser.post(url, {"confirm": typed})
        assert refused.status_code == 400
        assert "is-invalid" in refused.content.decode()
    assert is_there()
    assert browser.post(url, {"confirm": "cakes.example"}).status_code == 302
    with everything("test"):
        assert not Record.objects.filter(name="proof").exists()
    assert not is_there()


def test_a_program_gives_the_name_of_an_alias_with_records(cast: Cast, alias: SiteName):
    add_record(cast)
    url = reverse("provisioning_api:site_alias", args=[alias.site_id, alias.pk])
    program = cast.client_a.program()
    assert "confirm" in program.delete(url).json()["errors"]
    assert program.delete(f"{url}?confirm=cakes.example").status_code == 202
    assert not is_there()


def test_a_plan_of_a_removal_takes_the_name_too(cast: Cast, alias: SiteName):
    add_record(cast)
    url = reverse("provisioning:site_alias_remove", args=[alias.pk])
    answer = cast.client_a.browser().post(url, {"confirm": "cakes.example", "show_first": "1"})
    assert answer.status_code == 302
    assert "/previews/" in answer.headers["Location"]
    assert is_there()


def test_a_token_is_revoked_by_its_name(cast: Cast):
    with everything("test"):
        token, text = tokens.create(actor=cast.client_a.actor, name="shop")
        other = tokens.create(actor=cast.client_a.actor, name="till")[0]
    page, answer = reverse("accounts:token_revoke", args=[token.pk]), reverse("accounts_api:token", args=[other.pk])
    browser, program = cast.client_a.browser(), cast.client_a.program()
    assert 'data-must-equal="shop"' in browser.get(page).content.decode()
    assert browser.post(page, {"confirm": "till"}).status_code == 400
    assert program.get("/api/v1/me", headers={"authorization": f"Bearer {text}"}).status_code == 200
    assert browser.post(page, {"confirm": "shop"}).status_code == 302
    assert program.get("/api/v1/me", headers={"authorization": f"Bearer {text}"}).status_code == 401
    assert "confirm" in program.delete(answer).json()["errors"]
    assert program.delete(f"{answer}?confirm=till").status_code == 204


def test_the_ownership_is_handed_over_by_the_other_s_address(cast: Cast):
    with everything("test"):
        heir = person(cast.client_a.organization, "heir", HOST_A, role="admin")
    url, browser = reverse("accounts:member_transfer", args=[heir.membership.pk]), cast.client_a.browser()
    assert f'data-must-equal="{heir.user.email}"' in browser.get(url).content.decode()
    assert browser.post(url, {"confirm": "heir"}).status_code == 400
    assert browser.post(url, {"confirm": heir.user.email}).status_code == 302
    with everything("test"):
        heir.membership.refresh_from_db()
    assert heir.membership.role == "owner"
