"""Lists of what is sold: customers, products, prices, tax rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django_tables2.utils import A

from billing import countries
from billing.models import Customer, Price, Product
from billing.selectors import prices
from billing.web.columns import MoneyColumn
from billing.web.form_fields import CURRENCIES
from panel.core.tables import TemplateColumn

TITLE = {"a": {"class": "row-title"}}
NUMBER = {"td": {"class": "text-md-end text-nowrap tabular"}}
VAT = (
    "{% load ui %}{% if record.vat_number %}{{ record.vat_number }} "
    "{% if value == 'valid' %}{% state 'verified' record.get_vat_state_display %}"
    "{% elif value == 'invalid' %}{% state 'refused' record.get_vat_state_display %}"
    "{% else %}{% state 'waiting' record.get_vat_state_display %}{% endif %}{% else %}\N{EN DASH}{% endif %}"
)
PRICE_STATE = "{% load ui %}{% state record.state record.words %}"
PRICE_ACTS = (
    "{% load i18n %}{% if record.may_change %}"
    "{% if record.state == 'pending' %}"
    '<a class="btn btn-sm btn-ghost-danger" href="{% url "billing:price_remove" record.price.pk %}">'
    '{% translate "Take back" %}</a>'
    "{% endif %}"
    "{% if record.others %}"
    '<a class="btn btn-sm" href="{% url "billing:price_apply" record.price.pk %}">{% translate "Apply" %}</a> '
    "{% endif %}"
    "{% if record.state == 'active' and not record.price.ended_on %}"
    '<a class="btn btn-sm" href="{% url "billing:price_end" record.price.pk %}">{% translate "End" %}</a>'
    "{% endif %}{% endif %}"
)
ACTIONS = {"td": {"class": "cell-actions"}}


def _search(placeholder: Any) -> django_filters.CharFilter:
    widget = forms.TextInput(attrs={"placeholder": placeholder, "type": "search", "maxlength": "100"})
    return django_filters.CharFilter(method="find", label=_("Search"), widget=widget, max_length=100)


class CustomerFilter(django_filters.FilterSet):
    """Customers by name and VAT number."""

    q = _search(_("Name or VAT number"))
    vat_state = django_filters.ChoiceFilter(
        choices=Customer.VatState.choices, label=_("VAT number"), empty_label=_("Any VAT number")
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names and numbers."""
        return rows.filter(Q(name__icontains=value) | Q(vat_number__icontains=value) | Q(buyer__name__icontains=value))


