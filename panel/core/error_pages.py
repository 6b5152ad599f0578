"""What is shown when a request fails outside of a view: a page, or a problem document at addresses of the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from panel.core.api import problems

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: the request or its host name makes no sense here."""
    return _answer(request, 400, "bad_request", "This request can't be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return _answer(request, 403, "forbidden", "You are not allowed to do this.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404."""
    return _answer(request, 404, "not_found", "Not found.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, saying nothing of the reason."""
    return _answer(request, 500, "internal", "Something went wrong here. It was noted.")


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(API):
        return problems.response(request, status, code, detail)
    return render(request, f"{status}.html", status=status)
