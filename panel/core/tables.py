"""Tables of pages, as quickly as they can be written: what is alike in all rows is worked out once a table.

Which columns a table has, and what they are called, is its app's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import django_tables2
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.template import Context, Engine, Template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2.rows import BoundRow, BoundRows
from django_tables2.utils import signature


class TemplateColumn(django_tables2.TemplateColumn):
    """A column whose cells are written by a template, which is parsed once and gets the page's own context."""

    def render(self, record: Any, table: Any, value: Any, bound_column: Any, **kwargs: Any) -> str:
        """Return the cell of one row."""
        context: Context = getattr(table, "context", None) or Context()
        own = self.get_context_data(record=record, table=table, value=value, bound_column=bound_column, **kwargs)
        template = _parsed(self.template_code) if self.template_code else _kept(self.template_name)
        with context.update(own):
            return template.render(context)


class RowPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a table. Of rows in the database the keys of a page are chosen first, and only what they stand for is
    joined and read, so that a late page costs little more than the first. What is alike in what the rows are ordered by
    goes by key, so that each row is on one page.
    """

    def page(self, number: int | str) -> Page[Any]:
        """Return the page; raises InvalidPage for one that is not there."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows = cast(BoundRows, self.object_list)
        found = getattr(rows.data, "data", None)
        if not isinstance(found, QuerySet) or found.query.distinct or found.query.is_sliced or found.query.combinator:
            return super().page(number)
        if found.query.order_by:
            found = found.order_by(*found.query.order_by, "pk")
        chosen = found.values("pk")[start : start + self.per_page]
        return Page(BoundRows(data=found.filter(pk__in=chosen), table=rows.table), number, self)


def cells(table: django_tables2.Table) -> Iterator[list[tuple[SafeString, Any]]]:
    """Yield the rows of a table's page as pairs of a cell's attributes and what it shows."""
    shown = [
        (column.name, format_html('data-label="{}" {}', column.header, column.attrs["td"].as_html()))
        for column in table.columns
    ]
    for record in table.paginated_rows.data:
        row = Row(record, table=table)
        yield [(attributes, row.get_cell(name)) for name, attributes in shown]


class Row(BoundRow):
    """A row that remembers what a column's `render` wants to be given, for which Python's `inspect` takes long."""

    def _call_render(self, bound_column: Any, value: Any = None) -> Any:
        given = self._optional_cell_arguments(bound_column, value)
        wanted = _wanted(getattr(bound_column.render, "__func__", bound_column.render))
        content = bound_column.render(**(given if wanted is None else {name: given[name] for name in wanted}))
        return bound_column.link(content, **given) if bound_column.link else content


@cache
def _wanted(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """Return the names of a method's arguments, or None where it takes all that it is given."""
    names, takes_all = signature(function)
    return None if takes_all else tuple(name for name in names if name != "self")


@cache
def _parsed(code: str) -> Template:
    return Template(code)


def _kept(name: str) -> Template:
    """Return a template by name, without the context processors that rendering it by itself would run."""
    return Engine.get_default().get_template(name)
