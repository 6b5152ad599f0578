"""Every figure of the reports leads to what it is the sum of: the list, its foot and its file come to the same."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Customer, LedgerEntry, Receivable, Subscription
from billing.selectors import ageing
from billing.services import charges, invoices, payments
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.cast import Cast

YEAR = {"since": "2026-01", "until": "2026-12"}
REPORTS = {"report_profit": YEAR, "report_recurring": YEAR, "report_owed": {}, "report_taxes": YEAR}
LINK = re.compile(r'<a href="(/billing/reports/[^"]+\?[^"]+)"([^>]*)>(.*?)</a>', re.DOTALL)
FIGURE = re.compile(r"\N{MINUS SIGN}?[\d,]+(?:\.\d+)?")
ZONE = "Pacific/Auckland"
LEADS = {
    "report_profit": ("report_documents", "report_bookings"),
    "report_recurring": ("report_subscriptions",),
    "report_owed": ("report_receivables",),
    "report_taxes": ("report_taxed",),
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 20, 9, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def book(of: Customer, debit: str, credit: str, amount: str, on: date) -> None:
    """Book an amount in the seller's books."""
    number = LedgerEntry.objects.count()
    LedgerEntry.objects.create(
        seller=of.seller, customer=of, key=f"t{number}", on=on, debit=debit, credit=credit, amount=Decimal(amount),
        currency=of.currency, text=f"=entry {number}",
    )  # fmt: skip


def owe(of: Customer, amount: str, overdue: int) -> None:
    """Let an invoice be open that is overdue for some days."""
    invoice = factories.paper(of, (amount, None, None), issued_on=date(2026, 2, 2))
    Receivable.objects.create(
        invoice=invoice, seller=invoice.seller, customer=of, currency=of.currency, open=Decimal(amount),
        due_on=timezone.now().date() - timedelta(days=overdue),
    )  # fmt: skip


def business(cast: Cast) -> None:
    """A reseller with two customers and a supplier: papers, credit notes, fees, losses, cash, debts, subscriptions."""
    seller = cast.reseller_a.organization
    factories.seller(seller)
    one = factories.customer(seller, cast.client_a.organization)
    two = factories.customer(seller, cast.outsider.organization, name="Otto & Co", country="AT")
    supply = factories.customer(cast.provider.organization, seller)
    noted = factories.paper(one, ("10.01", date(2026, 1, 17), date(2026, 2, 17)), ("3.00", None, None))
    factories.paper(two, ("100.00", date(2026, 1, 1), date(2027, 1, 1)), buyer_party={"name": "O", "country": "AT"})
    factories.paper(one, ("-2.00", None, None), kind="credit_note", corrects=noted, gross=-2, net=-2)
    factories.paper(supply, ("30.00", date(2026, 2, 1), date(2026, 3, 1)))
    taxes = [("S", 20, "50.00", "10.00"), ("S", 10, "20.00", "2.00")]
    values = {"issued_on": date(2026, 2, 1), "buyer_party": {"name": "O", "country": "AT"}, "taxes": taxes}
    factories.paper(two, ("70.00", None, None), **values)
    factories.paper(two, ("1.00", None, None), **{**values, "taxes": [("S", 20, "1.00", "0.20")]})
    with everything("test"):
        for of, on in ((one, date(2026, 1, 31)), (two, date(2026, 2, 1)), (two, date(2026, 2, 28))):
            book(of, "cash", "credit", "40.00", on)
            book(of, "fees", "cash", "1.25", on)
        book(two, "loss", "credit", "7.00", date(2026, 2, 28))
        book(two, "credit", "loss", "2.50", date(2026, 3, 1))
        book(one, "credit", "cash", "5.00", date(2026, 3, 1))
        for days, amount in {-5: "1.00", 0: "0.50", 10: "2.00", 30: "4.00", 61: "8.00", 200: "16.00"}.items():
            owe(one if days < 20 else two, amount, days)
        for name, amount, months in (("Monthly", "9.99", 1), ("Yearly", "100.00", 12), ("Quarterly", "10.00", 3)):
            for of in (one, two):
                factories.subscription(of, factories.price(seller, f"{name} of {of.name}", amount, months))
        gone = factories.subscription(two, factories.price(seller, "Gone", "70.00", 12))
        Subscription.objects.filter(pk=gone.pk).update(status="ended", ended_on=date(2026, 3, 1))
        factories.subscription(two, factories.price(seller, "Tried", "5.00"), trial_until=date(2026, 4, 1))


