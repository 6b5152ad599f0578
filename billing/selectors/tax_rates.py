"""Tax rates as sellers have set them, and what is left to adopt of those that are shipped."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Organization
from billing.models import TaxRate
from billing.tax import places, rates, treatment
from panel.core.actors import Actor
from panel.core.scoping import everything


def listed(actor: Actor) -> QuerySet[TaxRate]:
    """Return the rates of the actor's own organization."""
    return TaxRate.objects.filter(seller=actor.organization_id).select_related("seller")


def of_seller(organization: Organization) -> list[treatment.Rate]:
    """Return the rates of a seller as the rule of tax wants them, whatever the scope."""
    with everything("buyers pay their seller's tax"):
        rows = list(TaxRate.objects.filter(seller=organization))
    return [treatment.Rate(row.country, row.percent, row.valid_from, row.category, row.region) for row in rows]


def by_region(organization: Organization) -> list[str]:
    """Return the countries, outside the European Union, of whose regions a seller has rates of their own: a buyer
    there has to say where.
    """
    found = {rate.country for rate in of_seller(organization) if rate.region and not places.in_eu(rate.country)}
    return sorted(found)


def to_adopt(organization: Organization) -> list[TaxRate]:
    """Return the shipped rates that a seller does not have yet, unsaved: none for what it has set itself since."""
    own = [rate for rate in of_seller(organization) if rate.category == treatment.STANDARD and not rate.region]
    newest = {rate.country: rate.valid_from for rate in sorted(own, key=lambda rate: rate.valid_from)}
    return [
        TaxRate(seller=organization, country=country, percent=percent, valid_from=since)
        for country, (percent, since) in rates.STANDARD.items()
        if country not in newest or newest[country] < since
    ]
