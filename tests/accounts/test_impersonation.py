"""Acting as somebody else: who may, with both identities, for an hour, and never about the person's own sign-in."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Impersonation
from accounts.services import impersonations, memberships, organizations
from panel.core.errors import DomainError, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import Cast, Person


def act_as(somebody: Person, target: Person, reason: str = "Ticket 7") -> Client:
    """Sign in as `somebody` just now, and go on as `target`."""
    browser = somebody.browser()
    browser.post(reverse("accounts:impersonate", args=[target.membership.id]), {"reason": reason})
    return browser


def me(browser: Client) -> dict[str, str]:
    found: dict[str, str] = browser.get("/api/v1/me").json()
    return found


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("provider", "reseller_a"),
        ("provider", "client_a"),
        ("provider", "client_sub"),
        ("reseller_a", "client_a"),
        ("sub_reseller", "client_sub"),
    ],
)
def test_sellers_act_as_people_below(cast: Cast, who: str, whom: str) -> None:
    target: Person = getattr(cast, whom)
    browser = act_as(getattr(cast, who), target)
    assert me(browser)["user"] == target.user.id


@pytest.mark.parametrize(
    ("who", "whom", "refusal"),
    [
        ("reseller_a", "client_b", NotFound),
        ("reseller_a", "provider", NotFound),
        ("reseller_a", "readonly_a", Forbidden),
        ("reseller_a", "sub_reseller", Forbidden),
        ("reseller_a", "client_sub", Forbidden),
        ("readonly_a", "client_a", Forbidden),
        ("client_a", "client_b", NotFound),
    ],
)
def test_nobody_acts_as_people_above_beside_or_of_other_sellers(
    cast: Cast, who: str, whom: str, refusal: type[DomainError]
) -> None:
    actor = getattr(cast, who).actor
    with tenant(actor.path), pytest.raises(refusal):
        impersonations.start(actor=actor, membership=getattr(cast, whom).membership, reason="Ticket 7")
    assert not Impersonation._base_manager.exists()


def test_programs_never_act_as_somebody(cast: Cast) -> None:
    with everything("test"):
        organizations.change(actor=cast.provider.actor, organization=cast.reseller_a.organization, name="A")
    program = cast.reseller_a.program()
    answer = program.post(reverse("accounts:impersonate", args=[cast.client_a.membership.id]), {"reason": "x"})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/sign-in/")
    assert not Impersonation._base_manager.exists()


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "x" * 201])
def test_a_reason_is_asked_for(cast: Cast, reason: str) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Invalid) as refused:
        impersonations.start(actor=cast.reseller_a.actor, membership=cast.client_a.membership, reason=reason)
    assert refused.value.field == "reason"


def test_it_asks_for_the_password_again_unless_that_was_just_now(cast: Cast) -> None:
    browser = cast.reseller_a.browser(fresh=False)
    url = reverse("accounts:impersonate", args=[cast.client_a.membership.id])
    answer = browser.post(url, {"reason": "Ticket 7"})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/sign-in/again/")
    assert not Impersonation._base_manager.exists()


def test_both_identities_are_kept_and_the_owner_can_read_it(cast: Cast) -> None:
    browser = act_as(cast.provider, cast.client_a)
    url = reverse("accounts:client_change", args=[cast.client_a.organization.id])
    assert browser.post(url, {"name": "Renamed"}).status_code == 302
    with everything("test"):
        entry = AuditEntry.objects.get(action="organization.change", object_id=cast.client_a.organization.id)
    assert (entry.actor_user_id, entry.impersonator_id) == (cast.client_a.user.id, cast.provider.user.id)
    assert entry.impersonator_label == cast.provider.user.name
    page = cast.client_a.browser().get(reverse("accounts:impersonation_list")).content.decode()
    assert "Ticket 7" in page
    assert cast.provider.user.name not in page
    assert "Northwind" not in page
    audit = cast.client_a.browser().get("/api/v1/audit?object=" + cast.client_a.organization.id).json()["items"]
    assert [
        (item["impersonated"], item["impersonator"]) for item in audit if item["action"] == "organization.change"
    ] == [(True, "")]


def test_every_page_says_so_in_the_brand_of_the_person(cast: Cast) -> None:
    browser = act_as(cast.provider, cast.client_a)
    for address in ("/", reverse("accounts:profile"), reverse("provisioning:account_list"), "/nowhere/"):
        page = browser.get(address, follow=True).content.decode()
        assert "You act as" in page, address
        assert "Atelier A" in page
        assert "Northwind" not in page


@pytest.mark.parametrize(
    "route",
    ["account_change_password", "account_set_password", "mfa_index", "mfa_activate_totp", "account_reauthenticate"],
)
def test_one_s_own_sign_in_is_out_of_reach(cast: Cast, route: str) -> None:
    browser = act_as(cast.reseller_a, cast.client_a)
    for answer in (browser.get(reverse(route)), browser.post(reverse(route), {})):
        assert answer.status_code == 403


def test_no_profile_token_or_member_changes_and_no_nesting(cast: Cast) -> None:
    with everything("test"):
        second = organizations.create_client(
            actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name="Second"
        )
        memberships.add(actor=cast.reseller_a.actor, organization=second, user=cast.client_a.user, role="technician")
    browser = act_as(cast.provider, cast.reseller_a)
    tries = {
        reverse("accounts:token_create"): {"name": "x", "scopes": "*"},
        reverse("accounts:impersonate", args=[cast.client_a.membership.id]): {"reason": "Deeper"},
        reverse("accounts:member_remove", args=[cast.readonly_a.membership.id]): {},
        reverse("accounts:member_change", args=[cast.readonly_a.membership.id]): {"role": "owner"},
        reverse("accounts:profile"): {"name": "X", "locale": "en", "timezone": "UTC"},
    }
    answers = {url: browser.post(url, data) for url, data in tries.items()}
    assert {url: answer.status_code for url, answer in answers.items()} == dict.fromkeys(tries, 403)
    assert all("End the impersonation first." in answer.content.decode() for answer in answers.values())
    assert Impersonation._base_manager.count() == 1


def test_it_ends_by_the_button_and_the_session_is_fresh(cast: Cast) -> None:
    browser = act_as(cast.reseller_a, cast.client_a)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    browser.post(reverse("accounts:impersonation_end"))
    assert me(browser)["user"] == cast.reseller_a.user.id
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != key
    assert Impersonation._base_manager.get().ended_at is not None


def test_it_ends_where_the_person_is_suspended_too(cast: Cast) -> None:
    browser = act_as(cast.reseller_a, cast.client_a)
    with everything("test"):
        organizations.suspend(actor=cast.reseller_a.actor, organization=cast.client_a.organization)
    assert "Access suspended" in browser.get("/").content.decode()
    assert browser.post(reverse("accounts:impersonation_end")).status_code == 302
    assert me(browser)["user"] == cast.reseller_a.user.id


def test_it_ends_by_signing_out(cast: Cast) -> None:
    browser = act_as(cast.reseller_a, cast.client_a)
    browser.post(reverse("account_logout"))
    assert browser.get("/api/v1/me").status_code == 401
    assert Impersonation._base_manager.get().ended_at is not None


def test_after_an_hour_nothing_is_done_any_more_by_mistake(cast: Cast) -> None:
    browser = act_as(cast.provider, cast.reseller_a)
    url = reverse("accounts:client_change", args=[cast.client_a.organization.id])
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert browser.post(url, {"name": "Late"}).status_code == 302
        cast.client_a.organization.refresh_from_db(from_queryset=type(cast.client_a.organization)._base_manager.all())
        assert cast.client_a.organization.name == "Client of A"
        assert me(browser)["user"] == cast.provider.user.id


def test_it_ends_when_either_of_them_loses_the_place(cast: Cast) -> None:
    browser = act_as(cast.reseller_a, cast.client_a)
    with everything("test"):
        cast.client_a.membership.delete()
    assert browser.get("/api/v1/me").json()["code"] == "impersonation_over"
    assert me(browser)["user"] == cast.reseller_a.user.id
