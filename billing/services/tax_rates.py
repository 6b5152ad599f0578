"""Tax rates that a seller sets by hand, and those of the European Union that it adopts as they are shipped."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from billing.models import TaxRate
from billing.selectors import sellers
from billing.selectors import tax_rates as selectors
from billing.services import texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict

SOURCE = gettext_lazy("European Commission, VAT rates applied in the member states")
"""Where the shipped rates are from."""
MOST_PERCENT = Decimal(100)
MOST_PLACES = 4


def create(
    *,
    actor: Actor,
    organization: Organization,
    country: str,
    percent: Decimal,
    valid_from: date,
    category: str = TaxRate.Category.STANDARD,
    region: str = "",
) -> TaxRate:
    """Set a rate from a day on. What is issued already stays as it is."""
    policy.require(actor, "tax_rate.create", organization)
    if not country:
        raise Invalid("country", _("Choose the country in which the rate holds."), "country")
    if category not in (TaxRate.Category.STANDARD, TaxRate.Category.REDUCED):
        raise Invalid("category", _("Only the standard and the reduced rate have a percentage."), "category")
    rate = TaxRate(
        seller=organization,
        country=texts.country(country),
        region=texts.region(region, texts.country(country)),
        category=category,
        percent=_percent(percent),
        valid_from=valid_from,
    )
    taken = _("There is a rate from this day on already.")
    with transaction.atomic():
        clean_or_invalid(rate)
        with integrity_as_conflict(taken, field="valid_from"):
            rate.save()
        fields = ("country", "region", "category", "percent", "valid_from")
        audit.record(actor, "tax_rate.create", rate, {field: [None, getattr(rate, field)] for field in fields})
    return rate


def adopt(*, actor: Actor, organization: Organization) -> list[TaxRate]:
    """Set the standard rates of the European Union as they are shipped, where the seller has none as new; return them.

    See `billing.tax.rates` for their day and source.
    """
    policy.require(actor, "tax_rate.create", organization)
    with transaction.atomic():
        found = selectors.to_adopt(organization)
        TaxRate.objects.bulk_create(found, ignore_conflicts=True)
        for rate in found:
            audit.record(actor, "tax_rate.create", rate, {"percent": [None, rate.percent]})
    return found


def remove(*, actor: Actor, rate: TaxRate) -> None:
    """Take back a rate that has not begun; one that has is followed by another, so that the past can be explained."""
    policy.require(actor, "tax_rate.remove", rate)
    if rate.valid_from <= sellers.today(sellers.of(rate.seller)):
        raise Conflict(_("This rate has begun. Set another one from a later day on."), code="begun")
    with transaction.atomic():
        audit.record(actor, "tax_rate.remove", rate, {"percent": [rate.percent, None]})
        rate.delete()


def _percent(value: Decimal) -> Decimal:
    if not 0 <= value <= MOST_PERCENT or value != round(value, MOST_PLACES):
        said = {"count": MOST_PLACES}
        raise Invalid("percent", _("Give 0 to 100 percent, with at most %(count)s decimal places.") % said, "percent")
    return value
