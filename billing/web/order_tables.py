"""The list of orders: columns, search and filters. What is listed is the selectors' affair."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import Order
from billing.selectors import orders as selectors
from panel.core.tables import TemplateColumn


class OrderTable(tables.Table):
    """Orders."""

    subject = tables.Column(
        accessor="pk",
        linkify=("billing:order", {"pk": A("pk")}),
        attrs={"a": {"class": "row-title"}},
        verbose_name=_("Order"),
        order_by="domain",
    )
    person = tables.Column(verbose_name=_("Buyer"))
    email = tables.Column(verbose_name=_("Email"))
    product = tables.Column(verbose_name=_("Product"), order_by="product__name")
    pays_by = tables.Column(verbose_name=_("Payment"))
    status = TemplateColumn("{% load ui %}{% state record.status record.get_status_display %}", verbose_name=_("State"))
    created_at = TemplateColumn("{% load ui %}{% moment value 'ago' %}", verbose_name=_("Placed"))

    class Meta:
        order_by = "-created_at"

    def render_subject(self, record: Order) -> str:
        """Name an order by its domain, or by what is ordered."""
        return str(record)

    def value_subject(self, record: Order) -> str:
        """Name it the same in files."""
        return str(record)


class OrderFilter(filters.FilterSet):
    """Orders by domain, buyer and state."""

    q = filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Domain, name or email"), "type": "search", "maxlength": "100"}),
    )
    status = filters.ChoiceFilter(choices=Order.Status.choices, label=_("State"), empty_label=_("Any state"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in domains, people and addresses."""
        return selectors.found(rows, q=value)
