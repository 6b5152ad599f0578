"""Many issue at once, on PostgreSQL: numbers without gaps though some fail, and nothing billed or booked twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connections

from accounts.services import organizations
from billing.models import Customer, Document, Invoice, LedgerEntry, SeriesCounter
from billing.services import documents, happenings, invoices, ledger
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.services import books
from tests.cast import Cast

SYSTEM = Actor.system("test")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = date(2026, 12, 31)
MANY = 60


class Fault(Exception):
    """What a follower fails with."""


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Call `act` with 0 to `count`, at one time; return what each returned or raised."""
    ready = threading.Barrier(count)

    def run(number: int) -> object:
        try:
            ready.wait()
            return act(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_sixty_at_once_leave_no_gap(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every third fails after it was numbered; the others have 1 to 40, each once, and the counter says 40."""
    first = books.customer(cast)
    with everything("test"):
        buyers = [first]
        for number in range(1, 6):
            organization = organizations.create_client(
                actor=SYSTEM, parent=cast.reseller_a.organization, name=f"Client {number}"
            )
            buyers.append(factories.customer(cast.reseller_a.organization, organization, currency="EUR"))
    charges = [books.charge(buyers[number % len(buyers)], Decimal(number + 1)) for number in range(MANY)]
    failing = {charge.pk for charge in charges[::3]}

    def tell(kind: str, row: Invoice) -> None:
        if failing & set(row.lines.values_list("charge_id", flat=True)):
            raise Fault

    monkeypatch.setattr(happenings, "tell", tell)

    def issue(number: int) -> object:
        with everything("test"):
            customer = Customer.objects.get(pk=charges[number].customer_id)
            return invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL, now=NOW, charges=[charges[number]])

    found = at_once(MANY, issue)
    assert sum(isinstance(one, Fault) for one in found) == len(failing) == 20
    issued = [one for one in found if isinstance(one, Invoice)]
    assert sorted(one.number or 0 for one in issued) == list(range(1, MANY - len(failing) + 1))
    with everything("test"):
        assert SeriesCounter.objects.get().last == MANY - len(failing)
        assert Invoice.objects.count() == len(issued)
    books.check(cast.reseller_a.organization)


def test_a_charge_is_billed_once_by_many(cast: Cast) -> None:
    """Twelve collect for one customer at one time: one paper, the others find nothing."""
    customer = books.customer(cast)
    for _ in range(3):
        books.charge(customer, "10")

    def collect(number: int) -> object:
        with everything("test"):
            return invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL, now=NOW)

    found = at_once(12, collect)
    assert [one for one in found if one is not None and not isinstance(one, Invoice)] == []
    assert sum(isinstance(one, Invoice) for one in found) == 1
    books.check(cast.reseller_a.organization)


def test_an_invoice_is_credited_once_by_many(cast: Cast) -> None:
    """Eight credit all of it at one time: one credit note, and the others are told that nothing is left."""
    customer = books.customer(cast)
    books.charge(customer, "10")
    with everything("test"):
        invoice = invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL, now=NOW)
    assert invoice is not None
    found = at_once(8, lambda number: invoices.credit(actor=SYSTEM, invoice=invoice, reason="All", now=NOW))
    assert sum(isinstance(one, Invoice) for one in found) == 1
    books.check(cast.reseller_a.organization)


def test_a_cause_is_booked_once_by_many(cast: Cast) -> None:
    """Eight post the same key at one time."""
    seller = cast.reseller_a.organization

    def book(number: int) -> None:
        ledger.post(ledger.entry(seller, "cause", date(2026, 3, 1), "cash", "credit", Decimal(5), "EUR"))

    found = at_once(8, book)
    assert found == [None] * 8
    with everything("test"):
        assert LedgerEntry.objects.count() == 1


def test_a_pdf_is_kept_once_by_many(cast: Cast) -> None:
    """Six ask for the PDF of one paper at one time, and all get the same bytes."""
    customer = books.customer(cast)
    books.charge(customer, "10")
    with everything("test"):
        invoice = invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL, now=NOW)
    assert invoice is not None
    found = at_once(6, lambda number: documents.pdf(invoice))
    assert len(set(map(type, found))) == 1
    assert len(set(found)) == 1
    with everything("test"):
        assert Document.objects.count() == 1
