"""Payments, saved cards and statements: what an organization was paid, and what it has paid."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from billing.models import Allocation, BankEntry, Customer, Dispute, Invoice, Payment, PaymentMethod, Receivable, Refund
from billing.selectors import parties
from panel.core.actors import Actor

_PAYMENTS = ("customer__buyer", "customer__seller", "invoice", "method", "gateway")


def received(actor: Actor) -> QuerySet[Payment]:
    """Return what the actor's organization was paid, or is being paid."""
    return parties.sold_by(Payment.objects.select_related(*_PAYMENTS), actor)


def paid(actor: Actor) -> QuerySet[Payment]:
    """Return what the actor's organization has paid, or tried to."""
    return parties.bought_by(Payment.objects.select_related(*_PAYMENTS), actor, through="customer")


def visible(actor: Actor) -> QuerySet[Payment]:
    """Return the payments of which the actor's organization is seller or buyer."""
    return parties.of_party(Payment.objects.select_related(*_PAYMENTS), actor, through="customer")


def with_parts(rows: QuerySet[Payment]) -> QuerySet[Payment]:
    """Return payments with what they paid, what went back of them, and disputes."""
    used = Allocation.objects.select_related("invoice").order_by("id")
    refunds, disputes = Refund.objects.order_by("id"), Dispute.objects.order_by("id")
    return rows.prefetch_related(
        Prefetch("allocations", used), Prefetch("refunds", refunds), Prefetch("disputes", disputes)
    )


def cards(actor: Actor) -> QuerySet[PaymentMethod]:
    """Return the cards that the actor's organization has saved, the newest first."""
    rows = PaymentMethod.objects.select_related("customer__buyer", "customer__seller")
    return parties.bought_by(rows, actor, through="customer").filter(removed_at__isnull=True).order_by("-id")


def entries(actor: Actor) -> QuerySet[BankEntry]:
    """Return the bookings of the statements that the actor's organization has read in."""
    rows = BankEntry.objects.select_related("payment__customer")
    return rows.filter(organization=actor.organization_id)


def open_of(customer: Customer) -> QuerySet[Receivable]:
    """Return what is open of a customer's invoices, the oldest first."""
    rows = Receivable.objects.select_related("invoice", "customer")
    return rows.filter(customer=customer, settled_at__isnull=True).order_by("due_on", "id")


def paid_of(payment: Payment) -> list[tuple[Invoice, Decimal]]:
    """Return the invoices that a payment pays as (invoice, amount), without such as it was taken off."""
    found: dict[str, tuple[Invoice, Decimal]] = {}
    for row in payment.allocations.all():
        invoice, before = found.get(row.invoice_id, (row.invoice, Decimal(0)))
        found[row.invoice_id] = (invoice, before + row.amount)
    return [(invoice, amount) for invoice, amount in found.values() if amount]


def invoices_of(payment: Payment) -> QuerySet[Invoice]:
    """Return the invoices that a payment was used for."""
    return Invoice.objects.filter(allocations__payment=payment).distinct()


def open_in(actor: Actor, currency: str) -> QuerySet[Receivable]:
    """Return what customers owe the actor's organization in a currency, the oldest first."""
    rows = parties.sold_by(Receivable.objects.select_related("invoice", "customer"), actor)
    return rows.filter(currency=currency, settled_at__isnull=True).order_by("due_on", "id")