class ProductFilter(django_filters.FilterSet):
    """Products by name and kind."""

    q = _search(_("Name"))
    kind = django_filters.ChoiceFilter(choices=Product.Kind.choices, label=_("Kind"), empty_label=_("Any kind"))

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in names."""
        return rows.filter(name__icontains=value)


class PriceFilter(django_filters.FilterSet):
    """A price list by product, currency and day; without a day it is today's."""

    q = _search(_("Product"))
    currency = django_filters.ChoiceFilter(choices=CURRENCIES, label=_("Currency"), empty_label=_("Any currency"))
    on = django_filters.DateFilter(
        method="on_day", label=_("On"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def find(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Look for the text in products' names."""
        return rows.filter(product__name__icontains=value)

    def on_day(self, rows: QuerySet[Price], name: str, value: date) -> QuerySet[Price]:
        """Keep what is in force on a day; without one the page says which."""
        return prices.in_force(rows, value)


class CustomerTable(tables.Table):
    """Who buys."""

    name = tables.Column(linkify=("billing:customer", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    country = tables.Column(verbose_name=_("Country"), default="\N{EN DASH}")
    vat_state = TemplateColumn(VAT, verbose_name=_("VAT number"))
    currency = tables.Column(verbose_name=_("Currency"))
    since = tables.DateColumn(verbose_name=_("Since"))

    class Meta:
        order_by = "name"

    def render_country(self, value: str) -> str:
        """Write the country's name."""
        return countries.name(value)

    def value_vat_state(self, record: Customer) -> str:
        """Export number and state."""
        return f"{record.vat_number} {record.vat_state}".strip()


class ProductTable(tables.Table):
    """What is on sale."""

    name = tables.Column(linkify=("billing:product", {"pk": A("pk")}), attrs=TITLE, verbose_name=_("Name"))
    kind = TemplateColumn("{{ record.get_kind_display }}", verbose_name=_("Kind"))
    tax_category = TemplateColumn("{{ record.get_tax_category_display }}", verbose_name=_("Tax"))
    is_public = tables.TemplateColumn("{{ value|yesno }}", verbose_name=_("Order page"))
    subscription_count = tables.Column(verbose_name=_("Subscriptions"), attrs=NUMBER)

    class Meta:
        order_by = "name"


class PriceTable(tables.Table):
    """A price list."""

    product = tables.Column(
        linkify=("billing:product", {"pk": A("product_id")}),
        attrs=TITLE,
        order_by="product__name",
        verbose_name=_("Product"),
    )
    kind = TemplateColumn(
        "{{ record.product.get_kind_display }}", verbose_name=_("Kind"), order_by="product__kind", empty_values=()
    )
    currency = tables.Column(verbose_name=_("Currency"))
    months = TemplateColumn("{{ record.get_months_display }}", verbose_name=_("Cycle"))
    amount = MoneyColumn(verbose_name=_("Price"))
    setup = MoneyColumn(verbose_name=_("Setup fee"))
    valid_from = tables.DateColumn(verbose_name=_("From"))
    ended_on = tables.DateColumn(verbose_name=_("Not sold from"), default="\N{EN DASH}")

    class Meta:
        order_by = ("product", "currency", "months")

    def render_amount(self, record: Price, column: MoneyColumn) -> Any:
        """Write the price; what goes by use has a rule instead."""
        return _("by use") if record.rule is not None else column.render(record.amount, record)


class ProductPriceTable(tables.Table):
    """All prices of one product: past ones, those in force, those to come."""

    months = TemplateColumn(
        "{{ record.price.get_months_display }}", accessor="price__months", verbose_name=_("Cycle"), orderable=False
    )
    amount = MoneyColumn(accessor="price__amount", currency="price__currency", verbose_name=_("Price"), orderable=False)
    setup = MoneyColumn(
        accessor="price__setup", currency="price__currency", verbose_name=_("Setup fee"), orderable=False
    )
    valid_from = tables.DateColumn(accessor="price__valid_from", verbose_name=_("From"), orderable=False)
    ended_on = tables.DateColumn(
        accessor="price__ended_on", verbose_name=_("Not sold from"), default="\N{EN DASH}", orderable=False
    )
    state = TemplateColumn(PRICE_STATE, verbose_name=_("State"), orderable=False)
    subscriptions = tables.Column(verbose_name=_("Subscriptions"), attrs=NUMBER, orderable=False)
    manage = TemplateColumn(
        PRICE_ACTS, verbose_name="", orderable=False, exclude_from_export=True, empty_values=(), attrs=ACTIONS
    )

    def render_amount(self, record: Any, column: MoneyColumn) -> Any:
        """Write the price; what goes by use has a rule instead."""
        return _("by use") if record.price.rule is not None else column.render(record.price.amount, record)

    def value_state(self, record: Any) -> str:
        """Export the state's word."""
        return str(record.words)


class TaxRateTable(tables.Table):
    """Tax rates as a seller has set them."""

    country = tables.Column(attrs={"td": {"class": "row-title"}}, verbose_name=_("Country"))
    region = tables.Column(verbose_name=_("Region"), default="\N{EN DASH}")
    category = TemplateColumn("{{ record.get_category_display }}", verbose_name=_("Rate"))
    percent = tables.Column(verbose_name=_("Percent"), attrs=NUMBER, orderable=False)
    valid_from = tables.DateColumn(verbose_name=_("From"))
    manage = TemplateColumn(
        '{% load i18n %}{% if record.valid_from > table.today %}<a class="btn btn-sm btn-ghost-danger" '
        'href="{% url "billing:tax_rate_remove" record.pk %}">{% translate "Take back" %}</a>{% endif %}',
        verbose_name="",
        orderable=False,
        exclude_from_export=True,
        empty_values=(),
        attrs=ACTIONS,
    )

    class Meta:
        order_by = ("country", "region", "category", "-valid_from")

    today = date.max

    def render_country(self, value: str) -> str:
        """Write the country's name."""
        return countries.name(value)

    def render_percent(self, value: Decimal) -> str:
        """Write the percentage as people read it."""
        return number_format(value)


class TaxRateFilter(django_filters.FilterSet):
    """Tax rates by country."""

    country = django_filters.ChoiceFilter(choices=countries.choices, label=_("Country"), empty_label=_("Any country"))
