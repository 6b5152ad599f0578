"""Signing in to the API by the session of the panel's pages; tokens are the accounts app's affair."""

from typing import Any

from rest_framework.authentication import SessionAuthentication as Base
from rest_framework.request import Request


class SessionAuthentication(Base):
    """The signed-in user of this panel, with CSRF protection; nobody when the session has no actor here."""

    def authenticate(self, request: Request) -> Any:
        """Return (user, None), or None for strangers."""
        if getattr(request._request, "actor", None) is None:
            return None
        return super().authenticate(request)
