"""The lists of addresses for programs and of what they were told."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing.models import HookDelivery
from billing.words import happening
from panel.core.tables import TemplateColumn

STATE = (
    "{% load ui %}{% if record.status == 'sent' %}{% state 'done' record.get_status_display %}"
    "{% else %}{% state record.status record.get_status_display %}{% endif %}"
)


class HookTable(tables.Table):
    """Addresses."""

    url = tables.Column(
        linkify=("billing:hook", {"pk": A("pk")}),
        attrs={"a": {"class": "row-title wrap-anywhere"}},
        verbose_name=_("Address"),
    )
    kinds = TemplateColumn(
        "{% load i18n %}{% if value %}{% blocktranslate count count=value|length %}{{ count }} kind"
        "{% plural %}{{ count }} kinds{% endblocktranslate %}{% else %}{% translate 'Everything' %}{% endif %}",
        verbose_name=_("Told of"),
        orderable=False,
    )
    is_active = TemplateColumn(
        "{% load i18n ui %}{% if record.is_active %}{% translate 'Told' as told %}{% state 'working' told %}"
        "{% else %}{% state 'off' %}{% endif %}",
        verbose_name=_("State"),
        orderable=False,
    )
    created_at = TemplateColumn("{% load ui %}{% moment value 'ago' %}", verbose_name=_("Since"), order_by="id")

    class Meta:
        order_by = "-created_at"


class DeliveryTable(tables.Table):
    """Messages."""

    created_at = TemplateColumn("{% load ui %}{% moment value 'ago' %}", verbose_name=_("When"), order_by="id")
    kind = tables.Column(attrs={"td": {"class": "row-title"}}, verbose_name=_("What"))
    status = TemplateColumn(STATE, verbose_name=_("State"))
    answer = tables.Column(verbose_name=_("Answer"), orderable=False, default="")
    tries = tables.Column(verbose_name=_("Tries"))
    next_at = TemplateColumn(
        "{% load ui %}{% if record.status == 'waiting' %}{% moment value %}{% endif %}",
        verbose_name=_("Next try"),
        orderable=False,
    )
    manage = TemplateColumn(
        "{% load i18n %}{% if record.status != 'waiting' %}"
        '<a class="btn btn-sm" href="{% url "billing:hook_resend" record.pk %}">{% translate "Send again" %}</a>'
        "{% endif %}",
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    class Meta:
        order_by = "-created_at"

    def render_kind(self, record: HookDelivery) -> str:
        """Say it in words."""
        return happening(record.kind)
