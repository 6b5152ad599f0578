"""A new price for those who have its product already: who is touched and from when on, and their being told ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Component, Price
from billing.selectors import sellers
from billing.selectors import subscriptions as selectors
from billing.services import changes, subscription_mails, subscriptions
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid

MOST_NOTICE = 366


@dataclass(frozen=True)
class Touched:
    """A component that would get the price, and the day from which on: the first of a period not charged yet."""

    component: Component
    price: Price
    starts_on: date

    @property
    def before(self) -> Decimal:
        """What it costs now, for a cycle."""
        return Decimal(self.component.amount * self.component.quantity)

    @property
    def after(self) -> Decimal:
        """What it would cost."""
        return Decimal(self.price.amount * self.component.quantity)


def touched(*, actor: Actor, price: Price, notice_days: int | None = None) -> Iterator[Touched]:
    """Return what `apply` with the same values would change, by subscription; one query."""
    policy.require(actor, "price.change", price)
    first = earliest(price, notice_days)
    for component in selectors.at_other_price(price).iterator(chunk_size=500):
        yield touch(component, price, first)


def apply(*, actor: Actor, price: Price, notice_days: int | None = None) -> int:
    """Give all who have the product in this currency and cycle the price, from the first period that begins
    `notice_days` from today, the seller's usual by default, and was not charged yet; tell them now by mail.

    Returns how many. Who has it already keeps it; what is cancelled ends at the price that it has. Raises Conflict for
    a price that is not sold any more, Invalid for a notice of less than 0 or more than MOST_NOTICE days.
    """
    policy.require(actor, "price.change", price)
    first = earliest(price, notice_days)
    found = list(selectors.at_other_price(price).values_list("subscription", "pk"))
    count = 0
    with transaction.atomic():
        for subscription_id in dict.fromkeys(row[0] for row in found):
            subscription = subscriptions.locked_by_id(subscription_id)
            if subscription.cancel_on is not None:
                continue
            wanted = {pk for of, pk in found if of == subscription_id}
            for row in [row for row in subscription.components.all() if row.pk in wanted and row.ends_on is None]:
                change = touch(row, price, first)
                row.ends_on = change.starts_on
                row.save(update_fields=["ends_on"])
                new = changes.begin(subscription, price, row.quantity, change.starts_on, is_main=row.is_main)
                new.save()
                subscription_mails.price_changes(subscription, row, new)
                count += 1
        audit.record(actor, "price.apply", price, {"subscriptions": [None, count], "from": [None, first]})
    return count


def touch(component: Component, price: Price, first: date) -> Touched:
    """Return what a component that goes on would get, no sooner than on a day."""
    start = max(first, component.starts_on)
    return Touched(component, price, changes.renewal_after(component.subscription, start))


def earliest(price: Price, notice_days: int | None) -> date:
    """Return the day before which nobody gets the price; refuses one that can't be given, as `apply` says."""
    seller = sellers.of(price.product.organization)
    today = sellers.today(seller)
    if price.ended_on is not None and price.ended_on <= today:
        raise Conflict(_("This price is not sold any more. Choose one in force, or to come."), code="ended")
    if not price.months:
        raise Conflict(_("What is paid once has no next period."), code="once")
    days = seller.price_notice_days if notice_days is None else notice_days
    if not 0 <= days <= MOST_NOTICE:
        message = _("Give whole days from 0 to %(most)s.") % {"most": MOST_NOTICE}
        raise Invalid("notice", message, "notice_days")
    return max(price.valid_from, today + timedelta(days=days))
