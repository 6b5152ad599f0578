"""Unpaid invoices as dunning sees them: what decides about their steps, what was done, and what comes when."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import Organization
from billing.models import Customer, DunningPause, DunningStep, Hold, Invoice, PaymentMethod, Receivable, Seller
from billing.pricing import dunning as steps
from billing.pricing.dunning import Planned
from billing.selectors import parties, sellers
from panel.core.actors import Actor

Stage, State = Hold.Stage, Hold.State
STANDING = (State.ORDERED, State.DONE)
STAGES = {
    "client": {steps.SUSPEND: Stage.SITES},
    "reseller": {steps.SUSPEND: Stage.ORDERS, steps.PANEL: Stage.PANEL, steps.SITES: Stage.SITES},
}
"""Kind of the buyer → step of dunning → how far it goes."""
HOLDS = frozenset({steps.SUSPEND, steps.PANEL, steps.SITES, steps.TERMINATE})
"""The steps that take something away."""


@dataclass(frozen=True)
class Outlook:
    """What dunning has done for an invoice, and what it will do and when, if nobody pays.

    Nothing comes before `paused_until`. Where it `waits`, a person has suspended or closed the buyer, or it buys from
    somebody else now: only reminders come. `holds` is what the customer does not get now.
    """

    taken: list[DunningStep]
    ahead: list[Planned]
    paused_until: date | None = None
    waits: bool = False
    holds: list[Hold] = field(default_factory=list)

    @property
    def last(self) -> DunningStep | None:
        """The newest step that had an effect."""
        return self.taken[-1] if self.taken else None

    @property
    def next(self) -> Planned | None:
        """The first thing to come."""
        return self.ahead[0] if self.ahead else None


def unpaid() -> QuerySet[Receivable]:
    """Return what is open of invoices, each with what decides about its steps."""
    card = PaymentMethod._base_manager.filter(customer=OuterRef("customer"), is_default=True, removed_at__isnull=True)
    pauses = DunningPause._base_manager.filter(Q(invoice=None) | Q(invoice=OuterRef("invoice")))
    last = pauses.filter(customer=OuterRef("customer")).order_by("-until").values("until")[:1]
    off = Hold._base_manager.filter(customer=OuterRef("customer"), stage=Stage.SITES, state__in=STANDING)
    rows = Receivable.objects.filter(settled_at__isnull=True, invoice__kind=Invoice.Kind.INVOICE)
    rows = rows.select_related("invoice__customer__buyer", "customer__buyer", "seller")
    rows = rows.prefetch_related("invoice__dunning_steps")
    return rows.annotate(has_card=Exists(card), pause_ends=Subquery(last), is_off=Exists(off))


def overdue(actor: Actor, today: date) -> QuerySet[Receivable]:
    """Return what should have been paid to the actor's organization by now, the longest due first. Each knows whether
    its customer `is_held` back, and whether it `is_paused`.
    """
    held = Hold._base_manager.filter(customer=OuterRef("customer")).exclude(state=State.LIFTED)
    rows = parties.sold_by(unpaid(), actor).filter(due_on__lt=today).prefetch_related("customer__holds")
    return rows.annotate(is_held=Exists(held), is_paused=Q(pause_ends__gt=today))


def of_customer(customer: Customer) -> QuerySet[Receivable]:
    """Return what a customer has still to pay, the longest due first."""
    return unpaid().filter(customer=customer).prefetch_related("customer__holds")


def held(actor: Actor) -> QuerySet[Hold]:
    """Return what customers do not get, or did not for a time, of which the actor's organization is party."""
    rows = Hold.objects.select_related("customer__buyer", "invoice")
    return parties.of_party(rows, actor, through="customer")


def pauses(actor: Actor) -> QuerySet[DunningPause]:
    """Return the promises of the actor's organization to wait."""
    rows = DunningPause.objects.select_related("customer__buyer", "invoice")
    return parties.sold_by(rows, actor, through="customer")


def pause_of(customer: Customer, invoice: Invoice | None, today: date) -> DunningPause | None:
    """Return the promise to wait that lasts longest today: for all of a customer's invoices, or for one."""
    rows = DunningPause.objects.filter(customer=customer, until__gt=today)
    return rows.filter(Q(invoice=None) | Q(invoice=invoice)).order_by("-until", "id").first()


