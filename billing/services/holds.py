"""What a customer does not get while an invoice is unpaid: imposed, and lifted by payment, through provisioning.

A suspension is made in the seller's name, who can always release it by hand, and bears the customer's id: only such a
one is lifted by a payment, never what a person has suspended for another reason. The customer's row is the lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.selectors import brands
from accounts.services import organizations
from billing.models import Customer, DunningStep, Hold, Invoice, Receivable
from billing.pricing import dunning as steps
from billing.selectors import dunning as selectors
from billing.services import dunning_mails, happenings, settlements
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError
from panel.core.scoping import everything
from provisioning.models import Operation
from provisioning.services import tenancy

Stage, State = Hold.Stage, Hold.State
SUSPENDING = frozenset({Stage.PANEL, Stage.SITES})
FURTHER: list[str] = [Stage.ORDERS, Stage.PANEL, Stage.SITES]
"""Stages in the order in which they take more away."""

log = structlog.get_logger(__name__)


def acting(customer: Customer) -> Actor:
    """Return the system acting in the name of a customer's seller."""
    return Actor.system_for(customer.seller_id, customer.seller.path, "dunning")


def can_impose(customer: Customer, step: str) -> bool:
    """Tell whether a step can be taken now; accounts are only ended of who is suspended, as servers say."""
    if not selectors.can_hold(customer, Organization.objects.get(pk=customer.buyer_id), step):
        return False
    suspended = Hold.objects.filter(customer=customer, stage=Stage.SITES, state=State.DONE)
    return step != steps.TERMINATE or suspended.exists()


def impose(customer: Customer, invoice: Invoice, step: str, now: datetime) -> None:
    """Take a step that takes something away, for a locked customer. What is held already stays as it is."""
    if step == steps.TERMINATE:
        tenancy.end_accounts(actor=acting(customer), organization=customer.buyer)
        return
    stage = selectors.STAGES[customer.buyer.kind][step]
    hold = Hold.objects.filter(customer=customer, stage=stage).exclude(state=State.LIFTED).first()
    if hold is not None and hold.state in selectors.STANDING:
        return
    hold = hold or Hold(customer=customer, stage=stage)
    hold.invoice, hold.state, hold.begun_at, hold.lifted_at = invoice, State.ORDERED, now, None
    hold.operation = _hold_back(customer, stage, _reason(customer, invoice))
    hold.save()
    audit.record(acting(customer), "hold.impose", hold, {"stage": ("", stage)})
    if hold.operation is None:
        _done(hold)


def release(customer: Customer, now: datetime) -> None:
    """Lift, for a locked customer, what no unpaid invoice asks for any more."""
    asked = _asked(customer)
    standing = list(Hold.objects.filter(customer=customer, state__in=selectors.STANDING))
    over = [hold for hold in standing if hold.stage not in asked]
    if over:
        _lift(customer, over, {hold.stage for hold in standing} & asked, now)
    _restore(customer)


def lift(*, actor: Actor, hold: Hold) -> Hold:
    """Give a customer back what a hold takes away, and with it all that goes further, though nobody has paid.

    It is not imposed again for invoices that had got so far. Raises Conflict when it is lifted already.
    """
    policy.require(actor, "hold.lift", hold)
    with settlements.locked(hold.customer_id) as customer:
        standing = list(Hold.objects.filter(customer=customer, state__in=selectors.STANDING))
        if hold.pk not in {row.pk for row in standing}:
            raise Conflict(_("This hold is lifted already."), code="not_held")
        over = {row.stage for row in standing if FURTHER.index(row.stage) >= FURTHER.index(hold.stage)}
        operation = _give_back(customer, over, {row.stage for row in standing} - over)
        _begin_lifting(actor, customer, [row for row in standing if row.stage in over], operation, timezone.now())
        return Hold.objects.select_related("customer__buyer", "invoice").get(pk=hold.pk)


def look(now: datetime) -> None:
    """Note what servers have reported since, what people have released, and lift what could not be lifted before."""
    with everything("holds of all sellers"):
        moving = Q(state__in=(State.ORDERED, State.LIFTING))
        released = ~Q(customer__buyer__suspended_for=F("customer_id")) & Q(stage__in=SUSPENDING)
        released |= Q(stage=Stage.ORDERS, customer__buyer__orders_held_reason="")
        rows = Hold.objects.filter(moving | Q(released, state=State.DONE)).order_by("id")
        found = list(rows.values_list("id", "customer_id"))
        for key, customer_id in found:
            with _tolerant(customer_id), settlements.locked(customer_id) as customer:
                _look(customer, key, now)
        _let_go()


def _let_go() -> None:
    """Lift suspensions that nothing holds any more: of a buyer that was closed when it paid, and was opened again."""
    rows = Customer.objects.filter(buyer__status=Organization.Status.SUSPENDED, buyer__suspended_for=F("pk"))
    for key in list(rows.exclude(holds__state__in=[*selectors.STANDING, State.LIFTING]).values_list("id", flat=True)):
        with _tolerant(key), settlements.locked(key) as customer:
            if not Hold.objects.filter(customer=customer).exclude(state=State.LIFTED).exists():
                _give_back(customer, set(SUSPENDING), set())


@contextmanager
def _tolerant(customer_id: str) -> Iterator[None]:
    """Let what one customer's organization refuses hold up no other."""
    try:
        yield
    except (DomainError, DatabaseError) as error:
        log.warning("hold.failed", customer=customer_id, exc_info=error)


