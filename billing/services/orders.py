"""Orders: placed once, reviewed, refused, tried again. How they are set up is for `fulfilments` to do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.models import Charge, Customer, Invoice, Order, OrderAddon, Price, Product, Seller, Subscription
from billing.selectors import invoices as invoice_selectors
from billing.selectors import orders as selectors
from billing.selectors import sellers
from billing.services import (
    changes,
    fulfilments,
    invoices,
    order_buyers,
    order_mails,
    settlements,
    subscriptions,
    texts,
)
from billing.services import sellers as seller_service
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, clean_or_invalid
from panel.core.scoping import everything, tenant
from provisioning.models import Operation
from provisioning.services import domains, operations
from provisioning.services.inputs import normal

MOST_OF_ADDRESS = 6
"""So many orders of a network address may wait to be paid or reviewed at a seller; of a mail address half as many."""
UNPAID_FOR = {Order.Payment.CARD: timedelta(days=7), Order.Payment.TRANSFER: timedelta(days=30)}
"""An order that nobody pays is given up after so long, and its invoice is credited."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wish:
    """What somebody types to order beside the product; `key` names the form, `ip` is where it came from."""

    key: str
    email: str
    person: str
    pays_by: str
    domain: str = ""
    company: str = ""
    address: str = ""
    country: str = ""
    region: str = ""
    vat_number: str = ""
    locale: str = "en"
    ip: str | None = None
    addons: tuple[changes.Extra, ...] = ()


def place(*, actor: Actor | None, price: Price, wish: Wish, password: str = "") -> Order:
    """Order what a price is for, and return the order; with the same key again the order that is there.

    `actor` is None for a stranger, who becomes the owner of a new organization; somebody of a client, who orders for
    it; or the seller (a shop, by API), who orders for a new client. Organization, customer, subscription and first
    invoice are made in one transaction, nothing on a server. Raises Invalid, Conflict or LimitReached by field.
    """
    seller = price.product.organization
    buyer = _buyer(actor, seller)
    with tenant(seller.path):
        try:
            with transaction.atomic():
                return _place(actor, seller, buyer, price, wish, password)
        except IntegrityError:
            found = _known(seller, wish.key)
            if found is None:
                raise
            return found


def approve(*, actor: Actor, order: Order) -> Order:
    """Let a reviewed order be set up."""
    policy.require(actor, "order.review", order)
    with transaction.atomic():
        order = fulfilments.locked(order)
        if order.status != Order.Status.REVIEW:
            raise Conflict(_("This order does not wait for a review."), code="not_in_review")
        fulfilments.begin(order)
        audit.record(actor, "order.approve", order)
    return order


def refuse(*, actor: Actor, order: Order, reason: str) -> Order:
    """Refuse an order that is not set up: its subscription ends, its invoice is credited, the buyer is told why.

    What was paid stays with the buyer as credit, for the seller to pay back.
    """
    policy.require(actor, "order.review", order)
    reason = normal("reason", names.sentence, reason)
    with _held(order):
        order = fulfilments.locked(order)
        if order.status not in (Order.Status.UNPAID, Order.Status.REVIEW, Order.Status.FAILED):
            raise Conflict(_("Only an order that is not set up can be refused."), code="not_refusable")
        if order.operation_id:
            raise Conflict(
                _("Its account exists already. Terminate the account, and cancel the subscription."), code="has_account"
            )
        _give_up(actor, order, reason)
    return order


def retry(*, actor: Actor, order: Order) -> Order:
    """Set a failed order up again: what was rejected on a server is tried there, what never came to it is begun."""
    policy.require(actor, "order.retry", order)
    with transaction.atomic():
        order = fulfilments.locked(order)
        if order.status != Order.Status.FAILED:
            raise Conflict(_("Only what has failed can be tried again."), code="not_failed")
        operation = order.operation
        if operation is not None and operation.status in (Operation.Status.REJECTED, Operation.Status.CANCELLED):
            operations.retry(actor=order_buyers.acting(order.seller), operation=operation)
        fulfilments.begin(order)
        audit.record(actor, "order.retry", order)
    return order


def expire(now: datetime) -> int:
    """Give up orders that nobody has paid for long; returns how many."""
    done = 0
    for way, days in UNPAID_FOR.items():
        with everything("orders that nobody pays"):
            rows = Order.objects.filter(status=Order.Status.UNPAID, pays_by=way, created_at__lt=now - days)
            found = list(rows.select_related("seller").order_by("id")[:100])
        for order in found:
            try:
                done += _expire(order)
            except (DomainError, DatabaseError) as error:
                log.warning("order.not_expired", order=order.pk, exc_info=error)
    return done


