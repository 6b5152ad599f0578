"""What the figures of reports are sums of, for programs: bookings, subscriptions, open invoices, taxes of papers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.fields import Exact
from billing.api.reports import MONTH, MOST_LINES, MonthsQuery, ReportEndpoint, amount_text
from billing.models import InvoiceTax, LedgerEntry, Receivable
from billing.pricing.money import PLACES
from billing.selectors import ageing, recurring, reports, sellers, tax_reports
from panel.core.api.endpoints import Document, describe
from panel.core.api.serializers import StrictSerializer


class InCurrency(StrictSerializer):
    """In which currency; your own when it is not named."""

    currency = serializers.ChoiceField(choices=sorted(PLACES), required=False)


class BookingsQuery(InCurrency, MonthsQuery):
    """Which figure the bookings are wanted of."""

    figure = serializers.ChoiceField(
        choices=sorted(reports.BOOKED), default="cash", help_text="`lost` is fees and losses together."
    )


class SubscriptionsQuery(InCurrency):
    """Which month, and which figure of it."""

    month = serializers.RegexField(
        r"\A\d{4}-\d{2}\Z", required=False, help_text="As in 2026-01; this one when not named."
    )
    kind = serializers.ChoiceField(
        choices=("running", "ended"),
        default="running",
        help_text="Those that run at its end make the revenue, those that ended in it make what was lost.",
    )


class OwedQuery(InCurrency):
    """How long overdue, and whose."""

    part = serializers.ChoiceField(choices=ageing.PARTS, required=False, help_text="All when it is not named.")
    customer = serializers.CharField(max_length=32, required=False)


class TaxedQuery(InCurrency, MonthsQuery):
    """Which row of the taxes."""

    country = serializers.CharField(max_length=2, required=False, allow_blank=True, help_text="Empty: not known.")
    code = serializers.CharField(max_length=2, help_text="UNCL 5305.")
    percent = Exact(help_text="As the row has it.")


class Booking(Document):
    """An entry of the books, with what it adds to the figure."""

    on = serializers.DateField()
    text = serializers.CharField()
    debit = serializers.CharField()
    credit = serializers.CharField()
    customer = serializers.CharField(allow_null=True)
    invoice = serializers.CharField(allow_null=True)
    payment = serializers.CharField(allow_null=True)
    part = serializers.CharField()


class Bookings(Document):
    """The bookings behind a figure, the newest first, a thousand at most; `sum` is that of all."""

    currency = serializers.CharField()
    sum = serializers.CharField()
    bookings = Booking(many=True)


class ShareDocument(Document):
    """A subscription with what it brings a month, or brought."""

    subscription = serializers.CharField()
    customer = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    starts_on = serializers.DateField()
    ended_on = serializers.DateField(allow_null=True)
    part = serializers.CharField()


class Shares(Document):
    """The subscriptions behind a month's figure, the newest first, a thousand at most; `sum` is that of all."""

    month = serializers.CharField()
    currency = serializers.CharField()
    sum = serializers.CharField()
    count = serializers.IntegerField()
    subscriptions = ShareDocument(many=True)


class OpenInvoice(Document):
    """An invoice that is not paid in full."""

    invoice = serializers.CharField()
    number = serializers.CharField()
    customer = serializers.CharField()
    due_on = serializers.DateField()
    open = serializers.CharField()


class OpenInvoices(Document):
    """The invoices behind what is owed, the longest due first, a thousand at most; `sum` is that of all."""

    on = serializers.DateField()
    currency = serializers.CharField()
    sum = serializers.CharField()
    invoices = OpenInvoice(many=True)


class TaxedPaper(Document):
    """A document with its tax at one rate."""

    invoice = serializers.CharField()
    number = serializers.CharField()
    customer = serializers.CharField()
    issued_on = serializers.DateField()
    net = serializers.CharField()
    tax = serializers.CharField()


class TaxedPapers(Document):
    """The documents behind a row of the taxes, the newest first, a thousand at most; `net` and `tax` are of all."""

    currency = serializers.CharField()
    net = serializers.CharField()
    tax = serializers.CharField()
    documents = TaxedPaper(many=True)


