"""Add-ons of a subscription: added and taken away. They are charged with the periods of their subscription."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Component, Price, Subscription
from billing.selectors import subscriptions as selectors
from billing.services import changes, charges, subscriptions
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid


def add(
    *, actor: Actor, subscription: Subscription, price: Price, quantity: int = 1, on: date | None = None
) -> Component:
    """Add an add-on from today, or from the day `on`: the rest of the current period is charged at once, with its setup
    fee; from then on it goes with the subscription's periods.
    """
    policy.require(actor, "subscription.change", subscription)
    with transaction.atomic():
        subscription, today = subscriptions.as_of_today(subscription)
        day = on or today
        charges.check_day(day, today, "on")
        changes.check(subscription, price, quantity, day)
        if subscriptions.buys(actor, subscription):
            subscriptions.check_offer(selectors.addable_by_buyer(subscription, today), price)
            if day != today:
                raise Forbidden(_("Your change begins today."))
        changes.check_addon(price, subscription.months)
        component = changes.begin(subscription, price, quantity, day, is_main=False)
        component.save()
        made = charges.rest(subscription, component, day)
        first = charges.first_day(subscription)
        if price.setup and (day > first or subscription.billed_until > first):
            made.append(charges.setup(subscription, component, day))
        charges.keep_once_more(subscription, made)
        audit.record(actor, "subscription.add", subscription, {"product": [None, str(component)], "from": [None, day]})
    return component


def remove(*, actor: Actor, component: Component, on: date | None = None) -> None:
    """Take an add-on away from today, or from the day `on`; what was charged for later days is given back."""
    policy.require(actor, "subscription.change", component)
    with transaction.atomic():
        subscription, today = subscriptions.as_of_today(component.subscription)
        row = next((row for row in subscription.components.all() if row.pk == component.pk), None)
        if row is None or row.is_main:
            raise Invalid("product", _("Choose an add-on. To end the subscription, cancel it."), "component")
        if row.ends_on is not None or subscription.status == Subscription.Status.ENDED:
            raise Conflict(_("This add-on has ended already."), code="ended")
        if subscription.cancel_on is not None:
            raise Conflict(_("This subscription is cancelled. Resume it first."), code="cancelled")
        charges.check_day(on or today, today, "on")
        day = max(on or today, row.starts_on)
        if subscriptions.buys(actor, subscription) and day < today:
            raise Forbidden(_("Your change begins today."))
        if subscriptions.buys(actor, subscription) and not selectors.is_of_buyer(row):
            raise Forbidden(_("Your provider has added this. Ask them to take it away."))
        charges.keep_once_more(subscription, charges.unused(subscription, row, day))
        row.ends_on = day
        row.save(update_fields=["ends_on"])
        audit.record(actor, "subscription.remove", subscription, {"product": [str(row), None], "until": [None, day]})