def _look(customer: Customer, key: str, now: datetime) -> None:
    standing = Hold.objects.select_related("operation", "invoice").exclude(state=State.LIFTED)
    hold = standing.filter(pk=key).first()
    if hold is None:
        return
    hold.customer = customer
    over = hold.operation is None or hold.operation.status == Operation.Status.APPLIED
    if hold.state == State.LIFTING:
        if hold.operation is None:
            keep = {row.stage for row in Hold.objects.filter(customer=customer, state__in=selectors.STANDING)}
            _lift(customer, [hold], keep, now)
        elif over:
            _lifted(hold, now)
    elif not _is_in_force(customer, hold):
        _lifted(hold, now)
    elif hold.state == State.ORDERED and over:
        _done(hold)


def _is_in_force(customer: Customer, hold: Hold) -> bool:
    buyer = customer.buyer
    if hold.stage == Stage.ORDERS:
        return bool(buyer.orders_held_reason)
    return buyer.suspended_for == customer.pk


def _asked(customer: Customer) -> set[str]:
    """Return the stages that steps taken for unpaid invoices ask for."""
    unpaid = DunningStep.objects.filter(invoice__customer=customer, invoice__receivable__settled_at__isnull=True)
    taken = unpaid.filter(passed_over=False)
    stages = selectors.STAGES.get(customer.buyer.kind, {})
    return {stages[step] for step in taken.values_list("step", flat=True) if step in stages}


def _hold_back(customer: Customer, stage: str, reason: str) -> Operation | None:
    actor, buyer = acting(customer), customer.buyer
    if stage == Stage.ORDERS:
        organizations.hold_orders(actor=actor, organization=buyer, reason=reason)
        return None
    sites = stage == Stage.SITES
    return tenancy.suspend(
        actor=actor, organization=buyer, reason=reason, accounts=sites, alone=not sites, cause=customer.pk
    )[1]


def _lift(customer: Customer, over: list[Hold], keep: set[str], now: datetime) -> None:
    """Take holds back, and note that they are being lifted: at once where no server has to follow.

    What is refused now is tried again by `look`.
    """
    try:
        with transaction.atomic():
            operation = _give_back(customer, {hold.stage for hold in over}, keep)
    except DomainError as error:
        log.warning("hold.not_lifted", customer=customer.pk, code=error.code)
        Hold.objects.filter(pk__in=[hold.pk for hold in over]).update(state=State.LIFTING, operation=None)
        return
    _begin_lifting(acting(customer), customer, over, operation, now)


def _begin_lifting(
    actor: Actor, customer: Customer, over: list[Hold], operation: Operation | None, now: datetime
) -> None:
    for hold in over:
        hold.customer = customer
        hold.state, hold.operation = State.LIFTING, operation if hold.stage in SUSPENDING else None
        hold.save(update_fields=["state", "operation"])
        audit.record(actor, "hold.lift", hold, {"stage": (hold.stage, "")})
        if hold.operation is None:
            _lifted(hold, now)


def _give_back(customer: Customer, over: set[str], keep: set[str]) -> Operation | None:
    """Give an organization back what `over` held of it, as far as `keep` leaves it that; returns what servers do."""
    actor, buyer = acting(customer), customer.buyer
    if Stage.ORDERS in over and buyer.orders_held_reason:
        organizations.hold_orders(actor=actor, organization=buyer, reason="")
    ours = buyer.suspended_for == customer.pk and buyer.status == Organization.Status.SUSPENDED
    if not over & SUSPENDING or not ours or Stage.SITES in keep:
        return None
    reason = buyer.suspended_reason
    operation = tenancy.unsuspend(actor=actor, organization=buyer)[1]
    if Stage.PANEL in keep:
        tenancy.suspend(actor=actor, organization=buyer, reason=reason, alone=True, cause=customer.pk)
    return operation


def _restore(customer: Customer) -> None:
    """Bring back accounts that dunning has ended, once nothing asks for that any more, where their data is there."""
    ended = DunningStep.objects.filter(invoice__customer=customer, step=steps.TERMINATE)
    unpaid = ended.filter(invoice__receivable__settled_at__isnull=True)
    if not ended.exists() or unpaid.exists() or customer.buyer.status == Organization.Status.CLOSED:
        return
    try:
        with transaction.atomic():
            tenancy.restore_accounts(actor=acting(customer), organization=customer.buyer)
    except DomainError as error:
        log.warning("hold.not_restored", customer=customer.pk, code=error.code)


def _done(hold: Hold) -> None:
    hold.state = State.DONE
    hold.save(update_fields=["state"])
    happenings.tell("customer.held", hold)
    dunning_mails.held(hold)


def _lifted(hold: Hold, now: datetime) -> None:
    """Note that it is over; the mail that thanks for a payment is for who has paid."""
    hold.state, hold.lifted_at = State.LIFTED, now
    hold.save(update_fields=["state", "lifted_at"])
    happenings.tell("customer.lifted", hold)
    if Receivable.objects.filter(invoice=hold.invoice_id, settled_at__isnull=False).exists():
        dunning_mails.lifted(hold)


def _reason(customer: Customer, invoice: Invoice) -> str:
    """Return why, for the buyer's people, in the language of the brand that they have it from."""
    with translation.override(brands.for_organization(customer.seller).locale):
        words = _("Invoice %(number)s, due on %(due)s, is not paid.")
        return words % {"number": invoice.label, "due": date_format(invoice.due_on)}


def settled(invoice: Invoice) -> None:
    """Give back what was held for an invoice of which nothing is open any more; follows `invoice.settled`."""
    with settlements.locked(invoice.customer_id) as customer:
        release(customer, timezone.now())
