"""Refusals as problem documents (RFC 9457): type, title, status, detail, a stable code, field and errors by field."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from panel.core.errors import Conflict, DomainError, Forbidden, NotFound

CONTENT_TYPE = "application/problem+json"
_HEADERS = {"auth_header": "WWW-Authenticate", "wait": "Retry-After"}


def body(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    errors: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a problem document. `params` of a refusal (a limit's rule, level, use) become members of their own."""
    return {
        **(params or {}),
        "type": f"urn:problem-type:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "field": field,
        "errors": errors or {},
    }


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to what an endpoint raised; None for what is not a refusal but a fault of ours."""
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = Forbidden()
    elif isinstance(error, IntegrityError):
        error = Conflict("This collides with something that is there already.")
    if isinstance(error, DomainError):
        document = body(
            error.status, error.code, error.message, field=error.field, errors=error.errors, params=error.params
        )
        return Response(document, status=error.status, content_type=CONTENT_TYPE)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def response(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Return a problem outside the framework, for the error pages of API addresses."""
    return JsonResponse(body(status, code, detail), status=status, content_type=CONTENT_TYPE)


def _of_framework(error: exceptions.APIException) -> Response:
    headers = {
        header: str(int(value) if attribute == "wait" else value)
        for attribute, header in _HEADERS.items()
        if (value := getattr(error, attribute, None)) is not None
    }
    if isinstance(error, exceptions.ValidationError):
        errors = _flat(error.detail)
        field, texts = next(iter(errors.items()))
        document = body(400, _first_code(error.get_codes()), texts[0], field=field, errors=errors)
    else:
        code = str(error.get_codes())
        document = body(error.status_code, code, str(error.detail))
    return Response(document, status=error.status_code, headers=headers, content_type=CONTENT_TYPE)


def _flat(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Return messages by dotted field (`scopes.0`), whatever the nesting."""
    if isinstance(detail, dict):
        parts = detail.items()
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        parts = enumerate(detail)  # type: ignore[assignment]
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {prefix or "non_field": [str(text) for text in texts]}
    found: dict[str, list[str]] = {}
    for key, value in parts:
        name = "non_field" if key == "non_field_errors" else str(key)
        if value:
            found |= _flat(value, f"{prefix}.{name}" if prefix else name)
    return found


def _first_code(codes: Any) -> str:
    while not isinstance(codes, str):
        codes = next(iter(codes.values() if isinstance(codes, dict) else [code for code in codes if code]))
    return str(codes)
