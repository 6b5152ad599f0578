"""Per request: whose panel this is, who acts, and the tenant scope around everything else."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth import logout
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts import actors
from accounts.host_proof import PATH as PROOF_PATH
from accounts.selectors import brands, sign_in
from accounts.services import sessions
from panel.core import scoping
from panel.core.actors import Actor
from panel.core.api import problems
from panel.core.error_pages import API, bad_request

Next = Callable[[HttpRequest], HttpResponseBase]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: Where people prove who they are, and change how.
OWN_SIGN_IN = re.compile(r"account_(?:change_password|set_password|reauthenticate)|mfa_.*")
#: What is open to somebody who has yet to set up the second factor that is demanded of them.
SET_UP = re.compile(
    r"accounts:second_factor|account_(?:logout|reauthenticate)|dashboard:brand_\w+"
    r"|mfa_(?:activate_totp|add_webauthn|reauthenticate|reauthenticate_webauthn|\w+_recovery_codes)"
)


class CredentialsMiddleware:
    """Answers 400 to cookies and Basic credentials with line ends or other control characters in them."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        texts = [*request.COOKIES, *request.COOKIES.values(), _basic(request.headers.get("authorization", ""))]
        if any(_CONTROL.search(text) for text in texts):
            return bad_request(request)
        return self.get_response(request)


class PanelHostMiddleware:
    """Sets `request.brand` from the Host header; a host that is no panel of ours gets a neutral 400 page.

    Readers of a host that its brand has left a short while ago are led to the one in use.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        host = host_of(request)
        brand = brands.for_host(host)
        if brand is None:
            return _proof(request, host) or _moved(request, host) or bad_request(request)
        request.brand = brand  # type: ignore[attr-defined]
        return self.get_response(request)


class ActorMiddleware:
    """Sets `request.actor` (None for strangers), its tenant scope and time zone; ends a session at the wrong panel and
    one that has lasted as long as policies let it. The actor is fresh when the person proved who they are a short
    while ago.

    An address with a NUL is nobody's: no row's id and no text has one, and no database takes it.

    Who lacks a second factor that is demanded is led to set it up, and reaches nothing else. Nobody sees to another
    person's sign-in while impersonating them.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        actor = self._actor(request)
        request.actor = actor  # type: ignore[attr-defined]
        if actor is None:
            if request.user.is_authenticated:
                logout(request)
            return self.get_response(request)
        with scoping.tenant(actor.path), timezone.override(request.user.timezone):  # type: ignore[union-attr]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Decide before the view does, now that its name is known."""
        if _holds_nul(request):
            raise Http404
        actor: Actor | None = request.actor  # type: ignore[attr-defined]
        match = request.resolver_match
        if actor is None or match is None:
            return None
        if actor.impersonator is not None and OWN_SIGN_IN.fullmatch(match.view_name):
            raise PermissionDenied(_("Nobody sees to another person's sign-in."))
        if not request.lacks_second_factor or SET_UP.fullmatch(match.view_name):  # type: ignore[attr-defined]
            return None
        if request.path.startswith(API):
            return problems.response(request, 403, "second_factor_required", sign_in_first())
        return HttpResponseRedirect(reverse("accounts:second_factor"))

    @staticmethod
    def _actor(request: HttpRequest) -> Actor | None:
        actor = actors.for_request(request)
        if actor is None:
            return None
        demands = sign_in.demands(row.organization for row in request.memberships)  # type: ignore[attr-defined]
        if sessions.over(request.session, demands.session_minutes):
            return None
        lacks = demands.second_factor and not sign_in.has_second_factor(str(actor.user_id))
        request.lacks_second_factor = lacks  # type: ignore[attr-defined]
        sessions.seen(request.session, actor.address)
        return replace(actor, fresh=sessions.is_fresh(request.session))


def sign_in_first() -> str:
    """Return what a program is told whose person lacks a second factor."""
    return _("A second factor is demanded of this person. Set it up in the panel first.")


def _holds_nul(request: HttpRequest) -> bool:
    """Tell whether an address has a NUL; endpoints of the API say themselves which of their filters has one."""
    asked = "" if request.path.startswith(API) else "".join(text for row in request.GET.lists() for text in row[1])
    return "\0" in request.path or "\0" in asked


def _basic(header: str) -> str:
    """Return the credentials of an `Authorization: Basic` header (RFC 7617), "" for any other."""
    scheme, _blank, text = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _proof(request: HttpRequest, host: str) -> HttpResponse | None:
    """Answer for a host that a brand waits for, to who asks for the token of that brand's claim."""
    if not request.path.startswith(PROOF_PATH) or request.method not in ("GET", "HEAD"):
        return None
    token = request.path.removeprefix(PROOF_PATH)
    for claim in brands.claims_at(host):
        if constant_time_compare(claim.token, token):
            return HttpResponse(claim.record_content, content_type="text/plain", headers={"Cache-Control": "no-store"})
    return None


def _moved(request: HttpRequest, host: str) -> HttpResponse | None:
    """Lead readers of a brand's former host to the same page at the host in use, which comes from the brand's row."""
    brand = brands.moved_from(host) if request.method in ("GET", "HEAD") else None
    return HttpResponseRedirect(brands.base_url(brand) + request.get_full_path()) if brand else None


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
