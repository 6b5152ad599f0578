"""What an order would cost today and from then on, by the functions that charge and invoice it. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.models import Charge, Customer, Price, Seller, Subscription
from billing.pricing import calendar
from billing.pricing.totals import Line, Totals, totals
from billing.selectors import sellers
from billing.services import changes, charges, taxes


@dataclass(frozen=True)
class Estimate:
    """The lines and sums to pay today; `first`, what the first days that cost something come to, setup fees among it;
    and the sums of every full period from `later_on`. `inclusive` as prices say.
    """

    currency: str
    months: int
    inclusive: bool
    trial_until: date | None
    today_lines: list[Charge]
    today: Totals
    first: Totals
    later_on: date
    later: Totals
    reason: str


def of(
    *,
    seller: Seller,
    price: Price,
    customer: Customer | None = None,
    addons: Sequence[changes.Extra] = (),
    **party: str | bool,
) -> Estimate:
    """Return what a price and add-ons cost somebody: a customer as it stands, or a new one of whom `party` is known
    (`country`, `region`, `vat_number`, `is_business`).
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
    components = [
        changes.begin(subscription, price, 1, today),
        *(changes.begin(subscription, extra.price, extra.quantity, today, is_main=False) for extra in addons),
    ]
    whole = calendar.period_at(subscription.anchor, price.months, paid_from)
    following = calendar.period_at(subscription.anchor, price.months, whole[1])
    treatments = {
        category: taxes.treatment(seller, who, category, today)
        for category in dict.fromkeys(row.product.tax_category for row in components)
    }

    def charged(period: charges.Span, days: charges.Span) -> list[Charge]:
        return [row for each in components for row in charges.period(subscription, each, period, days)]

    def summed(rows: list[Charge]) -> Totals:
        lines = [
            Line(row.amount, treatments[row.tax_category].code, treatments[row.tax_category].percent) for row in rows
        ]
        return totals(lines, price.currency, inclusive=seller.tax_mode == Seller.TaxMode.INCLUSIVE)

    first = charged(whole, (paid_from, whole[1]))
    now = [] if days else first
    return Estimate(
        currency=price.currency,
        months=price.months,
        inclusive=seller.tax_mode == Seller.TaxMode.INCLUSIVE,
        trial_until=subscription.trial_until,
        today_lines=now,
        today=summed(now),
        first=summed(first),
        later_on=paid_from if days else whole[1],
        later=summed(charged(following, following)),
        reason=" ".join(dict.fromkeys(found.reason for found in treatments.values() if found.reason)),
    )
