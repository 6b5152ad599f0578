"""Disputes: the buyer's bank takes a payment back. What it had paid is open again until the bank decides."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.utils import timezone

from billing.gateways.base import Event
from billing.models import Customer, Dispute, Gateway, LedgerEntry, Payment
from billing.services import card_payments, happenings, settlements
from panel.core import audit
from panel.core.actors import Actor

SYSTEM = "payment service"
Account = settlements.Account
Status = Dispute.Status
RESULTS = {"done": Status.WON, "failed": Status.LOST}


def told(gateway: Gateway, event: Event) -> None:
    """Note what the payment service says of a dispute: opened once, closed once, in whatever order it is told.

    Opened, the money moves from `cash` to `disputed`, and as much of what the payment paid is open again; won, all of
    it goes back; lost, what no invoice took over is written off.
    """
    payment = Payment.objects.filter(gateway=gateway, remote_id=event.remote_payment).exclude(remote_id="").first()
    if payment is None:
        return
    with settlements.locked(payment.customer_id) as customer:
        payment = card_payments.again(payment)
        dispute = Dispute.objects.filter(remote_id=event.remote).first()
        if dispute is not None and dispute.payment_id != payment.pk:
            return
        if dispute is None:
            dispute = _open(customer, payment, event)
        result = RESULTS.get(event.outcome)
        if dispute is not None and dispute.status == Status.OPEN and result is not None:
            _close(customer, payment, dispute, result)


def _open(customer: Customer, payment: Payment, event: Event) -> Dispute | None:
    free = payment.amount - payment.refunded
    if event.currency != payment.currency or not 0 < event.amount <= free:
        changes = {"disputed": (None, f"{event.amount} {event.currency}")}
        audit.record(Actor.system(SYSTEM), "receipt.differs", payment, changes)
        return None
    dispute = Dispute.objects.create(
        payment=payment,
        remote_id=event.remote,
        amount=event.amount,
        reason=event.reason,
        opened_at=datetime.fromtimestamp(event.at, UTC),
    )
    key = f"dispute:{dispute.pk}"
    settlements.post(customer, key, Account.DISPUTED, Account.CASH, dispute.amount, payment=payment)
    taken = settlements.take_out(payment, dispute.amount, key)
    settlements.post(customer, f"{key}:taken", Account.CREDIT, Account.DISPUTED, taken, payment=payment)
    audit.record(Actor.system(SYSTEM), "dispute.opened", dispute, {"amount": (None, str(dispute.amount))})
    happenings.tell("dispute.opened", dispute)
    return dispute


def _close(customer: Customer, payment: Payment, dispute: Dispute, result: Dispute.Status) -> None:
    key = f"dispute:{dispute.pk}"
    taken = _taken(customer, key)
    if result == Status.WON:
        settlements.post(customer, f"{key}:won", Account.CASH, Account.DISPUTED, dispute.amount, payment=payment)
        settlements.post(customer, f"{key}:back", Account.DISPUTED, Account.CREDIT, taken, payment=payment)
        settlements.spend(customer, taken, f"{key}:won", payment)
    else:
        rest = dispute.amount - taken
        settlements.post(customer, f"{key}:lost", Account.LOSS, Account.DISPUTED, rest, payment=payment)
    dispute.status, dispute.closed_at = result, timezone.now()
    dispute.save(update_fields=["status", "closed_at"])
    audit.record(Actor.system(SYSTEM), "dispute.closed", dispute, {"status": (Status.OPEN, result)})
    happenings.tell("dispute.closed", dispute)


def _taken(customer: Customer, key: str) -> Decimal:
    row = LedgerEntry.objects.filter(seller=customer.seller_id, key=f"{key}:taken").first()
    return Decimal(0) if row is None else row.amount
