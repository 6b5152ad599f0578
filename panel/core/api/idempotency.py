"""`Idempotency-Key` on POST: a repetition gets the same answer, and nothing is done twice.

The key's row is committed before the work, as the sign for parallel repetitions; the answer is written in the
transaction of the work itself. So a row without an answer that is older than any request stands for work that never
happened. Work that asks a service elsewhere is not held in a transaction meanwhile: it has a key of its own in the
body, by which nothing is done twice when its answer was lost.
"""

import functools
import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api import problems
from panel.core.errors import Conflict, DomainError, Invalid
from panel.core.models import IdempotencyKey

ABANDONED = timedelta(minutes=5)
LONGEST = 255
Handler = TypeVar("Handler", bound=Callable[..., HttpResponseBase])


class KeyReused(DomainError):
    """The same key came with another request (HTTP 422)."""

    status = 422


def idempotent(handler: Handler) -> Handler:
    """Wrap a POST handler of an `ApiView`."""

    @functools.wraps(handler)
    def wrapped(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        row, fresh = _claim(request, key)
        if not fresh:
            return _replay(row)
        try:
            with nullcontext() if view.asks_elsewhere else transaction.atomic():
                response = handler(view, request, *args, **kwargs)
                _finish(row, response)
        except Exception as error:
            refusal = problems.handler(error, {})
            if refusal is None or refusal.status_code == 429:
                row.delete()
            else:
                _finish(row, refusal)
            raise
        return response

    return wrapped  # type: ignore[return-value]


def _claim(request: Request, key: str) -> tuple[IdempotencyKey, bool]:
    """Return the key's row, and whether its work is this request's to do."""
    if not (1 <= len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise Invalid("idempotency_key", f"Give 1 to {LONGEST} printable ASCII characters.", "Idempotency-Key")
    actor = request._request.actor  # type: ignore[attr-defined]
    caller = f"{actor.user_id}:{actor.organization_id}"
    text = b"\0".join([str(request.method).encode(), request.get_full_path().encode(), request._request.body])
    fingerprint = hashlib.sha256(text).hexdigest()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(caller=caller, key=key, fingerprint=fingerprint), True
    except IntegrityError:
        row = IdempotencyKey.objects.get(caller=caller, key=key)
    if row.fingerprint != fingerprint:
        raise KeyReused("idempotency_key_reused", "This key was used for another request.", "Idempotency-Key")
    if row.status is None and not _take_over(row):
        raise Conflict("The first request with this key is still at work.", code="idempotency_in_progress")
    return row, row.status is None


def _take_over(row: IdempotencyKey) -> bool:
    """Take over an abandoned key; False when it is not abandoned or somebody else was faster."""
    old = IdempotencyKey.objects.filter(pk=row.pk, status=None, created_at=row.created_at)
    return old.filter(created_at__lt=timezone.now() - ABANDONED).update(created_at=timezone.now()) == 1


def _finish(row: IdempotencyKey, response: HttpResponseBase) -> None:
    """Keep the answer; of one that holds a secret (`Cache-Control: no-store`) only that it was given."""
    row.status = response.status_code
    row.location = response.headers.get("Location", "")
    if isinstance(response, Response) and "no-store" not in response.headers.get("Cache-Control", ""):
        row.content_type = response.content_type or "application/json"
        row.body = JSONRenderer().render(response.data)
    row.save()


def _replay(row: IdempotencyKey) -> HttpResponse:
    if not row.content_type:
        raise Conflict(
            "This was done already; its answer held a secret and is not kept.", code="idempotency_not_replayable"
        )
    headers = {"Idempotency-Replayed": "true"} | ({"Location": row.location} if row.location else {})
    return HttpResponse(bytes(row.body), status=row.status, content_type=row.content_type, headers=headers)