def page(browser: Client, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200, url
    return unescape(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")


def number(text: str) -> Decimal:
    """Read the figure that stands in a text."""
    found = FIGURE.search(re.sub(r"<[^>]+>", " ", text))
    assert found, text
    return Decimal(found[0].replace(",", "").replace("\N{MINUS SIGN}", "-"))


def figures(text: str) -> set[tuple[str, str]]:
    """Return the links of a report that stand for a figure, with its text; months name themselves."""
    shown = set()
    for url, _more, inner in LINK.findall(text):
        said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inner)).strip()
        shown.add((url, said))
    return shown


def foot(text: str) -> list[Decimal]:
    """Return the sums at the foot of a list."""
    found = re.search(r"<tfoot>(.*?)</tfoot>", text, re.DOTALL)
    assert found
    cells = re.findall(r"<td[^>]*>(.*?)</td>", found[1], re.DOTALL)
    return [number(cell) for cell in cells if re.search(r"\d", cell)]


def file(browser: Client, url: str, text: str) -> list[list[str]]:
    """Return the rows of the file that a page leads to, as the page's own link has it."""
    (link,) = re.findall(r'href="(\?[^"]*export=[^"]+)"', text)
    answer = browser.get(url.partition("?")[0] + link)
    assert answer.status_code == 200
    return list(csv.reader(b"".join(answer).decode().splitlines()))[1:]


@pytest.mark.parametrize("report", REPORTS)
def test_every_figure_leads_to_what_it_is_the_sum_of(cast: Cast, clock: time_machine.Traveller, report: str):
    business(cast)
    browser = cast.reseller_a.browser()
    shown = figures(page(browser, f"{reverse(f'billing:{report}')}?{urlencode(REPORTS[report])}"))
    if report == "report_profit":
        shown |= figures(page(browser, f"{reverse('billing:report_profit')}?since=2026-02&until=2026-02"))
    followed = set()
    for url, said in sorted(shown):
        if not re.search(r"\d USD|^\d+$", said) or said.startswith("Revenue a year"):
            continue
        behind = page(browser, url)
        rows, sums = file(browser, url, behind), foot(behind)
        followed.add(url.partition("?")[0])
        if re.fullmatch(r"\d+", said):
            assert len(rows) == int(said), url
        else:
            assert number(said) in sums, (url, said, sums)
        assert [sum(Decimal(row[at]) for row in rows) for at in range(-len(sums), 0)] == sums, url
    assert followed >= {reverse(f"billing:{name}") for name in LEADS[report]}


def test_the_tiles_of_a_report_lead_to_their_documents(cast: Cast, clock: time_machine.Traveller):
    business(cast)
    browser = cast.reseller_a.browser()
    found: dict[str, tuple[str, str]] = {}
    for report in ("report_profit", "report_recurring"):
        text = page(browser, f"{reverse(f'billing:{report}')}?since=2026-01&until=2026-03")
        tile = r'<a href="([^"]+)" class="card[^>]*>\s*<div[^>]*>\s*<span[^>]*>([^<]+)</span>\s*<span[^>]*>([^<]+)<'
        found |= {label: (url, value) for url, label, value in re.findall(tile, text)}
    assert set(found) == {
        "Income", "Cost", "Cash received", "Revenue a month", "Revenue a year", "Subscriptions", "Churn this month"
    }  # fmt: skip
    for label in ("Income", "Cost", "Cash received"):
        url, value = found[label]
        assert foot(page(browser, url)) == [number(value)], label


