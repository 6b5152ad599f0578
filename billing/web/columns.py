"""Columns that tables of money share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django_tables2
from django.utils.formats import localize
from django.utils.html import format_html

from billing import formats
from billing.pricing import money as pricing


class FigureColumn(django_tables2.Column):
    """A number, to the right as amounts are.

    With `link` (a function of the row) it leads to its documents, except where it is nothing.
    """

    is_amount = True

    def __init__(self, *args: Any, link: Callable[[Any], str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "text-md-end text-nowrap tabular"}})
        super().__init__(*args, **kwargs)
        self.document_link = link

    def render(self, value: Any, record: Any) -> str:
        """Write the number."""
        return self.linked(localize(value), value, record)

    def linked(self, text: str, value: Any, record: Any) -> str:
        """Return a text that leads to the documents of the figure that it stands for."""
        url = self.document_link(record) if self.document_link and value else ""
        return format_html('<a href="{}">{}</a>', url, text) if url else text


class MoneyColumn(FigureColumn):
    """An amount in the currency of its row, which `currency` leads to; files hold the bare number."""

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = django_tables2.A(currency)

    def render(self, value: Decimal, record: Any) -> str:
        """Write the amount with its currency."""
        return self.linked(formats.money(value, self.currency.resolve(record)), value, record)

    def value(self, value: Decimal, record: Any) -> Decimal:
        """Export the number, with the places of its currency."""
        return value.quantize(pricing.unit(self.currency.resolve(record)))


class SumColumn(MoneyColumn):
    """An amount whose sum stands at the foot of the list, over all of its pages.

    The page puts `sums` (column → amount) and `currency` on the table.
    """

    def render_footer(self, bound_column: Any, table: Any) -> str:
        """Write the sum."""
        return formats.money(table.sums[bound_column.name], table.currency)
