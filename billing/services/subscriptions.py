"""Subscriptions: started, changed, cancelled, resumed, ended. What that costs is worked out by `changes` and `charges`.

Every verb locks the subscription's row, so that a run and a person never charge the same days by two minds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.services import plans
from billing.models import Charge, Component, Customer, Price, Product, Seller, Subscription
from billing.selectors import sellers
from billing.selectors import subscriptions as selectors
from billing.services import changes, charges, happenings, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Forbidden, Invalid, integrity_as_conflict
from provisioning.models import HostingAccount
from provisioning.services import packages

LABEL = 253


def start(
    *,
    actor: Actor,
    customer: Customer,
    price: Price,
    quantity: int = 1,
    hosting: HostingAccount | None = None,
    starts_on: date | None = None,
    label: str = "",
    trial: bool = True,
    addons: Sequence[changes.Extra] = (),
) -> Subscription:
    """Sell `quantity` of a price, with add-ons, to a customer again and again, from today or the day `starts_on`.

    With `trial` the product's trial days come first and cost nothing. What has begun by today is charged at once; a
    plan is given to its reseller. A day in the past is charged from that day on, as if it had been there.
    """
    policy.require(actor, "subscription.start", customer)
    changes.check_price(customer.seller_id, customer.currency, price, quantity)
    for extra in addons:
        changes.check_price(customer.seller_id, customer.currency, extra.price, extra.quantity)
        changes.check_addon(extra.price, price.months)
    _check_hosting(customer, price.product, hosting)
    seller = sellers.of(customer.seller)
    today = sellers.today(seller)
    first = starts_on or today
    charges.check_day(first, today, "starts_on")
    days = price.product.trial_days if trial else 0
    trial_until = first + timedelta(days=days) if days else None
    paid_from = trial_until or first
    with transaction.atomic():
        subscription = Subscription(
            customer=customer,
            hosting=hosting,
            label=(texts.line(label, "label") or (hosting.domain if hosting else ""))[:LABEL],
            months=price.months,
            anchor=changes.first_anchor(seller.billing_day, paid_from),
            starts_on=first,
            trial_until=trial_until,
            billed_until=paid_from,
        )
        with _one_of_account():
            subscription.save(force_insert=True)
        changes.begin(subscription, price, quantity, first).save()
        for extra in addons:
            changes.begin(subscription, extra.price, extra.quantity, first, is_main=False).save()
        charges.keep(advance(subscription, seller, today))
        subscription.save(update_fields=["status", "billed_until"])
        _follow_plan(actor, subscription, price.product)
        audit.record(
            actor,
            "subscription.start",
            subscription,
            {"product": [None, price.product.name], "price": [None, str(price)], "from": [None, first]},
        )
        happenings.tell("subscription.started", subscription)
    return subscription


def advance(subscription: Subscription, seller: Seller, day: date) -> list[Charge]:
    """Return what a day's run charges a subscription, and set its state and `billed_until`, which the caller saves.

    Periods are charged the seller's `days_ahead` before they begin, but none before a trial is over. A state never goes
    back, whatever the clock does.
    """
    made: list[Charge] = []
    if subscription.trial_until is None or subscription.trial_until <= day:
        until = day + timedelta(days=seller.days_ahead)
        made = charges.due(subscription, until)
        subscription.billed_until = charges.reach(subscription, until)
    now = status_on(subscription, day)
    if Subscription.Status.values.index(now) > Subscription.Status.values.index(subscription.status):
        subscription.status = now
    return made


def status_on(subscription: Subscription, day: date) -> str:
    """Return how a subscription that has not ended stands on a day."""
    if day < subscription.starts_on:
        return Subscription.Status.PENDING
    if subscription.trial_until is not None and day < subscription.trial_until:
        return Subscription.Status.TRIAL
    return Subscription.Status.ACTIVE


def preview(*, actor: Actor, subscription: Subscription, price: Price, quantity: int, on: date) -> list[Charge]:
    """Return what `change` with the same values would charge; nothing is kept. A buyer sees what it is offered."""
    policy.require(actor, "subscription.change", subscription)
    seller = sellers.of(subscription.customer.seller)
    today = sellers.today(seller)
    _check_change(actor, subscription, price, on, today)
    now = selectors.whole(subscription.pk)
    if now.status != Subscription.Status.ENDED:
        advance(now, seller, today)
    return list(changes.work_out(now, price, quantity, on).charges)


def change(
    *, actor: Actor, subscription: Subscription, price: Price, quantity: int = 1, on: date | None = None
) -> list[Charge]:
    """Give a subscription another price or quantity from today, or from the day `on`; returns what that is charged.

    A package changes at its hosting account and a plan at its reseller in the same transaction: what they refuse is
    refused as a whole. A buyer may choose among what is on its seller's order page.
    """
    policy.require(actor, "subscription.change", subscription)
    with transaction.atomic():
        subscription, today = as_of_today(subscription)
        day = on or today
        _check_change(actor, subscription, price, day, today)
        before = selectors.main_of(subscription)
        worked_out = changes.work_out(subscription, price, quantity, day)
        made = _make(subscription, worked_out)
        _follow_package(actor, subscription, price.product)
        _follow_plan(actor, subscription, price.product)
        audit.record(
            actor,
            "subscription.change",
            subscription,
            {
                "product": [before.product.name if before else None, price.product.name],
                "quantity": [before.quantity if before else None, quantity],
                "from": [None, day],
            },
        )
    return made


def cancel(*, actor: Actor, subscription: Subscription, at_end: bool = True) -> Subscription:
    """End a subscription when its current period does, or today; what was charged for later days is given back."""
    policy.require(actor, "subscription.cancel", subscription)
    with transaction.atomic():
        subscription, today = as_of_today(subscription)
        if subscription.status == Subscription.Status.ENDED:
            raise Conflict(_("This subscription has ended already."), code="ended")
        if subscription.cancel_on is not None and at_end:
            raise Conflict(_("This subscription is cancelled already."), code="cancelled")
        if buys(actor, subscription) and not at_end:
            raise Forbidden(_("Cancel at the end of the period, or ask your provider."))
        now = max(today, subscription.starts_on)
        day = changes.end_of_period(subscription, now) if at_end else now
        _stop(subscription, today if today < now and not at_end else day, due_on=today)
        subscription.cancel_on = day
        subscription.save(update_fields=["cancel_on"])
        if not at_end:
            end(subscription, day)
        audit.record(actor, "subscription.cancel", subscription, {"until": [None, day]})
    return subscription


def resume(*, actor: Actor, subscription: Subscription) -> Subscription:
    """Take a cancellation back before its day; what was given back for later days is charged again."""
    policy.require(actor, "subscription.cancel", subscription)
    with transaction.atomic():
        subscription, today = as_of_today(subscription)
        if subscription.cancel_on is None or subscription.cancel_on <= today:
            raise Conflict(_("This subscription is not cancelled, or has ended."), code="not_cancelled")
        day, subscription.cancel_on = subscription.cancel_on, None
        made = [
            charge for row in changes.standing(subscription, day) for charge in charges.rest(subscription, row, day)
        ]
        charges.keep_once_more(subscription, made)
        subscription.save(update_fields=["cancel_on"])
        audit.record(actor, "subscription.resume", subscription, {"until": [day, None]})
    return subscription


def attach(*, actor: Actor, subscription: Subscription, hosting: HostingAccount) -> Subscription:
    """Say which hosting account a subscription pays for."""
    policy.require(actor, "subscription.attach", subscription)
    with transaction.atomic():
        subscription = locked(subscription)
        row = selectors.main_of(subscription)
        if row is not None:
            _check_hosting(subscription.customer, row.product, hosting)
        before, subscription.hosting = subscription.hosting, hosting
        subscription.label = subscription.label or hosting.domain[:LABEL]
        with _one_of_account():
            subscription.save(update_fields=["hosting", "label"])
        audit.record(actor, "subscription.attach", subscription, {"account": [before, hosting]})
    return subscription


def unpark(*, actor: Actor, subscription: Subscription) -> None:
    """Let the run try a subscription again that it had left out."""
    policy.require(actor, "subscription.unpark", subscription)
    with transaction.atomic():
        subscription = locked(subscription)
        if subscription.parked_at is None:
            raise Conflict(_("This subscription is not parked."), code="not_parked")
        subscription.parked_at, subscription.parked_reason = None, ""
        subscription.save(update_fields=["parked_at", "parked_reason"])
        audit.record(actor, "subscription.unpark", subscription)


def park(subscription: Subscription, reason: str) -> None:
    """Let runs leave a subscription out until a person has looked. For the run."""
    subscription.parked_at, subscription.parked_reason = timezone.now(), reason[:300]
    subscription.save(update_fields=["parked_at", "parked_reason"])


def end(subscription: Subscription, day: date) -> None:
    """Close a locked subscription and its components on a day, and tell of it. Credits are the caller's affair."""
    for row in subscription.components.all():
        if row.ends_on is None or row.ends_on > day:
            row.ends_on = max(day, row.starts_on)
            row.save(update_fields=["ends_on"])
    subscription.status, subscription.ended_on = Subscription.Status.ENDED, day
    subscription.save(update_fields=["status", "ended_on"])
    happenings.tell("subscription.ended", subscription)


