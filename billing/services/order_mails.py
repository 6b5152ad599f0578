"""Mail about orders: to the buyer in the seller's brand, and to the seller's people when an order needs them."""

from __future__ import annotations

from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from accounts.mail import Letter, send, send_all
from accounts.models import Brand, Membership, Organization
from accounts.selectors import brands
from billing.formats import money
from billing.models import Order
from billing.selectors import orders as selectors
from panel.core.scoping import everything

DECIDING = (Membership.Role.OWNER, Membership.Role.ADMIN, Membership.Role.BILLING)


def received(order: Order) -> None:
    """Tell the buyer that the order has come, with the link to its page and what is to be paid."""
    invoice = order.invoice
    open_now = invoice.receivable.open if invoice is not None else Decimal(0)
    _to_buyer(
        order,
        "order_received",
        link=selectors.link(order),
        amount=money(open_now, order.currency) if open_now else "",
        reference=invoice.reference if invoice is not None and order.pays_by == Order.Payment.TRANSFER else "",
    )


def live(order: Order) -> None:
    """Tell the buyer that what was ordered is there."""
    _to_buyer(order, "order_live", link=selectors.link(order))


def refused(order: Order) -> None:
    """Tell the buyer that the order is refused, and why."""
    _to_buyer(order, "order_refused", reason=order.reason)


def needs_a_look(order: Order) -> None:
    """Tell the seller's people that an order waits for them: to review it, or to see why it has failed."""
    with everything("the seller's own people"):
        home = _home(order.seller)
        rows = Membership.objects.filter(organization=order.seller, role__in=DECIDING, user__is_active=True)
        people = [row.user for row in rows.select_related("user").order_by("id")]
    link = brands.base_url(home) + reverse("billing:order", args=[order.pk])
    moment = timezone.now().timestamp()
    send_all(
        [
            Letter(
                home,
                user.email,
                "order_attention",
                {
                    "name": user.name,
                    "product": order.product.name,
                    "domain": order.domain,
                    "link": link,
                    "reason": order.reason,
                },
                user.locale,
                once=f"{order.pk}:{user.pk}:{moment}",
            )
            for user in people
        ]
    )


def _to_buyer(order: Order, template: str, **words: str) -> None:
    with everything("a brand may belong to an ancestor"):
        home = _home(order.buyer or order.seller)
    send(
        brand=home,
        to=order.email,
        template=template,
        context={"name": order.person, "product": order.product.name, "domain": order.domain, **words},
        locale=order.locale,
        once=f"{template}:{order.pk}",
    )


def _home(organization: Organization) -> Brand:
    return brands.for_organization(brands.root_for_member(organization))
