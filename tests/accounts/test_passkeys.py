"""Passkeys: added by their person, signing in alone or as second factor, at their own panel's host and nowhere else."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import OutgoingMail
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.accounts.passkeys import SoftKey
from tests.cast import HOST_A, HOST_B, PASSWORD, Cast

LOGIN = "/2fa/webauthn/login/"


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def options(client: Client) -> dict[str, Any]:
    """What a sign-in page asks the browser for."""
    found: dict[str, Any] = client.get(LOGIN, headers={"accept": "application/json"}).json()["request_options"]
    return found


def browser(host: str = HOST_A) -> Client:
    return Client(headers={"host": host, "x-forwarded-proto": "https"})


def is_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def sign_in(client: Client, key: SoftKey, user: Any) -> None:
    client.post(LOGIN, {"credential": json.dumps(key.sign(options(client), user))})


def test_a_person_adds_one_and_signs_in_with_it_alone(cast: Cast) -> None:
    user, key, client = cast.client_a.user, SoftKey(HOST_A), cast.client_a.browser()
    asked = client.get(reverse("mfa_add_webauthn")).context["js_data"]["creation_options"]
    assert asked["publicKey"]["rp"] == {"id": HOST_A, "name": "Atelier A"}
    sent = {"name": "Phone", "passwordless": "on", "credential": json.dumps(key.register(asked))}
    assert client.post(reverse("mfa_add_webauthn"), sent).status_code == 302
    new = browser()
    sign_in(new, key, user)
    assert is_in(new)
    listed = new.get("/api/v1/me/passkeys").json()["items"]
    assert [(row["name"], row["passwordless"]) for row in listed] == [("Phone", True)]
    with everything("test"):
        assert AuditEntry.objects.filter(action="second.factor_added", object_id=user.id).count() == 1
        assert OutgoingMail.objects.filter(recipient=user.email, kind="notice.second_factor_added").count() == 1


def test_it_is_a_second_factor_too(cast: Cast) -> None:
    user, key = cast.client_a.user, SoftKey(HOST_A)
    key.owned_by(user)
    client = browser()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert not is_in(client)
    asked = client.get(reverse("mfa_authenticate")).context["js_data"]["request_options"]
    client.post(reverse("mfa_authenticate"), {"credential": json.dumps(key.sign(asked, user))})
    client.post(reverse("mfa_trust"), {"action": "skip"})
    assert is_in(client)


def test_it_opens_no_other_panel(cast: Cast) -> None:
    user, key = cast.client_a.user, SoftKey(HOST_A)
    key.owned_by(user)
    for host in (HOST_B, "localhost"):
        client = browser(host)
        sign_in(client, key, user)
        assert not is_in(client)
    key.host = HOST_B
    client = browser(HOST_B)
    sign_in(client, key, user)
    assert not is_in(client)


def test_an_answer_is_good_once(cast: Cast) -> None:
    user, key = cast.client_a.user, SoftKey(HOST_A)
    key.owned_by(user)
    client = browser()
    answer = json.dumps(key.sign(options(client), user))
    client.post(LOGIN, {"credential": answer})
    assert is_in(client)
    client.post(reverse("account_logout"))
    client.post(LOGIN, {"credential": answer})
    assert not is_in(client)


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": 1}', '{"response": {"userHandle": "x"}}', "1"])
def test_nonsense_lets_nobody_in(cast: Cast, credential: str) -> None:
    client = browser()
    options(client)
    assert client.post(LOGIN, {"credential": credential}).status_code in (200, 302)
    assert not is_in(client)


def test_a_stranger_s_key_is_worth_nothing(cast: Cast) -> None:
    user = cast.client_a.user
    SoftKey(HOST_A).owned_by(user)
    client = browser()
    sign_in(client, SoftKey(HOST_A), user)
    assert not is_in(client)


def test_it_is_removed_by_its_person_freshly_signed_in_and_by_no_program(cast: Cast) -> None:
    user = cast.client_a.user
    row = SoftKey(HOST_A).owned_by(user)
    url = f"/api/v1/me/passkeys/{row.pk}"
    assert cast.client_b.browser().delete(url).status_code == 404
    refused = cast.client_a.program().delete(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "session_required")
    refused = cast.client_a.browser(fresh=False).delete(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    page = reverse("accounts:passkey_remove", args=[row.pk])
    client = cast.client_a.browser()
    assert client.get(page).status_code == 200
    assert Authenticator.objects.filter(user=user).exists()
    client.post(page)
    assert not Authenticator.objects.filter(user=user).exists()
    with everything("test"):
        assert OutgoingMail.objects.filter(recipient=user.email, kind="notice.second_factor_removed").count() == 1


def test_attempts_are_counted(cast: Cast) -> None:
    client = browser()
    answers = [client.post(LOGIN, {"credential": "{}"}) for _attempt in range(11)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
