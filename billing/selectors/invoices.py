"""Papers: those that an organization has written, those that were written to it, and what is open of them."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from billing.fields import MoneyField
from billing.models import Customer, Document, Invoice, InvoiceLine, Receivable
from billing.selectors import parties
from panel.core.actors import Actor
from panel.core.scoping import everything

ZERO = Decimal(0)


def sold(actor: Actor) -> QuerySet[Invoice]:
    """Return the papers that the actor's organization has written, drafts too, the newest first."""
    return parties.sold_by(_listed(), actor)


def bought(actor: Actor) -> QuerySet[Invoice]:
    """Return the issued papers that were written to the actor's organization, the newest first."""
    return parties.bought_by(_listed(), actor).filter(status=Invoice.Status.ISSUED)


def visible(actor: Actor) -> QuerySet[Invoice]:
    """Return the papers that the actor may know of: all of its own writing, and what was issued to it."""
    rows = parties.of_party(_listed(), actor)
    return rows.exclude(buyer=actor.organization_id, status=Invoice.Status.DRAFT)


def open_of(invoice: Invoice) -> Decimal:
    """Return what is still to be paid of a paper."""
    found = Receivable.objects.filter(invoice=invoice).first()
    return found.open if found else ZERO


def lines(invoice: Invoice) -> list[InvoiceLine]:
    """Return the lines of a paper, each with `left`: what of it was not credited yet."""
    found, still = list(invoice.lines.all()), left(invoice)
    for line in found:
        line.left = still[line.pk]  # type: ignore[attr-defined]
    return found


def left(invoice: Invoice) -> dict[str, Decimal]:
    """Return what of each line of a paper was not credited yet, by the line's id.

    What was taken back on an invoice counts no more once that line is credited itself.
    """
    found = dict(invoice.lines.values_list("id", "amount"))
    rows = InvoiceLine.objects.filter(Q(credits__invoice=invoice) | Q(credits__credits__invoice=invoice))
    for line, of, amount in rows.values_list("credits_id", "credits__credits_id", "amount"):
        found[str(line if line in found else of)] += amount
    return found


def customers(actor: Actor) -> QuerySet[Customer]:
    """Return whom the actor's organization can write papers to, by name."""
    return parties.sold_by(Customer.objects.select_related("buyer"), actor).order_by("name", "id")


def without_document(after: str) -> list[str]:
    """Return issued papers without a PDF that sort after an id, oldest first; for the sweep."""
    with everything("papers that wait for their PDF"):
        rows = Invoice.objects.filter(status=Invoice.Status.ISSUED, document=None, pk__gt=after)
        return list(rows.order_by("id").values_list("id", flat=True)[:100])


def has_document(invoice: Invoice) -> bool:
    """Tell whether the PDF of a paper is kept."""
    with everything("a paper belongs to two parties"):
        return Document.objects.filter(invoice=invoice).exists()


def _listed() -> QuerySet[Invoice]:
    still = Receivable._base_manager.filter(invoice=OuterRef("pk")).values("open")[:1]
    rows = Invoice.objects.select_related("customer", "seller", "buyer", "corrects")
    return rows.annotate(open=Subquery(still, output_field=MoneyField()), settled_at=F("receivable__settled_at"))
