"""An order as its page shows it: the way from placed to live, step by step, in words. Display only."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from billing.models import Invoice, Order, Product
from billing.selectors import orders as selectors
from billing.selectors import sellers
from billing.services import order_buyers
from panel.core.scoping import tenant
from provisioning import words
from provisioning.models import RunStep
from provisioning.selectors import operations

STATES = {RunStep.Status.STARTED: "running", RunStep.Status.OK: "ok", RunStep.Status.FAILED: "failed"}


@dataclass(frozen=True)
class Step:
    """One line: what it is, how it stands (pending, running, ok, failed), and a word on it."""

    name: str
    status: str
    note: str = ""


@dataclass(frozen=True)
class Progress:
    """What the page draws; `live` while it is to be looked at again."""

    steps: list[Step]
    live: bool
    owes: Invoice | None
    by_card: bool
    by_transfer: bool
    bank: list[tuple[str, str]] = field(default_factory=list)
    server_steps: list[Step] = field(default_factory=list)
    site_url: str = ""


def of(order: Order) -> Progress:
    """Return how far an order is."""
    status, invoice = order.status, order.invoice
    owes = invoice if invoice is not None and status != Order.Status.REFUSED and invoice.receivable.open else None
    seller = sellers.of(order.seller)
    ways = selectors.ways(seller)
    return Progress(
        steps=_steps(order, owes is None),
        live=status in (Order.Status.UNPAID, Order.Status.REVIEW, Order.Status.BUILDING),
        owes=owes,
        by_card=owes is not None and Order.Payment.CARD in ways,
        by_transfer=owes is not None and bool(seller.iban or seller.bank_details),
        bank=[
            (label, value)
            for label, value in (
                (_("Account holder"), seller.bank_holder or str(seller)),
                (_("IBAN"), seller.iban),
                (_("BIC"), seller.bic),
                (_("Bank details"), seller.bank_details),
                (_("Reference"), owes.reference if owes else ""),
            )
            if value
        ],
        server_steps=_server_steps(order) if status == Order.Status.BUILDING else [],
        site_url=f"http://{order.domain}/" if order.domain and status == Order.Status.LIVE else "",
    )


def _steps(order: Order, is_paid: bool) -> list[Step]:
    status, later = order.status, order.pays_by == Order.Payment.INVOICE
    found = [Step(_("Ordered"), "ok")]
    if order.invoice is None:
        found.append(Step(_("Free trial"), "ok"))
    elif is_paid:
        found.append(Step(_("Paid"), "ok"))
    elif later:
        found.append(Step(_("Invoice sent"), "ok", _("Pay it by the day it says.")))
    else:
        waits = status == Order.Status.UNPAID
        found.append(Step(_("Payment"), "running" if waits else "pending", _("Waiting for it.") if waits else ""))
    if status == Order.Status.REFUSED:
        return [*found, Step(_("Refused"), "failed", order.reason)]
    if status == Order.Status.REVIEW:
        found.append(Step(_("Review"), "running", _("A person looks at your order. You get a mail.")))
    building = {"building": "running", "failed": "running", "live": "ok"}.get(status, "pending")
    note = _("This takes longer than usual. We have been told, and see to it.") if status == Order.Status.FAILED else ""
    found.append(Step(_("Set up"), building, note))
    name = _("Your panel is open") if order.product.kind == Product.Kind.PLAN else _("Your site answers")
    return [*found, Step(name, "ok" if status == Order.Status.LIVE else "pending")]


def _server_steps(order: Order) -> list[Step]:
    """Return what the server has done so far, without a word on which server that is."""
    if order.operation is None or order.buyer is None:
        return []
    reader = order_buyers.buying(order.buyer, order.person)
    with tenant(order.seller.path):
        parts = operations.parts(order.operation, reader)
    return [Step(words.step(step.name), STATES[RunStep.Status(step.status)]) for part in parts for step in part.steps]
