"""People are told by mail once the server has done it: once each, in their brand's name, and not of what went wrong."""

from __future__ import annotations

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import OutgoingMail
from accounts.services import mail_templates
from panel.core.scoping import everything
from provisioning.models import Operation
from provisioning.services import hosting_accounts, notices, operations
from tests.provisioning.ground import Ground, last_operation
from tests.provisioning.test_operations import carry, names


@pytest.fixture(autouse=True)
def _nothing_before(ground: Ground) -> None:
    OutgoingMail._base_manager.all().delete()


def waiting() -> list[tuple[str, str]]:
    return list(OutgoingMail._base_manager.order_by("id").values_list("kind", "recipient"))


def test_a_new_account_is_welcomed_once_it_is_there(
    ground: Ground, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    operation = last_operation(ground.account_a)
    assert waiting() == []
    with django_capture_on_commit_callbacks(execute=True):
        carry(ground, names(ground, "applied"))
    assert waiting() == [
        ("welcome", ground.cast.client_a.user.email),
        ("welcome", ground.cast.client_b.user.email),
    ]
    first, second = mail.outbox
    assert first.subject == f"Your hosting account {ground.account_a.domain} is ready"
    assert ground.account_a.username in str(first.body)
    assert "ns1.reseller-a.example" in str(first.body)
    assert "https://panel.reseller-a.example" in str(first.body)
    assert "Northwind" not in str(first.message())
    assert "reseller-a" not in str(second.message())
    with everything("test"):
        notices.applied([operation.pk])
    assert len(waiting()) == 2


def test_what_a_server_refused_is_not_told(ground: Ground) -> None:
    mine = ("welcome", ground.cast.client_a.user.email)
    carry(ground, names(ground, "rejected"))
    assert mine not in waiting()
    with everything("test"):
        operations.retry(actor=ground.cast.reseller_a.actor, operation=last_operation(ground.account_a))
    carry(ground, names(ground, "applied"))
    assert mine in waiting()


def test_suspension_and_release_are_told_with_the_reason_in_the_brands_words(
    ground: Ground, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    carry(ground, names(ground, "applied"))
    OutgoingMail._base_manager.all().delete()
    owner = ground.cast.reseller_a
    with everything("test"):
        brand = owner.organization.brand
        mail_templates.set(
            actor=owner.actor, brand=brand, kind="suspension", subject="{{domain}} rests", text="{{name}}: {{reason}}"
        )
        hosting_accounts.suspend(actor=owner.actor, hosting=ground.account_a, reason="Not paid <b>")
    with django_capture_on_commit_callbacks(execute=True):
        carry(ground, names(ground, "applied"))
    (told,) = mail.outbox
    assert told.subject == f"{ground.account_a.domain} rests"
    assert str(told.body).strip() == "Client A: Not paid <b>"
    assert "Not paid &lt;b&gt;" in str(told.message())
    with everything("test"):
        hosting_accounts.unsuspend(actor=owner.actor, hosting=ground.account_a)
    carry(ground, names(ground, "applied"))
    assert [kind for kind, _to in waiting()] == ["suspension", "release"]


def test_what_is_not_so_any_more_is_not_told(ground: Ground) -> None:
    carry(ground, names(ground, "applied"))
    OutgoingMail._base_manager.all().delete()
    owner = ground.cast.reseller_a.actor
    with everything("test"):
        hosting_accounts.suspend(actor=owner, hosting=ground.account_a)
        hosting_accounts.unsuspend(actor=owner, hosting=ground.account_a)
    carry(ground, names(ground, "applied"))
    assert Operation._base_manager.filter(verb="account.suspend", status="applied").exists()
    assert [kind for kind, _to in waiting()] == ["release"]
