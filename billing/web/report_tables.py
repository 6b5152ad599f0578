"""The tables of reports."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_tables2
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import countries, formats
from billing.models import Invoice
from billing.selectors import ageing
from billing.web.behind_tables import bookings_url, receivables_url, subscriptions_url, taxed_url
from billing.web.columns import FigureColumn, MoneyColumn, SumColumn
from panel.core.tables import TemplateColumn

AMOUNT = {"td": {"class": "text-md-end text-nowrap tabular"}}


def documents_url(row: Any, **chosen: str) -> str:
    """Return the address of the documents behind a figure of a row that has `since` and `until`."""
    query = {"since": row.since, "until": row.until, "currency": row.currency, **chosen}
    return f"{reverse('billing:report_documents')}?{urlencode(query)}"


def month_name(value: Any) -> str:
    """Write a month."""
    return date_format(value, "YEAR_MONTH_FORMAT")


def month_url(row: Any) -> str:
    """Return the address of a month's own report, whose parts lead to their documents."""
    return f"?{urlencode({'since': row.since, 'until': row.until})}"


class TimeTable(django_tables2.Table):
    """What months earned, newest first."""

    first = django_tables2.Column(verbose_name=_("Month"))
    income = MoneyColumn(link=lambda row: documents_url(row, side="sales"), verbose_name=_("Income"))
    cost = MoneyColumn(link=lambda row: documents_url(row, side="purchases"), verbose_name=_("Cost"))
    fees = MoneyColumn(link=lambda row: bookings_url(row, "lost"), verbose_name=_("Fees and losses"))
    net = MoneyColumn(
        link=month_url, verbose_name=_("Profit"), attrs={"td": {"class": f"{AMOUNT['td']['class']} fw-medium"}}
    )
    margin = FigureColumn(verbose_name=_("Margin"), empty_values=(), order_by="margin_order")
    cash = MoneyColumn(link=lambda row: bookings_url(row, "cash"), verbose_name=_("Cash received"))

    class Meta:
        order_by = "-first"

    def render_first(self, value: Any, record: Any) -> str:
        """Lead to the month's own report."""
        return format_html('<a class="row-title" href="{}">{}</a>', month_url(record), month_name(value))

    def value_first(self, value: Any) -> str:
        """Export year and month."""
        return f"{value:%Y-%m}"

    def render_margin(self, value: Any) -> str:
        """Write the share as percent."""
        return formats.percent(value)

    def value_margin(self, value: Any) -> str:
        """Export percent, bare."""
        return "" if value is None else f"{float(value) * 100:.1f}"


class PartTable(django_tables2.Table):
    """Income by customer or by product, most first."""

    name = django_tables2.Column(verbose_name=_("Name"), empty_values=())
    income = MoneyColumn(link=lambda row: documents_url(row, side="sales", **row.chosen), verbose_name=_("Income"))
    share = FigureColumn(verbose_name=_("Share"), orderable=False, empty_values=())

    class Meta:
        order_by = "-income"

    def render_name(self, value: str) -> str:
        """Name what no product stands for."""
        return value or gettext("No product")

    value_name = render_name

    def render_share(self, value: Any) -> str:
        """Write the share as percent."""
        return formats.percent(value)

    def value_share(self, value: Any) -> str:
        """Export percent, bare."""
        return "" if value is None else f"{float(value) * 100:.1f}"


class ForeignTable(django_tables2.Table):
    """What was earned in other currencies than the seller's own."""

    currency = django_tables2.Column(verbose_name=_("Currency"))
    income = MoneyColumn(link=lambda row: documents_url(row, side="sales"), verbose_name=_("Income"))
    cost = MoneyColumn(link=lambda row: documents_url(row, side="purchases"), verbose_name=_("Cost"))
    net = MoneyColumn(verbose_name=_("Profit"))


class DocumentLineTable(django_tables2.Table):
    """The lines behind a figure."""

    invoice = django_tables2.Column(verbose_name=_("Document"), order_by="invoice__issued_on", footer=_("Sum"))
    text = django_tables2.Column(verbose_name=_("Line"), orderable=False)
    period = django_tables2.Column(verbose_name=_("For"), orderable=False, empty_values=())
    net = MoneyColumn(currency="invoice__currency", verbose_name=_("Net"))
    part = SumColumn(currency="invoice__currency", verbose_name=_("In this time"))

    class Meta:
        order_by = "-invoice"

    def render_invoice(self, value: Invoice) -> str:
        """Lead to the document."""
        url = reverse("billing:invoice", args=[value.pk])
        return format_html('<a class="row-title" href="{}">{}</a>', url, value)

    def value_invoice(self, value: Invoice) -> str:
        """Export its number."""
        return str(value)

    def render_period(self, record: Any) -> str:
        """Write its service period, or its day."""
        if record.starts_on is None:
            return date_format(record.invoice.issued_on)
        if record.ends_on is None or record.ends_on <= record.starts_on:
            return date_format(record.starts_on)
        return formats.period(record.starts_on, record.ends_on)

    value_period = render_period


