"""The billing run: what is due is charged, invoiced, collected and reminded of. All of it follows from what is kept.

A run may come twice, late, or not for a week: every day is derived from rows, never from when the run came. What fails
is left out and told, and does not hold up the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import Q, QuerySet

from accounts.models import Organization
from billing.models import Charge, Component, Customer, Invoice, Product, Seller, Subscription
from billing.pricing.money import rounded
from billing.pricing.rules import RuleInvalid
from billing.selectors import sellers
from billing.selectors import subscriptions as selectors
from billing.services import charges, dunning, invoicing, metering, payments, subscription_mails, subscriptions
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything
from provisioning.models import HostingAccount

log = structlog.get_logger(__name__)
Item = TypeVar("Item")
Wanted = dict[str, list[str]]
"""Customer → open charges."""
ACTOR = Actor.system("billing run")
BATCH = 200
"""So many subscriptions, and customers, share a transaction; when it fails, each gets one of its own."""
LATE = timedelta(days=400)
"""So long after its end a metered component is still looked at: for use that was told late, and runs that come late."""
FAILURES = (DatabaseError, DomainError, RuleInvalid, ArithmeticError, ValueError, LookupError, TypeError)
"""What a row that can't be billed raises; anything else ends the run."""


@dataclass
class Report:
    """What a run did, or would do."""

    subscriptions: int = 0
    charges: int = 0
    invoices: int = 0
    ended: int = 0
    steps: int = 0
    parked: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was left out."""
        return not self.parked and not self.failed


class _TakenBack(Exception):
    """Ends a dry run."""


def bill(now: datetime, seller: Organization | None = None, dry_run: bool = False) -> Report:
    """Do all that is due at `now` for one seller, or for all; returns what was done.

    A dry run does the same in a transaction that is taken back, asks no payment service, and lists each paper.
    """
    report = Report()
    with everything("billing run"):
        if dry_run:
            try:
                with transaction.atomic():
                    _run(now, seller, report, dry_run=True)
                    raise _TakenBack
            except _TakenBack:
                return report
        _run(now, seller, report, dry_run=False)
    return report


def _run(now: datetime, only: Organization | None, report: Report, *, dry_run: bool) -> None:
    for seller in _sellers(only):
        today = sellers.today(seller, now)
        _charge(seller, today, report)
        _remind(seller, today, now, report)
        _measure(seller, today, report)
        _invoice(seller, today, now, report, list_papers=dry_run)
    if not dry_run:
        _tolerant(report, "payments", lambda: _collect_cards(now, only, report))
    _tolerant(report, "dunning", lambda: _dun(now, only, report))


def _collect_cards(now: datetime, only: Organization | None, report: Report) -> None:
    report.failed += [(key, "payments") for key in payments.collect_due(now, only).failed]


def _dun(now: datetime, only: Organization | None, report: Report) -> None:
    done = dunning.run(now, seller=only)
    report.steps += len(done.taken)
    report.failed += [(key, "dunning") for key in done.failed]


def _sellers(only: Organization | None) -> list[Seller]:
    """Return who has customers, and the usual values of who has never set any."""
    selling = Customer.objects.values("seller").distinct()
    rows = Organization.objects.filter(pk__in=selling) if only is None else Organization.objects.filter(pk=only.pk)
    known = {row.organization_id: row for row in Seller.objects.filter(organization__in=rows)}
    found = []
    for organization in rows.order_by("id"):
        seller = known.get(organization.pk) or sellers.of(organization)
        seller.organization = organization
        found.append(seller)
    return found


def _due(seller: Seller, today: date) -> QuerySet[Subscription]:
    """Return the subscriptions that something follows for today."""
    live = Subscription.objects.filter(customer__seller=seller.organization_id, parked_at=None)
    payable = Q(billed_until__lte=today + timedelta(days=seller.days_ahead)) & (
        Q(trial_until=None) | Q(trial_until__lte=today)
    )
    status = Subscription.Status
    return live.exclude(status=status.ENDED).filter(
        payable
        | Q(cancel_on__lte=today)
        | Q(status=status.PENDING, starts_on__lte=today)
        | Q(status=status.TRIAL, trial_until__lte=today)
        | Q(hosting__status=HostingAccount.Status.TERMINATED)
        | ~Q(customer__buyer__parent=seller.organization_id)
    )


def _metered(seller: Seller, today: date) -> list[str]:
    """Return the components that go by use and have a period behind them whose use was not charged; one query."""
    rows = Component.objects.filter(
        product__kind=Product.Kind.METERED,
        subscription__customer__seller=seller.organization_id,
        subscription__parked_at=None,
        starts_on__lt=today,
    )
    rows = rows.filter(Q(ends_on=None) | Q(ends_on__gte=today - LATE)).select_related("subscription", "price")
    return [row.pk for row in rows.order_by("id").iterator(chunk_size=1000) if metering.is_due(row, today)]


def _open_charges(seller: Seller) -> QuerySet[Charge]:
    return Charge.objects.filter(customer__seller=seller.organization_id, line=None)


def _charge(seller: Seller, today: date, report: Report) -> None:
    """Charge what is due, many in one transaction, and one by one what can't be charged together."""
    due = list(_due(seller, today).order_by("id").values_list("id", flat=True))
    for ids in _chunks(due, BATCH):
        for part in _each(ids, lambda part: _charge_together(seller, part, today, report)):
            _leave_out(*part, report)


