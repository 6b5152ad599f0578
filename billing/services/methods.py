"""Saved cards of customers: the payment service keeps the card, the panel its name there and its last digits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.selectors import brands
from billing.gateways.base import Event, Refused, Unavailable, Wanted
from billing.models import Customer, Gateway, PaymentMethod
from billing.selectors import gateways as gateway_selectors
from billing.services import gateways, settlements
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid
from panel.core.queue import ring
from panel.core.scoping import everything

DESCRIBE = "billing.tasks.describe_card"
FORGET = "billing.tasks.forget_card"
SYSTEM = "payment service"


def add(*, actor: Actor, customer: Customer, key: str) -> str:
    """Return the address of a page of the payment service where the customer saves a card. Asks it within ten seconds.

    The card appears when the service has told of it. Raises Invalid when no cards are taken, Unavailable, Refused.
    """
    policy.require(actor, "payment.save_card", customer)
    gateway = taking_cards(customer)
    home = home_of(customer)
    wanted = Wanted(
        id=customer.pk,
        key=f"card:{customer.pk}:{key}",
        customer=customer.pk,
        text="",
        currency=customer.currency,
        success_url=home + reverse("billing:cards"),
        cancel_url=home + reverse("billing:cards"),
        email=customer.email,
        remote_customer=remote_customer(customer, gateway),
    )
    with transaction.atomic():
        audit.record(actor, "payment.save_card", customer)
    return gateways.service(gateway).checkout(wanted).url


def make_default(*, actor: Actor, method: PaymentMethod) -> PaymentMethod:
    """Let a saved card be the one that is charged; again is the same."""
    policy.require(actor, "payment.save_card", method)
    with settlements.locked(method.customer_id):
        method = PaymentMethod.objects.select_related("customer__buyer").get(pk=method.pk)
        if method.removed_at is not None:
            raise Invalid("card_removed", _("This card is not saved any more. Save it again."))
        if not method.is_default:
            _only_default(method)
            audit.record(actor, "payment.default_card", method)
    return method


def remove(*, actor: Actor, method: PaymentMethod) -> None:
    """Forget a saved card here at once and, by a worker, at the payment service; again is the same."""
    policy.require(actor, "payment.remove_card", method)
    with settlements.locked(method.customer_id):
        method = PaymentMethod.objects.select_related("customer__buyer").get(pk=method.pk)
        if method.removed_at is None:
            _gone(method)
            audit.record(actor, "payment.remove_card", method)
            ring(FORGET, method.pk)


def told(gateway: Gateway, event: Event) -> None:
    """Note a card that the payment service has saved for one of the seller's customers, or that is gone there."""
    if event.outcome == "failed":
        method = PaymentMethod.objects.filter(gateway=gateway, remote_id=event.remote_card).first()
        if method is not None and method.removed_at is None:
            with settlements.locked(method.customer_id):
                _gone(method)
        if method is not None:
            PaymentMethod.objects.filter(pk=method.pk, forgotten_at=None).update(forgotten_at=timezone.now())
        return
    customer = Customer.objects.filter(pk=event.customer, seller=gateway.organization_id).first()
    if customer is not None and event.remote_card and event.remote_customer:
        saved(gateway, customer, event.remote_customer, event.remote_card)


def saved(gateway: Gateway, customer: Customer, remote_customer: str, remote_card: str) -> None:
    """Keep a card as the customer's, and charge it from now on; known ones stay as they are."""
    with settlements.locked(customer.pk):
        if PaymentMethod.objects.filter(gateway=gateway, remote_id=remote_card).exists():
            return
        method = PaymentMethod.objects.create(
            customer=customer,
            gateway=gateway,
            remote_customer=remote_customer,
            remote_id=remote_card,
            label="",
            is_default=False,
        )
        _only_default(method)
        audit.record(Actor.system(SYSTEM), "payment.card_saved", method)
        ring(DESCRIBE, method.pk)


def waiting(before: datetime, since: datetime) -> Iterator[tuple[str, QuerySet[Any]]]:
    """Yield what workers have left of cards as (task, rows): what was saved, or removed, between two instants."""
    rows = PaymentMethod.objects.order_by("id")
    yield DESCRIBE, rows.filter(label="", removed_at__isnull=True, created_at__lt=before, created_at__gt=since)
    yield FORGET, rows.filter(forgotten_at__isnull=True, removed_at__lt=before, removed_at__gt=since)


def describe(method_id: str) -> None:
    """Ask the payment service what a card looks like. For workers; an answer that is missing is asked for again."""
    with everything("a saved card"):
        method = PaymentMethod.objects.select_related("gateway").filter(pk=method_id, label="").first()
    if method is None:
        return
    try:
        card = gateways.service(method.gateway).card(method.remote_id)
    except (Unavailable, Refused):
        return
    with everything("a saved card"):
        PaymentMethod.objects.filter(pk=method_id).update(label=card.label, expires_on=card.expires_on)


def forget(method_id: str) -> None:
    """Let the payment service forget a card that was removed here. For workers; what failed is asked for again."""
    with everything("a saved card"):
        rows = PaymentMethod.objects.select_related("gateway").filter(removed_at__isnull=False, forgotten_at=None)
        method = rows.filter(pk=method_id).first()
    if method is None:
        return
    try:
        gateways.service(method.gateway).forget_card(method.remote_id)
    except (Unavailable, Refused):
        return
    with everything("a saved card"):
        PaymentMethod.objects.filter(pk=method_id).update(forgotten_at=timezone.now())


def remote_customer(customer: Customer, gateway: Gateway) -> str:
    """Return what the payment service calls a customer, "" when it does not know them yet."""
    with everything("a saved card"):
        rows = PaymentMethod.objects.filter(customer=customer, gateway=gateway).order_by("-id")
        return rows.values_list("remote_customer", flat=True).first() or ""


def taking_cards(customer: Customer) -> Gateway:
    """Return the gateway of a customer's seller; raises Invalid when the seller takes no cards."""
    gateway = gateway_selectors.active(customer.seller)
    if gateway is None:
        raise Invalid("no_gateway", _("Cards are not taken here. Pay by bank transfer."))
    return gateway


def home_of(customer: Customer) -> str:
    """Return the address of the panel where a customer's people sign in."""
    with everything("the brand that a customer buys under"):
        return brands.base_url(brands.for_organization(customer.seller))


def _only_default(method: PaymentMethod) -> None:
    PaymentMethod.objects.filter(customer=method.customer_id, is_default=True).update(is_default=False)
    method.is_default = True
    method.save(update_fields=["is_default"])


def _gone(method: PaymentMethod) -> None:
    method.removed_at, method.is_default = timezone.now(), False
    method.save(update_fields=["removed_at", "is_default"])
    newest = PaymentMethod.objects.filter(customer=method.customer_id, removed_at__isnull=True).order_by("-id").first()
    if newest is not None and not newest.is_default:
        _only_default(newest)