def standing(receivable: Receivable) -> list[Hold]:
    """Return what its customer does not get now, of rows that were listed with it."""
    return [hold for hold in receivable.customer.holds.all() if hold.state != State.LIFTED]


def terms(receivable: Receivable, seller: Seller) -> steps.Terms:
    """Return what follows for a row of `unpaid`. Who was released by hand is not ended."""
    reminders = tuple(seller.reminder_days)
    if receivable.customer.buyer.kind != Organization.Kind.CLIENT:
        held = steps.of_reseller(suspend=seller.suspend_days, panel=seller.panel_days, sites=seller.sites_days)
        return steps.Terms(reminders, held)
    was_suspended = any(row.step == steps.SUSPEND for row in receivable.invoice.dunning_steps.all())
    is_released = was_suspended and not vars(receivable)["is_off"]
    end = None if is_released else seller.terminate_days
    return steps.Terms(reminders, steps.of_client(suspend=seller.suspend_days, terminate=end))


def bill(receivable: Receivable) -> steps.Bill | None:
    """Return what is unpaid, or None for what is not issued."""
    issued = receivable.invoice.issued_on
    if receivable.invoice.status != Invoice.Status.ISSUED or issued is None:
        return None
    by_itself = receivable.customer.pays_by_itself and bool(vars(receivable)["has_card"])
    return steps.Bill(issued, receivable.due_on, by_itself)


def taken(receivable: Receivable, seller: Seller) -> dict[str, steps.Taken]:
    """Return the steps that were taken, by name."""
    rows = receivable.invoice.dunning_steps.all()
    return {row.step: steps.Taken(row.done_at, sellers.today(seller, row.done_at), row.passed_over) for row in rows}


def paused_until(receivable: Receivable, today: date) -> date | None:
    """Return the day before which nothing is done, where that is to come."""
    last: date | None = vars(receivable)["pause_ends"]
    return last if last is not None and last > today else None


def can_hold(customer: Customer, buyer: Organization, step: str) -> bool:
    """Tell whether a step can be taken now: not while a person has suspended or closed the buyer, nor once it buys from
    somebody else. What can't be taken waits.
    """
    if buyer.parent_id != customer.seller_id or buyer.status == Organization.Status.CLOSED:
        return False
    ours = buyer.status == Organization.Status.ACTIVE or buyer.suspended_for == customer.pk
    return ours or STAGES[buyer.kind].get(step) == Stage.ORDERS


def outlook(receivable: Receivable, seller: Seller, now: datetime) -> Outlook:
    """Return what was done and what comes for a row of `unpaid`."""
    done = effective(receivable.invoice)
    wanted, today = bill(receivable), sellers.today(seller, now)
    if wanted is None:
        return Outlook(done, [])
    whole, pause = terms(receivable, seller), paused_until(receivable, today)
    customer, buyer = receivable.customer, receivable.customer.buyer
    possible = tuple(hold for hold in whole.holds if can_hold(customer, buyer, hold[0]))
    if pause is not None:
        today, now = pause, sellers.midnight(seller, pause)
    ahead = steps.ahead(
        replace(whole, holds=possible),
        wanted,
        taken(receivable, seller),
        today=today,
        now=now,
        midnight=lambda day: sellers.midnight(seller, day),
    )
    return Outlook(done, ahead, pause, possible != whole.holds, standing(receivable))


def of_paper(invoice: Invoice, seller: Seller, now: datetime) -> Outlook:
    """Return what was done for any paper, and what comes while something is open of it."""
    receivable = unpaid().filter(invoice=invoice).prefetch_related("customer__holds").first()
    return Outlook(effective(invoice), []) if receivable is None else outlook(receivable, seller, now)


def effective(invoice: Invoice) -> list[DunningStep]:
    """Return the steps of an invoice that had an effect, oldest first."""
    rows = [row for row in invoice.dunning_steps.all() if not row.passed_over]
    return sorted(rows, key=lambda row: (row.done_at, row.pk))