def end_because_gone(subscription: Subscription, day: date) -> None:
    """End a locked subscription whose account is gone or whose buyer has another seller now. For the run.

    The period that had begun stays charged; periods that had not are given back, all of them where it had not begun.
    """
    unused_from = day if day < subscription.starts_on else changes.end_of_period(subscription, day)
    _stop(subscription, unused_from, due_on=day)
    end(subscription, max(day, subscription.starts_on))


def locked(subscription: Subscription) -> Subscription:
    """Return the subscription as it is now with its components, its row locked until the transaction ends."""
    return locked_by_id(subscription.pk)


def locked_by_id(pk: str) -> Subscription:
    """Return what `locked` does, of the subscription of an id."""
    return selectors.whole(pk, Subscription.objects.select_for_update(of=("self",), no_key=True))


def as_of_today(subscription: Subscription) -> tuple[Subscription, date]:
    """Return the subscription, locked and charged as far as a run would have charged it by now, and the seller's day.

    So a change comes to the same whether or not a run came before it.
    """
    subscription = locked(subscription)
    seller = sellers.of(subscription.customer.seller)
    today = sellers.today(seller)
    if subscription.status != Subscription.Status.ENDED:
        charges.keep(advance(subscription, seller, today))
        subscription.save(update_fields=["status", "billed_until"])
    return subscription, today


