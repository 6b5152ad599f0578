"""A seller with customers of many kinds, and what a run has left behind: what properties of runs stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from billing.models import Charge, Customer, Invoice, LedgerEntry, Seller, Subscription
from billing.services import runs
from panel.core.scoping import everything
from tests.billing import factories

FIRST = date(2026, 1, 1)
CYCLES = (1, 3, 12)


@dataclass(frozen=True)
class Deal:
    """One subscription to make: on which day after FIRST it begins, and on what terms."""

    starts: int
    cents: int
    months: int = 1
    quantity: int = 1
    trial: int = 0
    cancelled: int | None = None
    """So many days after its start it was cancelled to end; None: never."""


def clients(parent: Organization, count: int) -> list[Organization]:
    """Make clients of a seller, in one statement."""
    made = [Organization(kind="client", name=f"Buyer {number}", parent=parent) for number in range(count)]
    for row in made:
        row.path = f"{parent.path}{row.pk}/"
    with everything("test"):
        return Organization.objects.bulk_create(made)


def open_market(organization: Organization, deals: list[Deal], **terms: Any) -> Seller:
    """Let a seller have a customer for each deal; the rows are made so that runs alone decide what follows."""
    with everything("test"):
        seller = factories.seller(organization, **{"reminder_days": [], "suspend_days": None, **terms})
        prices = {
            months: factories.price(organization, f"Plan {months}", "1", months, valid_from=FIRST) for months in CYCLES
        }
        for deal, buyer in zip(deals, clients(organization, len(deals)), strict=True):
            customer = factories.customer(organization, buyer)
            start = FIRST + timedelta(days=deal.starts)
            paid_from = start + timedelta(days=deal.trial)
            made = factories.subscription(
                customer,
                prices[deal.months],
                start,
                deal.quantity,
                anchor=paid_from,
                billed_until=paid_from,
                trial_until=paid_from if deal.trial else None,
                status="pending",
                cancel_on=None if deal.cancelled is None else start + timedelta(days=deal.cancelled),
            )
            made.components.update(amount=Decimal(deal.cents) / 100)
        Subscription.objects.update(created_at=datetime(2025, 12, 1, tzinfo=UTC))
        return seller


def day(number: int) -> datetime:
    """Return an instant on the day so many days after FIRST."""
    return datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=number)


def bill(seller: Seller, number: int) -> runs.Report:
    """Run on a day, for this seller alone."""
    return runs.bill(day(number), seller.organization)


def left_behind(seller: Seller) -> dict[str, list[tuple[Any, ...]]]:
    """Return what runs have made for a seller, without what says when: charges, papers, books, subscriptions."""
    with everything("test"):
        mine = {"customer__seller": seller.organization_id}
        charges = Charge.objects.filter(**mine).values_list(
            "customer__name", "kind", "starts_on", "ends_on", "part", "due_on", "amount", "line__invoice__label"
        )
        papers = Invoice.objects.filter(**mine).values_list("label", "customer__name", "issued_on", "due_on", "gross")
        books = LedgerEntry.objects.filter(seller=seller.organization_id)
        rows = Subscription.objects.filter(**mine)
        return {
            "charges": sorted(charges),
            "papers": sorted(papers),
            "books": sorted(books.values_list("text", "on", "debit", "credit", "amount", "customer__name")),
            "subscriptions": sorted(
                (str(row.customer), row.status, row.billed_until, str(row.ended_on))
                for row in rows.select_related("customer")
            ),
        }


def check(seller: Seller) -> None:
    """Hold what a seller has billed against the rules: days charged once, charges on one paper, numbers whole."""
    with everything("test"):
        for subscription in Subscription.objects.filter(customer__seller=seller.organization_id):
            rows = Charge.objects.filter(component__subscription=subscription, kind="period").order_by("starts_on")
            spans = list(rows.values_list("starts_on", "ends_on"))
            assert [end for _start, end in spans[:-1]] == [start for start, _end in spans[1:]]
            if spans:
                assert spans[0][0] == (subscription.trial_until or subscription.starts_on)
                assert spans[-1][1] == subscription.billed_until
        papers = list(Invoice.objects.filter(customer__seller=seller.organization_id, kind="invoice"))
        for year in {paper.year for paper in papers}:
            numbers = sorted(paper.number or 0 for paper in papers if paper.year == year)
            assert numbers == list(range(1, len(numbers) + 1))
        for customer in Customer.objects.filter(seller=seller.organization_id):
            issued = sum(paper.gross for paper in papers if paper.customer_id == customer.pk)
            charged = sum(Charge.objects.filter(customer=customer, line__isnull=False).values_list("amount", flat=True))
            booked = LedgerEntry.objects.filter(customer=customer, debit="receivable").values_list("amount", flat=True)
            assert issued == charged == sum(booked)
