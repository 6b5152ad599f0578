"""Lists of papers and of the books: columns, search and filters. What is listed is the selectors' affair."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import Invoice, InvoiceLine, LedgerEntry
from billing.web.columns import MoneyColumn
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
NUMBER = {"td": {"class": "text-md-end text-nowrap tabular"}}
LINE = (
    '{% load money %}<span class="text-break">{{ record.text }}</span>{% if record.starts_on %}'
    '<div class="text-secondary small">{{ record|span }}</div>{% endif %}'
)
STATE = "{% load ui %}{% state record.standing.0 record.standing.1 %}"


class InvoiceFilter(django_filters.FilterSet):
    """Papers by number, customer, kind and state."""

    q = django_filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Number, customer"), "type": "search", "maxlength": "100"}),
    )
    kind = django_filters.ChoiceFilter(choices=Invoice.Kind.choices, label=_("Kind"), empty_label=_("Any kind"))
    state = django_filters.ChoiceFilter(
        method="of_state",
        choices=[("draft", _("Draft")), ("open", _("Open")), ("overdue", _("Overdue")), ("settled", _("Settled"))],
        label=_("State"),
        empty_label=_("Any state"),
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in numbers, references and names."""
        reference = value.replace(" ", "")
        return rows.filter(
            Q(label__icontains=value) | Q(customer__name__icontains=value) | Q(reference__iexact=reference)
        )

    def of_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep those in a state."""
        if value == "draft":
            return rows.filter(status=Invoice.Status.DRAFT)
        if value == "settled":
            return rows.filter(receivable__settled_at__isnull=False)
        rows = rows.filter(receivable__settled_at__isnull=True, receivable__isnull=False)
        return rows.filter(due_on__lt=timezone.localdate()) if value == "overdue" else rows


class BillFilter(InvoiceFilter):
    """Papers that one has got, by number and kind."""

    state = None


class InvoiceTable(tables.Table):
    """Papers that one has written."""

    label = tables.Column(
        accessor="pk",
        linkify=("billing:invoice", {"pk": A("pk")}),
        attrs=TITLE,
        verbose_name=_("Number"),
        order_by="id",
    )
    kind = TemplateColumn("{{ record.get_kind_display }}", verbose_name=_("Kind"))
    customer = tables.Column(accessor="customer__name", verbose_name=_("Customer"))
    issued_on = tables.DateColumn(verbose_name=_("Date"))
    due_on = tables.DateColumn(verbose_name=_("Due on"))
    gross = MoneyColumn(verbose_name=_("Total"))
    open = MoneyColumn(verbose_name=_("Open"))
    standing = TemplateColumn(STATE, accessor="pk", verbose_name=_("State"), orderable=False)

    class Meta:
        order_by = "-label"

    def render_label(self, record: Invoice) -> str:
        """Name a paper by its number."""
        return str(record)

    def render_due_on(self, record: Invoice) -> str:
        """Only an invoice is due."""
        undated = record.status == Invoice.Status.DRAFT and record.due_as_usual
        return date_format(record.due_on) if record.kind == Invoice.Kind.INVOICE and not undated else "\N{EN DASH}"

    def value_standing(self, record: Invoice) -> str:
        """Export the words of its state."""
        return str(record.standing[1])

    def value_label(self, record: Invoice) -> str:
        """Name it the same in files."""
        return record.label


class BillTable(InvoiceTable):
    """Papers that one has got."""

    customer = None

    class Meta:
        order_by = "-label"


class LineTable(tables.Table):
    """The lines of a paper; a draft's can be taken off."""

    text = TemplateColumn(LINE, verbose_name=_("Item"), orderable=False)
    quantity = TemplateColumn(
        "{% load money %}{{ value|exact }} {{ record.unit }}", verbose_name=_("Quantity"), orderable=False, attrs=NUMBER
    )
    unit_price = TemplateColumn(
        "{% load money %}{{ value|price:record.invoice.currency }}",
        verbose_name=_("Price"),
        orderable=False,
        attrs=NUMBER,
    )
    tax_percent = TemplateColumn(
        "{% load money %}{{ value|exact }} %", verbose_name=_("Tax"), orderable=False, attrs=NUMBER
    )
    net = MoneyColumn(currency="invoice__currency", verbose_name=_("Net"), orderable=False)
    amount = MoneyColumn(currency="invoice__currency", verbose_name=_("With tax"), orderable=False)
    remove = TemplateColumn(
        '{% load i18n %}<a class="btn btn-sm" '
        'href="{% url "billing:invoice_line_remove" record.invoice_id record.pk %}">{% translate "Remove" %}</a>',
        accessor="pk",
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    def value_text(self, record: InvoiceLine) -> str:
        """Export the words alone."""
        return record.text


class EntryTable(tables.Table):
    """Entries of the books."""

    on = tables.DateColumn(verbose_name=_("Date"))
    text = tables.Column(verbose_name=_("What for"), empty_values=())
    customer = tables.Column(accessor="customer__name", verbose_name=_("Customer"))
    debit = TemplateColumn("{{ record.get_debit_display }}", verbose_name=_("Debit"))
    credit = TemplateColumn("{{ record.get_credit_display }}", verbose_name=_("Credit"))
    amount = MoneyColumn(verbose_name=_("Amount"))

    class Meta:
        order_by = "-on"

    def render_text(self, record: LedgerEntry) -> str:
        """Say what it is for: its own words, or the paper that it moved."""
        return record.text or (record.invoice.label if record.invoice else "\N{EN DASH}")


class BalanceTable(tables.Table):
    """The balance of each account."""

    name = tables.Column(verbose_name=_("Account"), orderable=False)
    currency = tables.Column(verbose_name=_("Currency"), orderable=False)
    debit = MoneyColumn(verbose_name=_("Debit"), orderable=False)
    credit = MoneyColumn(verbose_name=_("Credit"), orderable=False)
    balance = MoneyColumn(verbose_name=_("Balance"), orderable=False)


class EntryFilter(django_filters.FilterSet):
    """Entries by account."""

    account = django_filters.ChoiceFilter(
        method="of_account", choices=LedgerEntry.Account.choices, label=_("Account"), empty_label=_("Any account")
    )

    def of_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what moved an account."""
        return rows.filter(Q(debit=value) | Q(credit=value))
