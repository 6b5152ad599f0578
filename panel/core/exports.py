"""Lists as CSV files (RFC 4180), sent piece by piece in the scope of whoever asked; no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import django_tables2
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone, translation
from django_tables2.rows import BoundRow

from panel.core import scoping

PIECE = 500
"""So many rows are read and sent at a time."""
NOTHING = "\N{EN DASH}"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Lines = Iterable[Sequence[object]]


def respond(
    request: HttpRequest, name: str, header: Sequence[object], pieces: Iterator[Lines]
) -> StreamingHttpResponse:
    """Return the file `name`.csv: `header`, then the lines of each of `pieces`.

    Pieces are made while the answer is sent, when the request's own scope, time zone and language are gone; each is
    made inside the same again.
    """
    texts = _texts(header, pieces, _inside(request))
    return StreamingHttpResponse(
        _awaited(texts) if isinstance(request, ASGIRequest) else texts,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def of_table(request: HttpRequest, table: django_tables2.Table, name: str) -> StreamingHttpResponse:
    """Return all rows of a table, in its order: times as ISO 8601 in the reader's zone, numbers bare, lists joined."""
    columns = [column for column in table.columns.iterall() if not column.column.exclude_from_export]
    header = [column.header or column.name for column in columns]
    return respond(request, name, header, _table_pieces(table, [column.name for column in columns]))


def of_rows(
    request: HttpRequest,
    rows: QuerySet[Any] | list[Any],
    name: str,
    fields: Sequence[str],
    write: Callable[[list[Any]], Any],
) -> StreamingHttpResponse:
    """Return rows as `write` (a serializer for many) puts them, a column per field; what is not plain is JSON."""
    pieces = ([[_json(item[field]) for field in fields] for item in write(part)] for part in pieces_of(rows))
    return respond(request, name, fields, pieces)


def pieces_of(rows: QuerySet[Any] | list[Any]) -> Iterator[list[Any]]:
    """Yield rows in their order, a piece at a time. They are those that there were at the first, without holding a
    transaction open; what has been removed meanwhile is left out.
    """
    if isinstance(rows, list):
        yield rows
        return
    keys = list(dict.fromkeys(rows.values_list("pk", flat=True)))
    for start in range(0, len(keys), PIECE):
        piece = keys[start : start + PIECE]
        found = {row.pk: row for row in rows.filter(pk__in=piece)}
        yield [found[key] for key in piece if key in found]


def plain(value: object) -> object:
    """Return a value as files hold it: times as ISO 8601 in the reader's zone, lists joined, others as they are."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else value


def inert(value: object) -> str:
    """Return a cell's text, with an apostrophe in front where a spreadsheet would read a formula."""
    if isinstance(value, int | float | Decimal):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _texts(
    header: Sequence[object], pieces: Iterator[Lines], inside: Callable[[], AbstractContextManager[None]]
) -> Iterator[str]:
    yield _written([header])
    while True:
        with inside():
            lines = next(pieces, None)
            if lines is None:
                return
            text = _written(lines)
        yield text


async def _awaited(texts: Iterator[str]) -> AsyncIterator[str]:
    """Yield what a plain iterator does, each made in the request's thread, so that the event loop is never blocked."""
    following = sync_to_async(lambda: next(texts, None))
    while (text := await following()) is not None:
        yield text


def _inside(request: HttpRequest) -> Callable[[], AbstractContextManager[None]]:
    actor = getattr(request, "actor", None)
    path, zone, language = actor.path if actor else "/-/", timezone.get_current_timezone(), translation.get_language()

    @contextmanager
    def inside() -> Iterator[None]:
        with scoping.tenant(path), timezone.override(zone), translation.override(language):
            yield

    return inside


def _written(lines: Lines) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([inert(value) for value in line] for line in lines)
    return buffer.getvalue()


def _table_pieces(table: django_tables2.Table, names: Sequence[str]) -> Iterator[Lines]:
    data = table.data.data
    for part in pieces_of(data if isinstance(data, QuerySet) else list(data)):
        piece = type(table)(part, order_by=())
        yield [[_cell(piece, row, name) for name in names] for row in piece.rows]


def _cell(table: django_tables2.Table, row: BoundRow, name: str) -> object:
    """Return what a column holds for a row, rather than how a page shows it."""
    column = table.columns[name]
    raw = column.accessor.resolve(row.record, quiet=True) if column.accessor else None
    if hasattr(table, f"value_{name}") or isinstance(raw, bool):
        return row.get_cell_value(name)
    if isinstance(raw, datetime | int | float | list | tuple):
        return plain(raw)
    if isinstance(raw, dict):
        return _json(raw)
    value = row.get_cell_value(name)
    if isinstance(value, Decimal):
        return value
    text = " ".join(str(value or "").split())
    return "" if text == NOTHING else text


def _json(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict | bool) else value