def _charge_together(seller: Seller, ids: Sequence[str], today: date, report: Report) -> None:
    rows = Subscription.objects.select_for_update(of=("self",), no_key=True).select_related(*selectors.WITH)
    held = list(rows.filter(pk__in=ids).prefetch_related(*selectors.COMPONENTS).order_by("id"))
    made: list[Charge] = []
    moved: dict[tuple[str, date], list[str]] = {}
    ended, count = 0, 0
    for subscription in held:
        if subscription.status == Subscription.Status.ENDED:
            continue
        before = (subscription.status, subscription.billed_until)
        gone = _gone_on(subscription, seller, today)
        day = min(today, gone or today)
        made += subscriptions.advance(subscription, seller, day)
        if gone is not None or (subscription.cancel_on is not None and subscription.cancel_on <= today):
            charges.keep(made)
            ended, count, made = ended + 1, count + len(made), []
            subscription.save(update_fields=["status", "billed_until"])
            _end(subscription, gone)
        elif (subscription.status, subscription.billed_until) != before:
            moved.setdefault((subscription.status, subscription.billed_until), []).append(subscription.pk)
    charges.keep(made)
    for (status, billed_until), moving in moved.items():
        Subscription.objects.filter(pk__in=moving).update(status=status, billed_until=billed_until)
    report.subscriptions += len(held)
    report.charges += count + len(made)
    report.ended += ended


def _end(subscription: Subscription, gone: date | None) -> None:
    cancel_on = subscription.cancel_on
    if gone is not None and (cancel_on is None or gone < cancel_on):
        subscriptions.end_because_gone(subscription, gone)
    elif cancel_on is not None:
        subscriptions.end(subscription, cancel_on)


def _gone_on(subscription: Subscription, seller: Seller, today: date) -> date | None:
    """Return the day on which the account was terminated, or today when the buyer has another seller by now."""
    hosting = subscription.hosting
    if hosting is not None and hosting.status == HostingAccount.Status.TERMINATED:
        return sellers.today(seller, hosting.terminated_at) if hosting.terminated_at else today
    return None if subscription.customer.buyer.parent_id == seller.organization_id else today


def _remind(seller: Seller, today: date, now: datetime, report: Report) -> None:
    """Tell buyers whose trial ends soon, each once."""
    until = today + timedelta(days=seller.trial_notice_days)
    due = list(selectors.ending_trials(seller.organization_id, today, until).values_list("id", flat=True))
    for pk in due:
        failed = _each([pk], lambda ids: _remind_one(ids[0], now))
        report.failed += [(row, _said(error)) for row, error in failed]


