"""Lists of what is unpaid and of what is held back for it: columns, search and filters."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing import words
from billing.models import Hold, Receivable, Seller
from billing.selectors import dunning as selectors
from billing.selectors import sellers
from billing.selectors.dunning import Outlook
from billing.web.columns import FigureColumn, MoneyColumn
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}, "td": {"class": "text-nowrap"}}
DAY = {"td": {"class": "text-nowrap"}}
NOTHING = "\N{EN DASH}"


class OverdueFilter(django_filters.FilterSet):
    """Unpaid invoices by number and customer, and by what is held back."""

    q = django_filters.CharFilter(
        method="find",
        label=_("Search"),
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("Number, customer"), "type": "search", "maxlength": "100"}),
    )
    state = django_filters.ChoiceFilter(
        method="of_state",
        choices=[("held", _("Held back")), ("paused", _("Waits")), ("free", _("Neither"))],
        label=_("State"),
        empty_label=_("Any state"),
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in numbers and names."""
        return rows.filter(Q(invoice__label__icontains=value) | Q(customer__name__icontains=value))

    def of_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep those whose customer is held back, those that wait, or the others."""
        if value == "free":
            return rows.exclude(is_held=True).exclude(is_paused=True)
        return rows.filter(**{f"is_{value}": True})


class UnpaidTable(tables.Table):
    """What a customer has not paid, what was done for it, and what comes when."""

    invoice = tables.Column(
        accessor="invoice__label",
        linkify=("billing:invoice", {"pk": A("invoice_id")}),
        attrs=TITLE,
        verbose_name=_("Invoice"),
    )
    due_on = tables.DateColumn(verbose_name=_("Due on"), attrs=DAY)
    late = FigureColumn(accessor="due_on", verbose_name=_("Days overdue"), order_by="-due_on")
    open = MoneyColumn(verbose_name=_("Open"))
    last = tables.Column(accessor="pk", verbose_name=_("Last step"), orderable=False)
    next = tables.Column(accessor="pk", verbose_name=_("Next step"), orderable=False)

    class Meta:
        order_by = "due_on"

    _seller: Seller | None = None

    @cached_property
    def now(self) -> datetime:
        """When the list is read."""
        return timezone.now()

    def outlook(self, record: Receivable) -> Outlook:
        """Return what was done for a row, and what comes; worked out once."""
        found: Outlook | None = vars(record).get("outlook")
        if found is None:
            found = vars(record)["outlook"] = selectors.outlook(record, self.seller_of(record), self.now)
        return found

    def seller_of(self, record: Receivable) -> Seller:
        """Return who is to be paid, which is the same in all rows."""
        if self._seller is None:
            self._seller = sellers.of(record.seller)
        return self._seller

    def render_late(self, record: Receivable) -> str:
        """Count the days since it was due."""
        days = self.value_late(record)
        return str(days) if days > 0 else NOTHING

    def value_late(self, record: Receivable) -> int:
        """Export the days; below zero before it is due."""
        return (sellers.today(self.seller_of(record), self.now) - record.due_on).days

    def render_last(self, record: Receivable) -> str:
        """Name the newest step and its day."""
        last = self.outlook(record).last
        if last is None:
            return NOTHING
        day = date_format(sellers.today(self.seller_of(record), last.done_at))
        return format_html('{}<div class="text-secondary small">{}</div>', self._step(record, last.step), day)

    def value_last(self, record: Receivable) -> str:
        """Export its name and its day."""
        last = self.outlook(record).last
        return f"{sellers.today(self.seller_of(record), last.done_at)} {self._step(record, last.step)}" if last else ""

    def render_next(self, record: Receivable) -> str:
        """Name the next step and its day."""
        coming = self.outlook(record).next
        if coming is None:
            return NOTHING
        name = self._step(record, coming.name)
        return format_html('{}<div class="text-secondary small">{}</div>', name, date_format(coming.on))

    def value_next(self, record: Receivable) -> str:
        """Export its name and its day."""
        coming = self.outlook(record).next
        return f"{coming.on} {self._step(record, coming.name)}" if coming else ""

    def _step(self, record: Receivable, name: str) -> str:
        return words.step(name, record.customer.buyer.kind)


class OverdueTable(UnpaidTable):
    """What customers should have paid, with what is held back of them."""

    customer = tables.Column(
        accessor="customer__name",
        linkify=("billing:customer_dunning", {"pk": A("customer_id")}),
        verbose_name=_("Customer"),
    )
    held = TemplateColumn(
        template_name="billing/held.html",
        accessor="pk",
        extra_context=lambda record, table: {
            "holds": selectors.standing(record),
            "paused_until": table.outlook(record).paused_until,
        },
        verbose_name=_("Held back"),
        orderable=False,
    )

    class Meta:
        order_by = "due_on"
        sequence = ("invoice", "customer", "...")

    def value_held(self, record: Receivable) -> str:
        """Export what is held back, and until when it waits."""
        kind, until = record.customer.buyer.kind, self.outlook(record).paused_until
        found = [words.stage(hold.stage, kind) for hold in selectors.standing(record)]
        return ", ".join([*found, *([gettext("Waits until %(day)s") % {"day": until}] if until else [])])


class HoldTable(tables.Table):
    """What is, or was, held back."""

    stage = tables.Column(verbose_name=_("What"), attrs={"td": {"class": "fw-medium"}})
    invoice = tables.Column(
        accessor="invoice__label", linkify=("billing:invoice", {"pk": A("invoice_id")}), verbose_name=_("For invoice")
    )
    begun_at = TemplateColumn("{% load ui %}{% moment value %}", verbose_name=_("Since"))
    lifted_at = TemplateColumn("{% load ui %}{% moment value %}", verbose_name=_("Lifted"))
    state = TemplateColumn(
        "{% include 'billing/hold_state.html' with hold=record words=record.get_state_display %}",
        verbose_name=_("State"),
    )
    lift = TemplateColumn(
        "{% load i18n %}{% if record.state == 'ordered' or record.state == 'done' %}"
        '<a class="btn btn-sm" href="{% url "billing:hold_lift" record.pk %}">{% translate "Lift now" %}</a>'
        "{% endif %}",
        accessor="pk",
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        attrs={"td": {"class": "cell-actions"}},
    )

    class Meta:
        order_by = "-begun_at"

    def render_stage(self, record: Hold) -> str:
        """Say what is held back."""
        return words.stage(record.stage, record.customer.buyer.kind)

    def value_state(self, record: Hold) -> str:
        """Export the words of its state."""
        return str(record.get_state_display())
