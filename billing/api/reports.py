"""Reports for programs: profit, the lines behind it, recurring revenue, what is owed, taxes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.models import InvoiceLine, Seller
from billing.pricing.calendar import add_months
from billing.pricing.money import PLACES, unit
from billing.pricing.profit import Profit
from billing.selectors import ageing, recurring, reports, sellers, tax_reports
from billing.selectors.recognition import Span
from billing.selectors.reports import Part, Time
from panel.core.api.endpoints import Document, Endpoint, describe
from panel.core.api.serializers import StrictSerializer
from panel.core.errors import Invalid

MONTH = "%Y-%m"
USUAL_MONTHS = 12
MOST_LINES = 1000


class MonthsQuery(StrictSerializer):
    """The months of a report, 36 at most; the last twelve when none are named."""

    since = serializers.RegexField(r"\A\d{4}-\d{2}\Z", required=False, help_text="The first month, as in 2026-01.")
    until = serializers.RegexField(r"\A\d{4}-\d{2}\Z", required=False, help_text="The last month.")


class LinesQuery(MonthsQuery):
    """Which figure the lines are wanted of."""

    side = serializers.ChoiceField(choices=("sales", "purchases"), required=False, help_text="Income, or cost.")
    currency = serializers.ChoiceField(choices=sorted(PLACES), required=False, help_text="Yours unless given.")
    customer = serializers.CharField(max_length=32, required=False)
    product = serializers.CharField(max_length=32, required=False, allow_blank=True, help_text="Empty: without one.")


class ProfitMonth(Document):
    """What a month earned, net of tax."""

    month = serializers.CharField()
    invoiced = serializers.CharField()
    credited = serializers.CharField()
    income = serializers.CharField(help_text="Invoiced less credited.")
    cost = serializers.CharField()
    fees = serializers.CharField()
    losses = serializers.CharField()
    profit = serializers.CharField(help_text="Income less cost, fees and losses.")
    cash = serializers.CharField(help_text="Payments received less what was paid back.")


class ProfitPart(Document):
    """The income that a customer or product brought in all of the months."""

    id = serializers.CharField(help_text="Empty where no product stands for it.")
    name = serializers.CharField()
    income = serializers.CharField()


class ProfitDocument(Document):
    """What selling earned, in your currency; `others` are months in other currencies."""

    currency = serializers.CharField()
    months = ProfitMonth(many=True)
    customers = ProfitPart(many=True)
    products = ProfitPart(many=True)
    break_even = serializers.IntegerField(allow_null=True, help_text="Customers such as these that pay for the cost.")
    others = serializers.DictField(child=ProfitMonth(many=True))


class ProfitLine(Document):
    """A line of a document, with the part of it that falls in the months."""

    invoice = serializers.CharField()
    number = serializers.CharField()
    customer = serializers.CharField()
    text = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True, help_text="Not included.")
    net = serializers.CharField()
    part = serializers.CharField()


class ProfitLines(Document):
    """The lines behind a figure, the newest first, a thousand at most; `sum` is that of all."""

    currency = serializers.CharField()
    sum = serializers.CharField()
    lines = ProfitLine(many=True)


class RecurringMonth(Document):
    """What running subscriptions bring a month, at the month's end or today."""

    month = serializers.CharField()
    revenue = serializers.CharField()
    lost = serializers.CharField()
    running = serializers.IntegerField()
    ended = serializers.IntegerField()
    churn = serializers.CharField(allow_null=True, help_text="Of the subscriptions at the start, as a fraction.")


class RecurringDocument(Document):
    """Recurring revenue by month."""

    currency = serializers.CharField()
    months = RecurringMonth(many=True)


class OwedCustomer(Document):
    """What a customer owes, by how long it is overdue."""

    customer = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    due_later = serializers.CharField()
    days_30 = serializers.CharField()
    days_60 = serializers.CharField()
    days_90 = serializers.CharField()
    older = serializers.CharField()
    total = serializers.CharField()


class OwedDocument(Document):
    """Who owes what on a day."""

    on = serializers.DateField()
    customers = OwedCustomer(many=True)


class TaxRow(Document):
    """What was sold, and its tax, at one rate in one country and month."""

    month = serializers.CharField()
    country = serializers.CharField()
    code = serializers.CharField(help_text="UNCL 5305.")
    percent = serializers.CharField()
    currency = serializers.CharField()
    net = serializers.CharField()
    tax = serializers.CharField()
    documents = serializers.IntegerField()


class TaxDocument(Document):
    """Taxes of issued documents."""

    rows = TaxRow(many=True)


class ReportEndpoint(Endpoint):
    """A report on the caller's own organization."""

    actions = {"GET": "report.view"}

    def seller(self) -> Seller:
        """Return what the caller's organization sells by."""
        return sellers.of(organizations.of_actor(self.actor))

    def spans(self, told: dict[str, Any], today: date) -> list[Span]:
        """Return the months of the query; raises Invalid for months that are none."""
        last = _month(told, "until") or max(today.replace(day=1), _month(told, "since") or today.replace(day=1))
        first = _month(told, "since") or add_months(last, 1 - USUAL_MONTHS)
        if first > last:
            raise Invalid("months", _("Give a month that is not before the first one."), "until")
        return reports.months(first, last)


