"""Orders on their way from paid to live: begun once, watched, told of. Who may decide on them is `orders`' affair."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.services import organizations, plans
from billing.models import Invoice, Order, Product, Seller
from billing.services import order_buyers, order_mails, subscriptions
from panel.core import audit
from panel.core.errors import DomainError
from panel.core.queue import ring
from panel.core.scoping import everything, tenant
from provisioning.models import Operation
from provisioning.services import domains, hosting_accounts

TASK = "billing.tasks.fulfil"
log = structlog.get_logger(__name__)
ENDED = (Operation.Status.REJECTED, Operation.Status.CANCELLED)


def paid(invoice: Invoice) -> None:
    """Go on with the order that an invoice is of, now that it is paid; follows `invoice.paid`, in its transaction."""
    with everything("whoever paid"):
        order = Order.objects.filter(invoice=invoice, status=Order.Status.UNPAID).first()
        if order is None:
            return
        order = locked(order)
        if order.status == Order.Status.UNPAID:
            go_on(order, Seller.objects.get(organization=order.seller_id))


def go_on(order: Order, seller: Seller) -> None:
    """Lead a locked order, for which enough is paid, to its review or its setting up."""
    if not seller.reviews_orders:
        begin(order)
        return
    order.status = Order.Status.REVIEW
    order.save(update_fields=["status"])
    order_mails.needs_a_look(order)


def begin(order: Order) -> None:
    """Have a locked order set up by a worker once the transaction commits."""
    order.status, order.reason = Order.Status.BUILDING, ""
    order.save(update_fields=["status", "reason"])
    ring(TASK, order.pk)


def fulfil(order_id: str) -> None:
    """Bring an order one step on: order what was bought, exactly once, or see how that has ended.

    The account and its note at the order commit together under the order's lock, so that whoever comes second finds it
    done. What is refused is told to the seller; money stays where it is until somebody decides.
    """
    with everything("an order's seller"):
        order = Order.objects.select_related("seller").get(pk=order_id)
    with tenant(order.seller.path):
        try:
            with transaction.atomic():
                order = locked(order)
                if order.status == Order.Status.BUILDING and not order.operation_id:
                    _build(order)
                else:
                    _look(order)
        except DomainError as error:
            with transaction.atomic():
                order = locked(order)
                if order.status == Order.Status.BUILDING:
                    _fail(order, error.message)


def sweep(order_ids: Iterable[str]) -> None:
    """Bring orders a step on; what goes wrong with one is logged, and holds up no other."""
    for order_id in order_ids:
        try:
            fulfil(order_id)
        except (DomainError, DatabaseError, ValueError) as error:
            log.warning("order.left", order=order_id, exc_info=error)


def locked(order: Order) -> Order:
    """Return the order as it is now, its row locked until the transaction ends.

    Rows that it names are read afterwards: joined to a row that somebody else held, they would be those of before.
    """
    return Order.objects.select_for_update(of=("self",)).get(pk=order.pk)


def _build(order: Order) -> None:
    actor, buyer = order_buyers.acting(order.seller), order.buyer
    if buyer is None:
        raise ValueError("An order that is set up has a buyer.")
    if order.product.kind == Product.Kind.PLAN:
        _open_reseller(order, buyer)
        _live(order)
        return
    package = order.product.package
    if package is None:
        raise ValueError("Only packages and plans are ordered.")
    domains.may_hold(actor=order_buyers.stranger(order.seller), organization=buyer, name=order.domain)
    hosting, order.operation = hosting_accounts.create(
        actor=actor, organization=buyer, package=package, domain=order.domain
    )
    order.save(update_fields=["operation"])
    if order.subscription is not None:
        subscriptions.attach(actor=actor, subscription=order.subscription, hosting=hosting)
    audit.record(actor, "order.build", order, {"account": [None, hosting.pk]})


def _open_reseller(order: Order, buyer: Organization) -> None:
    actor = order_buyers.acting(order.seller)
    if buyer.plan_id != order.product.plan_id:
        buyer = plans.assign(actor=actor, organization=buyer, plan=order.product.plan)
    if buyer.suspended_for == order.pk:
        organizations.unsuspend(actor=actor, organization=buyer)
    audit.record(actor, "order.build", order, {"plan": [None, order.product.plan_id]})


def _look(order: Order) -> None:
    operation = order.operation
    if operation is None or order.status not in (Order.Status.BUILDING, Order.Status.FAILED):
        return
    if operation.status == Operation.Status.APPLIED:
        _live(order)
    elif operation.status in ENDED and order.status == Order.Status.BUILDING:
        _fail(order, _(operation.reason) if operation.reason else _("The server has rejected it."))


def _live(order: Order) -> None:
    order.status, order.reason, order.live_at = Order.Status.LIVE, "", timezone.now()
    order.save(update_fields=["status", "reason", "live_at"])
    order_mails.live(order)


def _fail(order: Order, reason: str) -> None:
    order.status, order.reason = Order.Status.FAILED, reason[:300]
    order.save(update_fields=["status", "reason"])
    audit.record(order_buyers.acting(order.seller), "order.fail", order, {"reason": ["", order.reason]})
    order_mails.needs_a_look(order)
