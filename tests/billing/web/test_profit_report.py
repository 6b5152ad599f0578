"""What a reseller earns, from a sold plan to the figures of the report, and that each figure leads to its documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from accounts.services import organizations, plans
from billing.models import Customer, Invoice, LedgerEntry, Price, Receivable, Subscription
from billing.selectors import reports
from billing.services import customers, prices, products, repricing, runs, subscriptions
from panel.core.actors import Actor
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.cast import Cast, Person
from tests.provisioning import factories as hosting

PROFIT = reverse("billing:report_profit")
SYSTEM = Actor.system("test")
EARNED = {date(2026, 1, 1): (5, 20), date(2026, 2, 1): (10, 70), date(2026, 3, 1): (25, 220)}
"""Month → what each of ten clients pays in it, and what is left of that by a plan of 30."""


def read(person: Person, **query: str) -> str:
    """Return a report page, its no-break spaces as spaces."""
    answer = person.browser().get(PROFIT, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")


def tiles(page: str) -> dict[str, str]:
    """Return the figures at the top of a report by their label."""
    found = re.findall(r'<span class="text-secondary">([^<]+)</span>\s*<span class="tile-value tabular">([^<]+)<', page)
    return dict(found)


def sold(seller: Organization, buyer: Organization, price: Price) -> Customer:
    """Sell a price to an organization from today on."""
    customer = customers.ensure(actor=SYSTEM, seller=seller, buyer=buyer, currency="USD")
    subscriptions.start(actor=SYSTEM, customer=customer, price=price)
    return customer


def bill(day: datetime) -> None:
    """Let the run have its day."""
    report = runs.bill(day)
    assert (report.parked, report.failed) == ([], [])


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 1, 1, 9, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_ten_clients_on_a_plan_of_30_earn_20_then_70_then_220(cast: Cast, clock: time_machine.Traveller):
    provider, reseller = cast.provider.organization, cast.reseller_a.organization
    with everything("test"):
        for organization in (provider, reseller):
            factories.seller(organization)
        plan = plans.create(actor=SYSTEM, organization=provider, name="Reseller 100")
        offer = products.create(actor=SYSTEM, organization=provider, kind="plan", name="Reseller 100", plan=plan)
        sold(provider, reseller, prices.create(actor=SYSTEM, product=offer, currency="USD", amount=Decimal(30)))
        package = hosting.package(reseller)
        product = products.create(actor=SYSTEM, organization=reseller, kind="package", name="Starter", package=package)
        first = prices.create(actor=SYSTEM, product=product, currency="USD", amount=Decimal(5))
        for number in range(10):
            client = organizations.create_client(actor=SYSTEM, parent=reseller, name=f"Shop {number}")
            sold(reseller, client, first)
        bill(datetime(2026, 1, 1, 10, tzinfo=UTC))
        for month, (amount, _earned) in list(EARNED.items())[1:]:
            clock.move_to(datetime(2026, month.month - 1, 10, 9, tzinfo=UTC))
            dearer = prices.create(
                actor=SYSTEM, product=product, currency="USD", amount=Decimal(amount), valid_from=month
            )
            repricing.apply(actor=SYSTEM, price=dearer, notice_days=0)
            clock.move_to(datetime(2026, month.month - 1, 25, 9, tzinfo=UTC))
            bill(datetime(2026, month.month - 1, 25, 9, tzinfo=UTC))
        issued = Invoice.objects.filter(status="issued")
        assert (issued.filter(seller=reseller).count(), issued.filter(buyer=reseller).count()) == (30, 3)
    clock.move_to(datetime(2026, 3, 15, 9, tzinfo=UTC))
    for month, (amount, earned) in EARNED.items():
        named = f"{month:%Y-%m}"
        figures = tiles(read(cast.reseller_a, since=named, until=named))
        assert figures["Profit"] == f"{earned}.00 USD"
        assert figures["Income"] == f"{amount * 10}.00 USD"
        assert figures["Cost"] == "30.00 USD"
        assert figures["Break-even"] == f"{-(-30 // amount)} customers"
    assert tiles(read(cast.reseller_a, since="2026-01", until="2026-03"))["Profit"] == "310.00 USD"
    assert tiles(read(cast.provider, since="2026-02", until="2026-02"))["Profit"] == "30.00 USD"
    home = unescape(cast.reseller_a.browser().get("/").content.decode()).replace("\N{NO-BREAK SPACE}", " ")
    assert "Profit in March 2026" in home
    assert "220.00 USD</a>" in home


def test_every_figure_leads_to_lines_that_sum_to_it(cast: Cast):
    reseller = cast.reseller_a.organization
    buyer = factories.customer(reseller, cast.client_a.organization)
    factories.paper(buyer, ("10.01", date(2026, 1, 17), date(2026, 2, 17)), ("3.00", None, None))
    noted = factories.paper(buyer, ("12.00", date(2026, 1, 1), date(2027, 1, 1)))
    factories.paper(
        buyer, ("-6.00", date(2026, 7, 1), date(2027, 1, 1)), kind="credit_note", corrects=noted, gross=-6, net=-6
    )
    page = cast.reseller_a.browser().get(PROFIT, {"since": "2026-01", "until": "2026-01"}).content.decode()
    link = unescape(re.search(r'href="([^"]*side=sales[^"]*)"', page)[1])  # type: ignore[index]
    with tenant(cast.reseller_a.actor.path):
        span = reports.month_of(date(2026, 1, 1))
        lines: Any = reports.documents(cast.reseller_a.actor, "sales", span, "USD")
        parts = [line.part for line in lines]
        income = reports.of_month(cast.reseller_a.actor, "USD", span[0]).profit.income
        assert len(parts) == 3
        assert sum(parts) == income > 0
        july = reports.of_month(cast.reseller_a.actor, "USD", date(2026, 7, 1)).profit
        assert july.credited > 0
        assert july.income == july.invoiced - july.credited
    file = cast.reseller_a.browser().get(f"{link}&export=soldline")
    assert file.status_code == 200
    rows = b"".join(file).decode().splitlines()
    assert len(rows) == 4
    assert sum(Decimal(row.rpartition(",")[2]) for row in rows[1:]) == income


def test_nobody_sees_what_others_earn(cast: Cast):
    buyer = factories.customer(cast.reseller_b.organization, cast.client_b.organization)
    factories.paper(buyer, ("77.00", date(2026, 1, 1), date(2026, 2, 1)))
    query = {"since": "2026-01", "until": "2026-01"}
    assert tiles(read(cast.reseller_b, **query))["Income"] == "77.00 USD"
    for other in (cast.provider, cast.reseller_a):
        page = read(other, **query)
        assert tiles(page)["Income"] == "0.00 USD"
        assert "77.00" not in page
    documents = cast.provider.browser().get(reverse("billing:report_documents"), {**query, "customer": buyer.pk})
    assert b"77.00" not in documents.content


def test_other_currencies_stand_apart(cast: Cast):
    factories.seller(cast.reseller_a.organization)
    dollars = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    euros = factories.customer(cast.reseller_a.organization, cast.outsider.organization, currency="EUR")
    factories.paper(dollars, ("10.00", date(2026, 1, 1), date(2026, 2, 1)))
    factories.paper(euros, ("8.00", date(2026, 1, 1), date(2026, 2, 1)))
    page = read(cast.reseller_a, since="2026-01", until="2026-01")
    assert tiles(page)["Income"] == "10.00 USD"
    assert "In other currencies" in page
    assert "8.00 EUR" in page


def test_fees_losses_and_cash_come_from_the_books(cast: Cast):
    seller = cast.reseller_a.organization
    buyer = factories.customer(seller, cast.client_a.organization)
    factories.paper(buyer, ("10.00", date(2026, 1, 1), date(2026, 2, 1)))
    booked = [("cash", "receivable", 10), ("fees", "cash", 1), ("loss", "receivable", 2), ("credit", "cash", 3)]
    with everything("test"):
        for number, (debit, credit, amount) in enumerate(booked):
            LedgerEntry.objects.create(
                seller=seller,
                key=str(number),
                on=date(2026, 1, 9),
                debit=debit,
                credit=credit,
                amount=amount,
                currency="USD",
            )
    with tenant(cast.reseller_a.actor.path):
        found = reports.of_month(cast.reseller_a.actor, "USD", date(2026, 1, 1))
    assert (found.profit.fees, found.profit.losses, found.cash) == (Decimal(1), Decimal(2), Decimal(6))
    assert found.profit.net == 7


@pytest.mark.parametrize("query", [{"since": "2026-13"}, {"since": "soon"}, {"since": "2026-03", "until": "2026-01"}])
def test_months_that_are_none_are_refused_with_what_would_be_accepted(cast: Cast, query: dict[str, str]):
    answer = cast.reseller_a.browser().get(PROFIT, query)
    assert answer.status_code == 400
    assert b"form-error" in answer.content or b"invalid-feedback" in answer.content


def test_taxes_are_told_by_month_country_and_rate(cast: Cast):
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    factories.paper(
        buyer, ("10.00", None, None), buyer_party={"name": "C", "country": "AT"}, issued_on=date(2026, 2, 3)
    )
    factories.paper(buyer, ("5.00", None, None), buyer_party={"name": "C", "country": "AT"}, issued_on=date(2026, 2, 9))
    query = {"since": "2026-01", "until": "2026-03"}
    told = cast.reseller_a.program().get("/api/v1/reports/taxes", query).json()["rows"]
    row = {"month": "2026-02", "country": "AT", "code": "O", "percent": "0", "currency": "USD", "net": "15.00"}
    assert told == [{**row, "tax": "0.00", "documents": 2}]
    page = cast.reseller_a.browser().get(reverse("billing:report_taxes"), query).content.decode()
    assert "February 2026" in page
    assert "15.00" in page


def test_what_is_owed_is_told_by_age(cast: Cast):
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    today = timezone.now().date()
    for days, amount in {-5: "1.00", 10: "2.00", 45: "4.00", 61: "8.00", 200: "16.00"}.items():
        invoice = factories.paper(buyer, (amount, None, None))
        with everything("test"):
            Receivable.objects.create(
                invoice=invoice, seller=invoice.seller, customer=buyer, currency="USD", open=Decimal(amount),
                due_on=today - timedelta(days=days),
            )  # fmt: skip
    told = cast.reseller_a.program().get("/api/v1/reports/owed").json()["customers"]
    ages = ("due_later", "days_30", "days_60", "days_90", "older", "total")
    assert [[row[age] for age in ages] for row in told] == [["1.00", "2.00", "4.00", "8.00", "16.00", "31.00"]]
    assert cast.provider.program().get("/api/v1/reports/owed").json()["customers"] == []


def test_recurring_revenue_counts_a_year_with_a_twelfth_and_tells_who_left(cast: Cast):
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    factories.subscription(buyer, factories.price(cast.reseller_a.organization, "Monthly", "10"), quantity=2)
    factories.subscription(buyer, factories.price(cast.reseller_a.organization, "Yearly", "120", months=12))
    gone = factories.subscription(buyer, factories.price(cast.reseller_a.organization, "Gone", "6"))
    with everything("test"):
        Subscription.objects.filter(pk=gone.pk).update(status="ended", ended_on=date(2026, 2, 10))
    query = {"since": "2026-01", "until": "2026-02"}
    told = cast.reseller_a.program().get("/api/v1/reports/recurring", query).json()["months"]
    assert [(row["revenue"], row["lost"], row["running"], row["ended"]) for row in told] == [
        ("36.00", "0.00", 3, 0),
        ("30.00", "6.00", 2, 1),
    ]
    assert told[1]["churn"] == "1/3"


def test_the_profit_is_told_to_programs_with_its_lines(cast: Cast):
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    factories.paper(buyer, ("12.00", date(2026, 1, 1), date(2027, 1, 1)))
    program, query = cast.reseller_a.program(), {"since": "2026-01", "until": "2026-01"}
    told = program.get("/api/v1/reports/profit", query).json()
    lines = program.get("/api/v1/reports/profit/lines", query).json()
    assert told["months"][0]["profit"] == lines["sum"] == lines["lines"][0]["part"] == "1.02"
    assert [part["income"] for part in told["customers"]] == ["1.02"]
    assert program.get("/api/v1/reports/profit", {"since": "2026-13"}).status_code == 400
    assert program.get("/api/v1/reports/profit", {"until": "2026-01", "since": "2026-02"}).status_code == 400
