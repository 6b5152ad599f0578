"""Sessions: listed, ended one by one or all but one, ended by a new password; fresh where it is dangerous."""

import time

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import browsers
from accounts.models import OutgoingMail, Session
from accounts.selectors import sign_in as selectors
from accounts.session_store import SIGN_IN
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.cast import HOST_A, PASSWORD, Cast

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def sign_in(cast: Cast, client: Client | None = None) -> Client:
    client = client or Client(headers={"host": HOST_A, "user-agent": FIREFOX})
    client.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def notices(cast: Cast) -> list[str]:
    with everything("test"):
        rows = OutgoingMail.objects.filter(recipient=cast.client_a.user.email).order_by("id")
        return [row.kind for row in rows]


def age(client: Client, seconds: float) -> None:
    """Let the session have begun, and the person have proved who they are, that much earlier."""
    session = client.session
    session[SIGN_IN] = session[SIGN_IN] | {"at": time.time() - seconds}
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - seconds}]
    session.save()


def test_a_session_says_who_uses_it_from_where(cast: Cast) -> None:
    sign_in(cast)
    (row,) = selectors.sessions(cast.client_a.user.id)
    assert (row.address, row.agent) == ("127.0.0.1", FIREFOX)


def test_sessions_are_listed_without_their_keys(cast: Cast) -> None:
    here, _there = sign_in(cast), sign_in(cast)
    answer = here.get("/api/v1/me/sessions")
    assert [row["current"] for row in answer.json()["items"]].count(True) == 1
    assert {row["browser"] for row in answer.json()["items"]} == {"Firefox on Linux"}
    page = here.get(reverse("accounts:sign_in")).content.decode()
    for row in Session.objects.all():
        assert row.session_key not in answer.content.decode() + page


def test_one_session_is_ended_and_no_other(cast: Cast) -> None:
    here, there, third = sign_in(cast), sign_in(cast), sign_in(cast)
    handle = Session.objects.get(session_key=there.session.session_key).handle
    assert here.get(reverse("accounts:session_end", args=[handle])).status_code == 200
    assert is_in(there)  # asking changes nothing
    here.post(reverse("accounts:session_end", args=[handle]))
    assert [is_in(client) for client in (here, there, third)] == [True, False, True]


def test_all_other_sessions_end(cast: Cast) -> None:
    here, there = sign_in(cast), sign_in(cast)
    here.post(reverse("accounts:sessions_end_others"))
    assert [is_in(client) for client in (here, there)] == [True, False]


def test_a_program_ends_every_session(cast: Cast) -> None:
    here = sign_in(cast)
    answer = cast.client_a.program().post("/api/v1/me/sessions/end-others", {}, content_type="application/json")
    assert answer.json() == {"ended": 1}
    assert not is_in(here)


def test_nobody_ends_another_person_s_session(cast: Cast) -> None:
    there = sign_in(cast)
    handle = Session.objects.get(session_key=there.session.session_key).handle
    for other in (cast.reseller_a, cast.client_sub, cast.provider):
        assert other.browser().post(reverse("accounts:session_end", args=[handle])).status_code == 404
        assert other.browser().delete(f"/api/v1/me/sessions/{handle}").status_code == 404
    assert is_in(there)


def test_an_audit_entry_of_a_session_does_not_hold_its_key(cast: Cast) -> None:
    here, there = sign_in(cast), sign_in(cast)
    row = Session.objects.get(session_key=there.session.session_key)
    here.post(reverse("accounts:session_end", args=[row.handle]))
    with everything("test"):
        entry = AuditEntry.objects.get(action="session.end")
    assert row.session_key not in (entry.object_id, entry.object_label)


def test_a_new_password_ends_other_sessions_changes_this_one_and_is_told(cast: Cast) -> None:
    here, there = sign_in(cast), sign_in(cast)
    before = here.session.session_key
    page = here.get(reverse("account_change_password")).content.decode()
    assert "other sessions end" in page
    new = {"oldpassword": PASSWORD, "password1": "brand-New-pass-77", "password2": "brand-New-pass-77"}
    here.post(reverse("account_change_password"), new)
    assert [is_in(client) for client in (here, there)] == [True, False]
    assert here.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert notices(cast)[-1] == "notice.password_changed"


def test_only_a_browser_that_is_new_is_told_of(cast: Cast) -> None:
    client = sign_in(cast)
    client.post(reverse("account_logout"))
    sign_in(cast, client)
    assert notices(cast) == ["notice.new_device"]
    sign_in(cast)
    assert notices(cast) == ["notice.new_device"] * 2


def test_a_session_is_noted_as_used_once_a_minute(cast: Cast) -> None:
    client = sign_in(cast)
    rows = Session.objects.filter(session_key=client.session.session_key)
    seen = rows.get().last_seen_at
    is_in(client)
    assert rows.get().last_seen_at == seen
    rows.update(last_seen_at=seen.replace(year=2020))
    is_in(client)
    assert rows.get().last_seen_at >= seen