class SoldLineTable(DocumentLineTable):
    """Lines that were sold."""

    party = django_tables2.Column(
        accessor="invoice__buyer_party__name", verbose_name=_("Customer"), orderable=False, default=""
    )

    class Meta:
        order_by = "-invoice"
        sequence = ("invoice", "party", "...")


class PurchasedLineTable(DocumentLineTable):
    """Lines that were bought."""

    party = django_tables2.Column(
        accessor="invoice__seller_party__name", verbose_name=_("Seller"), orderable=False, default=""
    )

    class Meta:
        order_by = "-invoice"
        sequence = ("invoice", "party", "...")


class RecurringTable(django_tables2.Table):
    """Recurring revenue by month."""

    first = django_tables2.Column(verbose_name=_("Month"))
    revenue = MoneyColumn(link=lambda row: subscriptions_url(row, "running"), verbose_name=_("Revenue a month"))
    yearly = MoneyColumn(verbose_name=_("Revenue a year"))
    lost = MoneyColumn(link=lambda row: subscriptions_url(row, "ended"), verbose_name=_("Lost"))
    running = FigureColumn(link=lambda row: subscriptions_url(row, "running"), verbose_name=_("Subscriptions"))
    ended = FigureColumn(link=lambda row: subscriptions_url(row, "ended"), verbose_name=_("Ended"))
    churn = FigureColumn(verbose_name=_("Churn"), orderable=False, empty_values=())

    class Meta:
        order_by = "-first"

    render_first = staticmethod(month_name)

    def value_first(self, value: Any) -> str:
        """Export year and month."""
        return f"{value:%Y-%m}"

    def render_churn(self, value: Any) -> str:
        """Write the share as percent."""
        return formats.percent(value)

    def value_churn(self, value: Any) -> str:
        """Export percent, bare."""
        return "" if value is None else f"{float(value) * 100:.1f}"


def _owed(part: str, label: Any) -> MoneyColumn:
    return MoneyColumn(
        accessor=f"amounts__{ageing.PARTS.index(part)}",
        link=lambda row: receivables_url(row.currency, part, row),
        verbose_name=label,
        orderable=False,
    )


class OwedTable(django_tables2.Table):
    """Who owes what, by how long it is overdue."""

    name = django_tables2.Column(verbose_name=_("Customer"))
    due_later = _owed("due_later", _("Not due yet"))
    days_30 = _owed("days_30", _("1 to 30 days"))
    days_60 = _owed("days_60", _("31 to 60 days"))
    days_90 = _owed("days_90", _("61 to 90 days"))
    older = _owed("older", _("Over 90 days"))
    total = MoneyColumn(
        link=lambda row: receivables_url(row.currency, "", row),
        verbose_name=_("Owed"),
        attrs={"td": {"class": f"{AMOUNT['td']['class']} fw-medium"}},
    )

    class Meta:
        order_by = "-total"


class TaxTable(django_tables2.Table):
    """Tax by month, country and rate."""

    month = django_tables2.Column(verbose_name=_("Month"))
    country = django_tables2.Column(verbose_name=_("Country"), empty_values=())
    code = TemplateColumn("{{ record.percent }} % <abbr>{{ value }}</abbr>", verbose_name=_("Rate"))
    papers = FigureColumn(link=taxed_url, verbose_name=_("Documents"))
    base = MoneyColumn(link=taxed_url, verbose_name=_("Net"))
    tax = MoneyColumn(link=taxed_url, verbose_name=_("Tax"))

    class Meta:
        order_by = "-month"

    render_month = staticmethod(month_name)

    def value_month(self, value: Any) -> str:
        """Export year and month."""
        return f"{value:%Y-%m}"

    def render_country(self, value: str) -> str:
        """Name it; say where none is known."""
        return countries.name(value) or "\N{EN DASH}"

    def value_country(self, value: str) -> str:
        """Export its code."""
        return value