def test_what_is_behind_a_figure_stands_under_its_report(cast: Cast):
    browser = cast.reseller_a.browser()
    for report, routes in LEADS.items():
        url = reverse(f"billing:{report}")
        for route in routes:
            (active,) = re.findall(
                r'<a class="nav-link active" href="([^"]+)">', page(browser, reverse(f"billing:{route}"))
            )
            assert active == url


def test_a_customer_s_page_leads_to_its_invoices_and_a_payment_s_to_what_it_paid(cast: Cast):
    seller, actor = cast.reseller_a.organization, cast.reseller_a.actor
    factories.seller(seller)
    one = factories.customer(seller, cast.client_a.organization)
    other = factories.customer(seller, cast.outsider.organization, name="Otto & Co")
    with tenant(actor.path):
        charges.item(actor=actor, customer=one, text="Work", amount=Decimal(12))
        invoice = invoices.collect(actor=actor, customer=one, until=timezone.now().date())
        assert invoice is not None
        paid = payments.record(
            actor=actor, customer=one, amount=Decimal(12), currency="USD", received_on=date(2026, 1, 3), reference="",
            key="1", invoice=invoice,
        )  # fmt: skip
    browser = cast.reseller_a.browser()
    link = f'href="{reverse("billing:invoice", args=[invoice.pk])}"'
    assert link in page(browser, reverse("billing:customer", args=[one.pk]))
    assert link not in page(browser, reverse("billing:customer", args=[other.pk]))
    assert link in page(browser, reverse("billing:payment", args=[paid.pk]))
    for person, route in ((cast.reseller_a, "payment_list"), (cast.client_a, "paid_list")):
        assert "3 Jan 2026" in page(person.browser(), reverse(f"billing:{route}"))


def test_nobody_reads_what_others_figures_are_made_of(cast: Cast, clock: time_machine.Traveller):
    business(cast)
    own = cast.reseller_a.browser()
    shown = figures(page(own, f"{reverse('billing:report_profit')}?{urlencode(YEAR)}"))
    shown |= figures(page(own, reverse("billing:report_owed")))
    urls = {url for url, _said in shown if "/documents/" not in url and url != reverse("billing:report_owed")}
    assert len(urls) > 5
    for other in (cast.provider, cast.reseller_b):
        browser = other.browser()
        for url in urls:
            text = page(browser, url)
            assert "Otto" not in text
            assert "<tfoot>" not in text


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("report_bookings", {"figure": "revenue"}),
        ("report_bookings", {"currency": "XXX"}),
        ("report_documents", {"currency": "XXX"}),
        ("report_receivables", {"part": "soon"}),
        ("report_documents", {"product": "\0"}),
        ("report_receivables", {"customer": "\0"}),
        ("report_taxed", {"percent": "much"}),
        ("report_taxed", {"percent": "1e999999999"}),
        ("report_subscriptions", {"currency": ""}),
    ],
)
def test_a_figure_that_there_is_not_is_not_found(cast: Cast, route: str, query: dict[str, str]):
    assert cast.reseller_a.browser().get(reverse(f"billing:{route}"), query).status_code == 404


