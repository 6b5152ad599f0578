"""Tables of what the figures of reports are sums of, with the sum at their foot, and the addresses that lead there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import LedgerEntry
from billing.selectors.ageing import Owed
from billing.selectors.recurring import Recurring
from billing.selectors.tax_reports import Taxed
from billing.web.columns import MoneyColumn, SumColumn
from billing.web.report_forms import MONTH
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
INVOICE = ("billing:invoice", {"pk": A("invoice__pk")})
SUM = _("Sum")


def bookings_url(row: Any, figure: str) -> str:
    """Return the address of the bookings behind a figure of a row that has `since` and `until`."""
    query = {"since": row.since, "until": row.until, "currency": row.currency, "figure": figure}
    return f"{reverse('billing:report_bookings')}?{urlencode(query)}"


def subscriptions_url(row: Recurring, kind: str) -> str:
    """Return the address of the subscriptions behind a month's recurring revenue."""
    month = row.first.strftime(MONTH)
    return f"{reverse('billing:report_subscriptions')}?{urlencode({'since': month, 'until': month, 'kind': kind})}"


def receivables_url(currency: str, part: str = "", row: Owed | None = None) -> str:
    """Return the address of the invoices behind what is owed in a currency, by one customer or all."""
    query = {"currency": currency, "part": part, "customer": row.customer_id if row else ""}
    return f"{reverse('billing:report_receivables')}?{urlencode({key: value for key, value in query.items() if value})}"


def taxed_url(row: Taxed) -> str:
    """Return the address of the documents behind a row of the taxes."""
    month = row.month.strftime(MONTH)
    query = {"since": month, "until": month, "country": row.country, "code": row.code}
    query |= {"percent": format(row.percent, "f"), "currency": row.currency}
    return f"{reverse('billing:report_taxed')}?{urlencode(query)}"


class BookingTable(tables.Table):
    """Entries of the books."""

    on = tables.DateColumn(verbose_name=_("Date"), footer=SUM)
    text = TemplateColumn(
        "{% if record.invoice_id %}<a class='row-title' href=\"{% url 'billing:invoice' record.invoice_id %}\">"
        "{{ record.invoice.label }}</a>{% elif record.payment_id %}<a class='row-title' "
        "href=\"{% url 'billing:payment' record.payment_id %}\">{% load i18n %}{% translate 'Payment' %}</a>{% endif %}"
        '{% if record.text %}<div class="text-secondary small text-break">{{ record.text }}</div>{% endif %}',
        verbose_name=_("What for"),
        orderable=False,
        empty_values=(),
    )
    customer = tables.Column(accessor="customer__name", verbose_name=_("Customer"), default="\N{EN DASH}")
    debit = TemplateColumn("{{ record.get_debit_display }}", verbose_name=_("Debit"))
    credit = TemplateColumn("{{ record.get_credit_display }}", verbose_name=_("Credit"))
    part = SumColumn(verbose_name=_("Amount"))

    class Meta:
        order_by = "-on"

    def value_text(self, record: LedgerEntry) -> str:
        """Export the document's number and the words."""
        named = record.invoice.label if record.invoice else record.payment_id or ""
        return f"{named} {record.text}".strip()


class ShareTable(tables.Table):
    """Subscriptions with what each brings a month."""

    customer = tables.Column(
        accessor="subscription__customer__name",
        linkify=("billing:subscription", {"pk": A("subscription__pk")}),
        attrs=TITLE,
        verbose_name=_("Customer"),
        footer=SUM,
    )
    label = tables.Column(accessor="subscription", verbose_name=_("Subscription"), orderable=False)
    items = TemplateColumn("{{ value|join:', ' }}", verbose_name=_("For"), orderable=False)
    starts_on = tables.DateColumn(accessor="subscription__starts_on", verbose_name=_("Since"))
    ended_on = tables.DateColumn(accessor="subscription__ended_on", verbose_name=_("Ended on"), default="\N{EN DASH}")
    revenue = SumColumn(verbose_name=_("A month"))

    class Meta:
        order_by = "-starts_on"


class ReceivableTable(tables.Table):
    """Open invoices, the longest due first."""

    invoice = tables.Column(
        accessor="invoice__label", linkify=INVOICE, attrs=TITLE, verbose_name=_("Invoice"), footer=SUM
    )
    customer = tables.Column(accessor="customer__name", verbose_name=_("Customer"))
    issued_on = tables.DateColumn(accessor="invoice__issued_on", verbose_name=_("Date"))
    due_on = tables.DateColumn(verbose_name=_("Due on"))
    gross = MoneyColumn(accessor="invoice__gross", verbose_name=_("Total"))
    open = SumColumn(verbose_name=_("Open"))

    class Meta:
        order_by = "due_on"


class TaxedTable(tables.Table):
    """Documents with their tax at one rate."""

    invoice = tables.Column(
        accessor="invoice__label",
        linkify=INVOICE,
        attrs=TITLE,
        verbose_name=_("Document"),
        order_by="invoice_id",
        footer=SUM,
    )
    customer = tables.Column(accessor="invoice__customer__name", verbose_name=_("Customer"))
    issued_on = tables.DateColumn(accessor="invoice__issued_on", verbose_name=_("Date"))
    base = SumColumn(currency="invoice__currency", verbose_name=_("Net"))
    tax = SumColumn(currency="invoice__currency", verbose_name=_("Tax"))

    class Meta:
        order_by = "-issued_on"
