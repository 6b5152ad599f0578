"""Pages that hold lists among other things: each list comes as a CSV file, too (`?export=` with its name)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_tables2
from django.http import Http404, HttpRequest, HttpResponseBase

from panel.core import exports
from panel.core.web import Empty, Page, configured

PER_PAGE = 50


@dataclass(frozen=True)
class Sheet:
    """A list that the page draws in its own way, and what its file holds."""

    header: Sequence[object]
    lines: Iterable[Sequence[object]]


class ListsPage(Page):
    """A page that names its lists while it gathers its context, by `table()` and `sheet()`.

    The address of a list's file is the page's own, so that it holds what the page shows.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the page, or send one of its lists as a file; raises Http404 for a list that it does not have."""
        wanted = request.GET.get("export")
        if wanted is None:
            return super().get(request, *args, **kwargs)
        self.get_context_data()
        found = self._lists.get(wanted)
        if found is None:
            raise Http404
        if isinstance(found, Sheet):
            lines = ([exports.plain(value) for value in line] for line in found.lines)
            return exports.respond(request, self.file_name(wanted), found.header, iter([lines]))
        return exports.of_table(request, found, self.file_name(wanted))

    def file_name(self, name: str) -> str:
        """Return what the file of a list is called, without its ending."""
        return name

    def table(
        self,
        table_class: type[django_tables2.Table],
        rows: Iterable[Any],
        empty: Empty,
        prefix: str = "",
        per_page: int = PER_PAGE,
    ) -> Any:
        """Return a table of rows, sorted and paged by the address; it is named by `prefix`, or else by its class."""
        table = table_class(rows, prefix=prefix, empty_text=empty)
        name = prefix.rstrip("-") or table_class.__name__.removesuffix("Table").lower()
        table.export_url = self._named(name, table)
        return configured(self.request, table, per_page)

    def sheet(self, name: str, header: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
        """Name a list that is no table; returns the address of its file."""
        return self._named(name, Sheet(header, lines))

    def _named(self, name: str, found: django_tables2.Table | Sheet) -> str:
        self._lists[name] = found
        kept = self.request.GET.copy()
        kept.pop("export", None)
        kept["export"] = name
        return f"?{kept.urlencode()}"

    @cached_property
    def _lists(self) -> dict[str, django_tables2.Table | Sheet]:
        return {}
