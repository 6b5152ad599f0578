"""Invitations: a link by mail at the brand's own host, good once and for a week; nothing tells who is registered."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Membership, OutgoingMail, User
from accounts.services import invitations, organizations
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, PASSWORD, PROVIDER_HOST, Cast, Person, person

NEW = {"name": "Nora New", "password": "brand-New-pass-77"}


Commit = Callable[..., AbstractContextManager[object]]


def invite(cast: Cast, email: str = "new@people.example", role: str = "technician", by: str = "client_a") -> Invitation:
    host: Person = getattr(cast, by)
    with tenant(host.actor.path):
        return invitations.create(actor=host.actor, organization=host.organization, email=email, role=role)


def link() -> tuple[str, str]:
    """Return host and path of the link in the newest mail."""
    host, path = re.findall(r"https://([^/\s]+)(/invitations/\S+)", str(mail.outbox[-1].body))[0]
    return host, path


@pytest.fixture
def delivered(django_capture_on_commit_callbacks: Commit) -> Commit:
    """Let mail out that is put down inside the block."""
    return partial(django_capture_on_commit_callbacks, execute=True)


def test_somebody_new_joins_and_is_signed_in(cast: Cast, delivered: Commit) -> None:
    with delivered():
        invite(cast)
    host, path = link()
    assert host == HOST_A
    stranger = Client(headers={"host": HOST_A})
    page = stranger.get(path).content.decode()
    assert "Client of A" in page
    assert "Northwind" not in page
    assert stranger.post(path, NEW).headers["location"] == "/"
    me = stranger.get("/api/v1/me").json()
    assert (me["email"], me["name"], me["role"]) == ("new@people.example", "Nora New", "technician")
    assert Client(headers={"host": HOST_A}).get(path).status_code == 404
    assert Client(headers={"host": HOST_A}).post(path, NEW).status_code == 404


def test_the_mail_speaks_for_the_brand_only(cast: Cast, delivered: Commit) -> None:
    with delivered():
        invite(cast)
    (message,) = mail.outbox
    assert message.from_email.startswith("Atelier A <")
    assert "Northwind" not in message.message().as_string()


def test_staff_of_a_reseller_join_where_their_panel_s_accounts_are(cast: Cast, delivered: Commit) -> None:
    with delivered():
        invite(cast, by="reseller_a")
    host, path = link()
    assert host == PROVIDER_HOST
    assert Client(headers={"host": HOST_A}).get(path).status_code == 404
    assert Client(headers={"host": PROVIDER_HOST}).get(path).status_code == 200


def test_a_link_is_of_one_panel(cast: Cast, delivered: Commit) -> None:
    with delivered():
        invite(cast)
    _host, path = link()
    for host in (HOST_B, PROVIDER_HOST):
        assert Client(headers={"host": host}).get(path).status_code == 404
        assert Client(headers={"host": host}).post(path, NEW).status_code == 404
    assert not User.objects.filter(email="new@people.example").exists()


def test_somebody_known_signs_in_and_accepts(cast: Cast, delivered: Commit) -> None:
    with everything("test"), delivered():
        second = organizations.create_client(
            actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name="Second"
        )
        invitations.create(
            actor=cast.reseller_a.actor, organization=second, email=cast.client_a.user.email, role="billing"
        )
    _host, path = link()
    stranger = Client(headers={"host": HOST_A})
    assert "password" not in re.findall(r'name="(\w+)"', stranger.get(path).content.decode())
    assert stranger.post(path, NEW).status_code == 403
    with everything("test"):
        other = person(cast.client_a.organization, "other-a", HOST_A)
    assert other.browser().post(path).status_code == 403
    assert cast.client_a.browser().post(path).status_code == 302
    with everything("test"):
        assert Membership.objects.get(user=cast.client_a.user, organization=second).role == "billing"
        assert Membership.objects.filter(organization=second).count() == 1
    assert cast.client_a.user.check_password(PASSWORD)


def test_who_invites_learns_nothing_of_the_address(cast: Cast) -> None:
    program = cast.client_a.program()
    url = reverse("accounts_api:organization_invitations", args=[cast.client_a.organization.id])
    answers = [
        program.post(url, {"email": email, "role": "billing"}, content_type="application/json")
        for email in ("nobody@people.example", cast.client_sub.user.email)
    ]
    bodies = [
        {name: value for name, value in answer.json().items() if name not in ("id", "email", "sent_at", "expires_at")}
        for answer in answers
    ]
    assert bodies[0] == bodies[1]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize("after", ["a week", "revoked", "resent"])
def test_a_dead_link_says_no_more_than_that(cast: Cast, delivered: Commit, after: str) -> None:
    with delivered():
        invitation = invite(cast)
    _host, path = link()
    with tenant(cast.client_a.actor.path), delivered():
        if after == "revoked":
            invitations.revoke(actor=cast.client_a.actor, invitation=invitation)
        if after == "resent":
            invitations.resend(actor=cast.client_a.actor, invitation=invitation)
    later = timezone.now() + timedelta(days=7, minutes=1) if after == "a week" else timezone.now()
    with time_machine.travel(later, tick=False):
        for answer in (Client(headers={"host": HOST_A}).get(path), Client(headers={"host": HOST_A}).post(path, NEW)):
            assert answer.status_code == 404
            assert "Client of A" not in answer.content.decode()
    if after == "resent":
        assert Client(headers={"host": HOST_A}).get(link()[1]).status_code == 200


def test_one_invitation_at_a_time(cast: Cast) -> None:
    invite(cast)
    with pytest.raises(Conflict) as refused:
        invite(cast, email="NEW@people.example")
    assert refused.value.field == "email"
    with pytest.raises(Conflict) as refused:
        invite(cast, email=cast.client_a.user.email)
    assert refused.value.code == "member"


@pytest.mark.parametrize(
    ("who", "role", "refusal"),
    [("readonly_a", "readonly", Forbidden), ("client_b", "readonly", NotFound), ("admin", "owner", Forbidden)],
)
def test_nobody_invites_above_themselves_or_elsewhere(
    cast: Cast, who: str, role: str, refusal: type[DomainError]
) -> None:
    if who == "admin":
        with everything("test"):
            actor = person(cast.reseller_a.organization, "admin-a", HOST_A, role="admin").actor
    else:
        actor = getattr(cast, who).actor
    with tenant(actor.path), pytest.raises(refusal):
        invitations.create(
            actor=actor, organization=cast.reseller_a.organization, email="new@people.example", role=role
        )
    assert not Invitation._base_manager.exists()
    assert not OutgoingMail._base_manager.exists()


@pytest.mark.parametrize(("field", "value"), [("email", "a@b.example\nBcc: x@y.example"), ("role", "emperor")])
def test_bad_invitations_are_refused_by_field(cast: Cast, field: str, value: str) -> None:
    values = {"email": "new@people.example", "role": "billing"} | {field: value}
    with tenant(cast.client_a.actor.path), pytest.raises(Invalid) as refused:
        invitations.create(actor=cast.client_a.actor, organization=cast.client_a.organization, **values)
    assert refused.value.field == field


@pytest.mark.parametrize("password", ["short", "password123", ""])
def test_a_weak_password_is_refused_and_the_link_stays_good(cast: Cast, delivered: Commit, password: str) -> None:
    with delivered():
        invite(cast)
    _host, path = link()
    stranger = Client(headers={"host": HOST_A})
    assert stranger.post(path, NEW | {"password": password}).status_code == 400
    assert not User.objects.filter(email="new@people.example").exists()
    assert stranger.post(path, NEW).status_code == 302


def test_an_owner_hands_over(cast: Cast) -> None:
    with everything("test"):
        heir = person(cast.client_a.organization, "heir", HOST_A, role="readonly")
    program = cast.client_a.program()
    url = reverse("accounts_api:member_transfer", args=[heir.membership.id])
    meant = {"confirm": heir.user.email}
    for body in ({}, {"confirm": heir.user.name}):
        assert "confirm" in program.post(url, body, content_type="application/json").json()["errors"]
    assert program.post(url, meant, content_type="application/json").json()["role"] == "owner"
    with everything("test"):
        assert Membership.objects.get(pk=cast.client_a.membership.pk).role == "admin"
    assert program.post(url, meant, content_type="application/json").json()["code"] == "not_owner"