def _expire(order: Order) -> bool:
    with tenant(order.seller.path), _held(order):
        held = fulfilments.locked(order)
        is_unpaid = held.status == Order.Status.UNPAID
        if is_unpaid:
            _give_up(order_buyers.acting(held.seller), held, _("It was not paid in time."))
        return is_unpaid


def _buyer(actor: Actor | None, seller: Organization) -> Organization | None:
    """Return the client who orders, or None when a new organization is to be made."""
    if actor is None:
        return None
    if actor.organization_id == seller.id:
        policy.require(actor, "order.create", seller)
        return None
    with everything("the buyer's own organization"):
        organization = Organization.objects.get(pk=actor.organization_id)
    policy.require(actor, "order.place", organization)
    if organization.parent_id != seller.id:
        raise NotFound()
    return organization


def _place(
    actor: Actor | None, seller: Organization, buyer: Organization | None, price: Price, wish: Wish, password: str
) -> Order:
    sold_by = seller_service.ensure(seller)
    Seller.objects.select_for_update(of=("self",), no_key=True).get(pk=sold_by.pk)
    known = _known(seller, wish.key)
    if known is not None:
        return known
    own = actor is not None and actor.organization_id == seller.id
    _on_sale(sold_by, price, public=not own)
    check_addons(sold_by, price, wish.addons, public=not own)
    order = _order(seller, price, wish)
    if wish.pays_by not in selectors.ways(sold_by) and not (own and wish.pays_by == Order.Payment.INVOICE):
        raise Invalid("pays_by", _("Choose one of the ways to pay."), "pays_by")
    if price.product.kind == Product.Kind.PLAN and buyer is not None:
        raise Forbidden(_("You are a client already. Sign out to order a plan as a new reseller."), code="signed_in")
    _not_too_many(order)
    if price.product.kind == Product.Kind.PACKAGE:
        order.domain = may_order(seller=seller, domain=wish.domain, buyer=buyer)
    if actor is None:
        order_buyers.check_password(order, password)
    if buyer is None:
        order_buyers.check_place(order, sold_by)
    order.save(force_insert=True)
    rows = [OrderAddon(order=order, price=extra.price, quantity=extra.quantity) for extra in wish.addons]
    OrderAddon.objects.bulk_create(rows)
    order.buyer = buyer or order_buyers.make(order=order, password=password)
    order.customer = order_buyers.customer(order=order, seller=sold_by, buyer=order.buyer)
    order_buyers.check_place(order.customer, sold_by)
    _charge(order, sold_by, wish.addons)
    order.save()
    bought = {"product": [None, str(price.product)], "addons": [None, ", ".join(str(row) for row in rows) or None]}
    audit.record(actor or order_buyers.acting(seller), "order.place", order, bought)
    order_mails.received(order)
    if _is_paid(order) or order.pays_by == Order.Payment.INVOICE:
        fulfilments.go_on(order, sold_by)
    return order


def may_order(*, seller: Organization, domain: str, buyer: Organization | None = None) -> str:
    """Return the domain as it is kept if an order may ask for it; raises Invalid or Conflict naming what is wrong."""
    if not domain.strip():
        raise Invalid("required", _("Give the domain of the site, such as example.org."), "domain")
    who = order_buyers.stranger(seller)
    name = domains.may_hold(actor=who, organization=buyer or Organization(parent=seller), name=domain)
    with everything("a name that is on order is taken"):
        if Order.objects.filter(domain=name, status__in=(Order.Status.REVIEW, Order.Status.BUILDING)).exists():
            raise Conflict(
                _("This name is on order already. If it is you, follow the link in your mail."), field="domain"
            )
    return name


def _order(seller: Organization, price: Price, wish: Wish) -> Order:
    order = Order(
        seller=seller,
        key=wish.key,
        status=Order.Status.UNPAID,
        product=price.product,
        price=price,
        currency=price.currency,
        pays_by=wish.pays_by,
        email=wish.email,
        person=wish.person,
        company=wish.company,
        address=wish.address,
        country=texts.country(wish.country),
        region=texts.region(wish.region, texts.country(wish.country)),
        vat_number=wish.vat_number,
        locale=wish.locale,
        ip=wish.ip,
    )
    clean_or_invalid(order, exclude=["seller", "product", "price"])
    return order


