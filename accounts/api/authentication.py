"""API tokens as `Authorization: Bearer hw_…`."""

from typing import Any

from allauth.account.adapter import get_adapter
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import actors
from accounts.middleware import sign_in_first
from accounts.models import ApiToken, User
from accounts.selectors import sign_in
from accounts.services import tokens
from panel.core.errors import Forbidden

_REALM = 'Bearer realm="api"'


class TokenAuthentication(BaseAuthentication):
    """The user of the token that the request carries; other authentication is left to others."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return user and token and make the token's actor the request's; raises for a token that opens nothing."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = tokens.find(words[1].decode("ascii", "replace")) if len(words) == 2 else None
        actor = actors.for_token(token, get_adapter().get_client_ip(request._request)) if token else None
        if token is None or actor is None:
            raise AuthenticationFailed("This token is unknown, revoked or expired.", code="token_invalid")
        view = (request.parser_context or {}).get("view")
        if actor.suspended and not actors.stays_open(view, token.organization):
            raise actors.suspended()
        if sign_in.demands([token.organization]).second_factor and not sign_in.has_second_factor(token.user_id):
            raise Forbidden(sign_in_first(), code="second_factor_required")
        request._request.actor = actor  # type: ignore[attr-defined]
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes an unauthenticated answer a 401."""
        return _REALM


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How tokens are described in the OpenAPI document."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme's description."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "hw_<id>_<secret>"}
