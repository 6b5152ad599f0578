"""What payment services tell: each event takes effect once, in the transaction in which it is noted."""

from __future__ import annotations

import time

import structlog
from django.db import IntegrityError, transaction

from billing.gateways.base import Event, NotGenuine, Unavailable
from billing.models import Gateway, GatewayEvent, Payment
from billing.selectors import gateways as selectors
from billing.services import card_payments, disputes, gateways, methods, refunds
from panel.core.scoping import everything

log = structlog.get_logger(__name__)
EARLY_SECONDS = 3600
"""So long after it happened, what is told of a payment that is not known yet is asked to be told again."""


def receive(*, hook: str, body: bytes, signature: str) -> None:
    """Take what a payment service tells at a gateway's address; what was told before does nothing.

    Raises NotGenuine for an address that is nobody's and for what the seller's own secret did not sign within the last
    five minutes, Unavailable for what comes before the payment that it is about and has to be told again.
    """
    gateway = selectors.by_hook(hook)
    if gateway is None:
        raise NotGenuine("There is no such address.")
    event = gateways.service(gateway).parse_event(body, signature)
    with everything("a payment service has no tenant"), transaction.atomic():
        if _is_new(gateway, event):
            _follow(gateway, event)
    log.info("gateway.event", gateway=gateway.pk, gateway_event=event.id, kind=event.name)


def _is_new(gateway: Gateway, event: Event) -> bool:
    try:
        with transaction.atomic():
            GatewayEvent.objects.create(gateway=gateway, event_id=event.id, kind=event.name)
    except IntegrityError:
        return False
    return True


def _follow(gateway: Gateway, event: Event) -> None:
    if event.kind == "paid":
        card_payments.came(gateway, event)
    elif event.kind in ("failed", "expired"):
        card_payments.failed(gateway, event)
    elif event.kind == "card":
        methods.told(gateway, event)
    elif event.kind in ("refund", "dispute"):
        if _is_early(gateway, event):
            raise Unavailable("early", "The payment is not known yet. Tell it again.")
        (refunds if event.kind == "refund" else disputes).told(gateway, event)


def _is_early(gateway: Gateway, event: Event) -> bool:
    """Tell whether an event may be about a payment that is under way here and was not told to have come yet."""
    rows = Payment.objects.filter(gateway=gateway)
    waiting = rows.filter(status=Payment.Status.PENDING)
    known = event.refund or rows.filter(remote_id=event.remote_payment).exclude(pk__in=waiting).exists()
    young = event.at > time.time() - EARLY_SECONDS
    return bool(not known and young and waiting.exists())
