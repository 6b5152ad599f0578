"""Search and filters of the provisioning lists."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from provisioning.models import DriftItem, HostingAccount, Operation, Server
from provisioning.selectors import operations, servers


def search(placeholder: str | Promise) -> filters.CharFilter:
    """Return the search field `q`, which the filter set's `find` answers."""
    widget = forms.TextInput(attrs={"placeholder": placeholder, "type": "search", "maxlength": "100"})
    return filters.CharFilter(method="find", label=_("Search"), widget=widget, max_length=100)


class ServerFilter(filters.FilterSet):
    """Servers by name, address and state."""

    q = search(_("Name or address"))
    state = filters.ChoiceFilter(choices=Server.State.choices, label=_("State"), empty_label=_("Any state"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names and addresses."""
        return rows.filter(Q(name__icontains=value) | Q(host__icontains=value) | Q(addresses__ip=value)).distinct()


class DriftFilter(filters.FilterSet):
    """Findings of drift by name, account and what became of them."""

    q = search(_("Name or domain"))
    state = filters.ChoiceFilter(choices=DriftItem.State.choices, label=_("State"), empty_label=_("Any state"))
    kind = filters.ChoiceFilter(choices=DriftItem.Kind.choices, label=_("Difference"), empty_label=_("Any difference"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in keys and domains."""
        return rows.filter(Q(key__icontains=value) | Q(slice__hosting__domain__icontains=value))


class PackageFilter(filters.FilterSet):
    """Packages by name."""

    q = search(_("Name"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names."""
        return rows.filter(name__icontains=value)


class AccountFilter(filters.FilterSet):
    """Hosting accounts by domain, user, client and state."""

    q = search(_("Domain, user or client"))
    status = filters.ChoiceFilter(
        choices=HostingAccount.Status.choices, label=_("State"), empty_label=_("All but terminated"), method="of_status"
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in domains, user names and clients' names."""
        return rows.filter(
            Q(domain__icontains=value) | Q(username__icontains=value) | Q(organization__name__icontains=value)
        )

    organization = filters.CharFilter(field_name="organization_id", widget=forms.HiddenInput, max_length=32)
    server = filters.CharFilter(method="of_server", widget=forms.HiddenInput, max_length=32)

    def of_server(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what a server carries; nothing for who may not know servers."""
        carried = rows.filter(placements__server_id=value).distinct()
        return carried if servers.shown_to(self.request.actor) else rows.none()

    def of_status(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the accounts in one state."""
        return rows.filter(status=value)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave terminated accounts out unless they are asked for."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("status"):
            return rows
        return rows.exclude(status=HostingAccount.Status.TERMINATED)


class OperationFilter(filters.FilterSet):
    """Operations by what they are about and how they stand."""

    q = search(_("Name or domain"))
    status = filters.ChoiceFilter(
        choices=[("open", _("Open")), *Operation.Status.choices],
        label=_("State"),
        empty_label=_("Any state"),
        method="of_status",
    )
    server = filters.CharFilter(method="of_server", widget=forms.HiddenInput, max_length=32)
    account = filters.CharFilter(field_name="hosting_id", widget=forms.HiddenInput, max_length=32)
    batch = filters.CharFilter(widget=forms.HiddenInput, max_length=32)

    def of_status(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the operations in one state, or all that are not over."""
        return rows.filter(status__in=Operation.OPEN if value == "open" else [value])

    def of_server(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep what is about a server or has to reach it; nothing for who may not know servers."""
        return operations.reaching(rows, value) if servers.shown_to(self.request.actor) else rows.none()

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in subjects and accounts."""
        named = Q(subject__icontains=value) | Q(hosting__domain__icontains=value)
        if servers.shown_to(self.request.actor):
            named |= Q(server__name__icontains=value)
        return rows.filter(named)
