"""How often a caller may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # the framework's views import this module
    from rest_framework.views import APIView


class CallerThrottle(SimpleRateThrottle):
    """Counts requests by user and organization, those of strangers by address."""

    scope = "caller"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; False when there were too many."""
        if getattr(request._request, "actor", None) is None:
            self.rate = self.THROTTLE_RATES["anonymous"]
            self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the counter's key."""
        actor = getattr(request._request, "actor", None)
        who = f"{actor.user_id}:{actor.organization_id}" if actor else f"address:{self.get_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": who}
