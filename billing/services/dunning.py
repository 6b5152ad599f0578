"""The run of dunning: reminders, holds and, where the seller wants it, the end, each step at most once per invoice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Organization
from billing.models import DunningStep, Invoice, PaymentMethod, Receivable, Seller
from billing.pricing import dunning as steps
from billing.selectors import sellers
from billing.services import dunning_mails, happenings, holds, settlements
from panel.core import audit
from panel.core.errors import DomainError
from panel.core.scoping import everything

FIRST_DAY = 30
"""No seller reminds earlier than so many days before an invoice is due."""

BATCH = 500
HOLDS = frozenset({steps.SUSPEND, steps.PANEL, steps.SITES, steps.TERMINATE})

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Report:
    """What a run did: the steps it took as (invoice id, step), and the invoices that it had to leave out."""

    taken: list[tuple[str, str]]
    failed: list[str]


def run(now: datetime, seller: Organization | None = None) -> Report:
    """Take every step that is due at `now`, of all sellers or of one, one transaction for each invoice.

    A second run takes nothing again, and one after days without any takes one step at a time. An invoice at which
    something fails is reported and left for the next run.
    """
    report = Report([], [])
    with everything("unpaid invoices of all sellers"):
        holds.look(now)
        waiting = [(found, row.pk) for found, row in _open(now, seller) if _due(row, found, now)]
        for found, key in waiting:
            try:
                report.taken.extend(_take(key, found, now))
            except (DomainError, DatabaseError) as error:
                log.exception("dunning.failed", receivable=key, error=type(error).__name__)
                report.failed.append(str(key))
        holds.look(now)
    return report


def next_hold(invoice: Invoice, seller: Seller) -> tuple[str, date] | None:
    """Return the next thing that is taken away for an unpaid invoice, and from which day on; None when nothing is."""
    taken = {row.step for row in invoice.dunning_steps.all()}
    for name, days in _holds(invoice.customer.buyer, seller):
        if days is not None and name not in taken:
            return name, invoice.due_on + timedelta(days=days)
    return None


def _open(now: datetime, seller: Organization | None) -> Iterator[tuple[Seller, Receivable]]:
    """Yield what is unpaid and due within the days in which sellers remind."""
    rows = _rows()
    if seller is not None:
        rows = rows.filter(seller=seller)
    for organization in Organization.objects.filter(pk__in=rows.values("seller")).order_by("path"):
        found = sellers.of(organization)
        last = sellers.today(found, now) + timedelta(days=FIRST_DAY)
        due = rows.filter(seller=organization, due_on__lte=last).order_by("due_on", "id")
        for receivable in due.iterator(chunk_size=BATCH):
            yield found, receivable


def _rows() -> QuerySet[Receivable]:
    """Return what is open of invoices, each with what decides about its steps."""
    card = PaymentMethod.objects.filter(customer=OuterRef("customer"), is_default=True, removed_at__isnull=True)
    rows = Receivable.objects.filter(settled_at__isnull=True, invoice__kind=Invoice.Kind.INVOICE)
    rows = rows.select_related("invoice__customer__buyer", "customer__buyer")
    return rows.prefetch_related("invoice__dunning_steps").annotate(has_card=Exists(card))


def _take(key: int, seller: Seller, now: datetime) -> list[tuple[str, str]]:
    """Take the steps that are due for one receivable, in a transaction with its customer locked."""
    with settlements.locked(Receivable.objects.get(pk=key).customer_id) as customer:
        receivable = _rows().filter(pk=key).first()
        if receivable is None:
            return []
        receivable.customer = customer
        due = _due(receivable, seller, now)
        if any(step.name in HOLDS and not holds.can_impose(customer, step.name) for step in due):
            due = _due(receivable, seller, now, reminders_only=True)
        for step in due:
            _apply(receivable, seller, step, now)
        return [(receivable.invoice_id, step.name) for step in due]


def _due(receivable: Receivable, seller: Seller, now: datetime, *, reminders_only: bool = False) -> list[steps.Step]:
    invoice = receivable.invoice
    if invoice.status != Invoice.Status.ISSUED or invoice.issued_on is None:
        return []
    taken = {
        row.step: steps.Taken(row.done_at, sellers.today(seller, row.done_at), row.passed_over)
        for row in invoice.dunning_steps.all()
    }
    held = () if reminders_only else _holds(receivable.customer.buyer, seller)
    terms = steps.Terms(tuple(seller.reminder_days), held)
    by_itself = receivable.customer.pays_by_itself and bool(vars(receivable)["has_card"])
    bill = steps.Bill(invoice.issued_on, receivable.due_on, by_itself)
    return steps.due(terms, bill, taken, today=sellers.today(seller, now), now=now)


def _holds(buyer: Organization, seller: Seller) -> tuple[tuple[str, int | None], ...]:
    if buyer.kind == Organization.Kind.CLIENT:
        return steps.of_client(suspend=seller.suspend_days, terminate=seller.terminate_days)
    return steps.of_reseller(suspend=seller.suspend_days, panel=seller.panel_days, sites=seller.sites_days)


def _apply(receivable: Receivable, seller: Seller, step: steps.Step, now: datetime) -> None:
    """Write a step down with its effect."""
    invoice, customer = receivable.invoice, receivable.customer
    row = DunningStep.objects.create(invoice=invoice, step=step.name, done_at=now, passed_over=step.passed_over)
    if step.passed_over:
        return
    audit.record(holds.acting(customer), "dunning.step", row, {"step": ("", step.name)})
    if step.name in HOLDS:
        holds.impose(customer, invoice, step.name, now)
    elif step.name == steps.OVERDUE:
        happenings.tell("invoice.overdue", invoice)
    else:
        dunning_mails.asks(invoice, step.name, today=sellers.today(seller, now), follows=_follows(invoice, seller, now))


def _follows(invoice: Invoice, seller: Seller, now: datetime) -> tuple[str, date] | None:
    """Return what follows, on a day that leaves at least the full day after this mail."""
    found = next_hold(invoice, seller)
    if found is None:
        return None
    return found[0], max(found[1], sellers.today(seller, now + steps.A_DAY))
