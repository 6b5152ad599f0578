"""Checks of VAT numbers: yes, no, and a service that says neither; evidence, and asking again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from billing import tasks, vies
from billing.models import Customer, VatCheck
from billing.selectors import sellers as selectors
from billing.services import customers, tax_rates, taxes, vat_checks
from panel.core.actors import Actor
from panel.core.errors import Conflict
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.vies import Vies, stub
from tests.cast import Cast

FRENCH = "FR40303265045"
GERMAN = "DE136695976"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def service(settings: Settings) -> Iterator[Vies]:
    """The service, and settings that lead to it."""
    with stub() as server:
        settings.VIES_URL, settings.VIES_PRIVATE_ALLOWED = server.url, True
        yield server


@pytest.fixture
def buyer(cast: Cast) -> Customer:
    """Client A as a customer in France with a number that nobody has checked."""
    seller = cast.reseller_a.organization
    factories.seller(seller, country="DE", vat_number=GERMAN, is_taxed=True)
    made = factories.customer(seller, cast.client_a.organization, country="FR")
    return customers.change(actor=cast.client_a.actor, customer=made, vat_number=FRENCH)


def again(customer: Customer) -> Customer:
    """Return the customer as it is saved."""
    return Customer._base_manager.get(pk=customer.pk)


def evidence(customer: Customer) -> list[VatCheck]:
    """Return the answers that were kept."""
    return list(VatCheck._base_manager.filter(customer=customer).order_by("id"))


def test_a_new_number_is_unchecked_and_a_task_is_rung_for(
    cast: Cast, service: Vies, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: Any
) -> None:
    rung: list[Any] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, args, **_: rung.append((name, args)))
    made = factories.customer(cast.reseller_a.organization, cast.client_a.organization, country="FR")
    with django_capture_on_commit_callbacks(execute=True):
        changed = customers.change(actor=cast.client_a.actor, customer=made, vat_number="fr 40 303 265 045")
    assert (changed.vat_number, changed.vat_state, changed.is_business) == (FRENCH, "unchecked", True)
    assert rung == [("billing.tasks.check_vat_number", (made.pk,))]
    assert service.asked == []


def test_yes_is_kept_as_evidence_and_reverses_the_charge(buyer: Customer, service: Vies) -> None:
    seller = selectors.of(buyer.seller)
    tax_rates.adopt(actor=Actor.system("test"), organization=buyer.seller)
    assert taxes.treatment(seller, again(buyer), "standard", NOW.date()).percent == 20
    tasks.check_vat_number(buyer.pk)
    assert service.asked == [
        {
            "countryCode": "FR",
            "vatNumber": "40303265045",
            "requesterMemberStateCode": "DE",
            "requesterNumber": "136695976",
        }
    ]
    found = evidence(buyer)
    assert [(row.is_valid, row.request_id, row.vat_number) for row in found] == [(True, "WAPIAAAA1", FRENCH)]
    assert found[0].answer["name"] == "Ännchen"
    assert again(buyer).vat_state == "valid"
    treated = taxes.treatment(seller, again(buyer), "standard", NOW.date())
    assert (treated.code, treated.percent) == ("AE", Decimal(0))
    assert "VATEX-EU-AE" in treated.reason
    with everything("test"):
        assert AuditEntry.objects.filter(action="customer.vat_answer", object_id=buyer.pk).count() == 1


def test_no_is_no(buyer: Customer, service: Vies) -> None:
    service.judge(valid=False)
    tasks.check_vat_number(buyer.pk)
    assert again(buyer).vat_state == "invalid"
    assert [row.is_valid for row in evidence(buyer)] == [False]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, 200),
        ({"actionSucceed": False, "errorWrappers": [{"error": "GLOBAL_MAX_CONCURRENT_REQ"}]}, 400),
        ({"valid": "true"}, 200),
        ({"valid": True}, 503),
        ({}, 200),
        ([], 200),
        (b"<html>Service unavailable</html>", 200),
        (b'{"valid": true, "name": "' + b"x" * 30_000 + b'"}', 200),
    ],
)
def test_what_is_no_answer_is_neither_yes_nor_no(buyer: Customer, service: Vies, body: object, status: int) -> None:
    service.say(body, status)
    tasks.check_vat_number(buyer.pk)
    kept = again(buyer)
    assert kept.vat_state == "unchecked"
    assert kept.vat_asked_at is not None
    assert evidence(buyer) == []
    service.judge(valid=True)
    tasks.check_vat_number(buyer.pk)
    assert again(buyer).vat_state == "valid"


def test_a_yes_stays_while_the_service_is_down(buyer: Customer, service: Vies) -> None:
    tasks.check_vat_number(buyer.pk)
    service.is_down()
    tasks.check_vat_number(buyer.pk)
    assert again(buyer).vat_state == "valid"
    service.judge(valid=False)
    tasks.check_vat_number(buyer.pk)
    assert again(buyer).vat_state == "invalid"
    assert [row.is_valid for row in evidence(buyer)] == [True, False]


def test_unanswered_numbers_are_asked_about_again_and_old_answers_too(buyer: Customer, service: Vies) -> None:
    service.is_down()
    with time_machine.travel(NOW, tick=False):
        assert vat_checks.due() == [buyer.pk]
        tasks.check_vat_numbers()
        assert vat_checks.due() == []
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        service.judge(valid=True)
        tasks.check_vat_numbers()
        assert again(buyer).vat_state == "valid"
        assert vat_checks.due() == []
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        assert vat_checks.due() == [buyer.pk]
    assert len(service.asked) == 2


def test_an_answer_about_a_number_that_was_changed_meanwhile_is_dropped(
    cast: Cast, buyer: Customer, service: Vies, monkeypatch: Any
) -> None:
    ask = vies.ask

    def slowly(number: str, asker: str = "") -> vies.Answer:
        answer = ask(number, asker)
        customers.change(actor=cast.client_a.actor, customer=buyer, country="DE", vat_number=GERMAN)
        return answer

    monkeypatch.setattr(vies, "ask", slowly)
    tasks.check_vat_number(buyer.pk)
    kept = again(buyer)
    assert (kept.vat_number, kept.vat_state) == (GERMAN, "unchecked")
    assert evidence(buyer) == []


def test_a_private_host_is_not_asked(buyer: Customer, service: Vies, settings: Settings) -> None:
    settings.VIES_PRIVATE_ALLOWED = False
    tasks.check_vat_number(buyer.pk)
    assert service.asked == []
    assert again(buyer).vat_state == "unchecked"


def test_without_an_address_nobody_is_asked(buyer: Customer, settings: Settings) -> None:
    assert settings.VIES_URL == ""
    tasks.check_vat_number(buyer.pk)
    assert again(buyer).vat_state == "unchecked"


def test_only_numbers_of_the_union_are_asked_about(cast: Cast, buyer: Customer, service: Vies) -> None:
    customers.change(actor=cast.client_a.actor, customer=buyer, country="CH", vat_number="CHE107787577IVA")
    with pytest.raises(Conflict) as caught:
        vat_checks.request(actor=cast.reseller_a.actor, customer=again(buyer))
    assert caught.value.code == "not_askable"
    assert vat_checks.due() == []
    tasks.check_vat_number(buyer.pk)
    assert service.asked == []


def test_without_a_number_there_is_nothing_to_check(cast: Cast, buyer: Customer) -> None:
    changed = customers.change(actor=cast.client_a.actor, customer=buyer, vat_number="")
    assert changed.vat_state == "none"
    with pytest.raises(Conflict):
        vat_checks.request(actor=cast.reseller_a.actor, customer=changed)
    assert vat_checks.due() == []