class ProfitView(ReportEndpoint):
    """Profit."""

    @describe(
        "report_profit", "Say what selling earned, by month, customer and product", ProfitDocument, query=MonthsQuery
    )
    def get(self, request: Request) -> Response:
        """Figures come from issued documents and the books; income and cost fall on the days that they are for."""
        seller = self.seller()
        spans = self.spans(self.query(MonthsQuery), sellers.today(seller))
        found = reports.times(self.actor, spans)
        own = found.pop(seller.currency, None) or [Time(span, Profit()) for span in spans]
        whole = (spans[0][0], spans[-1][1])
        customers = reports.by_customer(self.actor, whole, seller.currency)
        cost = sum((time.profit.cost for time in own), Decimal(0))
        return Response(
            {
                "currency": seller.currency,
                "months": _months(own, seller.currency),
                "customers": _parts(customers, seller.currency),
                "products": _parts(reports.by_product(self.actor, whole, seller.currency), seller.currency),
                "break_even": reports.break_even(cost, customers),
                "others": {currency: _months(times, currency) for currency, times in sorted(found.items())},
            }
        )


class ProfitLinesView(ReportEndpoint):
    """The lines behind a figure."""

    @describe("report_lines", "List the lines that a figure of the profit is the sum of", ProfitLines, query=LinesQuery)
    def get(self, request: Request) -> Response:
        """Each line has the part of its net amount that falls in the months."""
        told, seller = self.query(LinesQuery), self.seller()
        spans = self.spans(told, sellers.today(seller))
        whole = (spans[0][0], spans[-1][1])
        currency = told.get("currency", seller.currency)
        rows = reports.documents(
            self.actor,
            told.get("side", "sales"),
            whole,
            currency,
            customer=told.get("customer", ""),
            product=told.get("product"),
        )
        return Response(
            {
                "currency": currency,
                "sum": amount_text(reports.sum_of(rows, whole), currency),
                "lines": [_line(row, currency) for row in rows[:MOST_LINES]],
            }
        )


class RecurringView(ReportEndpoint):
    """Recurring revenue."""

    @describe("report_recurring", "Say what subscriptions bring a month", RecurringDocument, query=MonthsQuery)
    def get(self, request: Request) -> Response:
        """Trials, setup fees and use do not count; a year counts with a twelfth each month."""
        seller = self.seller()
        today = sellers.today(seller)
        spans = self.spans(self.query(MonthsQuery), today)
        rows = recurring.months(self.actor, spans, seller.currency, today)
        months = [
            {
                "month": row.first.strftime(MONTH),
                "revenue": amount_text(row.revenue, seller.currency),
                "lost": amount_text(row.lost, seller.currency),
                "running": row.running,
                "ended": row.ended,
                "churn": None if row.churn is None else str(row.churn),
            }
            for row in rows
        ]
        return Response({"currency": seller.currency, "months": months})


class OwedView(ReportEndpoint):
    """What is owed."""

    @describe("report_owed", "Say who owes what, by how long it is overdue", OwedDocument)
    def get(self, request: Request) -> Response:
        """Amounts are what is open of issued invoices, tax included."""
        today = sellers.today(self.seller())
        customers = [
            {
                "customer": row.customer_id,
                "name": row.name,
                "currency": row.currency,
                **dict(zip(ageing.PARTS, (amount_text(each, row.currency) for each in row.amounts), strict=True)),
                "total": amount_text(row.total, row.currency),
            }
            for row in ageing.owed(self.actor, today)
        ]
        return Response({"on": today, "customers": customers})


class TaxesView(ReportEndpoint):
    """Taxes."""

    @describe("report_taxes", "Say what tax was invoiced, by month, country and rate", TaxDocument, query=MonthsQuery)
    def get(self, request: Request) -> Response:
        """Credit notes count against the month of their issue."""
        spans = self.spans(self.query(MonthsQuery), sellers.today(self.seller()))
        rows = [
            {
                "month": row.month.strftime(MONTH),
                "country": row.country,
                "code": row.code,
                "percent": format(row.percent, "f"),
                "currency": row.currency,
                "net": amount_text(row.base, row.currency),
                "tax": amount_text(row.tax, row.currency),
                "documents": row.papers,
            }
            for row in tax_reports.taxes(self.actor, (spans[0][0], spans[-1][1]))
        ]
        return Response({"rows": rows})


def _month(told: dict[str, Any], name: str) -> date | None:
    if name not in told:
        return None
    try:
        found = date.fromisoformat(f"{told[name]}-01")
    except ValueError:
        found = None
    if found is None or found.year not in reports.YEARS:
        raise Invalid("month", _("Give a month as in 2026-01."), name)
    return found


def amount_text(amount: Decimal, currency: str) -> str:
    """Return an amount with the places of its currency, as in 12.50."""
    return format(amount.quantize(unit(currency)), "f")


def _months(times: Sequence[Time], currency: str) -> list[dict[str, str]]:
    return [
        {
            "month": time.first.strftime(MONTH),
            "invoiced": amount_text(time.profit.invoiced, currency),
            "credited": amount_text(time.profit.credited, currency),
            "income": amount_text(time.profit.income, currency),
            "cost": amount_text(time.profit.cost, currency),
            "fees": amount_text(time.profit.fees, currency),
            "losses": amount_text(time.profit.losses, currency),
            "profit": amount_text(time.profit.net, currency),
            "cash": amount_text(time.cash, currency),
        }
        for time in times
    ]


def _parts(parts: Sequence[Part], currency: str) -> list[dict[str, str]]:
    return [{"id": part.key, "name": part.name, "income": amount_text(part.income, currency)} for part in parts]


def _line(row: InvoiceLine, currency: str) -> dict[str, Any]:
    return {
        "invoice": row.invoice_id,
        "number": str(row.invoice),
        "customer": row.invoice.customer_id,
        "text": row.text,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "net": amount_text(row.net, currency),
        "part": amount_text(row.part, currency),  # type: ignore[attr-defined]
    }
