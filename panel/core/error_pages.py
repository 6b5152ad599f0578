"""What is shown when a request fails outside of a view: a page, or a problem document at addresses of the API."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from panel.core.api import problems
from panel.core.errors import Forbidden

API = "/api/"
RETRY_SECONDS = 5
THROTTLED_SECONDS = 300  # the longest of the times in which attempts are counted


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: the request or its host name makes no sense here."""
    return _answer(request, 400, "bad_request", "This request can't be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403, with the reason where there is another one than the role."""
    return _answer(request, 403, "forbidden", Forbidden.USUAL, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return _answer(request, 404, "not_found", "Not found.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, saying nothing of the reason; 503 when it is that the database does not answer."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unavailable(request)
    return _answer(request, 500, "internal", "Something went wrong here. It was noted.")


def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer 503 without a question to the database; what the request was to change was not changed."""
    if request.path.startswith(API):
        answer = problems.response(request, 503, "unavailable", "The panel's database does not answer. Try again.")
    else:
        answer = HttpResponse(render_to_string("503.html"), status=503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer 429, with the time after which the caller may try again."""
    answer = _answer(request, 429, "throttled", "Too many attempts. Wait a few minutes and try again.")
    answer.headers["Retry-After"] = str(THROTTLED_SECONDS)
    return answer


def _answer(request: HttpRequest, status: int, code: str, detail: str, **shown: str) -> HttpResponse:
    if request.path.startswith(API):
        return problems.response(request, status, code, detail)
    return render(request, f"{status}.html", shown, status=status)
