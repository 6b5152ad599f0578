"""Where payment services tell what happened: at any host, without session, cookie or CSRF token; signed or nothing."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from billing.gateways.base import NotGenuine, Unavailable
from billing.selectors.gateways import HOOKS
from billing.services import gateway_events

LARGEST_BYTES = 256 * 1024
LONGEST_SIGNATURE = 2000


class PaymentHookMiddleware:
    """Answers POSTs below /hooks/payments/ before anything looks at host or cookies.

    200 when it was taken, now or before; 400, with nothing said, for what is not genuine; 503 for what has to be told
    again; 405 for other methods and 413 for what is too large.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(HOOKS):
            return self.get_response(request)
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        body = request.read(LARGEST_BYTES + 1)
        if len(body) > LARGEST_BYTES:
            return HttpResponse(status=413)
        hook = request.path.removeprefix(HOOKS).removesuffix("/")
        signature = request.headers.get("stripe-signature", "")[:LONGEST_SIGNATURE]
        try:
            gateway_events.receive(hook=hook, body=body, signature=signature)
        except NotGenuine:
            return HttpResponse(status=400)
        except Unavailable:
            return HttpResponse(status=503)
        return HttpResponse(status=200, headers={"Cache-Control": "no-store"})
