"""The run of dunning: reminders, holds and, where the seller wants it, the end, each step at most once per invoice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog
from django.db import DatabaseError

from accounts.models import Organization
from billing.models import DunningStep, Receivable, Seller
from billing.pricing import dunning as steps
from billing.selectors import dunning as selectors
from billing.selectors import sellers
from billing.services import dunning_mails, happenings, holds, settlements
from panel.core import audit
from panel.core.errors import DomainError
from panel.core.scoping import everything

FIRST_DAY = 30
"""No seller reminds earlier than so many days before an invoice is due."""

BATCH = 500

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


def _open(now: datetime, seller: Organization | None) -> Iterator[tuple[Seller, Receivable]]:
    """Yield what is unpaid and due within the days in which sellers remind."""
    rows = selectors.unpaid()
    if seller is not None:
        rows = rows.filter(seller=seller)
    for organization in Organization.objects.filter(pk__in=rows.values("seller")).order_by("path"):
        found = sellers.of(organization)
        last = sellers.today(found, now) + timedelta(days=FIRST_DAY)
        due = rows.filter(seller=organization, due_on__lte=last).order_by("due_on", "id")
        for receivable in due.iterator(chunk_size=BATCH):
            yield found, receivable


def _take(key: int, seller: Seller, now: datetime) -> list[tuple[str, str]]:
    """Take the steps that are due for one receivable, in a transaction with its customer locked."""
    with settlements.locked(Receivable.objects.get(pk=key).customer_id) as customer:
        receivable = selectors.unpaid().filter(pk=key).first()
        if receivable is None:
            return []
        receivable.customer = customer
        due = _due(receivable, seller, now)
        if any(step.name in selectors.HOLDS and not holds.can_impose(customer, step.name) for step in due):
            due = _due(receivable, seller, now, with_holds=False)
        for step in due:
            _apply(receivable, seller, step, now)
        return [(receivable.invoice_id, step.name) for step in due]


def _due(receivable: Receivable, seller: Seller, now: datetime, *, with_holds: bool = True) -> list[steps.Step]:
    bill, today = selectors.bill(receivable), sellers.today(seller, now)
    if bill is None or selectors.paused_until(receivable, today) is not None:
        return []
    terms = selectors.terms(receivable, seller)
    terms = terms if with_holds else replace(terms, holds=())
    return steps.due(terms, bill, selectors.taken(receivable, seller), today=today, now=now)


def _apply(receivable: Receivable, seller: Seller, step: steps.Step, now: datetime) -> None:
    """Write a step down with its effect."""
    invoice, customer = receivable.invoice, receivable.customer
    row = DunningStep.objects.create(invoice=invoice, step=step.name, done_at=now, passed_over=step.passed_over)
    if step.passed_over:
        return
    audit.record(holds.acting(customer), "dunning.step", row, {"step": ("", step.name)})
    if step.name in selectors.HOLDS:
        holds.impose(customer, invoice, step.name, now)
    elif step.name == steps.OVERDUE:
        happenings.tell("invoice.overdue", invoice)
    else:
        follows = _follows(receivable, seller, now)
        dunning_mails.asks(invoice, step.name, today=sellers.today(seller, now), follows=follows)


def _follows(receivable: Receivable, seller: Seller, now: datetime) -> tuple[str, date] | None:
    """Return what is taken away next, and from which day on: one that leaves at least the full day after this mail."""
    taken = DunningStep.objects.filter(invoice=receivable.invoice).values_list("step", flat=True)
    for name, days in selectors.terms(receivable, seller).holds:
        if days is not None and name not in set(taken):
            after = receivable.due_on + timedelta(days=days)
            return name, max(after, sellers.today(seller, now + steps.A_DAY))
    return None
