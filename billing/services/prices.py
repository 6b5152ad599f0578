"""What products cost: from a day on, in a currency, for a cycle. Prices that have begun are followed, never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import Price, Product
from billing.selectors import meters, products, sellers
from billing.selectors import prices as selectors
from billing.services import metering, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.scoping import everything

Cycle = Price.Cycle


def create(
    *,
    actor: Actor,
    product: Product,
    currency: str,
    months: int = Cycle.MONTH,
    amount: Decimal = Decimal(0),
    setup: Decimal = Decimal(0),
    rule: dict[str, Any] | None = None,
    valid_from: date | None = None,
) -> Price:
    """Sell a product at a price from a day of the seller's on, today by default.

    Subscriptions keep what they pay. Only the first price of its kind may begin in the past: nobody has bought at it.
    """
    policy.require(actor, "price.create", product)
    today = sellers.today(sellers.of(product.organization))
    price = Price(
        product=product,
        currency=texts.currency(currency),
        months=months,
        amount=amount,
        setup=setup,
        rule=rule,
        valid_from=valid_from or today,
    )
    if product.archived_at:
        raise Conflict(_("This product is not on sale any more."), code="gone")
    with transaction.atomic(), everything("prices of one product"):
        _check(price)
        if price.valid_from < today and _has_others(price):
            raise Invalid("past", _("A price that follows another one begins today or later."), "valid_from")
        clean_or_invalid(price)
        with integrity_as_conflict(_("There is a price from this day on already."), field="valid_from"):
            price.save()
        said = {field: [None, getattr(price, field)] for field in ("currency", "months", "amount", "setup")}
        audit.record(actor, "price.create", price, {**said, "valid_from": [None, price.valid_from]})
    return price


def end(*, actor: Actor, price: Price, on: date | None = None) -> Price:
    """Sell at a price no more from a day on, today by default. Subscriptions at it go on."""
    policy.require(actor, "price.change", price)
    today = sellers.today(sellers.of(price.product.organization))
    if (on or today) < today:
        raise Invalid("past", _("Choose today or a later day."), "ended_on")
    if (on or today) < price.valid_from:
        raise Invalid("before", _("A price can't end before it begins; take it back instead."), "ended_on")
    with transaction.atomic():
        price = _locked(price)
        before, price.ended_on = price.ended_on, on or today
        price.save(update_fields=["ended_on"])
        audit.record(actor, "price.change", price, {"ended_on": (before, price.ended_on)})
    return price


def remove(*, actor: Actor, price: Price) -> None:
    """Take back a price that has not begun and that nobody has agreed on."""
    policy.require(actor, "price.remove", price)
    if price.valid_from <= sellers.today(sellers.of(price.product.organization)):
        raise Conflict(_("This price has begun. End it, or set another one from a later day on."), code="begun")
    with transaction.atomic():
        price = _locked(price)
        if products.subscriptions_at(price):
            raise Conflict(_("Subscriptions have this price; end it instead."), code="in_use")
        audit.record(actor, "price.remove", price, {"amount": (price.amount, None)})
        price.delete()


def _check(price: Price) -> None:
    kind = price.product.kind
    texts.amount(price.amount, price.currency, "amount")
    texts.amount(price.setup, price.currency, "setup")
    if kind == Product.Kind.ITEM:
        _must(price.months == Cycle.ONCE, "months", _("An item is paid once."))
        _must(not price.setup, "setup", _("An item has no setup fee."))
    else:
        _must(price.months != Cycle.ONCE, "months", _("Choose how often it is paid; only items are paid once."))
    if kind == Product.Kind.METERED:
        _must(price.months == Cycle.MONTH, "months", _("What goes by use is charged each month."))
        _must(not price.amount and not price.setup, "amount", _("What goes by use has a rule instead of a price."))
        _check_rule(price)
    else:
        _must(price.rule is None, "rule", _("Only what goes by use has a rule."))


def _check_rule(price: Price) -> None:
    if price.rule is None:
        raise Invalid("rule", _("Say by which rule use becomes money."), "rule")
    rule = metering.parsed(price.rule, price.currency)
    for name in filter(None, (rule.feed, rule.cap_feed)):
        feed = meters.feed_named(price.product.organization, name)
        if feed is not None and feed.currency != price.currency:
            shown = {"feed": feed.name, "has": feed.currency, "currency": price.currency}
            message = _("The feed %(feed)s has prices in %(has)s; choose one in %(currency)s.")
            raise Invalid("rule", message % shown, "rule")


def _must(holds: bool, field: str, text: str) -> None:
    if not holds:
        raise Invalid("kind", text, field)


def _has_others(price: Price) -> bool:
    rows = selectors.of_product(price.product)
    return rows.filter(currency=price.currency, months=price.months).exists()


def _locked(price: Price) -> Price:
    with everything("a price and its seller"):
        rows = Price.objects.select_for_update(of=("self",), no_key=True)
        found = rows.select_related("product", "product__organization").filter(pk=price.pk).first()
    if found is None:
        raise Conflict(_("This price is gone."), code="gone")
    return found
