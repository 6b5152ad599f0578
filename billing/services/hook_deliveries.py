"""Messages to a seller's programs (Standard Webhooks 1.0): written with what they tell, sent by a worker, tried again.

At least once: a program knows a message that comes again by its `webhook-id`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from standardwebhooks.webhooks import Webhook

from billing.models import Dispute, Hold, Hook, HookDelivery, Invoice, Payment, Refund, Subscription
from billing.pricing.money import rounded
from billing.services import hooks
from billing.services.hooks import TEST
from panel.core import audit, policy, vault, web_client
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError
from panel.core.queue import ring
from panel.core.scoping import everything

DELIVER = "billing.tasks.deliver_hook"
SECONDS = 10
MOST_BYTES = 64 * 1024
FIRST_RETRY = timedelta(minutes=1)
GIVEN_UP = timedelta(days=3)
CLAIM = timedelta(minutes=2)
KEPT = timedelta(days=30)
BATCH = 100
GONE = 410

log = structlog.get_logger(__name__)


def follower(kind: str) -> Callable[[Any], None]:
    """Return what follows a happening: it writes a message to each address of the seller that wants to be told."""

    def follow(row: Any) -> None:
        tell(kind, row)

    return follow


def follower_of_many(kind: str) -> Callable[[Sequence[Any]], None]:
    """Return what follows when the same happens to many rows."""

    def follow(rows: Sequence[Any]) -> None:
        tell_all(kind, rows)

    return follow


def tell(kind: str, row: Any) -> None:
    """Write the messages of a happening, in its transaction; they leave once it commits."""
    tell_all(kind, [row])


def tell_all(kind: str, rows: Sequence[Any]) -> None:
    """Write the messages of many happenings of a kind, in their transaction; who wants to be told is asked once."""
    with everything("a seller's programs are told"):
        hooks = Hook.objects.filter(organization__in={row.parties[0] for row in rows}, is_active=True)
        wanting = [hook for hook in hooks if not hook.kinds or kind in hook.kinds]
        for row in rows:
            concerned = [hook for hook in wanting if hook.organization_id == row.parties[0]]
            data = described(row) if concerned else {}
            for hook in concerned:
                _write(hook, kind, data)


def send_test(*, actor: Actor, hook: Hook) -> HookDelivery:
    """Send a message that means nothing, to see whether the address takes it."""
    policy.require(actor, "hook.test", hook)
    with transaction.atomic():
        delivery = _write(hook, TEST, {"hook": hook.pk})
        audit.record(actor, "hook.test", hook)
    return delivery


def resend(*, actor: Actor, delivery: HookDelivery) -> HookDelivery:
    """Send a message again that is over, under the id that it had."""
    policy.require(actor, "hook.resend", delivery)
    with transaction.atomic():
        over = HookDelivery.objects.filter(pk=delivery.pk).exclude(status=HookDelivery.Status.WAITING)
        now = timezone.now()
        if not over.update(status=HookDelivery.Status.WAITING, tries=0, next_at=now, answer="", since=now):
            raise Conflict(_("This message is on its way already."), code="waiting")
        audit.record(actor, "hook.resend", delivery)
        ring(DELIVER, delivery.pk)
    delivery.refresh_from_db()
    return delivery


def deliver(delivery_id: str) -> None:
    """Send a message whose turn it is; what fails waits twice as long each time, for three days. For the worker."""
    now = timezone.now()
    with everything("messages to programs"):
        due = HookDelivery.objects.filter(pk=delivery_id, status=HookDelivery.Status.WAITING, next_at__lte=now)
        if not due.update(tries=F("tries") + 1, next_at=now + CLAIM):
            return
        delivery = HookDelivery.objects.select_related("hook").get(pk=delivery_id)
        status, answer = _sent(delivery, now)
        delivery.answer = answer[:200]
        if status is not None and 200 <= status < 300:
            delivery.status = HookDelivery.Status.SENT
        else:
            delivery.next_at = now + FIRST_RETRY * 2 ** (delivery.tries - 1)
            if status == GONE or delivery.next_at > delivery.since + GIVEN_UP:
                delivery.status = HookDelivery.Status.FAILED
        delivery.save(update_fields=["status", "answer", "next_at"])
        if status == GONE:
            Hook.objects.filter(pk=delivery.hook_id).update(is_active=False)
            hooks.silence(delivery.hook)


def due(now: datetime) -> list[str]:
    """Return messages whose turn has come, oldest first; for the sweep, since a ring may get lost."""
    with everything("messages to programs"):
        rows = HookDelivery.objects.filter(status=HookDelivery.Status.WAITING, next_at__lte=now)
        return list(rows.order_by("next_at").values_list("id", flat=True)[:BATCH])


def forget(now: datetime) -> None:
    """Delete messages that are over and older than a month, and secrets whose time to sign beside another is over."""
    with everything("messages to programs"):
        over = HookDelivery.objects.exclude(status=HookDelivery.Status.WAITING)
        over.filter(created_at__lt=now - KEPT).delete()
        for hook in Hook.objects.filter(old_until__lte=now):
            vault.forget(hook.old_secret)
            Hook.objects.filter(pk=hook.pk, old_secret=hook.old_secret).update(old_secret="", old_until=None)


def _write(hook: Hook, kind: str, data: dict[str, Any]) -> HookDelivery:
    now = timezone.now()
    body = {"type": kind, "timestamp": now.isoformat(), "data": data}
    delivery = HookDelivery.objects.create(hook=hook, kind=kind, body=body, next_at=now, since=now)
    ring(DELIVER, delivery.pk)
    return delivery


def _sent(delivery: HookDelivery, now: datetime) -> tuple[int | None, str]:
    """Send it; return the answer's status, if one came, and what became of it in words without the answer's own."""
    body = json.dumps(delivery.body, separators=(",", ":"), ensure_ascii=False)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "webhooks/1",
        "webhook-id": delivery.pk,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(_signatures(delivery.hook, delivery.pk, now, body)),
    }
    try:
        answer = web_client.post(
            delivery.hook.url,
            body.encode(),
            headers,
            seconds=SECONDS,
            most_bytes=MOST_BYTES,
            private_allowed=settings.HOOKS_TO_PRIVATE_HOSTS,
        )
    except (web_client.Unreachable, DomainError) as error:
        log.warning("hook.failed", delivery=delivery.pk, error=str(error))
        if isinstance(error, DomainError):
            return None, error.message
        return None, _("The address could not be reached, or gave no answer that could be read.")
    return answer.status, f"HTTP {answer.status}"


def _signatures(hook: Hook, message_id: str, now: datetime, body: str) -> list[str]:
    secrets = [hook.secret]
    if hook.old_secret and hook.old_until is not None and hook.old_until > now:
        secrets.append(hook.old_secret)
    return [Webhook(vault.get(secret).decode()).sign(message_id, now, body) for secret in secrets]


def described(row: Any) -> dict[str, Any]:
    """Return what a message says of a row: amounts and days as text, parties by id."""
    match row:
        case Invoice():
            return _invoice(row)
        case Payment():
            return _payment(row)
        case Refund():
            return {"id": row.pk, "amount": _amount(row.amount, row.payment.currency), "payment": _payment(row.payment)}
        case Dispute():
            amount = _amount(row.amount, row.payment.currency)
            return {"id": row.pk, "amount": amount, "status": row.status, "payment": _payment(row.payment)}
        case Subscription():
            return {
                "id": row.pk,
                "customer": row.customer_id,
                "label": row.label,
                "status": row.status,
                "starts_on": row.starts_on.isoformat(),
                "ended_on": row.ended_on.isoformat() if row.ended_on else None,
                "account": row.hosting_id,
            }
        case Hold():
            return {
                "customer": row.customer_id,
                "buyer": row.customer.buyer_id,
                "stage": row.stage,
                "state": row.state,
                "invoice": _invoice(row.invoice),
            }
    raise TypeError(f"Nothing is told of a {type(row).__name__}.")


def _invoice(row: Invoice) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "number": row.label,
        "customer": row.customer_id,
        "buyer": row.buyer_id,
        "issued_on": row.issued_on.isoformat() if row.issued_on else None,
        "due_on": row.due_on.isoformat(),
        "currency": row.currency,
        "net": _amount(row.net, row.currency),
        "tax": _amount(row.tax, row.currency),
        "gross": _amount(row.gross, row.currency),
        "reference": row.reference,
        "corrects": row.corrects_id,
    }


def _payment(row: Payment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "customer": row.customer_id,
        "invoice": row.invoice_id,
        "source": row.source,
        "status": row.status,
        "amount": _amount(row.amount, row.currency),
        "refunded": _amount(row.refunded, row.currency),
        "currency": row.currency,
        "reference": row.reference,
        "received_on": row.received_on.isoformat() if row.received_on else None,
    }


def _amount(amount: Decimal, currency: str) -> str:
    return format(rounded(amount, currency), "f")
