"""What organizations demand of those who sign in: the strictest of all above counts, in pages and for tokens."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from accounts.selectors import sign_in as selectors
from accounts.services import sign_in_policies
from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.scoping import everything
from tests.accounts.passkeys import SoftKey
from tests.cast import HOST_A, PASSWORD, Cast, Person


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def demand(by: Person, of: Organization | None = None, **values: Any) -> None:
    with everything("test"):
        sign_in_policies.change(actor=by.actor, organization=of or by.organization, **values)


TEAM_OF_A = {"reseller_a", "readonly_a"}
BELOW_A = {"sub_reseller", "client_a", "client_sub"}


@pytest.mark.parametrize(
    ("whose", "who", "bound"),
    [
        ("reseller_a", "nobody", set()),
        ("reseller_a", "team", TEAM_OF_A),
        ("reseller_a", "everyone", TEAM_OF_A | BELOW_A),
        ("client_a", "team", {"client_a"}),
        ("provider", "team", {"provider"}),
        ("provider", "everyone", {"provider", "reseller_b", "client_b", "outsider"} | TEAM_OF_A | BELOW_A),
    ],
)
def test_whom_it_binds(cast: Cast, whose: str, who: str, bound: set[str]) -> None:
    demand(getattr(cast, whose), second_factor=who)
    people = {name: getattr(cast, name).user for name in cast.__dataclass_fields__}
    assert {name for name, user in people.items() if selectors.demands_on(user).second_factor} == bound


def test_the_strictest_counts(cast: Cast) -> None:
    demand(cast.provider, second_factor="everyone", session_minutes=240)
    demand(cast.reseller_a, second_factor="nobody", session_minutes=60)
    demand(cast.client_a, session_minutes=120, remember_devices=False)
    assert selectors.demands_on(cast.client_a.user) == selectors.Demands(True, 60, False)
    assert selectors.demands_on(cast.reseller_a.user) == selectors.Demands(True, 60, True)


def test_who_lacks_a_second_factor_reaches_nothing_but_its_set_up(cast: Cast) -> None:
    client = cast.client_a.browser()
    demand(cast.reseller_a, second_factor="everyone")
    for name in (
        "dashboard:home",
        "accounts:profile",
        "accounts:sign_in",
        "accounts:token_list",
        "account_change_password",
    ):
        assert client.get(reverse(name)).headers["location"] == reverse("accounts:second_factor"), name
    for path in ("me", "tokens", "accounts"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    for name in ("accounts:second_factor", "mfa_activate_totp", "mfa_add_webauthn", "account_logout"):
        assert client.get(reverse(name)).status_code == 200, name
    SoftKey(HOST_A).owned_by(cast.client_a.user)
    assert client.get("/api/v1/me").status_code == 200


def test_a_token_of_somebody_without_a_second_factor_opens_nothing(cast: Cast) -> None:
    program = cast.client_a.program()
    demand(cast.client_a, second_factor="team")
    answer = program.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    SoftKey(HOST_A).owned_by(cast.client_a.user)
    assert program.get("/api/v1/me").status_code == 200


def test_a_session_ends_when_policies_say(cast: Cast) -> None:
    client = Client(headers={"host": HOST_A})
    client.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    demand(cast.provider, session_minutes=30)
    for minutes, status in ((29, 200), (31, 401), (1, 401)):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert client.get("/api/v1/me").status_code == status


def test_the_session_s_own_end_is_the_policy_s(cast: Cast) -> None:
    demand(cast.reseller_a, session_minutes=60)
    client = Client(headers={"host": HOST_A})
    client.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    (row,) = selectors.sessions(cast.client_a.user.id)
    assert timedelta(minutes=59) < row.expire_date - row.started_at <= timedelta(minutes=61)
    assert client.cookies["panel_session"]["max-age"] == 3600


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"session_minutes": 5}, "session_minutes"),
        ({"session_minutes": 10_000}, "session_minutes"),
        ({"second_factor": "some"}, "second_factor"),
        ({"organization_id": "x"}, "organization_id"),
    ],
)
def test_what_is_refused_is_named(cast: Cast, values: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refusal:
        demand(cast.client_a, **values)
    assert refusal.value.field == field


def test_owners_decide_for_themselves_and_below(cast: Cast) -> None:
    demand(cast.reseller_a, cast.client_a.organization, session_minutes=60)
    for by, of, error in (
        (cast.client_a, cast.reseller_a.organization, NotFound),
        (cast.reseller_b, cast.client_a.organization, NotFound),
        (cast.readonly_a, cast.reseller_a.organization, Forbidden),
    ):
        with pytest.raises(error):
            demand(by, of, session_minutes=60)


def test_the_page_and_the_api_say_the_same(cast: Cast) -> None:
    demand(cast.provider, second_factor="everyone")
    SoftKey(HOST_A).owned_by(cast.reseller_a.user)
    client = cast.reseller_a.browser()
    page = reverse("accounts:sign_in_policy", args=[cast.client_a.organization.id])
    assert "Everybody needs a second factor" in client.get(page).content.decode()
    sent = {"second_factor": "team", "session_minutes": "60", "remember_devices": "on"}
    assert client.post(page, sent).status_code == 302
    answer = client.get(f"/api/v1/organizations/{cast.client_a.organization.id}/sign-in-policy").json()
    inherited = {"second_factor": True, "session_minutes": 720, "remember_devices": True}
    expected = {"second_factor": "team", "session_minutes": 60, "remember_devices": True, "inherited": inherited}
    assert answer == expected