DANGEROUS = {
    "accounts:token_create": ("get", "post"),
    "accounts:address_change": ("get", "post"),
    "provisioning:organization_close": ("get", "post"),
    "accounts:member_remove": ("get", "post"),
    "accounts:member_change": ("post",),
}


@pytest.mark.parametrize("name", DANGEROUS)
def test_dangerous_pages_ask_again_who_it_is(cast: Cast, name: str) -> None:
    client = Client(headers={"host": HOST_A})
    client.post(reverse("account_login"), {"login": cast.reseller_a.user.email, "password": PASSWORD})
    member, closed = cast.client_a.membership.id, cast.client_a.organization.id
    objects = {"accounts:member_change": member, "accounts:member_remove": member}
    objects["provisioning:organization_close"] = closed
    url = reverse(name, args=[objects[name]] if name in objects else [])
    assert client.get(url).status_code == 200
    age(client, 601)
    for method in DANGEROUS[name]:
        answer = getattr(client, method)(url)
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{reverse('account_reauthenticate')}?next={url}"
    client.post(f"{reverse('account_reauthenticate')}?next={url}", {"password": PASSWORD})
    assert client.get(url).status_code == 200


def test_a_stale_session_is_refused_by_the_api_and_a_token_is_not(cast: Cast) -> None:
    client = Client(headers={"host": HOST_A})
    client.post(reverse("account_login"), {"login": cast.reseller_a.user.email, "password": PASSWORD})
    age(client, 601)
    url = f"/api/v1/organizations/{cast.client_a.organization.id}/sign-in-policy"
    body, kind = {"session_minutes": 60}, "application/json"
    refused = client.patch(url, body, content_type=kind)
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert cast.reseller_a.program().patch(url, body, content_type=kind).status_code == 200


def test_a_session_row_without_a_user_is_in_nobody_s_list(cast: Cast) -> None:
    Client(headers={"host": HOST_A}).get(reverse("account_login"))
    assert not selectors.sessions(cast.client_a.user.id)


OWN_SIGN_IN = ("accounts:sign_in", "accounts:sessions_end_others", "accounts:address_change", "mfa_add_webauthn")
OWN_SIGN_IN_API = ("my_sessions", "my_devices", "my_passkeys")


def test_while_impersonated_nobody_s_sign_in_is_seen_or_touched(cast: Cast) -> None:
    """Attack F5: neither the person's nor, by mistake, one's own."""
    sign_in(cast)
    browser = cast.reseller_a.browser()
    browser.post(reverse("accounts:impersonate", args=[cast.client_a.membership.id]), {"reason": "Ticket 7"})
    for name in (*OWN_SIGN_IN, "mfa_activate_totp", "account_change_password", "mfa_generate_recovery_codes"):
        for method in (browser.get, browser.post):
            assert method(reverse(name)).status_code == 403, name
    for name in OWN_SIGN_IN_API:
        assert browser.get(reverse(f"accounts_api:{name}")).status_code == 403, name
    assert len(selectors.sessions(cast.client_a.user.id)) == 1


def test_the_key_changes_when_impersonation_begins_and_ends(cast: Cast) -> None:
    """Attack H3."""
    browser = cast.reseller_a.browser()
    keys = [browser.session.session_key]
    browser.post(reverse("accounts:impersonate", args=[cast.client_a.membership.id]), {"reason": "Ticket 7"})
    keys.append(browser.session.session_key)
    browser.post(reverse("accounts:impersonation_end"))
    keys.append(browser.session.session_key)
    assert len(set(keys)) == 3
    assert [Session.objects.filter(session_key=key).exists() for key in keys] == [False, False, True]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5", "an unknown browser"),
        ("<script>alert(1)</script>", "an unknown browser"),
    ],
)
def test_browsers_are_told_in_a_few_words(agent: str, words: str) -> None:
    assert browsers.describe(agent) == words


def test_another_panel_host_wants_a_fresh_sign_in_in_page_and_api(cast: Cast) -> None:
    client = cast.reseller_a.browser(fresh=False)
    url = f"/api/v1/organizations/{cast.reseller_a.organization.id}/brand"
    for host, status in (("other.reseller-a.example", 403), (HOST_A, 200)):
        assert client.patch(url, {"panel_host": host}, content_type="application/json").status_code == status
    page = client.get(reverse("accounts:brand"))
    sent = {name: value for name, value in page.context["form"].initial.items() if isinstance(value, str)}
    answer = client.post(reverse("accounts:brand"), sent | {"panel_host": "other.reseller-a.example"})
    assert answer.headers["location"].startswith(reverse("account_reauthenticate"))
