"""Signing in: per panel host, throttled, with a fresh session; what is asked and shown before it."""

import io
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import OutgoingMail
from accounts.services import organizations, users
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, PASSWORD, PROVIDER_HOST, Cast, Person


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def sign_in(host: str, email: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client(headers={"host": host})
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("who", "hosts"),
    [
        ("provider", {PROVIDER_HOST}),
        ("reseller_a", {PROVIDER_HOST, HOST_A}),
        ("readonly_a", {PROVIDER_HOST, HOST_A}),
        ("sub_reseller", {HOST_A}),
        ("client_a", {HOST_A}),
        ("client_b", {HOST_B}),
        ("outsider", {PROVIDER_HOST}),
    ],
)
def test_people_sign_in_at_their_panels_only(cast: Cast, who: str, hosts: set[str]) -> None:
    someone: Person = getattr(cast, who)
    let_in = {host for host in (PROVIDER_HOST, HOST_A, HOST_B) if is_in(sign_in(host, someone.user.email))}
    assert let_in == hosts


def test_one_address_at_two_brands_is_two_people(cast: Cast) -> None:
    with everything("test"):
        twin = users.create(
            actor=cast.reseller_b.actor,
            organization=cast.client_b.organization,
            email=cast.client_a.user.email,
            name="Twin",
            role="owner",
            password="another-Long-one-9",
        )
    assert is_in(sign_in(HOST_A, twin.email, PASSWORD))
    assert not is_in(sign_in(HOST_A, twin.email, "another-Long-one-9"))
    assert is_in(sign_in(HOST_B, twin.email, "another-Long-one-9"))


@pytest.mark.parametrize(
    "host", ["unknown.example", "reseller-a.example", "localhost.evil.example", "[bad", "a b", "LOCALHOST:x"]
)
def test_an_unknown_host_gets_a_neutral_400(cast: Cast, host: str) -> None:
    answer = Client(headers={"host": host}).get(reverse("account_login"))
    assert answer.status_code == 400
    assert "Northwind" not in answer.content.decode()


def test_the_host_is_compared_without_case_port_and_dot(cast: Cast) -> None:
    for host in (HOST_A.upper(), f"{HOST_A}:8000", f"{HOST_A}."):
        assert Client(headers={"host": host}).get(reverse("account_login")).status_code == 200


def test_the_panel_bears_the_brand_s_name_only(cast: Cast) -> None:
    page = Client(headers={"host": HOST_A}).get(reverse("account_login")).content.decode()
    assert "Atelier A" in page
    assert "Northwind" not in page


def test_the_session_is_fresh_after_signing_in_and_noted(cast: Cast) -> None:
    client = Client(headers={"host": HOST_A})
    client.session.save()
    before = str(client.session.session_key)
    client.cookies["panel_session"] = before
    sign_in(HOST_A, cast.client_a.user.email, client=client)
    assert is_in(client)
    assert client.cookies["panel_session"].value != before
    with everything("test"):
        assert AuditEntry.objects.filter(action="session.start", object_id=cast.client_a.user.id).count() == 1


def test_a_session_of_one_panel_opens_no_other(cast: Cast) -> None:
    client = sign_in(HOST_A, cast.client_a.user.email)
    assert client.get(reverse("account_change_password"), headers={"host": HOST_B}).status_code == 302


def test_changing_the_password_ends_other_sessions_and_tokens(cast: Cast) -> None:
    here, there = sign_in(HOST_A, cast.client_a.user.email), sign_in(HOST_A, cast.client_a.user.email)
    program = cast.client_a.program()
    answer = here.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "brand-New-pass-77", "password2": "brand-New-pass-77"},
    )
    assert answer.status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert program.get("/api/v1/me").status_code == 401


def test_guessing_is_throttled(cast: Cast) -> None:
    for _attempt in range(6):
        sign_in(HOST_A, cast.client_a.user.email, "wrong-password-1")
    assert not is_in(sign_in(HOST_A, cast.client_a.user.email))


@pytest.mark.parametrize(
    "name", ["$(touch /tmp/canary)", "a\r\nSet-Cookie: x=1@b.c", "{{7*7}}@people.example", "x' OR 1=1 --"]
)
def test_hostile_names_are_just_wrong(cast: Cast, name: str) -> None:
    answer = Client(headers={"host": HOST_A}).post(reverse("account_login"), {"login": name, "password": "x"})
    assert answer.status_code == 200
    assert "49" not in re.sub(r"<[^>]*>", "", answer.content.decode())


def test_after_signing_in_nobody_is_sent_elsewhere(cast: Cast) -> None:
    for target in ("//evil.example", "https://evil.example/", "https://panel.reseller-b.example/", "/\\evil.example"):
        client = Client(headers={"host": HOST_A})
        answer = client.post(
            reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD, "next": target}
        )
        assert answer.headers["location"] == "/"


def test_people_of_a_closed_organization_are_out(cast: Cast) -> None:
    client = cast.client_a.browser()
    with tenant(cast.reseller_a.actor.path):
        organizations.close(actor=cast.reseller_a.actor, organization=cast.client_a.organization)
    assert not is_in(client)
    assert not is_in(sign_in(HOST_A, cast.client_a.user.email))


def test_an_installation_begins_with_its_provider(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {"name": "First Hosting", "email": "owner@first.example", "person": "Olga"}
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match="password"):
        call_command("create_provider", **arguments)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    call_command("create_provider", **arguments, stdout=io.StringIO())
    assert is_in(sign_in(PROVIDER_HOST, "owner@first.example"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    with pytest.raises(CommandError, match="provider already"):
        call_command("create_provider", **arguments)


def test_a_reset_link_leads_to_the_account_s_own_panel(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    asked_at = {HOST_A: cast.client_a, PROVIDER_HOST: cast.reseller_a}
    for host, someone in asked_at.items():
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            Client(headers={"host": host, "x-forwarded-host": "evil.example"}).post(
                reverse("account_reset_password"), {"email": someone.user.email}
            )
        (message,) = mail.outbox
        own = HOST_A if someone is cast.client_a else PROVIDER_HOST
        links = re.findall(r"https?://\S+", str(message.body))
        assert links
        assert all(link.startswith(f"https://{own}/") for link in links)
        assert "evil" not in str(message.message())


def test_the_reset_link_works_once(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = Client(headers={"host": HOST_A})
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("account_reset_password"), {"email": cast.client_a.user.email})
    link = re.findall(r"https?://[^/]+(/\S+)", str(mail.outbox[0].body))[0]
    form = client.get(link, follow=True)
    new = {"password1": "brand-New-pass-77", "password2": "brand-New-pass-77"}
    assert client.post(form.redirect_chain[-1][0], new).status_code == 302
    assert is_in(sign_in(HOST_A, cast.client_a.user.email, "brand-New-pass-77"))
    again = Client(headers={"host": HOST_A}).get(link, follow=True)
    assert "password1" not in again.content.decode()


@pytest.mark.parametrize("who", ["client_b", "nobody"])
def test_asking_for_a_reset_tells_nobody_who_exists(cast: Cast, who: str) -> None:
    email = "nobody@people.example" if who == "nobody" else cast.client_b.user.email
    answer = Client(headers={"host": HOST_A}).post(reverse("account_reset_password"), {"email": email})
    assert answer.status_code == 302
    assert not OutgoingMail._base_manager.exists()


def test_nobody_signs_up(cast: Cast) -> None:
    assert Client(headers={"host": HOST_A}).get("/signup/").status_code == 404
