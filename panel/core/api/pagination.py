"""Pages of lists by id, newest first: stable while rows come and go."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from panel.core.errors import Invalid

LIMIT = 50
HIGHEST = 200
PAGING = ("cursor", "limit", "format")
"""Names in a list's address that are no filters."""


def page(request: Request, rows: QuerySet[Any]) -> tuple[list[Any], str | None]:
    """Return one page of `rows` by `?cursor` and `?limit`, and the address of the next one, or None."""
    size = limit(request)
    rows = rows.order_by("-pk")
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        rows = _after(rows, cursor)
    found = list(rows[: size + 1])
    if len(found) <= size:
        return found, None
    query = request.query_params.copy()
    query["cursor"] = str(found[size - 1].pk)
    return found[:size], request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _after(rows: QuerySet[Any], cursor: str) -> QuerySet[Any]:
    try:
        if cursor.isascii() and cursor.replace("_", "").isalnum() and len(cursor) <= 40:
            return rows.filter(pk__lt=cursor)
    except ValueError:  # a word, where rows have numbers
        pass
    raise Invalid("cursor", "Take the cursor from the `next` address of the page before.", "cursor")


def limit(request: Request) -> int:
    """Return how many items a page may have."""
    text = request.query_params.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= HIGHEST):
        raise Invalid("limit", f"Give a whole number from 1 to {HIGHEST}.", "limit")
    return int(text)
