"""Remembered browsers: asked no second factor, bound to the person, ended by forgetting, time, policy or a change."""

import base64
import hashlib
import hmac
import struct
import time
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Device, OutgoingMail, User
from accounts.services import mfa, sign_in_policies
from accounts.tasks import forget_sign_in
from panel.core.scoping import everything
from tests.cast import HOST_A, PASSWORD, Cast, person

SECRET = base64.b32encode(b"tests-tests-tests-20").decode()


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def with_totp(user: User) -> User:
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": mfa.seal(SECRET)})
    return user


@pytest.fixture
def user(cast: Cast) -> User:
    return with_totp(cast.client_a.user)


def colleague(cast: Cast) -> User:
    with everything("test"):
        return person(cast.client_a.organization, "other", HOST_A, role="admin").user


def code(at: float) -> str:
    """RFC 6238 with SHA-1, 30 seconds, six digits."""
    digest = hmac.digest(base64.b32decode(SECRET), struct.pack(">Q", int(at // 30)), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def give_password(user: User, client: Client) -> str:
    """Sign in with the password; returns where it leads."""
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return str(answer.headers["location"])


def remembered(user: User) -> Client:
    """Sign in with both factors and remember the browser; returns the browser, signed out again."""
    client = Client(headers={"host": HOST_A})
    assert give_password(user, client) == "/2fa/authenticate/"
    client.post("/2fa/authenticate/", {"code": code(time.time())})
    client.post("/2fa/trust/", {"action": "trust"})
    assert client.get("/api/v1/me").status_code == 200
    client.post(reverse("account_logout"))
    return client


def test_a_remembered_browser_needs_the_password_alone(user: User) -> None:
    client = remembered(user)
    assert give_password(user, client) == "/"
    assert give_password(user, Client(headers={"host": HOST_A})) == "/2fa/authenticate/"


def test_it_is_remembered_for_its_person_only(cast: Cast, user: User) -> None:
    client = remembered(user)
    other = with_totp(colleague(cast))
    assert give_password(other, client) == "/2fa/authenticate/"


def test_a_copied_cookie_of_another_person_is_worth_nothing(cast: Cast, user: User) -> None:
    """Attack H1: a device remembered for somebody else, or one made up."""
    stolen = remembered(with_totp(colleague(cast))).cookies["panel_device"].value
    for value in (stolen, "0" * 48, "", "x\\012y"):
        client = Client(headers={"host": HOST_A})
        client.cookies["panel_device"] = value
        answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
        assert answer.status_code == 400 or answer.headers["location"] == "/2fa/authenticate/"


def test_a_device_that_is_forgotten_is_asked_again_and_told_of(cast: Cast, user: User) -> None:
    client = remembered(user)
    browser = cast.client_a.browser()
    device = Device.objects.get(user=user)
    assert browser.get("/api/v1/me/devices").json()["items"][0]["remembered_until"]
    assert cast.client_b.browser().delete(f"/api/v1/me/devices/{device.id}").status_code == 404
    browser.post(reverse("accounts:device_forget", args=[device.id]))
    assert give_password(user, client) == "/2fa/authenticate/"


@pytest.mark.parametrize("change", ["password", "factor", "policy", "time"])
def test_what_ends_it(cast: Cast, user: User, change: str) -> None:
    client = remembered(user)
    if change == "password":
        user.set_password(PASSWORD)
        user.save()
    elif change == "factor":
        Authenticator.objects.filter(user=user).delete()
        with_totp(user)
    elif change == "policy":
        with everything("test"):
            sign_in_policies.change(
                actor=cast.provider.actor, organization=cast.provider.organization, remember_devices=False
            )
    with time_machine.travel(timezone.now() + timedelta(days=15 if change == "time" else 0)):
        assert give_password(user, client) == "/2fa/authenticate/"


def test_where_policies_forbid_it_nobody_is_asked_whether_to_remember(cast: Cast, user: User) -> None:
    with everything("test"):
        sign_in_policies.change(
            actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, remember_devices=False
        )
    client = Client(headers={"host": HOST_A})
    give_password(user, client)
    answer = client.post("/2fa/authenticate/", {"code": code(time.time())})
    assert answer.headers["location"] == "/"
    assert client.get("/api/v1/me").status_code == 200


def test_a_code_works_once_though_the_cache_is_emptied(user: User) -> None:
    """Attack H1: a code is good for three steps of 30 seconds, but for one sign-in."""
    now = time.time()
    remembered(user)
    cache.clear()
    for moment in (now, now - 30):
        second = Client(headers={"host": HOST_A})
        give_password(user, second)
        assert second.post("/2fa/authenticate/", {"code": code(moment)}).status_code == 200
        assert second.get("/api/v1/me").status_code == 401


def test_a_recovery_code_lets_in_once_and_is_told_of(user: User) -> None:
    text = RecoveryCodes.activate(user).get_unused_codes()[0]
    let_in = []
    for _attempt in range(2):
        client = Client(headers={"host": HOST_A})
        give_password(user, client)
        client.post("/2fa/authenticate/", {"code": text})
        client.post("/2fa/trust/", {"action": "skip"})
        let_in.append(client.get("/api/v1/me").status_code == 200)
    assert let_in == [True, False]
    with everything("test"):
        assert OutgoingMail.objects.filter(recipient=user.email, kind="notice.recovery_code_used").count() == 1


def test_what_is_old_is_forgotten(user: User) -> None:
    remembered(user)
    forget_sign_in()
    assert Device.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=401)):
        forget_sign_in()
    assert not Device.objects.exists()
