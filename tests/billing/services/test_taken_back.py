"""What was charged and not used: each line is taken back once, by the run or by a person, whoever comes first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Component, Customer, Invoice, InvoiceLine
from billing.selectors import invoices as selectors
from billing.services import invoices, invoicing, settlements
from panel.core.errors import Invalid
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.services import books
from tests.billing.services.books import DAY, charge
from tests.billing.services.test_invoices import NOW, SYSTEM, collect
from tests.cast import Cast

pytestmark = pytest.mark.django_db
END, HALF = date(2026, 4, 1), date(2026, 3, 16)


@pytest.fixture(params=["exclusive", "inclusive"])
def customer(cast: Cast, request: pytest.FixtureRequest) -> Customer:
    return books.customer(cast, tax_mode=request.param)


@pytest.fixture
def component(cast: Cast, customer: Customer) -> Component:
    price = factories.price(cast.reseller_a.organization, currency="EUR")
    made = factories.subscription(customer, price, starts_on=DAY)
    with everything("test"):
        return made.components.get()


def sold(component: Component, amount: str = "10.01") -> Invoice:
    """Issue an invoice of a month."""
    of = component.subscription.customer
    charge(of, amount, component=component, kind="period", starts_on=DAY, ends_on=END)
    return collect(of)


def unused(component: Component, amount: str, part: int = 0) -> None:
    """Charge that half of the month was not used."""
    of = component.subscription.customer
    charge(of, f"-{amount}", component=component, kind="credit", starts_on=HALF, ends_on=END, part=part)


def line_of(invoice: Invoice) -> InvoiceLine:
    with everything("test"):
        return invoice.lines.order_by("position")[0]


def left(invoice: Invoice) -> Decimal:
    with everything("test"):
        return sum(selectors.left(invoice).values(), Decimal(0))


def test_what_the_run_took_back_is_not_credited_again(cast: Cast, customer: Customer, component: Component) -> None:
    """By the cent, whatever the parts are: both parts have the tax that all of it has."""
    invoice = sold(component)
    other = sold(another(cast, customer))
    for part in (0, 1):
        unused(component, "0.03", part)
        note = collect(customer)
        assert (note.kind, note.corrects) == ("credit_note", invoice)
        assert line_of(note).credits == line_of(invoice)
    assert left(invoice) == Decimal("9.95")
    rest = invoices.credit(actor=SYSTEM, invoice=invoice, reason="All of it", now=NOW)
    assert line_of(rest).amount == Decimal("-9.95")
    with everything("test"):
        notes = list(invoice.corrections.all())
    assert sum(note.net for note in notes) == -invoice.net
    assert sum(note.tax for note in notes) == -invoice.tax
    with pytest.raises(Invalid, match="left to credit"):
        invoices.credit(actor=SYSTEM, invoice=invoice, reason="Again")
    assert left(other) == Decimal("10.01")
    assert settlements.credit_of(customer) == 0
    books.check(cast.reseller_a.organization)


@pytest.mark.parametrize("many", [False, True])
def test_what_an_invoice_took_back_is_not_credited_again(
    cast: Cast, customer: Customer, component: Component, many: bool
) -> None:
    """An invoice of something new, less what was not used: credited itself, that can be taken back again."""
    invoice = sold(component)
    unused(component, "4")
    new = charge(customer, "9")
    if many:
        with everything("test"):
            wanted = {customer.pk: list(customer.charges.filter(line=None).values_list("pk", flat=True))}
            seller = cast.reseller_a.organization.seller
            (following,) = invoicing.collect_many(actor=SYSTEM, seller=seller, on=DAY, now=NOW, wanted=wanted)
    else:
        following = collect(customer)
    with everything("test"):
        taking = following.lines.exclude(charge=new).get()
    assert (following.kind, taking.credits) == ("invoice", line_of(invoice))
    assert left(invoice) == Decimal("6.01")
    invoices.credit(actor=SYSTEM, invoice=following, reason="A mistake", now=NOW)
    assert (left(following), left(invoice)) == (Decimal(0), Decimal("10.01"))
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="All of it", now=NOW)
    with everything("test"):
        assert sum(row.gross for row in Invoice.objects.all()) == 0
    books.check(cast.reseller_a.organization)


def test_what_takes_back_no_line_can_be_more_than_the_invoice(
    cast: Cast, customer: Customer, component: Component
) -> None:
    """A present of 20 to who has bought for 10: the invoice can still be credited as a whole."""
    invoice = sold(component)
    charge(customer, "-20")
    note = collect(customer)
    assert (note.corrects, line_of(note).credits) == (invoice, None)
    rest = invoices.credit(actor=SYSTEM, invoice=invoice, reason="All of it", now=NOW)
    assert rest.gross == -invoice.gross
    books.check(cast.reseller_a.organization)


def test_more_than_is_left_of_a_line_takes_back_none(customer: Customer, component: Component) -> None:
    """What a person has credited before is not counted as taken back again."""
    invoice = sold(component)
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="Part", lines={line_of(invoice).pk: Decimal(8)}, now=NOW)
    unused(component, "4")
    assert line_of(collect(customer)).credits is None
    assert left(invoice) == Decimal("2.01")


def another(cast: Cast, customer: Customer) -> Component:
    """Return the component of another subscription."""
    price = factories.price(cast.reseller_a.organization, name="More", currency="EUR")
    with everything("test"):
        return factories.subscription(customer, price, starts_on=DAY).components.get()
