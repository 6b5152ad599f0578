"""What an invoice's page tells of dunning: the steps that were taken, and those to come, for who sells and who buys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.formats import date_format

from billing import words
from billing.models import DunningPause, Hold, Invoice, Seller
from billing.selectors import dunning as selectors
from billing.selectors import sellers
from billing.selectors.dunning import Outlook
from panel.core import policy
from panel.core.actors import Actor


@dataclass(frozen=True)
class Step:
    """A step as templates draw it: `ok` when it was taken, `pending` when it comes."""

    name: str
    status: str
    note: str


@dataclass(frozen=True)
class Timeline:
    """What a page shows. `pause` is the promise to wait that can be taken back; `reason` is for the seller alone."""

    steps: list[Step]
    is_open: bool
    paused_until: date | None
    waits: bool
    holds: list[Hold]
    pause: DunningPause | None
    reason: str
    may_pause: bool
    may_lift: bool


def of_invoice(actor: Actor, invoice: Invoice) -> Timeline | None:
    """Return what happened and happens because an invoice is not paid; None where there is nothing to tell.

    `invoice` is a row of `billing.selectors.invoices`, which know what is `open` of it.
    """
    if invoice.kind != Invoice.Kind.INVOICE or invoice.status != Invoice.Status.ISSUED:
        return None
    seller, is_open = sellers.of(invoice.seller), bool(getattr(invoice, "open", None))
    found = selectors.of_paper(invoice, seller, timezone.now())
    if not is_open and not found.taken:
        return None
    pause = selectors.pause_of(invoice.customer, invoice, sellers.today(seller)) if found.paused_until else None
    return Timeline(
        steps=_steps(found, seller, invoice.customer.buyer.kind),
        is_open=is_open,
        paused_until=found.paused_until,
        waits=found.waits,
        holds=found.holds,
        pause=pause if pause and policy.allowed(actor, "dunning.resume", pause) else None,
        reason=pause.reason if pause and actor.organization_id == invoice.seller_id else "",
        may_pause=is_open and policy.allowed(actor, "dunning.pause", invoice),
        may_lift=policy.allowed(actor, "hold.lift", invoice),
    )


def _steps(found: Outlook, seller: Seller, kind: str) -> list[Step]:
    taken = [(row.step, "ok", sellers.today(seller, row.done_at)) for row in found.taken]
    coming = [(step.name, "pending", step.on) for step in found.ahead]
    return [Step(words.step(name, kind), status, date_format(on)) for name, status, on in [*taken, *coming]]
