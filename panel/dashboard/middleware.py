"""Shows pages in the time zone of the person who reads them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

Next = Callable[[HttpRequest], HttpResponseBase]


class TimeZoneMiddleware:
    """Activates the signed-in person's time zone for the length of a request; a zone that is gone counts as UTC."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = getattr(request.user, "timezone", "") if getattr(request, "actor", None) else ""
        try:
            zone = ZoneInfo(name) if name else None
        except (ZoneInfoNotFoundError, ValueError):
            zone = None
        with timezone.override(zone):
            return self.get_response(request)