class BookingsView(ReportEndpoint):
    """The bookings behind a figure."""

    @describe(
        "report_bookings", "List the bookings that fees, losses or cash are the sum of", Bookings, query=BookingsQuery
    )
    def get(self, request: Request) -> Response:
        """Each entry has what it adds to the figure."""
        told, seller = self.query(BookingsQuery), self.seller()
        spans, currency = self.spans(told, sellers.today(seller)), told.get("currency", seller.currency)
        rows = reports.bookings(self.actor, told["figure"], (spans[0][0], spans[-1][1]), currency)
        return Response(
            {
                "currency": currency,
                "sum": amount_text(reports.sum_booked(rows), currency),
                "bookings": [_booking(row, currency) for row in rows[:MOST_LINES]],
            }
        )


class SubscriptionsView(ReportEndpoint):
    """The subscriptions behind a month's recurring revenue."""

    @describe(
        "report_subscriptions", "List the subscriptions that recurring revenue is the sum of", Shares,
        query=SubscriptionsQuery,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Parts are cut from the sum, so that they sum to it."""
        told, seller = self.query(SubscriptionsQuery), self.seller()
        today, currency = sellers.today(seller), told.get("currency", seller.currency)
        month = told.get("month", today.strftime(MONTH))
        (span,) = self.spans({"since": month, "until": month}, today)
        rows = recurring.behind(self.actor, told["kind"], span, currency, today)
        return Response(
            {
                "month": month,
                "currency": currency,
                "sum": amount_text(sum((row.revenue for row in rows), Decimal(0)), currency),
                "count": len(rows),
                "subscriptions": [_share(row) for row in rows[:MOST_LINES]],
            }
        )


class OwedInvoicesView(ReportEndpoint):
    """The open invoices behind what is owed."""

    @describe(
        "report_owed_invoices", "List the invoices that what is owed is the sum of", OpenInvoices, query=OwedQuery
    )
    def get(self, request: Request) -> Response:
        """Amounts are what is open, tax included."""
        told, seller = self.query(OwedQuery), self.seller()
        today, currency = sellers.today(seller), told.get("currency", seller.currency)
        rows = ageing.behind(self.actor, today, currency, told.get("part", ""), told.get("customer", ""))
        return Response(
            {
                "on": today,
                "currency": currency,
                "sum": amount_text(ageing.sum_of(rows), currency),
                "invoices": [_open(row, currency) for row in rows[:MOST_LINES]],
            }
        )


class TaxedView(ReportEndpoint):
    """The documents behind a row of the taxes."""

    @describe("report_taxed", "List the documents that a row of the taxes is the sum of", TaxedPapers, query=TaxedQuery)
    def get(self, request: Request) -> Response:
        """Credit notes are below zero."""
        told, seller = self.query(TaxedQuery), self.seller()
        spans, currency = self.spans(told, sellers.today(seller)), told.get("currency", seller.currency)
        whole = (spans[0][0], spans[-1][1])
        rows = tax_reports.behind(self.actor, whole, currency, told.get("country", ""), told["code"], told["percent"])
        net, tax = tax_reports.sums_of(rows)
        return Response(
            {
                "currency": currency,
                "net": amount_text(net, currency),
                "tax": amount_text(tax, currency),
                "documents": [_taxed(row, currency) for row in rows[:MOST_LINES]],
            }
        )


def _booking(row: LedgerEntry, currency: str) -> dict[str, Any]:
    return {
        "on": row.on,
        "text": row.text,
        "debit": row.debit,
        "credit": row.credit,
        "customer": row.customer_id,
        "invoice": row.invoice_id,
        "payment": row.payment_id,
        "part": amount_text(row.part, currency),  # type: ignore[attr-defined]
    }


def _share(row: recurring.Share) -> dict[str, Any]:
    return {
        "subscription": row.subscription.pk,
        "customer": row.subscription.customer_id,
        "items": row.items,
        "starts_on": row.subscription.starts_on,
        "ended_on": row.subscription.ended_on,
        "part": amount_text(row.revenue, row.currency),
    }


def _open(row: Receivable, currency: str) -> dict[str, Any]:
    return {
        "invoice": row.invoice_id,
        "number": row.invoice.label,
        "customer": row.customer_id,
        "due_on": row.due_on,
        "open": amount_text(row.open, currency),
    }


def _taxed(row: InvoiceTax, currency: str) -> dict[str, Any]:
    return {
        "invoice": row.invoice_id,
        "number": row.invoice.label,
        "customer": row.invoice.customer_id,
        "issued_on": row.invoice.issued_on,
        "net": amount_text(row.base, currency),
        "tax": amount_text(row.tax, currency),
    }
