"""What a subscription costs, as charges that nothing has kept yet, and one-off items. Invoices are not its affair.

Everything but `item` is pure over the rows that it is given: previews, the run and changes all ask the same functions.
Days are the seller's; spans leave their end out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Charge, Component, Customer, Price, Product, Subscription, TaxRate
from billing.pricing import calendar
from billing.pricing.money import PLACES, rounded
from billing.pricing.proration import share
from billing.selectors import sellers
from billing.services import texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid

Span = tuple[date, date]
DAY = timedelta(days=1)
MOST_DAYS = timedelta(days=366)
TEXT = 300
MOST = Decimal(10**12)
"""No line comes to so much: what is typed wrong would not fit into sums."""


def due(subscription: Subscription, until: date) -> list[Charge]:
    """Return the charges of all periods that begin on or before `until` and were not charged yet, oldest first.

    `due_on` is the first day of what is charged. A product that goes by use has none: see `metering.charges`.
    """
    found: list[Charge] = []
    components = list(subscription.components.all())
    for whole, days in _spans(subscription, subscription.billed_until, until, subscription.cancel_on):
        for component in components:
            found += period(subscription, component, whole, days)
    return found


def reach(subscription: Subscription, until: date) -> date:
    """Return what `billed_until` is once `due(subscription, until)` is charged."""
    end = subscription.billed_until
    for _whole, days in _spans(subscription, end, until, subscription.cancel_on):
        end = days[1]
    return end


def period(subscription: Subscription, component: Component, whole: Span, days: Span) -> list[Charge]:
    """Return what one component costs for `days` of the period `whole`: its share, and the setup fee at the start."""
    lived = _lived(component, days)
    if lived is None or is_metered(component):
        return []
    begins = lived[0] == first_day(subscription)
    found = [setup(subscription, component, lived[0])] if begins and component.price.setup else []
    charge = part_of(subscription, component, Charge.Kind.PERIOD, whole, lived, due_on=lived[0])
    return [*found, charge] if charge else found


def setup(subscription: Subscription, component: Component, on: date) -> Charge:
    """Return the setup fee of a component: once, however many there are."""
    fee = rounded(component.price.setup, subscription.customer.currency)
    text = _("Setup: %(what)s") % {"what": name_of(subscription, component)}
    return _charge(
        subscription, component, Charge.Kind.SETUP, (component.starts_on, component.starts_on), on, fee, text
    )


def unused(subscription: Subscription, component: Component, on: date, due_on: date | None = None) -> list[Charge]:
    """Return credits for what was charged of a component from the day `on` on: never more than was charged."""
    return [
        charge
        for whole, days in _charged(subscription, component, on)
        if (charge := part_of(subscription, component, Charge.Kind.CREDIT, whole, days, due_on=due_on or on, sign=-1))
    ]


def given_back(subscription: Subscription, component: Component, fee: Charge, due_on: date) -> Charge:
    """Return a credit for the setup fee of what never began."""
    text = _("Not used: %(what)s") % {"what": fee.text}
    days = (fee.starts_on, fee.ends_on)
    return _charge(subscription, component, Charge.Kind.CREDIT, days, due_on, -fee.amount, text)


def rest(subscription: Subscription, component: Component, on: date) -> list[Charge]:
    """Return charges for a component that begins on the day `on`, for what the others have been charged already."""
    if is_metered(component):
        return []
    return [
        charge
        for whole, days in _charged(subscription, component, on)
        if (charge := part_of(subscription, component, Charge.Kind.CHANGE, whole, days, due_on=on))
    ]


def part_of(
    subscription: Subscription,
    component: Component,
    kind: str,
    whole: Span,
    days: Span,
    *,
    due_on: date,
    sign: int = 1,
) -> Charge | None:
    """Return a charge for some days of a period, with how it came about; None when that costs nothing."""
    price = component.amount * component.quantity
    amount = sign * share(price, subscription.customer.currency, whole, days)
    if not amount:
        return None
    text = name_of(subscription, component)
    if kind == Charge.Kind.CREDIT:
        text = _("Not used: %(what)s") % {"what": text}
    steps = [
        {
            "step": "share",
            "price": str(component.amount),
            "quantity": str(component.quantity),
            "days": (days[1] - days[0]).days,
            "of": (whole[1] - whole[0]).days,
            "period": [whole[0].isoformat(), whole[1].isoformat()],
            "amount": str(amount),
        }
    ]
    charge = _charge(subscription, component, kind, days, due_on, amount, text)
    charge.explanation = steps
    if days == whole and sign > 0 and rounded(price, charge.currency) == price:
        charge.quantity, charge.unit_price = Decimal(component.quantity), component.amount
    return charge


def is_metered(component: Component) -> bool:
    """Tell whether a component is paid by use."""
    return component.product.kind == Product.Kind.METERED


def first_day(subscription: Subscription) -> date:
    """Return the first day that costs something: the start, or the end of the trial."""
    return max(subscription.starts_on, subscription.trial_until or subscription.starts_on)


def name_of(subscription: Subscription, component: Component) -> str:
    """Return what a line says: the product, and what it is for."""
    name, label = component.product.name, subscription.label
    return f"{name}, {label}" if label and label != name else name


def issue_on(charge: Charge, days_ahead: int, zone: ZoneInfo) -> date:
    """Return the day on which a charge goes on an invoice: derived from what is kept, whenever it is asked.

    `days_ahead` before it is due, but no sooner than it was known, and not within a trial. Use is told afterwards.
    """
    if charge.kind == Charge.Kind.USAGE:
        return charge.due_on
    ahead = charge.due_on - timedelta(days=days_ahead)
    if charge.kind in (Charge.Kind.PERIOD, Charge.Kind.SETUP) and charge.component is not None:
        subscription = charge.component.subscription
        if subscription.trial_until is not None:
            return max(ahead, subscription.trial_until)
        return max(ahead, min(subscription.starts_on, _day(subscription.created_at, zone)))
    return max(ahead, min(charge.due_on, _day(charge.created_at, zone)))


def item(
    *,
    actor: Actor,
    customer: Customer,
    text: str = "",
    amount: Decimal | None = None,
    quantity: int = 1,
    price: Price | None = None,
    on: date | None = None,
    tax_category: str = TaxRate.Category.STANDARD,
) -> Charge:
    """Charge a customer for something sold once: by a `price` that is paid once, or by `text` and `amount` of one.

    It goes on the next invoice, or on that of the day `on`. Raises Invalid for an amount that its currency lacks.
    """
    policy.require(actor, "charge.create", customer)
    if price is not None:
        if price.product.organization_id != customer.seller_id or price.currency != customer.currency or price.months:
            raise Invalid("price", _("Choose a price of yours that is paid once, in the customer's currency."), "price")
        text, amount, tax_category = text or price.product.name, price.amount, price.product.tax_category
    text = texts.line(text, "text")
    if amount is None or not text:
        raise Invalid("required", _("Say what it is, and what one of it costs."), "amount" if text else "text")
    if quantity < 1:
        raise Invalid("quantity", _("Give a whole number from 1."), "quantity")
    if rounded(amount, customer.currency) != amount:
        message = _("%(currency)s has %(places)s decimal places; give no more.")
        shown = {"currency": customer.currency, "places": PLACES[customer.currency]}
        raise Invalid("places", message % shown, "amount")
    if abs(amount) * quantity >= MOST:
        raise Invalid("too_much", _("Give an amount below a trillion."), "amount")
    today = sellers.today(sellers.of(customer.seller))
    day = on or today
    check_day(day, today, "on")
    with transaction.atomic():
        charge = Charge.objects.create(
            customer=customer,
            kind=Charge.Kind.ITEM,
            starts_on=day,
            ends_on=day,
            due_on=day,
            text=text[:TEXT],
            quantity=Decimal(quantity if amount >= 0 else -quantity),
            unit_price=abs(amount),
            amount=amount * quantity,
            currency=customer.currency,
            tax_category=tax_category,
        )
        audit.record(actor, "charge.create", charge, {"amount": [None, charge.amount], "text": [None, charge.text]})
    return charge


def check_day(day: date, today: date, field: str) -> None:
    """Refuse a day more than a year away: what is typed wrong would charge, or wait, for ages."""
    if abs(day - today) > MOST_DAYS:
        message = _("Choose a day from %(first)s to %(last)s: at most a year away.")
        shown = {"first": date_format(today - MOST_DAYS), "last": date_format(today + MOST_DAYS)}
        raise Invalid("day", message % shown, field)


def keep(rows: Iterable[Charge]) -> None:
    """Keep charges; what is charged already stays as it is, which the database sees to."""
    Charge.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def keep_once_more(subscription: Subscription, rows: Sequence[Charge]) -> None:
    """Keep charges of a locked subscription beside those of the same kind and span: what was cancelled and resumed may
    be cancelled again.
    """
    kept = Charge.objects.filter(component__subscription=subscription)
    for row in rows:
        row.part = kept.filter(
            component=row.component, kind=row.kind, starts_on=row.starts_on, ends_on=row.ends_on
        ).count()
    Charge.objects.bulk_create(rows)


def _charge(
    subscription: Subscription, component: Component, kind: str, days: Span, due_on: date, amount: Decimal, text: str
) -> Charge:
    values: dict[str, Any] = {"quantity": Decimal(1 if amount >= 0 else -1), "unit_price": abs(amount)}
    return Charge(
        customer=subscription.customer,
        component=component,
        kind=kind,
        starts_on=days[0],
        ends_on=days[1],
        due_on=due_on,
        text=text[:TEXT],
        amount=amount,
        currency=subscription.customer.currency,
        tax_category=component.product.tax_category,
        **values,
    )


def _spans(subscription: Subscription, start: date, until: date, stop: date | None) -> Iterator[tuple[Span, Span]]:
    """Cut the days from `start` on at the borders of periods: each period that begins by `until`, with its days."""
    while start <= until and (stop is None or start < stop):
        whole = calendar.period_at(subscription.anchor, subscription.months, start)
        end = whole[1] if stop is None else min(whole[1], stop)
        yield whole, (start, end)
        start = end


def _charged(subscription: Subscription, component: Component, on: date) -> Iterator[tuple[Span, Span]]:
    """Yield the days of a component from `on` on that lie in periods which were charged, with their periods."""
    if is_metered(component):
        return
    stop = min(subscription.billed_until, subscription.cancel_on or subscription.billed_until)
    for whole, days in _spans(subscription, max(on, first_day(subscription)), stop - DAY, stop):
        lived = _lived(component, days)
        if lived is not None:
            yield whole, lived


def _lived(component: Component, days: Span) -> Span | None:
    start = max(days[0], component.starts_on)
    end = days[1] if component.ends_on is None else min(days[1], component.ends_on)
    return (start, end) if start < end else None


def _day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
