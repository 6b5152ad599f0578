"""The lists of the accounts pages: columns, search and filters."""

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from accounts.models import Organization
from panel.core.tables import TemplateColumn

STATE = "{% load ui %}{% state record.status record.get_status_display %}"
LIMIT = "{% load ui %}{{ value|limit }}"
SIZE = "{% load ui %}{{ value|gb }}"
AGO = "{% load ui %}{% moment value 'ago' %}"
TITLE = {"a": {"class": "row-title"}}


class OrganizationFilter(django_filters.FilterSet):
    """Organizations by name and state."""

    q = django_filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Name"), "type": "search", "maxlength": "100"}),
    )
    status = django_filters.ChoiceFilter(
        choices=Organization.Status.choices,
        label=_("State"),
        empty_label=_("Any state"),
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names."""
        return rows.filter(name__icontains=value)


class ClientTable(tables.Table):
    """Clients."""

    name = tables.Column(linkify=("accounts:client", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    status = TemplateColumn(STATE, verbose_name=_("State"))
    created_at = TemplateColumn(AGO, verbose_name=_("Since"), order_by="id")

    class Meta:
        order_by = "name"


class ResellerTable(tables.Table):
    """Resellers."""

    name = tables.Column(linkify=("accounts:reseller", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    status = TemplateColumn(STATE, verbose_name=_("State"))
    created_at = TemplateColumn(AGO, verbose_name=_("Since"), order_by="id")

    class Meta:
        order_by = "name"


class MemberTable(tables.Table):
    """People of an organization."""

    name = tables.Column(
        accessor="user__name",
        linkify=("accounts:member_change", {"pk": A("pk")}),
        attrs=TITLE,
        verbose_name=_("Name"),
    )
    email = tables.Column(accessor="user__email", verbose_name=_("Mail address"))
    role = TemplateColumn("{{ record.get_role_display }}", verbose_name=_("Role"))

    class Meta:
        order_by = "name"


class InvitationTable(tables.Table):
    """Invitations that wait for an answer."""

    email = tables.Column(verbose_name=_("Mail address"), attrs={"td": {"class": "row-title"}})
    role = TemplateColumn("{{ record.get_role_display }}", verbose_name=_("Role"))
    status = TemplateColumn(
        "{% load i18n ui %}{% if record.status == 'open' %}{% state 'pending' %}"
        "{% else %}{% translate 'Expired' as words %}{% state 'waiting' words %}{% endif %}",
        verbose_name=_("State"),
        orderable=False,
    )
    sent_at = TemplateColumn(AGO, verbose_name=_("Sent"))
    expires_at = TemplateColumn("{% load ui %}{% moment value %}", verbose_name=_("Good until"))
    manage = TemplateColumn(
        '{% load i18n %}<a class="btn btn-sm" href="{% url "accounts:invitation_resend" record.pk %}">'
        '{% translate "Send again" %}</a> <a class="btn btn-sm btn-ghost-danger" '
        'href="{% url "accounts:invitation_revoke" record.pk %}">{% translate "Take back" %}</a>',
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    class Meta:
        order_by = "-sent_at"


class ImpersonationTable(tables.Table):
    """Who acted as whom."""

    started_at = TemplateColumn(AGO, verbose_name=_("When"), order_by="id")
    who = tables.Column(verbose_name=_("Who"), orderable=False, empty_values=(None, ""), default=_("your host"))
    user = tables.Column(accessor="user__name", verbose_name=_("Acted as"))
    organization = tables.Column(accessor="organization__name", verbose_name=_("Organization"))
    reason = tables.Column(verbose_name=_("Reason"), orderable=False)
    ended = TemplateColumn(
        "{% load ui i18n %}{% if record.ended_at %}{% moment record.ended_at 'ago' %}"
        "{% else %}{% translate 'by' %} {% moment record.ends_at %}{% endif %}",
        verbose_name=_("Ended"),
        orderable=False,
    )

    class Meta:
        order_by = "-started_at"


class TokenTable(tables.Table):
    """API tokens."""

    name = tables.Column(verbose_name=_("Name"))
    prefix = TemplateColumn('<span class="mono">{{ value }}…</span>', verbose_name=_("Begins with"))
    scopes = TemplateColumn('{{ value|join:" " }}', verbose_name=_("Scopes"), orderable=False)
    last_used_at = TemplateColumn(AGO, verbose_name=_("Last used"), default=_("never"))
    expires_at = TemplateColumn(AGO, verbose_name=_("Ends"), default=_("never"))
    revoke = TemplateColumn(
        '{% load i18n %}<a class="btn btn-sm btn-ghost-danger" href="{% url "accounts:token_revoke" record.pk %}">'
        '{% translate "Revoke" %}</a>',
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    class Meta:
        order_by = "-created_at"


class PlanTable(tables.Table):
    """Reseller plans on sale."""

    name = tables.Column(linkify=("accounts:plan_change", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    accounts = TemplateColumn(LIMIT, verbose_name=_("Accounts"), empty_values=())
    disk_bytes = TemplateColumn(SIZE, verbose_name=_("Disk space"), empty_values=())
    bandwidth_bytes = TemplateColumn(SIZE, verbose_name=_("Bandwidth per month"), empty_values=())
    overuse = TemplateColumn("{{ record.get_overuse_display }}", verbose_name=_("When over"))
    reseller_count = tables.Column(verbose_name=_("Resellers"))

    class Meta:
        order_by = "name"
