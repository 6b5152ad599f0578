"""Another mail address: both sides say yes, by POST, within a day; reset links die, and nobody learns who exists."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AddressChange, User
from tests.accounts.passkeys import SoftKey
from tests.cast import HOST_A, PASSWORD, Cast

NEW = "new-address@people.example"


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def reset_link(cast: Cast, capture: DjangoCaptureOnCommitCallbacks) -> str:
    """Ask for a reset mail; returns the path of its link."""
    mail.outbox.clear()
    with capture(execute=True):
        stranger().post(reverse("account_reset_password"), {"email": cast.client_a.user.email})
    return str(re.findall(r"https?://[^/]+(/password/\S+)", str(mail.outbox[0].body))[0])


def sets_a_password(link: str) -> bool:
    return "password1" in stranger().get(link, follow=True).content.decode()


def stranger() -> Client:
    return Client(headers={"host": HOST_A})


@pytest.fixture
def links(cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> dict[str, str]:
    """Ask for the change in the panel; returns the paths of the links by the address that they were sent to."""
    with django_capture_on_commit_callbacks(execute=True):
        cast.client_a.browser().post(reverse("accounts:address_change"), {"email": NEW})
    found = {}
    for message in mail.outbox:
        (link,) = re.findall(rf"https://{HOST_A}(/mail-address/\S+)", str(message.body))
        found[message.to[0]] = link
    return found


def email_of(cast: Cast) -> str:
    return User.objects.get(pk=cast.client_a.user.pk).email


def test_nothing_changes_before_both_sides_said_yes(cast: Cast, links: dict[str, str]) -> None:
    old = cast.client_a.user.email
    assert set(links) == {old, NEW}
    for side in (NEW, old):
        assert stranger().get(links[side]).status_code == 200
        assert email_of(cast) == old
    for _twice in range(2):
        assert stranger().post(links[NEW]).status_code == 200
        assert email_of(cast) == old
    stranger().post(links[old])
    assert email_of(cast) == NEW
    for link in links.values():
        assert stranger().post(link).status_code == 404


def test_reset_links_end_with_the_address(
    cast: Cast, links: dict[str, str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Attack H5: a link that was sent to the old address sets no password after the change."""
    reset = reset_link(cast, django_capture_on_commit_callbacks)
    assert sets_a_password(reset)
    for link in links.values():
        stranger().post(link)
    assert not sets_a_password(reset)


def test_an_address_that_is_taken_is_told_only_to_who_owns_both(cast: Cast) -> None:
    taken = cast.client_sub.user.email
    answer = cast.client_a.browser().post(reverse("accounts:address_change"), {"email": taken})
    assert answer.status_code == 302
    assert AddressChange.objects.get().email == taken


def test_the_links_end_after_a_day_and_when_the_person_keeps_the_address(cast: Cast, links: dict[str, str]) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert stranger().get(links[NEW]).status_code == 404
    cast.client_a.browser().post(reverse("accounts:address_cancel"))
    assert stranger().post(links[NEW]).status_code == 404


@pytest.mark.parametrize("email", ["no address", "a\r\nBcc: x@y.example", '"x|id"@y.example', ""])
def test_what_is_no_address_is_refused_at_the_field(cast: Cast, email: str) -> None:
    answer = cast.client_a.browser().post(reverse("accounts:address_change"), {"email": email})
    assert answer.status_code == 400
    assert "email" in answer.context["form"].errors
    assert not AddressChange.objects.exists()


def test_only_the_newest_reset_link_works(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Attack H5: an older link, or one that was used, sets no password."""
    sent = [reset_link(cast, django_capture_on_commit_callbacks) for _twice in range(2)]
    assert [sets_a_password(link) for link in sent] == [False, True]


def test_a_reset_is_no_way_round_the_second_factor(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """Attack H1."""
    SoftKey(HOST_A).owned_by(cast.client_a.user)
    client = stranger()
    form = client.get(reset_link(cast, django_capture_on_commit_callbacks), follow=True)
    new = {"password1": "brand-New-pass-77", "password2": "brand-New-pass-77"}
    assert client.post(form.redirect_chain[-1][0], new).status_code == 302
    assert client.get("/api/v1/me").status_code == 401
    sent = {"login": cast.client_a.user.email, "password": "brand-New-pass-77"}
    assert client.post(reverse("account_login"), sent).headers["location"] == reverse("mfa_authenticate")


def test_asking_for_resets_and_guessing_their_links_is_throttled(cast: Cast) -> None:
    """Attack H5."""
    asked = [stranger().post(reverse("account_reset_password"), {"email": cast.client_a.user.email}) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [302, 302, 302, 429]
    guess = reverse("account_reset_password_from_key", kwargs={"uidb36": cast.client_a.user.pk, "key": "abc-0123"})
    answers = [stranger().post(guess, {"password1": "x"}) for _ in range(21)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


def test_guessing_passwords_is_answered_with_429_and_a_time(cast: Cast) -> None:
    sent = {"login": cast.client_a.user.email, "password": "wrong-password-1"}
    answers = [stranger().post(reverse("account_login"), sent) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


HOSTILE = {
    "cookie": {"cookie": 'panel_device="a\\012Set-Cookie: x=1"'},
    "session": {"cookie": 'panel_session="a\\015\\012b"'},
    "basic": {"authorization": "Basic YTpiDQpTZXQtQ29va2llOiB4PTE="},
}


@pytest.mark.parametrize("where", HOSTILE)
def test_line_ends_in_cookies_and_credentials_are_400(cast: Cast, where: str) -> None:
    """Attack H6."""
    for path in ("/sign-in/", "/api/v1/me"):
        assert stranger().get(path, headers=HOSTILE[where]).status_code == 400


def test_a_wrong_password_proves_nothing_again(cast: Cast) -> None:
    client = cast.client_a.browser(fresh=False)
    url = reverse("accounts:address_change")
    client.post(f"{reverse('account_reauthenticate')}?next={url}", {"password": f"{PASSWORD}x"})
    assert client.get(url).status_code == 302
