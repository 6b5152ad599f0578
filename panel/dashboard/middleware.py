"""Shows pages in the language and time zone of the person who reads them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

Next = Callable[[HttpRequest], HttpResponseBase]


class LanguageMiddleware:
    """Speaks the language that the signed-in person has chosen; to strangers the brand's, unless the browser asks for
    another one that the panel has. What is asked for and not there counts as not asked for.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        known = dict(settings.LANGUAGES)
        chosen = getattr(request.user, "locale", "") if getattr(request, "actor", None) else ""
        if chosen not in known:
            asked = translation.get_language_from_request(request) if request.headers.get("accept-language") else ""
            branded = getattr(getattr(request, "brand", None), "locale", "")
            chosen = asked or (branded if branded in known else settings.LANGUAGE_CODE)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", chosen)
        return answer


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
