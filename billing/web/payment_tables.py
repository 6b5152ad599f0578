"""The lists of payments, cards and statements: columns, search and filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import BankEntry, Payment
from billing.web.columns import MoneyColumn
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
STATE = "{% load ui %}{% state record.status record.get_status_display %}"
DAY = "{% load ui %}{% moment value 'day' %}"


def search(placeholder: Any) -> django_filters.CharFilter:
    """Return a filter that looks for a text."""
    attrs = {"placeholder": placeholder, "type": "search", "maxlength": "100"}
    return django_filters.CharFilter(
        method="find", label=_("Search"), max_length=100, widget=forms.TextInput(attrs=attrs)
    )


class PaymentFilter(django_filters.FilterSet):
    """Payments by payer, reference and state."""

    q = search(_("Customer or reference"))
    status = django_filters.ChoiceFilter(choices=Payment.Status.choices, label=_("State"), empty_label=_("Any state"))
    source = django_filters.ChoiceFilter(choices=Payment.Source.choices, label=_("Way"), empty_label=_("Any way"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names and references."""
        text = Q(customer__name__icontains=value) | Q(reference__icontains=value)
        return rows.filter(text | Q(invoice__label__icontains=value))


class ReceivedTable(tables.Table):
    """What was paid to one's own organization."""

    created_at = TemplateColumn("{% load ui %}{% moment value 'ago' %}", verbose_name=_("When"), order_by="id")
    customer = tables.Column(
        accessor="customer__name",
        linkify=("billing:payment", {"pk": A("pk")}),
        attrs=TITLE,
        verbose_name=_("Customer"),
    )
    received_on = tables.DateColumn(verbose_name=_("Received on"), default="\N{EN DASH}")
    source = TemplateColumn("{{ record.get_source_display }}", verbose_name=_("Way"))
    invoice = tables.Column(accessor="invoice__label", verbose_name=_("Invoice"), default="\N{EN DASH}")
    status = TemplateColumn(STATE, verbose_name=_("State"))
    amount = MoneyColumn(verbose_name=_("Amount"))
    refunded = MoneyColumn(verbose_name=_("Paid back"))

    class Meta:
        order_by = "-created_at"


class PaidTable(tables.Table):
    """What one's own organization has paid."""

    created_at = TemplateColumn(
        "{% load ui %}<a class='row-title' href=\"{% url 'billing:payment' record.pk %}\">{% moment value %}</a>",
        verbose_name=_("When"),
        order_by="id",
    )
    received_on = tables.DateColumn(verbose_name=_("Received on"), default="\N{EN DASH}")
    source = TemplateColumn("{{ record.get_source_display }}", verbose_name=_("Way"))
    invoice = tables.Column(accessor="invoice__label", verbose_name=_("Invoice"), default="\N{EN DASH}")
    status = TemplateColumn(STATE, verbose_name=_("State"))
    amount = MoneyColumn(verbose_name=_("Amount"))

    class Meta:
        order_by = "-created_at"


class CardTable(tables.Table):
    """Cards that are saved."""

    label = TemplateColumn("{{ record }}", verbose_name=_("Card"), attrs={"td": {"class": "row-title"}})
    expires_on = tables.DateColumn(verbose_name=_("Good until"), default="\N{EN DASH}")
    is_default = TemplateColumn(
        "{% load i18n ui %}{% if value %}{% translate 'Is charged' as words %}{% state 'active' words %}{% endif %}",
        verbose_name=_("Use"),
    )
    manage = TemplateColumn(
        "{% load i18n %}{% if not record.is_default %}"
        '<a class="btn btn-sm" href="{% url "billing:card_default" record.pk %}">{% translate "Charge this one" %}</a> '
        '{% endif %}<a class="btn btn-sm btn-ghost-danger" href="{% url "billing:card_remove" record.pk %}">'
        '{% translate "Remove" %}</a>',
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    class Meta:
        order_by = "-is_default"


class EntryFilter(django_filters.FilterSet):
    """Bookings by text and state."""

    q = search(_("Name or reference"))
    status = django_filters.ChoiceFilter(choices=BankEntry.Status.choices, label=_("State"), empty_label=_("Any state"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names and remittances."""
        return rows.filter(Q(debtor__icontains=value) | Q(remittance__icontains=value) | Q(reference__icontains=value))


class EntryTable(tables.Table):
    """Bookings of statements."""

    booked_on = tables.DateColumn(verbose_name=_("Booked on"))
    debtor = tables.Column(
        linkify=("billing:bank_entry", {"pk": A("pk")}),
        attrs=TITLE,
        verbose_name=_("From"),
        empty_values=(None, ""),
        default=_("unknown"),
    )
    remittance = tables.Column(verbose_name=_("Remittance"), orderable=False)
    status = TemplateColumn(STATE, verbose_name=_("State"))
    customer = tables.Column(
        accessor="payment__customer__name", verbose_name=_("Customer"), default="\N{EN DASH}", orderable=False
    )
    amount = MoneyColumn(verbose_name=_("Amount"))

    class Meta:
        order_by = "-booked_on"