def check_offer(offered: QuerySet[Price], price: Price) -> None:
    """Refuse what a buyer can't choose by itself: what is not among the prices that it is offered now."""
    if not offered.filter(pk=price.pk).exists():
        raise Forbidden(_("This is not on sale. Ask your provider for it."))


def _check_change(actor: Actor, subscription: Subscription, price: Price, day: date, today: date) -> None:
    """Refuse a change that this actor can't make, or not on this day; the same before it is shown and made."""
    charges.check_day(day, today, "on")
    if buys(actor, subscription):
        check_offer(selectors.offers(subscription, today), price)
        if day != today:
            raise Forbidden(_("Your change begins today."))
    if price.product.kind in changes.ONE_ONLY and day > today:
        raise Invalid("day", _("A package or plan changes today, not later."), "on")


def _make(subscription: Subscription, worked_out: changes.Change) -> list[Charge]:
    """Keep what was worked out."""
    for row in worked_out.ends:
        row.ends_on = max(worked_out.on, row.starts_on)
        row.save(update_fields=["ends_on"])
    Component.objects.bulk_create(worked_out.begins)
    made = list(worked_out.charges)
    charges.keep_once_more(subscription, made)
    subscription.months, subscription.anchor = worked_out.months, worked_out.anchor
    subscription.billed_until = worked_out.billed_until
    subscription.save(update_fields=["months", "anchor", "billed_until"])
    return made


def _stop(subscription: Subscription, day: date, due_on: date | None = None) -> None:
    """Give back what was charged from a day on; before it began that is all of it, with setup fees."""
    made = [
        charge
        for row in changes.standing(subscription, day)
        for charge in charges.unused(subscription, row, day, due_on)
    ]
    if day < subscription.starts_on:
        fees = Charge.objects.filter(component__subscription=subscription, kind=Charge.Kind.SETUP)
        rows = {row.pk: row for row in subscription.components.all()}
        made += [charges.given_back(subscription, rows[str(fee.component_id)], fee, due_on or day) for fee in fees]
    charges.keep_once_more(subscription, made)


def buys(actor: Actor, subscription: Subscription) -> bool:
    """Tell whether an actor is the buyer, and chooses among what is on sale."""
    return not actor.is_system and actor.organization_id == subscription.customer.buyer_id


def _check_hosting(customer: Customer, product: Product, hosting: HostingAccount | None) -> None:
    if hosting is None:
        return
    if hosting.organization_id != customer.buyer_id or product.kind != Product.Kind.PACKAGE:
        raise Invalid("hosting", _("Choose an account of this customer, for a product that is a package."), "hosting")
    if hosting.package_id != product.package_id:
        raise Invalid("package", _("The account has another package than this product sells."), "hosting")
    if hosting.status == HostingAccount.Status.TERMINATED:
        raise Conflict(_("This account is terminated. Choose another one."), field="hosting")


def _one_of_account() -> AbstractContextManager[None]:
    """Let the database refuse an account that another subscription pays for."""
    message = _("This account has a subscription already. End that one first, or choose another account.")
    return integrity_as_conflict(message, field="hosting")


def _follow_package(actor: Actor, subscription: Subscription, product: Product) -> None:
    """Give the hosting account the package that is paid for now."""
    hosting, package = subscription.hosting, product.package
    if hosting is None or package is None or hosting.package_id == package.pk:
        return
    packages.move(actor=_seller_acts(actor, subscription), hosting=hosting, package=package)


def _follow_plan(actor: Actor, subscription: Subscription, product: Product) -> None:
    """Give the reseller the plan that is paid for now."""
    buyer = subscription.customer.buyer
    if product.plan is None or buyer.plan_id == product.plan_id:
        return
    if buyer.kind != Organization.Kind.RESELLER:
        raise Invalid("plan", _("A plan is for resellers; this customer is none."), "price")
    plans.assign(actor=_seller_acts(actor, subscription), organization=buyer, plan=product.plan)


def _seller_acts(actor: Actor, subscription: Subscription) -> Actor:
    """What was bought is given, whoever of the two parties pressed the button: the permission was that to buy."""
    return Actor.system(f"{subscription.pk}: {actor.label}"[:200])
