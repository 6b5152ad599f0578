"""Lists of subscriptions and of what was charged for one: columns, search and filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import Subscription
from billing.web.columns import MoneyColumn
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
STATE = "{% load ui %}{% state record.status record.get_status_display %}"
PARKED = (
    "{% load ui i18n %}{% state record.status record.get_status_display %}"
    "{% translate 'Parked' as parked %}{% if record.parked_at %} {% state 'failed' parked %}{% endif %}"
)
WHAT = (
    '{% for row in record.mains %}{% if forloop.last %}<span class="text-break">{{ row.product }}</span>'
    "{% if row.quantity > 1 %} · {{ row.quantity }}{% endif %}{% endif %}{% endfor %}"
)
DAY = "{{ value|date }}"


class SubscriptionFilter(django_filters.FilterSet):
    """Subscriptions by customer, label, product and state."""

    q = django_filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Customer, domain"), "type": "search", "maxlength": "100"}),
    )
    status = django_filters.ChoiceFilter(
        choices=Subscription.Status.choices, label=_("State"), empty_label=_("Any state")
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names, labels and products."""
        product = rows.filter(components__product__name__icontains=value).values("pk")
        return rows.filter(Q(label__icontains=value) | Q(customer__name__icontains=value) | Q(pk__in=product))


class SubscriptionTable(tables.Table):
    """What the organization sells again and again."""

    customer = tables.Column(
        linkify=("billing:subscription", {"pk": A("pk")}),
        attrs=TITLE,
        verbose_name=_("Customer"),
        order_by="customer__name",
    )
    label = tables.Column(verbose_name=_("For"))
    product = TemplateColumn(WHAT, verbose_name=_("Product"), orderable=False, empty_values=())
    status = TemplateColumn(PARKED, verbose_name=_("State"))
    months = tables.Column(verbose_name=_("Cycle"), accessor="get_months_display", order_by="months")
    billed_until = TemplateColumn(DAY, verbose_name=_("Charged until"))
    until = TemplateColumn(DAY, verbose_name=_("Ends"), default="")

    class Meta:
        order_by = "-created_at"


class PurchaseTable(tables.Table):
    """What the organization buys again and again."""

    product = TemplateColumn(
        '<a class="row-title" href="{% url \'billing:subscription\' record.pk %}">' + WHAT + "</a>",
        verbose_name=_("Product"),
        orderable=False,
        empty_values=(),
    )
    label = tables.Column(verbose_name=_("For"))
    status = TemplateColumn(STATE, verbose_name=_("State"))
    months = tables.Column(verbose_name=_("Cycle"), accessor="get_months_display", order_by="months")
    until = TemplateColumn(DAY, verbose_name=_("Ends"), default="")


class ChargeTable(tables.Table):
    """What was charged for a subscription."""

    text = TemplateColumn(
        '<span class="text-break">{{ record.text }}</span>'
        "{% if record.ends_on > record.starts_on %}{% load money %}"
        '<div class="text-secondary small">{{ record|span }}</div>{% endif %}',
        verbose_name=_("What for"),
        orderable=False,
    )
    kind = tables.Column(verbose_name=_("Kind"), accessor="get_kind_display", orderable=False)
    due_on = TemplateColumn(DAY, verbose_name=_("Due"), orderable=False)
    amount = MoneyColumn(verbose_name=_("Amount"), orderable=False)
    invoice = tables.Column(
        accessor="line__invoice__label",
        linkify=("billing:invoice", {"pk": A("line__invoice_id")}),
        verbose_name=_("Invoice"),
        orderable=False,
        default="",
    )
