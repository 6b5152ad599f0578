"""Issuing papers: what charges come to, what is owed, credited and given up, and who may do it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import iso11649

from billing.models import Charge, Customer, Invoice, LedgerEntry, Receivable, SeriesCounter
from billing.services import happenings, invoices, ledger, numbers, payments, settlements
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.services import books
from tests.billing.services.books import DAY, charge
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = date(2026, 3, 31)


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return books.customer(cast)


def collect(customer: Customer, now: datetime = NOW) -> Invoice:
    """Issue what is due."""
    made = invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL, now=now)
    assert made is not None
    with everything("test"):
        return Invoice.objects.select_related("corrects", "customer", "seller", "buyer").get(pk=made.pk)


def test_what_is_due_becomes_one_paper(cast: Cast, customer: Customer) -> None:
    """All charges of a customer that are due, with their tax, numbered, booked and owed; the next call finds none."""
    charge(customer, "10.01", starts_on=DAY, ends_on=date(2026, 4, 1), kind="period", text="Hosting")
    charge(customer, "5.55", tax_category="reduced")
    charge(customer, "7", due_on=date(2026, 4, 1))
    made = collect(customer)
    assert (made.label, made.number, made.status, made.issued_on) == ("INV-2026-00001", 1, "issued", DAY)
    assert made.due_on == date(2026, 3, 15)
    # 19 % of 10.01 is 1.9019, 7 % of 5.55 is 0.3885.
    assert (made.net, made.tax, made.gross) == (Decimal("15.56"), Decimal("2.29"), Decimal("17.85"))
    assert iso11649.is_valid(made.reference)
    assert made.reference.endswith("INV202600001")
    assert made.seller_party["name"] == "Atelier A Ltd"
    assert made.buyer_party["name"] == "Client of A"
    with everything("test"):
        first, second = made.lines.all()
        assert (first.text, first.starts_on, first.ends_on, second.starts_on) == (
            "Hosting", DAY, date(2026, 4, 1), None,
        )  # fmt: skip
        assert Receivable.objects.get(invoice=made).open == Decimal("17.85")
        assert AuditEntry.objects.filter(action="invoice.issue", object_id=made.pk).count() == 1
    assert invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL) is None
    books.check(cast.reseller_a.organization)


def test_parties_stay_as_they_were(customer: Customer) -> None:
    """Who moves later is still where they were on papers of before."""
    charge(customer)
    made = collect(customer)
    with everything("test"):
        Customer.objects.update(name="Another", address="Elsewhere")
        made.refresh_from_db()
    assert made.buyer_party["name"] == "Client of A"


def test_the_day_is_the_sellers(cast: Cast) -> None:
    """At 23:30 UTC on New Year's Eve it is next year in Auckland: day, year and number follow."""
    customer = books.customer(cast, time_zone="Pacific/Auckland")
    charge(customer)
    made = collect(customer, datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert (made.issued_on, made.label) == (date(2027, 1, 1), "INV-2027-00001")


def test_series_are_a_sellers_own_and_a_years(cast: Cast, customer: Customer) -> None:
    """Numbers begin anew each year, and nobody else's count."""
    other = factories.customer(cast.reseller_b.organization, cast.client_b.organization, currency="EUR")
    labels = []
    for of, moment in ((customer, NOW), (customer, NOW), (other, NOW), (customer, NOW.replace(year=2027))):
        charge(of)
        labels.append(collect(of, moment).label)
    assert labels == ["INV-2026-00001", "INV-2026-00002", "INV-2026-00001", "INV-2027-00001"]


def test_inclusive_prices_keep_their_gross(cast: Cast) -> None:
    """What prices say is what is paid; net and tax are derived, and the lines' nets sum to the base."""
    customer = books.customer(cast, tax_mode="inclusive")
    for _ in range(3):
        charge(customer, "9.99")
    made = collect(customer)
    assert (made.net, made.tax, made.gross) == (Decimal("25.18"), Decimal("4.79"), Decimal("29.97"))
    books.check(cast.reseller_a.organization)


def test_yen_have_no_places(cast: Cast) -> None:
    """Tax of a currency without places is rounded to whole units."""
    customer = books.customer(cast, currency="JPY")
    charge(customer, "105")
    made = collect(customer)
    assert (made.net, made.tax) == (Decimal(105), Decimal(20))


def test_less_than_nothing_is_a_credit_note(cast: Cast, customer: Customer) -> None:
    """It corrects the invoice before, pays what is open of it, and its series is another one; without one it waits."""
    charge(customer, "-4")
    assert invoices.collect(actor=SYSTEM, customer=customer, until=UNTIL) is None
    charge(customer, "14")
    first = collect(customer)
    assert first.gross == Decimal("11.90")
    charge(customer, "-2")
    note = collect(customer)
    assert (note.kind, note.label, note.corrects, note.gross) == (
        "credit_note", "CN-2026-00001", first, Decimal("-2.38"),
    )  # fmt: skip
    with everything("test"):
        assert Receivable.objects.get(invoice=first).open == Decimal("9.52")
        assert not Receivable.objects.filter(invoice=note).exists()
    books.check(cast.reseller_a.organization)


def test_nothing_at_all_is_paid_at_once(cast: Cast, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up and down on one day come to zero: an invoice that nobody owes anything for."""
    told: list[str] = []
    monkeypatch.setattr(happenings, "tell", lambda kind, row: told.append(kind))
    charge(customer, "10")
    charge(customer, "-10")
    made = collect(customer)
    with everything("test"):
        assert Receivable.objects.get(invoice=made).settled_at == NOW
    assert told == ["invoice.issued", "invoice.settled", "invoice.paid"]


def test_a_failed_issue_leaves_no_gap(cast: Cast, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after its number was taken gives it back, with all that was written."""

    def fail(kind: str, row: object) -> None:
        raise RuntimeError("a follower fails")

    charge(customer)
    with monkeypatch.context() as patch:
        patch.setattr(happenings, "tell", fail)
        with pytest.raises(RuntimeError):
            collect(customer)
    with everything("test"):
        for model in (Invoice, SeriesCounter, LedgerEntry):
            assert not model._base_manager.exists()
    assert collect(customer).number == 1


def test_a_number_is_taken_in_a_transaction(db: None, cast: Cast, customer: Customer) -> None:
    """One after the other, by a locked row."""
    organization = cast.reseller_a.organization
    assert [numbers.next_number(organization, "INV", 2026) for _ in range(3)] == [1, 2, 3]
    assert numbers.next_number(organization, "CN", 2026) == 1


def test_the_books_take_a_cause_once(cast: Cast, customer: Customer) -> None:
    """The same key again does nothing; below zero goes the other way; zero is no entry; a mistake is raised."""
    of = {"seller": cast.reseller_a.organization, "on": DAY, "currency": "EUR"}
    for amount in ("5", "7"):
        ledger.post(ledger.entry(key="a", debit="cash", credit="credit", amount=Decimal(amount), **of))  # type: ignore[arg-type]
    ledger.post(ledger.entry(key="b", debit="cash", credit="credit", amount=Decimal(-2), **of))  # type: ignore[arg-type]
    ledger.post(ledger.entry(key="c", debit="cash", credit="credit", amount=Decimal(0), **of))  # type: ignore[arg-type]
    with everything("test"):
        rows = LedgerEntry.objects.order_by("key").values_list("key", "debit", "credit", "amount")
        assert list(rows) == [("a", "cash", "credit", Decimal(5)), ("b", "credit", "cash", Decimal(2))]
    with pytest.raises(Exception, match="ledger_two_sided"):
        ledger.post(ledger.entry(key="d", debit="cash", credit="cash", amount=Decimal(1), **of))  # type: ignore[arg-type]


def test_a_credit_note_in_full(cast: Cast, customer: Customer) -> None:
    """It takes back all that is left, pays what is open, and nothing is left for another one."""
    charge(customer, "10.01")
    charge(customer, "-1")
    invoice = collect(customer)
    note = invoices.credit(actor=SYSTEM, invoice=invoice, reason="Cancelled", now=NOW)
    assert (note.net, note.tax, note.gross) == (-invoice.net, -invoice.tax, -invoice.gross)
    with everything("test"):
        assert Receivable.objects.get(invoice=invoice).open == 0
        assert [line.amount for line in note.lines.all()] == [Decimal("-10.01"), Decimal(1)]
    with pytest.raises(Invalid, match="left to credit"):
        invoices.credit(actor=SYSTEM, invoice=invoice, reason="Again")
    books.check(cast.reseller_a.organization)


def test_what_was_paid_becomes_credit(cast: Cast, customer: Customer) -> None:
    """A credit note to a paid invoice is credit, which pays the next one."""
    charge(customer, "100")
    invoice = collect(customer)
    with everything("test"), settlements.locked(customer.pk) as locked:
        settlements.post(locked, "cash", LedgerEntry.Account.CASH, LedgerEntry.Account.CREDIT, invoice.gross)
        settlements.allocate(invoice, invoice.gross, "paid")
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="A present", now=NOW)
    assert settlements.credit_of(customer) == Decimal(119)
    charge(customer, "40")
    following = collect(customer)
    with everything("test"):
        assert Receivable.objects.get(invoice=following).open == 0
    assert settlements.credit_of(customer) == Decimal("71.40")
    books.check(cast.reseller_a.organization)


@pytest.mark.parametrize("wanted", ["10.02", "-1", "0"])
def test_no_more_is_credited_than_a_line_has(customer: Customer, wanted: str) -> None:
    """Neither more nor the other way round, nor nothing."""
    charge(customer, "10.01")
    invoice = collect(customer)
    with everything("test"):
        (line,) = invoice.lines.all()
    with pytest.raises(Invalid):
        invoices.credit(actor=SYSTEM, invoice=invoice, reason="No", lines={line.pk: Decimal(wanted)})


@pytest.mark.parametrize("mode", ["exclusive", "inclusive"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parts_of_credit_sum_to_the_whole(cast: Cast, mode: str, data: st.DataObject) -> None:
    """However an invoice is credited line by line, in the end net, tax and gross are its own to the cent."""
    from django.db import transaction

    with transaction.atomic():
        customer = books.customer(cast, tax_mode=mode)
        cents = st.integers(1, 3000)
        for value in data.draw(st.lists(cents, min_size=1, max_size=4)):
            category = data.draw(st.sampled_from(["standard", "reduced"]))
            charge(customer, Decimal(value) / 100, tax_category=category)
        invoice = collect(customer)
        with everything("test"):
            lines = list(invoice.lines.all())
        for line in lines:
            part = Decimal(data.draw(st.integers(0, int(line.amount * 100)))) / 100
            if part:
                invoices.credit(actor=SYSTEM, invoice=invoice, reason="Part", lines={line.pk: part}, now=NOW)
        with everything("test"):
            if (
                any(note for note in invoice.corrections.all())
                and sum(note.gross for note in invoice.corrections.all()) != -invoice.gross
            ):
                invoices.credit(actor=SYSTEM, invoice=invoice, reason="The rest", now=NOW)
                notes = list(invoice.corrections.all())
                assert sum(note.net for note in notes) == -invoice.net
                assert sum(note.tax for note in notes) == -invoice.tax
            books.check(cast.reseller_a.organization)
        transaction.set_rollback(True)


def test_a_loss_is_booked(cast: Cast, customer: Customer) -> None:
    """What is given up is a loss, and the invoice is settled; there is nothing to give up twice."""
    charge(customer, "10")
    invoice = collect(customer)
    invoices.write_off(actor=SYSTEM, invoice=invoice, reason="Bankrupt")
    with everything("test"):
        assert Receivable.objects.get(invoice=invoice).open == 0
        assert LedgerEntry.objects.get(debit="loss").amount == Decimal("11.90")
    with pytest.raises(Conflict, match="Nothing"):
        invoices.write_off(actor=SYSTEM, invoice=invoice, reason="Again")
    books.check(cast.reseller_a.organization)


def test_what_was_given_up_and_credited_is_no_loss_and_nobodys_credit(cast: Cast, customer: Customer) -> None:
    """Nobody paid it: a credit note takes the loss back, in parts or as a whole, and leaves nothing to spend."""
    charge(customer, "100")
    invoice = collect(customer)
    invoices.write_off(actor=SYSTEM, invoice=invoice, reason="Bankrupt")
    with everything("test"):
        line = invoice.lines.get()
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="Part", lines={line.pk: Decimal(40)}, now=NOW)
    assert (settlements.credit_of(customer), lost(customer)) == (Decimal(0), Decimal("71.40"))
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="Never delivered", now=NOW)
    assert (settlements.credit_of(customer), lost(customer)) == (Decimal(0), Decimal(0))
    with everything("test"):
        assert Receivable.objects.get(invoice=invoice).open == 0
        assert settlements.paid_by(invoice) == 0
    books.check(cast.reseller_a.organization)


def test_what_was_paid_of_an_invoice_given_up_is_credit_after_its_loss(cast: Cast, customer: Customer) -> None:
    """The loss goes first; only what really came can be spent, and nothing that was lost can be paid back."""
    charge(customer, "100")
    invoice = collect(customer)
    payment = payments.record(
        actor=SYSTEM, customer=customer, amount=Decimal(19), currency="EUR",
        received_on=settlements.day_of(customer), reference="", key="k", invoice=invoice,
    )  # fmt: skip
    invoices.write_off(actor=SYSTEM, invoice=invoice, reason="Bankrupt")
    with everything("test"):
        assert settlements.take_out(payment, Decimal(50), "much") == 19
        settlements.use_credit(invoice)
    invoices.credit(actor=SYSTEM, invoice=invoice, reason="Never delivered", now=NOW)
    assert (settlements.credit_of(customer), lost(customer)) == (Decimal(19), Decimal(0))
    books.check(cast.reseller_a.organization)


def lost(customer: Customer) -> Decimal:
    with everything("test"):
        booked = LedgerEntry.objects.filter(customer=customer)
        taken_back = sum((row.amount for row in booked.filter(credit="loss")), Decimal(0))
        total: Decimal = sum((row.amount for row in booked.filter(debit="loss")), Decimal(0)) - taken_back
    return total


def test_what_an_order_waits_for_is_not_given_up(cast: Cast, customer: Customer) -> None:
    """Settled, it would be set up for nothing: the order is refused instead."""
    charge(customer)
    invoice = collect(customer)
    price = factories.price(cast.reseller_a.organization)
    factories.order(
        cast.reseller_a.organization, cast.client_a.organization, price, customer=customer, invoice=invoice,
        status="unpaid",
    )  # fmt: skip
    with pytest.raises(Conflict, match="Refuse the order"):
        invoices.write_off(actor=SYSTEM, invoice=invoice, reason="Never paid")
    books.check(cast.reseller_a.organization)


def test_a_pro_forma_invoice_owes_nothing(cast: Cast, customer: Customer) -> None:
    """It has no number, books nothing, and its charges stay free."""
    kept = charge(customer, "10")
    coming = Charge(
        customer=customer, kind="period", starts_on=DAY, ends_on=UNTIL, due_on=DAY, text="Hosting",
        unit_price=Decimal(5), amount=Decimal(5), currency="EUR",
    )  # fmt: skip
    paper = invoices.pro_forma(actor=SYSTEM, customer=customer, charges=[kept, coming], now=NOW)
    assert (paper.number, paper.status, paper.gross) == (None, "issued", Decimal("17.85"))
    with everything("test"):
        assert not Receivable.objects.exists()
        assert not LedgerEntry.objects.exists()
    assert collect(customer).gross == Decimal("11.90")
    books.check(cast.reseller_a.organization)


def test_who_may_issue_and_credit(cast: Cast, customer: Customer) -> None:
    """The seller's money roles; the buyer sees and is refused, others find nothing: not even the provider above."""
    charge(customer)
    for person in (cast.provider, cast.reseller_b):
        with pytest.raises(NotFound):
            invoices.collect(actor=person.actor, customer=customer, until=UNTIL)
    for person in (cast.client_a, cast.readonly_a):
        with pytest.raises(Forbidden):
            invoices.collect(actor=person.actor, customer=customer, until=UNTIL)
    made = invoices.collect(actor=cast.reseller_a.actor, customer=customer, until=UNTIL)
    assert made is not None
    with pytest.raises(NotFound):
        invoices.credit(actor=cast.provider.actor, invoice=made, reason="No")
    with pytest.raises(Forbidden):
        invoices.credit(actor=cast.client_a.actor, invoice=made, reason="No")
    with pytest.raises(Forbidden):
        invoices.write_off(actor=cast.client_a.actor, invoice=made, reason="No")


def test_queries_do_not_grow_with_lines(customer: Customer) -> None:
    """An invoice of forty lines takes as many as one of one."""

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            collect(customer)
        return len(found)

    charge(customer)
    few = count()
    for _ in range(40):
        charge(customer)
    assert count() <= few