def test_a_month_ends_at_midnight_of_the_seller(cast: Cast, clock: time_machine.Traveller):
    """In Auckland the 31st of January is over at 11:00 of Greenwich."""
    seller = cast.reseller_a.organization
    factories.seller(seller, time_zone=ZONE)
    customer = factories.customer(seller, cast.client_a.organization)
    actor = cast.reseller_a.actor
    for hour, amount in ((10, "1.00"), (12, "2.00")):
        clock.move_to(datetime(2026, 1, 31, hour, tzinfo=UTC))
        with tenant(actor.path):
            charges.item(actor=actor, customer=customer, text="Work", amount=Decimal(amount))
            invoice = invoices.collect(actor=actor, customer=customer, until=date(2026, 3, 1))
            assert invoice is not None
            invoices.write_off(actor=actor, invoice=invoice, reason="Gone")
    browser = cast.reseller_a.browser()
    for month, figure in (("2026-01", Decimal(1)), ("2026-02", Decimal(2))):
        months = {"since": month, "until": month}
        for route, more in (
            ("report_documents", {"side": "sales"}),
            ("report_bookings", {"figure": "losses"}),
        ):
            assert foot(page(browser, f"{reverse(f'billing:{route}')}?{urlencode({**months, **more})}")) == [figure]
        taxes = page(browser, f"{reverse('billing:report_taxes')}?{urlencode(months)}")
        ((url, _said), *_rest) = [row for row in figures(taxes) if "/taxes/documents/" in row[0]]
        assert foot(page(browser, url))[0] == figure


def test_a_file_holds_what_the_page_shows(cast: Cast, clock: time_machine.Traveller):
    """Also when the page's address names its months; and no text of a booking is read as a formula."""
    business(cast)
    browser = cast.reseller_a.browser()
    url = f"{reverse('billing:report_bookings')}?since=2026-02&until=2026-02&figure=fees"
    text = page(browser, url)
    rows = file(browser, url, text)
    assert [row[0] for row in rows] == ["2026-02-28", "2026-02-01"]
    assert [row[1][:2] for row in rows] == ["'=", "'="]
    profit = f"{reverse('billing:report_profit')}?since=2026-02&until=2026-03"
    (link,) = re.findall(r'href="(\?[^"]*export=time)"', page(browser, profit))
    lines = b"".join(browser.get(reverse("billing:report_profit") + link)).decode().splitlines()
    assert [line[:7] for line in lines[1:]] == ["2026-03", "2026-02"]


def test_programs_read_the_same_sums(cast: Cast, clock: time_machine.Traveller):
    business(cast)
    program = cast.reseller_a.program()

    def told(route: str, **query: str) -> dict[str, Any]:
        answer = program.get(f"/api/v1/reports/{route}", query)
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    (profit,) = told("profit", since="2026-02", until="2026-02")["months"]
    for figure in ("fees", "losses", "cash"):
        found = told("profit/bookings", since="2026-02", until="2026-02", figure=figure)
        assert found["sum"] == profit[figure]
        assert sum(Decimal(row["part"]) for row in found["bookings"]) == Decimal(profit[figure])
    (month,) = told("recurring", since="2026-03", until="2026-03")["months"]
    for kind, revenue, count in (("running", "revenue", "running"), ("ended", "lost", "ended")):
        found = told("recurring/subscriptions", month="2026-03", kind=kind)
        assert (found["sum"], found["count"]) == (month[revenue], month[count])
        assert sum(Decimal(row["part"]) for row in found["subscriptions"]) == Decimal(found["sum"])
    for row in told("owed")["customers"]:
        for part in (*ageing.PARTS, ""):
            found = told("owed/invoices", customer=row["customer"], **({"part": part} if part else {}))
            assert found["sum"] == row[part or "total"]
            assert sum(Decimal(each["open"]) for each in found["invoices"]) == Decimal(found["sum"])
    for row in told("taxes", since="2026-02", until="2026-02")["rows"]:
        named = {name: row[name] for name in ("country", "code", "percent", "currency")}
        found = told("taxes/documents", since="2026-02", until="2026-02", **named)
        assert (found["net"], found["tax"], len(found["documents"])) == (row["net"], row["tax"], row["documents"])
    for route, query in (("profit/bookings", {"figure": "revenue"}), ("profit/lines", {"currency": "XXX"})):
        assert program.get(f"/api/v1/reports/{route}", query).status_code == 400
    assert told("profit/bookings", figure="cash")["sum"] != "0.00"
    assert cast.provider.program().get("/api/v1/reports/profit/bookings").json()["bookings"] == []
