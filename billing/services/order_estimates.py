"""What an order would cost today and from then on, by the functions that charge and invoice it. Nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from billing.models import Charge, Customer, Price, Seller, Subscription
from billing.pricing import calendar
from billing.pricing.totals import Line, Totals, totals
from billing.selectors import sellers
from billing.services import changes, charges, taxes


@dataclass(frozen=True)
class Estimate:
    """The lines and sums to pay today, and those of every full period from `later_on`; `inclusive` as prices say."""

    currency: str
    months: int
    inclusive: bool
    trial_until: date | None
    today_lines: list[Charge]
    today: Totals
    later_on: date
    later: Totals
    reason: str


def of(*, seller: Seller, price: Price, customer: Customer | None = None, **party: str | bool) -> Estimate:
    """Return what a price costs somebody: a customer as it stands, or a new one of whom `party` is known
    (`country`, `vat_number`, `is_business`).
    """
    who = customer or Customer(seller=seller.organization, currency=price.currency, **party)
    today = sellers.today(seller)
    days = price.product.trial_days
    paid_from = today + timedelta(days=days)
    subscription = Subscription(
        customer=who,
        months=price.months,
        anchor=changes.first_anchor(seller.billing_day, paid_from),
        starts_on=today,
        trial_until=paid_from if days else None,
        billed_until=paid_from,
    )
    component = changes.begin(subscription, price, 1, today)
    whole = calendar.period_at(subscription.anchor, price.months, paid_from)
    first = charges.period(subscription, component, whole, (paid_from, whole[1]))
    following = calendar.period_at(subscription.anchor, price.months, whole[1])
    treated = taxes.treatment(seller, who, price.product.tax_category, today)

    def summed(rows: list[Charge]) -> Totals:
        lines = [Line(row.amount, treated.code, treated.percent) for row in rows]
        return totals(lines, price.currency, inclusive=seller.tax_mode == Seller.TaxMode.INCLUSIVE)

    now = [] if days else first
    later = first if days else charges.period(subscription, component, following, following)
    return Estimate(
        currency=price.currency,
        months=price.months,
        inclusive=seller.tax_mode == Seller.TaxMode.INCLUSIVE,
        trial_until=subscription.trial_until,
        today_lines=now,
        today=summed(now),
        later_on=paid_from if days else whole[1],
        later=summed(later),
        reason=treated.reason,
    )