def _on_sale(seller: Seller, price: Price, *, public: bool) -> None:
    """Refuse a price that is not in force, and everything while the order page is closed."""
    if public and not seller.is_open:
        raise NotFound()
    offered = selectors.offers(seller.organization, sellers.today(seller), public=public)
    if all(price.pk != row.pk for offer in offered for row in offer.prices):
        raise Invalid("price", _("This price is not on sale any more. Choose again."), "price")


def check_addons(seller: Seller, price: Price, addons: Sequence[changes.Extra], *, public: bool = True) -> None:
    """Refuse add-ons that can't be had with a price: not on sale, of another currency or cycle, too many, or twice."""
    if not addons:
        return
    offered = selectors.offers(seller.organization, sellers.today(seller), public=public, kinds=selectors.ADDED)
    on_sale = {row.pk for offer in offered for row in offer.prices}
    for extra in addons:
        if extra.price.pk not in on_sale:
            raise Invalid("price", _("This add-on is not on sale any more. Choose again."), "addons")
        try:
            changes.check_price(seller.organization_id, price.currency, extra.price, extra.quantity)
            changes.check_addon(extra.price, price.months)
        except Invalid as error:
            raise Invalid(error.code, f"{extra.price.product}: {error.message}", "addons") from error
    if len({extra.price.product_id for extra in addons}) < len(addons):
        raise Invalid("twice", _("Give each add-on once, and how many you want of it."), "addons")


def _not_too_many(order: Order) -> None:
    waiting = (Order.Status.PLACED, Order.Status.UNPAID, Order.Status.REVIEW)
    rows = Order.objects.filter(seller=order.seller, status__in=waiting)
    many = order.ip is not None and rows.filter(ip=order.ip).count() >= MOST_OF_ADDRESS
    if many or rows.filter(email__iexact=order.email).count() >= MOST_OF_ADDRESS // 2:
        raise Conflict(
            _("Several of your orders wait already. Pay one of them by the link in your mail, then order again."),
            code="too_many_orders",
        )


def _charge(order: Order, seller: Seller, addons: Sequence[changes.Extra]) -> None:
    """Begin the subscription, and issue the invoice of what is to be paid today; a trial has none."""
    if order.customer is None:
        raise ValueError("An order is charged to a customer.")
    actor, today = order_buyers.acting(order.seller), sellers.today(seller)
    order.subscription = subscriptions.start(
        actor=actor,
        customer=order.customer,
        price=order.price,
        starts_on=today,
        label=order.domain,
        addons=addons,
    )
    made = Charge.objects.filter(component__subscription=order.subscription)
    order.invoice = invoices.collect(actor=actor, customer=order.customer, until=today, charges=made)


def _is_paid(order: Order) -> bool:
    invoice: Invoice | None = order.invoice
    return invoice is None or not invoice.receivable.open


def _held(order: Order) -> AbstractContextManager[Customer]:
    """Hold the buyer's money still before the order: in the order in which a payment locks them."""
    if order.customer_id is None:
        raise ValueError("Every order that is kept has a customer.")
    return settlements.locked(order.customer_id)


def _give_up(actor: Actor, order: Order, reason: str) -> None:
    """End the subscription and credit all that was invoiced of it: nothing of it was ever had."""
    subscription = order.subscription
    if subscription is not None and subscription.status != Subscription.Status.ENDED:
        ended = subscriptions.locked(subscription)
        subscriptions.end(ended, max(sellers.today(sellers.of(order.seller)), ended.starts_on))
        rows = Invoice.objects.filter(lines__charge__component__subscription=subscription, kind=Invoice.Kind.INVOICE)
        for invoice in rows.distinct().order_by("id"):
            own = invoice.lines.filter(charge__component__subscription=subscription).values_list("id", flat=True)
            left = invoice_selectors.left(invoice)
            lines = {key: left[key] for key in own if left[key]}
            if lines:
                invoices.credit(actor=actor, invoice=invoice, reason=reason, lines=lines)
    before = order.status
    order.status, order.reason = Order.Status.REFUSED, reason
    order.save(update_fields=["status", "reason"])
    audit.record(actor, "order.refuse", order, {"status": [before, order.status], "reason": ["", reason]})
    order_mails.refused(order)


def _known(seller: Organization, key: str) -> Order | None:
    return Order.objects.select_related("seller", "product").filter(seller=seller, key=key).first()
