"""Columns that tables of money share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_tables2
from django.utils.html import format_html

from billing import formats
from billing.pricing import money as pricing


class FigureColumn(django_tables2.Column):
    """A number, to the right as amounts are."""

    is_amount = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "text-md-end text-nowrap tabular"}})
        super().__init__(*args, **kwargs)


class MoneyColumn(FigureColumn):
    """An amount in the currency of its row, which `currency` leads to; files hold the bare number.

    With `link` (a function of the row) it leads to its documents, except where it is nothing.
    """

    def __init__(self, *args: Any, currency: str = "currency", link: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = django_tables2.A(currency)
        self.document_link = link

    def render(self, value: Decimal, record: Any) -> str:
        """Write the amount with its currency."""
        text = formats.money(value, self.currency.resolve(record))
        url = self.document_link(record) if self.document_link and value else ""
        return format_html('<a href="{}">{}</a>', url, text) if url else text

    def value(self, value: Decimal, record: Any) -> Decimal:
        """Export the number, with the places of its currency."""
        return value.quantize(pricing.unit(self.currency.resolve(record)))
