"""Security headers that Django itself does not send."""

import secrets
from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

Next = Callable[[HttpRequest], HttpResponseBase]


class ContentSecurityPolicyMiddleware:
    """Sends a Content-Security-Policy without `unsafe-inline`; inline code needs the nonce `request.csp_nonce`.

    A page whose form leads on to another origin names it in `request.csp_form_action`.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce = _Nonce()
        request.csp_nonce = SimpleLazyObject(nonce)  # type: ignore[attr-defined]
        response = self.get_response(request)
        elsewhere: tuple[str, ...] = getattr(request, "csp_form_action", ())
        response.headers.setdefault("Content-Security-Policy", policy(nonce.value, elsewhere))
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response


class _Nonce:
    """A nonce that is made when a template first asks for it, so that a page without inline code allows none."""

    value = ""

    def __call__(self) -> str:
        self.value = self.value or secrets.token_urlsafe(16)
        return self.value


def policy(nonce: str = "", form_action: Sequence[str] = ()) -> str:
    """Return the header's value, with `nonce` allowed for inline scripts and styles when there is one, and the origins
    `form_action` for where forms lead.
    """
    inline = f" 'nonce-{nonce}'" if nonce else ""
    directives = {
        "default-src": "'none'",
        "script-src": f"'self'{inline}",
        "style-src": f"'self'{inline}",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "frame-src": "'self'",
        "form-action": " ".join(("'self'", *form_action)),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
