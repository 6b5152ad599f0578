"""Mail about what a subscription is going to cost, in the name of the seller's brand: to those who see to money."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format

from accounts.mail import Letter, send_all
from accounts.models import Brand
from accounts.selectors import brands
from billing import formats
from billing.models import Component, Subscription
from billing.services import charges, dunning_mails
from panel.core.scoping import everything


def trial_ends(subscription: Subscription, component: Component, amount: Decimal) -> None:
    """Tell that a trial is going to end, and what is charged first then; once for each end of a trial."""
    day = subscription.trial_until
    if day is not None:
        _send(subscription, component, "trial_reminder", f"trial:{subscription.pk}:{day}", day, amount)


def price_changes(subscription: Subscription, before: Component, after: Component) -> None:
    """Tell that a component is followed by one at another price; once for each that follows."""
    whole = [row.amount * row.quantity for row in (before, after)]
    _send(subscription, after, "price_change", f"price:{after.pk}", after.starts_on, whole[1], whole[0])


def _send(
    subscription: Subscription,
    component: Component,
    template: str,
    once: str,
    day: date,
    amount: Decimal,
    before: Decimal | None = None,
) -> None:
    with everything("mail to a buyer's people"):
        customer = subscription.customer
        brand = brands.for_organization(customer.seller)
        readers: Iterable[dunning_mails.Reader] = dunning_mails.readers(customer, brand)
        send_all(
            [
                Letter(
                    brand,
                    reader.address,
                    template,
                    _context(subscription, component, brand, reader, day, amount, before),
                    reader.locale,
                    f"{once}:{hashlib.sha256(reader.address.encode()).hexdigest()[:16]}",
                )
                for reader in readers
            ]
        )


def _context(
    subscription: Subscription,
    component: Component,
    brand: Brand,
    reader: dunning_mails.Reader,
    day: date,
    amount: Decimal,
    before: Decimal | None,
) -> dict[str, str]:
    currency = subscription.customer.currency
    by_use = charges.is_metered(component)
    page = "subscription_cancel" if before is None else "subscription"
    with translation.override(reader.locale or brand.locale):
        return {
            "name": reader.name,
            "what": charges.name_of(subscription, component),
            "day": date_format(day),
            "amount": "" if by_use else formats.money(amount, currency),
            "before": "" if by_use or before is None else formats.money(before, currency),
            "cycle": str(subscription.get_months_display()),
            "link": brands.base_url(brand) + reverse(f"billing:{page}", args=[subscription.pk]),
        }
