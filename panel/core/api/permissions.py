"""Who gets as far as an endpoint's code; what an actor may do to an object is asked by the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from panel.core import policy
from panel.core.errors import Forbidden

if TYPE_CHECKING:  # the framework's views import this module
    from rest_framework.views import APIView


class HasActor(BasePermission):
    """Lets in whoever may do the action that the view names for the request's method, to some object at least."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return False for strangers (401); raises Forbidden when the permission table says no."""
        actor = getattr(request._request, "actor", None)
        if actor is None:
            return False
        actions: dict[str, str] = getattr(view, "actions", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        action = actions.get(method)
        if action is None:
            if method == "OPTIONS":
                return True
            raise Forbidden()
        policy.require(actor, action)
        if policy.wants_fresh(action):
            policy.require_fresh(actor)
        return True
