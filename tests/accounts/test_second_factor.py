"""TOTP: asked at every sign-in, its codes used once and not guessed, its secret sealed, its change confirmed anew."""

import base64
import hashlib
import hmac
import struct
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client

from accounts.services import mfa
from tests.cast import HOST_A, PASSWORD, Cast

SECRET = base64.b32encode(b"tests-tests-tests-20").decode()


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def browser(cast: Cast) -> Client:
    Authenticator.objects.create(
        user=cast.client_a.user, type=Authenticator.Type.TOTP, data={"secret": mfa.seal(SECRET)}
    )
    client = Client(headers={"host": HOST_A})
    client.post("/sign-in/", {"login": cast.client_a.user.email, "password": PASSWORD})
    return client


def code(at: float | None = None) -> str:
    """RFC 6238 with SHA-1, 30 seconds, six digits."""
    counter = int((time.time() if at is None else at) // 30)
    digest = hmac.digest(base64.b32decode(SECRET), struct.pack(">Q", counter), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def is_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def test_the_password_alone_does_not_let_in(browser: Client) -> None:
    assert not is_in(browser)
    for path in ("/", "/profile/", "/tokens/new/", "/password/change/", "/2fa/"):
        assert browser.get(path).headers["location"].startswith("/sign-in/")


def test_the_code_lets_in(browser: Client) -> None:
    browser.post("/2fa/authenticate/", {"code": code()})
    assert not is_in(browser)  # it is asked first whether to remember the device
    browser.post("/2fa/trust/", {"action": "skip"})
    assert is_in(browser)


def test_a_code_works_once(cast: Cast, browser: Client) -> None:
    used = code()
    browser.post("/2fa/authenticate/", {"code": used})
    second = Client(headers={"host": HOST_A})
    second.post("/sign-in/", {"login": cast.client_a.user.email, "password": PASSWORD})
    second.post("/2fa/authenticate/", {"code": used})
    assert not is_in(second)


def test_guessing_codes_is_throttled(browser: Client) -> None:
    wrong = f"{(int(code()) + 1) % 10**6:06d}"
    for _attempt in range(6):
        browser.post("/2fa/authenticate/", {"code": wrong})
    browser.post("/2fa/authenticate/", {"code": code()})
    assert not is_in(browser)


def test_the_secret_is_sealed_in_the_database(cast: Cast) -> None:
    client = cast.client_a.browser()
    client.get("/2fa/totp/activate/")
    TOTP.activate(cast.client_a.user, SECRET)
    assert SECRET not in str(Authenticator.objects.get(user=cast.client_a.user).data)


def test_the_issuer_is_the_brand(cast: Cast) -> None:
    client = cast.client_a.browser()
    client.post("/sign-in/again/", {"password": PASSWORD})
    page = client.get("/2fa/totp/activate/")
    assert page.status_code == 200
    assert "Atelier%20A" in page.context["totp_url"]


@pytest.mark.parametrize(
    "path", ["/2fa/totp/activate/", "/2fa/totp/deactivate/", "/2fa/recovery-codes/generate/", "/tokens/new/"]
)
def test_changing_it_needs_the_password_again(cast: Cast, path: str) -> None:
    TOTP.activate(cast.client_a.user, SECRET)
    client = cast.client_a.browser(fresh=False)
    if "activate" in path and "deactivate" not in path:
        Authenticator.objects.all().delete()
    for method in (client.get, client.post):
        answer = method(path)
        assert answer.status_code == 302
        assert "again" in answer.headers["location"] or "reauthenticate" in answer.headers["location"]
