"""Celery tasks of billing: they carry ids only; all they need is in the database."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from billing.gateways.base import Refused, Unavailable
from billing.selectors import orders as order_selectors
from billing.services import (
    card_payments,
    fulfilments,
    holds,
    hook_deliveries,
    methods,
    orders,
    paper_mail,
    refunds,
    runs,
    vat_checks,
)
from panel.core.queue import ring


@shared_task(name="billing.tasks.bill")
def bill() -> None:
    """Charge, invoice, collect and remind of what is due; nothing that was done is done again."""
    runs.bill(timezone.now())


@shared_task(name="billing.tasks.check_vat_number")
def check_vat_number(customer_id: str) -> None:
    """Ask whether a customer's VAT number is valid."""
    vat_checks.check(customer_id)


@shared_task(name="billing.tasks.check_vat_numbers")
def check_vat_numbers() -> None:
    """Ask about VAT numbers that have no answer yet, and again about those whose answer is old."""
    for customer_id in vat_checks.due():
        vat_checks.check(customer_id)


@shared_task(name="billing.tasks.fulfil")
def fulfil(order_id: str) -> None:
    """Bring one order a step on."""
    fulfilments.fulfil(order_id)


@shared_task(name="billing.tasks.sweep_orders")
def sweep_orders() -> None:
    """Bring on the orders that are in hand, and give up those that nobody pays: rings may get lost, rows do not."""
    fulfilments.sweep(order_selectors.to_do())
    orders.expire(timezone.now())


@shared_task(name="billing.tasks.charge_card")
def charge_card(payment_id: str) -> None:
    """Charge a saved card; where there is no answer, the sweep rings again."""
    with suppress(Unavailable):
        card_payments.charge(payment_id)


@shared_task(name="billing.tasks.look_up_charge")
def look_up_charge(payment_id: str) -> None:
    """Look up what became of a charge whose answer was lost; where there is none again, the sweep rings again."""
    with suppress(Unavailable, Refused):
        card_payments.look_up(payment_id)


@shared_task(name="billing.tasks.note_fee")
def note_fee(payment_id: str) -> None:
    """Ask what the payment service kept of a payment."""
    with suppress(Unavailable, Refused):
        card_payments.note_fee(payment_id)


@shared_task(name="billing.tasks.describe_card")
def describe_card(method_id: str) -> None:
    """Ask what a saved card looks like."""
    methods.describe(method_id)


@shared_task(name="billing.tasks.forget_card")
def forget_card(method_id: str) -> None:
    """Let the payment service forget a card that was removed."""
    methods.forget(method_id)


@shared_task(name="billing.tasks.send_refund")
def send_refund(refund_id: str) -> None:
    """Send a refund to the card it came from; where there is no answer, the sweep rings again."""
    with suppress(Unavailable):
        refunds.send(refund_id)


@shared_task(name="billing.tasks.look_up_refund")
def look_up_refund(refund_id: str) -> None:
    """Look up what became of a refund whose answer was lost; where there is none again, the sweep rings again."""
    with suppress(Unavailable, Refused):
        refunds.look_up(refund_id)


@shared_task(name="billing.tasks.sweep_payments")
def sweep_payments() -> None:
    """Ring for payments, refunds and cards that wait."""
    card_payments.sweep(timezone.now())
    refunds.sweep(timezone.now())


@shared_task(name="billing.tasks.make_papers")
def make_papers() -> None:
    """Mail what was issued, and make its PDFs."""
    paper_mail.make_waiting()


@shared_task(name="billing.tasks.deliver_hook")
def deliver_hook(delivery_id: str) -> None:
    """Send one message to a seller's program."""
    hook_deliveries.deliver(delivery_id)


@shared_task(name="billing.tasks.sweep_hooks")
def sweep_hooks() -> None:
    """Send messages that wait, and note what servers have reported of holds."""
    now = timezone.now()
    holds.look(now)
    hook_deliveries.forget(now)
    for delivery_id in hook_deliveries.due(now):
        ring(hook_deliveries.DELIVER, delivery_id)
