"""Per request: whose panel this is, who acts, and the tenant scope around everything else."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts import actors
from accounts.selectors import brands
from panel.core import scoping
from panel.core.error_pages import bad_request

Next = Callable[[HttpRequest], HttpResponseBase]


class PanelHostMiddleware:
    """Sets `request.brand` from the Host header; a host that is no panel of ours gets a neutral 400 page."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        brand = brands.for_host(host_of(request))
        if brand is None:
            return bad_request(request)
        request.brand = brand  # type: ignore[attr-defined]
        return self.get_response(request)


class ActorMiddleware:
    """Sets `request.actor` (None for strangers), its tenant scope and time zone; ends a session at the wrong panel."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        actor = actors.for_request(request)
        request.actor = actor  # type: ignore[attr-defined]
        if actor is None:
            if request.user.is_authenticated:
                logout(request)
            return self.get_response(request)
        with scoping.tenant(actor.path), timezone.override(request.user.timezone):  # type: ignore[union-attr]
            return self.get_response(request)


def host_of(request: HttpRequest) -> str:
    """Return the request's host name in lower case without port or trailing dot, or "" when the header is malformed."""
    try:
        host = request.get_host().lower()
    except DisallowedHost:
        return ""
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and (not host.startswith("[") or name.endswith("]")):
        host = name
    return host.removesuffix(".")