def _remind_one(pk: str, now: datetime) -> None:
    subscription = subscriptions.locked_by_id(pk)
    main, day = selectors.main_of(subscription), subscription.trial_until
    if main is None or day is None or subscription.trial_told_at is not None:
        return
    first = sum((charge.amount for charge in charges.due(subscription, day)), Decimal(0))
    subscription_mails.trial_ends(subscription, main, first)
    subscription.trial_told_at = now
    subscription.save(update_fields=["trial_told_at"])


def _measure(seller: Seller, today: date, report: Report) -> None:
    """Charge use, component by component: each reads and rates its own events."""
    for component_id in _metered(seller, today):
        for _id, error in _each([component_id], lambda ids: _measure_one(ids[0], today, report)):
            _leave_out(Component.objects.get(pk=component_id).subscription_id, error, report)


def _measure_one(component_id: str, today: date, report: Report) -> None:
    subscriptions.locked(Subscription.objects.get(components=component_id))
    parents = [f"subscription__{name}" for name in selectors.WITH]
    component = Component.objects.select_related("product__meter", "price", *parents).get(pk=component_id)
    report.charges += len(metering.keep(component, today))


def _invoice(seller: Seller, today: date, now: datetime, report: Report, *, list_papers: bool) -> None:
    """Put open charges on invoices, those of a customer and day on one; day after day, so that numbers follow.

    Credits that no invoice can take yet wait for the customer's next day.
    """
    left: Wanted = {}
    for day, wanted in sorted(_by_day(seller, today).items()):
        for customer_id in wanted:
            wanted[customer_id] = left.pop(customer_id, []) + wanted[customer_id]
        for part in _chunks(sorted(wanted), BATCH):
            made: list[Invoice] = []

            def issue(ids: Sequence[str], day: date = day, made: list[Invoice] = made, found: Wanted = wanted) -> None:
                chosen = {pk: found[pk] for pk in ids}
                made += invoicing.collect_many(actor=ACTOR, seller=seller, on=day, now=now, wanted=chosen)

            report.failed += [(pk, _said(error)) for pk, error in _each(part, issue)]
            report.invoices += len(made)
            issued = {row.customer_id for row in made}
            left |= {pk: wanted[pk] for pk in part if pk not in issued}
            if list_papers:
                report.papers += [
                    f"{row.issued_on} {row} {row.customer}: {rounded(row.gross, row.currency)} {row.currency}"
                    for row in made
                ]


def _by_day(seller: Seller, today: date) -> dict[date, Wanted]:
    """Return the open charges by the day on which they go on an invoice, and customer."""
    zone = ZoneInfo(seller.time_zone)
    found: dict[date, Wanted] = {}
    rows = _open_charges(seller).select_related("component__subscription").order_by("id")
    for charge in rows.iterator(chunk_size=1000):
        day = charges.issue_on(charge, seller.days_ahead, zone)
        if day <= today:
            found.setdefault(day, {}).setdefault(charge.customer_id, []).append(charge.pk)
    return found


def _each(ids: Sequence[str], work: Callable[[Sequence[str]], None]) -> list[tuple[str, Exception]]:
    """Do `work` for all in one transaction, or each in its own when that fails; return those that failed, and why."""
    try:
        with transaction.atomic():
            work(ids)
    except FAILURES as error:
        if len(ids) > 1:
            return [failed for one in ids for failed in _each([one], work)]
        log.warning("billing.failed", row=ids[0], exc_info=error)
        return [(ids[0], error)]
    return []


def _leave_out(subscription_id: str, error: Exception, report: Report) -> None:
    """Park what can't be billed until a person has looked; what the database could not do now, the next run tries."""
    if isinstance(error, OperationalError):
        report.failed.append((subscription_id, _said(error)))
        return
    report.parked.append((subscription_id, _said(error)))
    subscriptions.park(Subscription.objects.get(pk=subscription_id), _said(error))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _tolerant(report: Report, name: str, work: Callable[[], object]) -> None:
    try:
        work()
    except FAILURES as error:
        log.error("billing.failed", part=name, exc_info=error)
        report.failed.append((name, _said(error)))


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while part := list(islice(source, size)):
        yield part
