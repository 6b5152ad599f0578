"""What a change of a subscription comes to, worked out and not made: what previews show and what is then charged.

Pure over the rows that it is given. What is given up is credited, what is taken up charged, both as shares of the
same periods, so that up and down at one instant costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Charge, Component, Price, Product, Subscription
from billing.pricing import calendar
from billing.selectors import prices, sellers
from billing.services import charges
from panel.core.errors import Conflict, Invalid

ONE_ONLY = (Product.Kind.PACKAGE, Product.Kind.PLAN)
MOST = 100_000
"""So many of a product in one subscription."""


@dataclass(frozen=True)
class Extra:
    """An add-on that somebody chooses with a product: so many at this price."""

    price: Price
    quantity: int = 1


@dataclass(frozen=True)
class Change:
    """What ends and begins on a day, what that is charged with, and the subscription's periods from then on."""

    on: date
    ends: tuple[Component, ...]
    begins: tuple[Component, ...]
    charges: tuple[Charge, ...]
    months: int
    anchor: date
    billed_until: date


def work_out(subscription: Subscription, price: Price, quantity: int, on: date) -> Change:
    """Return what it means to have `quantity` of another price from the day `on`.

    With another cycle, periods are counted anew from that day, and add-ons change to their price of that cycle; what is
    paid by use goes on. Raises Invalid or Conflict for what can't be had.
    """
    check(subscription, price, quantity, on)
    main = [row for row in standing(subscription, on) if row.is_main]
    others = [row for row in standing(subscription, on) if not row.is_main and not charges.is_metered(row)]
    current = next((row for row in main if row.ends_on is None), None)
    if current is not None and (current.price_id, current.amount, current.quantity) == (
        price.pk,
        price.amount,
        quantity,
    ):
        raise Conflict(_("The subscription is like this already."), field="price", code="same")
    new = begin(subscription, price, quantity, on)
    if price.months == subscription.months:
        made = [charge for row in main for charge in charges.unused(subscription, row, on)]
        made += charges.rest(subscription, new, on)
        return Change(
            on, tuple(main), (new,), tuple(made), subscription.months, subscription.anchor, subscription.billed_until
        )
    ended = [*main, *others]
    begun = [new, *(_of_cycle(subscription, row, price.months, on) for row in others if row.ends_on is None)]
    made = [charge for row in ended for charge in charges.unused(subscription, row, on)]
    if on > subscription.billed_until:
        message = _("Another cycle can begin by %(day)s at the latest: what comes later is not charged yet.")
        raise Invalid("day", message % {"day": date_format(subscription.billed_until)}, "on")
    start = max(on, charges.first_day(subscription))
    anchor = first_anchor(sellers.of(subscription.customer.seller).billing_day, start)
    whole = calendar.period_at(anchor, price.months, start)
    if subscription.billed_until <= start:
        return Change(on, tuple(ended), tuple(begun), tuple(made), price.months, anchor, start)
    made += [
        charge
        for row in begun
        if not charges.is_metered(row)
        and (charge := charges.part_of(subscription, row, Charge.Kind.CHANGE, whole, (start, whole[1]), due_on=on))
    ]
    return Change(on, tuple(ended), tuple(begun), tuple(made), price.months, anchor, whole[1])


def begin(subscription: Subscription, price: Price, quantity: int, on: date, *, is_main: bool = True) -> Component:
    """Return the component, not kept yet, that a price becomes in a subscription."""
    return Component(
        subscription=subscription,
        product=price.product,
        price=price,
        is_main=is_main,
        quantity=quantity,
        amount=price.amount,
        starts_on=on,
    )


def check(subscription: Subscription, price: Price, quantity: int, on: date) -> None:
    """Refuse what a subscription can't change to, or not on this day."""
    if subscription.status == Subscription.Status.ENDED:
        raise Conflict(_("This subscription has ended. Start a new one."), code="ended")
    if subscription.cancel_on is not None:
        raise Conflict(_("This subscription is cancelled. Resume it first."), code="cancelled")
    check_price(subscription.customer.seller_id, subscription.customer.currency, price, quantity)
    if on < subscription.starts_on:
        raise Invalid("day", _("Choose a day from the subscription's first on."), "on")
    if any(row.is_main and on < row.starts_on < subscription.billed_until for row in subscription.components.all()):
        raise Invalid("day", _("It was changed after this day already. Choose a later one."), "on")


def check_price(seller_id: str, currency: str, price: Price, quantity: int) -> None:
    """Refuse a price that this seller can't give a customer of this currency, or not so many of it."""
    product = price.product
    if product.organization_id != seller_id or product.archived_at is not None:
        raise Invalid("price", _("Choose a product on sale of the same seller."), "price")
    if price.currency != currency:
        raise Invalid("currency", _("Choose a price in %(currency)s.") % {"currency": currency}, "price")
    if not price.months or product.kind == Product.Kind.ITEM:
        raise Invalid("cycle", _("What is paid once is no subscription. Choose a price with a cycle."), "price")
    if not 1 <= quantity <= MOST:
        raise Invalid("quantity", _("Give a whole number from 1 to 100,000."), "quantity")
    if quantity > 1 and product.kind in ONE_ONLY:
        message = _("Give 1: each account, and each reseller, has a subscription of its own.")
        raise Invalid("quantity", message, "quantity")


def check_addon(price: Price, months: int) -> None:
    """Refuse what can't be added to a subscription of a cycle of so many months."""
    if price.product.kind not in (Product.Kind.ADDON, Product.Kind.METERED):
        raise Invalid("product", _("Choose an add-on, or something that is paid by use."), "price")
    if price.months != months and price.product.kind != Product.Kind.METERED:
        raise Invalid("cycle", _("Choose the add-on's price of the subscription's cycle."), "price")


def renewal_after(subscription: Subscription, day: date) -> date:
    """Return the first border of periods on or after `day` that nothing was charged beyond."""
    start = max(day, subscription.billed_until)
    whole = calendar.period_at(subscription.anchor, subscription.months, start)
    return start if start in (whole[0], subscription.billed_until) else whole[1]


def end_of_period(subscription: Subscription, day: date) -> date:
    """Return the end of the period, or the trial, that a day lies in."""
    free = charges.first_day(subscription)
    if day < free:
        return free
    return calendar.period_at(subscription.anchor, subscription.months, day)[1]


def first_anchor(billing_day: int | None, starts_on: date) -> date:
    """Return the day from which periods are counted: the start, or the seller's next fixed billing day."""
    if billing_day is None or billing_day == starts_on.day:
        return starts_on
    anchor = starts_on.replace(day=billing_day)
    return anchor if anchor > starts_on else calendar.add_months(anchor, 1)


def standing(subscription: Subscription, on: date) -> list[Component]:
    """Return the components that go on beyond the beginning of a day, or begin later."""
    return [
        row
        for row in subscription.components.all()
        if row.ends_on is None or (row.ends_on > on and row.ends_on > row.starts_on)
    ]


def _of_cycle(subscription: Subscription, row: Component, months: int, on: date) -> Component:
    """Return an add-on at its price of another cycle."""
    price = prices.current(row.product, subscription.customer.currency, months, on)
    if price is None:
        message = _("%(name)s has no price of this cycle. Remove it first, or give it one.")
        raise Conflict(message % {"name": row.product}, field="price", code="addon_cycle")
    return begin(subscription, price, row.quantity, on, is_main=False)
