"""J3 and F6 for money: after a whole history the keys of payment services and of webhooks are in no row, page, answer,
file, log or task.
"""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from billing.models import HookDelivery
from billing.services import card_payments, gateways, hook_deliveries, payments, refunds
from panel.core.errors import DomainError
from panel.core.scoping import everything
from panel.demo.stripe_stub import HOOK_SECRET, KEY
from tests.billing.till import Till

TYPED = "rk_live_wrong_as_somebody_typed_it"
PAGES = (
    "/billing/gateway/",
    "/billing/payments/",
    "/billing/payments/?export=csv",
    "/billing/webhooks/",
    "/billing/webhooks/{hook}/",
    "/billing/webhooks/{hook}/change/",
    "/api/v1/gateway",
    "/api/v1/webhooks",
    "/api/v1/webhooks?format=csv",
    "/api/v1/webhooks/{hook}",
    "/api/v1/webhooks/{hook}/messages",
    "/api/v1/payments?format=csv",
)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to workers."""
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda *args, **more: sent.append(f"{args} {more}"))
    return sent


@pytest.fixture
def logged() -> Any:
    """What is logged, of every level, with tracebacks."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(before)
    root.removeHandler(handler)


def test_no_key_is_anywhere(
    till: Till,
    tasks: list[str],
    logged: io.StringIO,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    owner = till.seller.browser()
    with django_capture_on_commit_callbacks(execute=True):
        made = owner.post(
            "/api/v1/webhooks",
            {"url": "https://shop.example/hook"},
            content_type="application/json",
            headers={"Idempotency-Key": "a"},
        ).json()
        rotated = owner.post(f"/api/v1/webhooks/{made['id']}/secret", {}, content_type="application/json").json()
        secrets = [KEY, HOOK_SECRET, TYPED, made["secret"], rotated["secret"]]
        assert all(len(secret) >= 10 for secret in secrets)
        _history(till, owner)
        with everything("test"):
            for message in HookDelivery.objects.values_list("pk", flat=True):
                hook_deliveries.deliver(message)
    entries = (f"{reverse('dashboard:activity')}?export=csv", reverse("accounts_api:audit"))
    texts = {f"page {page}": _shown(owner, page.format(hook=made["id"])) for page in (*PAGES, *entries)}
    texts |= {"log": logged.getvalue(), "tasks": "\n".join(tasks), "rows": _rows()}
    assert tasks
    assert "gateway" in texts["log"]
    assert made["id"] in texts["rows"]
    assert [f"{place}: {secret[:9]}" for place, text in texts.items() for secret in secrets if secret in text] == []


def _history(till: Till, owner: Client) -> None:
    """Pay, pay back, be told wrong and right, and ask with keys that are good, bad and no keys."""
    invoice = till.invoice("100")
    payment = payments.pay(actor=till.buyer.actor, invoice=invoice, key="k", save_card=True)
    till.account.pay(till.session(payment))
    till.deliver_all()
    assert till.deliver(till.account.tell("customer.created", {"id": "cus_1"}), secret="whsec_of_another") == 400
    with everything("test"):
        payment.refresh_from_db()
        refund = refunds.create(actor=till.seller.actor, payment=payment, amount=payment.amount, key="back")
        refunds.send(refund.pk)
        card_payments.note_fee(payment.pk)
    assert gateways.test(actor=till.seller.actor, gateway=till.gateway)
    for typed in (f"{KEY}\n", "hunter2", TYPED):
        owner.post("/billing/gateway/", {"secret_key": typed})
        owner.put("/api/v1/gateway", {"secret_key": typed, "hook_secret": typed}, content_type="application/json")
    with everything("test"):
        till.gateway.refresh_from_db()
    with pytest.raises(DomainError):
        gateways.test(actor=till.seller.actor, gateway=till.gateway)
    owner.post("/billing/gateway/test/")
    owner.post("/api/v1/gateway/test", {}, content_type="application/json")


def _shown(browser: Client, page: str) -> str:
    answer: Any = browser.get(page)
    assert answer.status_code == 200, page
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return bytes(body).decode()


def _rows() -> str:
    """Return every column of every row."""
    found = []
    with everything("test"):
        for model in apps.get_models():
            found += [json.dumps(row, default=_text) for row in model._base_manager.values()]
    return "\n".join(found)


def _text(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
