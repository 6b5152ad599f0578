"""The activity list: its columns and filters."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.selectors import audit
from panel.core.models import AuditEntry
from panel.core.tables import TemplateColumn
from panel.dashboard import words


class ActivityTable(django_tables2.Table):
    """Audit entries."""

    at = TemplateColumn(
        "{% load ui %}{% moment value 'ago' %}",
        verbose_name=_("When"),
        order_by="id",
        attrs={"td": {"class": "text-md-nowrap"}},
    )
    who = django_tables2.Column(verbose_name=_("Who"), orderable=False, empty_values=())
    action = django_tables2.Column(verbose_name=_("What"))
    object_label = django_tables2.Column(verbose_name=_("To what"), orderable=False)
    changes = TemplateColumn(
        template_name="dashboard/changes.html",
        verbose_name=_("Changes"),
        orderable=False,
        default="",
        empty_values=(None, {}),
    )
    via = django_tables2.Column(verbose_name=_("By way of"), orderable=False)

    class Meta:
        order_by = "-at"

    def render_who(self, record: Any) -> str:
        """Name who acted, and who was behind it."""
        who = record.who or _("your host")
        if not record.impersonator_id:
            return str(who)
        values = {"behind": record.behind or _("your host"), "who": who}
        return gettext("%(behind)s as %(who)s") % values

    value_who = render_who

    def render_action(self, value: str) -> str:
        """Say in words what was done; files keep the action's own name."""
        return words.action(value)

    def value_action(self, value: str) -> str:
        """Export the action's own name."""
        return value


class ActivityFilter(django_filters.FilterSet):
    """Audit entries by who, what, to what and when."""

    q = django_filters.CharFilter(
        method="fitting",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(
            attrs={"placeholder": _("Person, action or name"), "type": "search", "maxlength": "100"}
        ),
    )
    actor = django_filters.CharFilter(
        method="fitting",
        label=_("Who"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Who"), "maxlength": "100"}),
    )
    action = django_filters.ChoiceFilter(method="fitting", label=_("What"), empty_label=_("Anything"), choices=())
    object = django_filters.CharFilter(method="fitting", max_length=64, widget=forms.HiddenInput)
    since = django_filters.DateFilter(method="fitting", label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = django_filters.DateFilter(method="fitting", label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    ARGUMENTS = {"q": "text", "object": "object_id"}

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["action"].extra["choices"] = [(noun, words.nouns(noun)) for noun in words.NOUNS]

    def fitting(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Keep what fits one filter."""
        return audit.matching(rows, **{self.ARGUMENTS.get(name, name): value})
