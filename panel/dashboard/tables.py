"""The activity list: its columns and filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from panel.core.models import AuditEntry


class ActivityTable(django_tables2.Table):
    """Audit entries."""

    at = django_tables2.TemplateColumn(
        "{% load ui %}{% moment value 'ago' %}",
        verbose_name=_("When"),
        order_by="id",
        attrs={"td": {"class": "text-md-nowrap"}},
    )
    who = django_tables2.Column(verbose_name=_("Who"), orderable=False, default=_("your host"))
    action = django_tables2.TemplateColumn('<span class="mono">{{ value }}</span>', verbose_name=_("What"))
    object_label = django_tables2.Column(verbose_name=_("To what"), orderable=False)
    changes = django_tables2.TemplateColumn(
        template_name="dashboard/changes.html", verbose_name=_("Changes"), orderable=False
    )
    via = django_tables2.Column(verbose_name=_("By way of"), orderable=False)

    class Meta:
        order_by = "-at"


class ActivityFilter(django_filters.FilterSet):
    """Audit entries by who, what and to what."""

    q = django_filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(
            attrs={"placeholder": _("Person, action or name"), "type": "search", "maxlength": "100"}
        ),
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in people, actions and objects."""
        return rows.filter(Q(who__icontains=value) | Q(action__icontains=value) | Q(object_label__icontains=value))
