"""Lists of meters, of reported use and of price feeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing import formats
from billing.models import Meter, MeterEvent
from billing.selectors import meters as selectors
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
NUMBER = {"th": {"class": "text-md-end"}, "td": {"class": "text-md-end text-nowrap tabular"}}
MOMENT = "{% load ui %}{% if value %}{% moment value %}{% endif %}"
DIMENSIONS = (
    "{% for name, part in value.items %}{{ name }}: {{ part }}{% if not forloop.last %}, {% endif %}{% endfor %}"
)


class MeterTable(tables.Table):
    """What is counted."""

    name = tables.Column(linkify=("billing:meter_change", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    source = tables.Column(verbose_name=_("Figures"))
    unit = tables.Column(verbose_name=_("Unit"))
    event_count = tables.Column(verbose_name=_("Reported"), attrs=NUMBER)
    last_at = TemplateColumn(MOMENT, verbose_name=_("Last"))

    class Meta:
        order_by = "name"


class UseTable(tables.Table):
    """Use that was reported."""

    at = TemplateColumn(MOMENT, verbose_name=_("When"))
    meter = tables.Column(verbose_name=_("Meter"), attrs=TITLE)
    customer = tables.Column(verbose_name=_("Customer"))
    quantity = tables.Column(verbose_name=_("Quantity"), attrs=NUMBER, orderable=False, empty_values=())
    dimensions = TemplateColumn(DIMENSIONS, verbose_name=_("Details"), orderable=False)
    source = tables.Column(verbose_name=_("Source"))
    received_at = TemplateColumn(MOMENT, verbose_name=_("Received"))

    class Meta:
        order_by = "-at"

    def render_quantity(self, record: MeterEvent) -> str:
        """Write how much, with its unit: seconds of what went on."""
        if record.quantity is not None:
            return f"{formats.exact(record.quantity)} {record.meter.unit}"
        return f"{formats.exact(self._seconds(record))} s"

    def value_quantity(self, record: MeterEvent) -> Decimal:
        """Export the bare number."""
        return self._seconds(record) if record.quantity is None else record.quantity

    @staticmethod
    def _seconds(record: MeterEvent) -> Decimal:
        if record.starts_at is None or record.ends_at is None:
            return Decimal(0)
        return Decimal(str((record.ends_at - record.starts_at).total_seconds()))


class UseFilter(django_filters.FilterSet):
    """Use by meter."""

    meter: Any = django_filters.ModelChoiceFilter(
        queryset=lambda request: _meters(request), label=_("Meter"), empty_label=_("Any meter")
    )


def _meters(request: HttpRequest) -> QuerySet[Meter]:
    return selectors.listed(request.actor)  # type: ignore[attr-defined]


class FeedTable(tables.Table):
    """Prices in time."""

    name = tables.Column(linkify=("billing:feed", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    currency = tables.Column(verbose_name=_("Currency"))
    last_price = tables.Column(verbose_name=_("Newest price"), attrs=NUMBER, orderable=False)
    last_at = TemplateColumn(MOMENT, verbose_name=_("Since"))

    class Meta:
        order_by = "name"

    def render_last_price(self, value: Decimal) -> str:
        """Write the price with all its places."""
        return formats.exact(value)


class PointTable(tables.Table):
    """The prices of a feed."""

    instant = TemplateColumn(MOMENT, verbose_name=_("From"))
    price = tables.Column(verbose_name=_("Price"), attrs=NUMBER, orderable=False)

    class Meta:
        order_by = "-instant"

    def render_price(self, value: Decimal) -> str:
        """Write the price with all its places."""
        return formats.exact(value)
