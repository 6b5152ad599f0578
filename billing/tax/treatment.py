"""The one rule of which tax a sale has: who sells, who buys, what kind of rate, on which day.

What is sold are services delivered electronically (Directive 2006/112/EC, Articles 44, 58 and 59c). Codes are those of
UNCL 5305 as EN 16931 uses them; reasons are codes of the VATEX list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.tax import places

STANDARD, REDUCED, ZERO, EXEMPT = "standard", "reduced", "zero", "exempt"
CATEGORIES = (STANDARD, REDUCED, ZERO, EXEMPT)

REVERSE_CHARGE = "VATEX-EU-AE"
OUTSIDE_UNION = "VATEX-EU-G"
NOT_SUBJECT = "VATEX-EU-O"

NONE = Decimal(0)


class NoRate(LookupError):
    """Nobody has set the rate that is due in `country`."""

    def __init__(self, country: str) -> None:
        super().__init__(country)
        self.country = country


@dataclass(frozen=True)
class Selling:
    """A seller: where it is, whether it charges tax at all, and whether consumers in other member states pay the tax
    of its own country, as they may while it sells them less than 10,000 EUR a year in all (Article 59c).
    """

    country: str
    region: str = ""
    is_taxed: bool = True
    taxes_at_home: bool = False


@dataclass(frozen=True)
class Buying:
    """A buyer: where it is (no country: where the seller is), whether it is a business whose VAT number was found
    valid, and why it is exempt, if it is.
    """

    country: str
    region: str = ""
    has_valid_number: bool = False
    exemption: str = ""


@dataclass(frozen=True)
class Rate:
    """A rate in percent, from a day on; without a region it holds in all of the country that have none of their own."""

    country: str
    percent: Decimal
    valid_from: date
    category: str = STANDARD
    region: str = ""


@dataclass(frozen=True)
class Treatment:
    """The tax of a sale: code (UNCL 5305), percent, and why there is none (a VATEX code, or in words)."""

    code: str
    percent: Decimal
    reason: str = ""


def treatment(seller: Selling, buyer: Buying, category: str, rates: Sequence[Rate], on: date) -> Treatment:
    """Return the tax of what a seller sells to a buyer on a day; raises NoRate where a rate is due that nobody set."""
    if not seller.is_taxed:
        return Treatment("O", NONE, NOT_SUBJECT)
    if buyer.exemption:
        return Treatment("E", NONE, buyer.exemption)
    home, there = places.state(seller.country), places.state(buyer.country or seller.country)
    region = buyer.region if buyer.country else seller.region
    abroad = there != home
    due = _is_due(home, there, rates)
    if abroad and due and places.in_eu(there) and buyer.has_valid_number:
        return Treatment("AE", NONE, REVERSE_CHARGE)
    if abroad and places.in_eu(home) and places.in_eu(there) and seller.taxes_at_home:
        there, region = home, seller.region
    if not due:
        return Treatment("G", NONE, OUTSIDE_UNION) if places.in_eu(home) else Treatment("O", NONE, NOT_SUBJECT)
    return _domestic(there, region, category, rates, on)


def percent_of(country: str, region: str, category: str, rates: Sequence[Rate], on: date) -> Decimal | None:
    """Return the newest rate that has begun: of the region before that of the country; None without one.

    Where no reduced rate is set the standard rate holds: nobody pays too little tax because a row is missing.
    """
    begun = [rate for rate in rates if rate.country == country and rate.valid_from <= on]
    for wanted in (category, STANDARD) if category == REDUCED else (category,):
        for place in (region, "") if region else ("",):
            found = [rate for rate in begun if rate.category == wanted and rate.region == place]
            if found:
                return max(found, key=lambda rate: rate.valid_from).percent
    return None


def _is_due(home: str, there: str, rates: Sequence[Rate]) -> bool:
    """Tell whether tax is due there: within the Union, at home, and wherever a seller has set a rate for it."""
    within_union = places.in_eu(home) and places.in_eu(there)
    return there == home or within_union or any(rate.country == there for rate in rates)


def _domestic(country: str, region: str, category: str, rates: Sequence[Rate], on: date) -> Treatment:
    if category == EXEMPT:
        return Treatment("E", NONE, EXEMPT)
    if category == ZERO:
        return Treatment("Z", NONE)
    percent = percent_of(country, region, category, rates, on)
    if percent is not None:
        return Treatment("S", percent) if percent else Treatment("Z", NONE)
    # A country that is taxed by region, such as the United States, owes nothing where no region's rate is set.
    if not places.in_eu(country) and any(rate.country == country and rate.region for rate in rates):
        return Treatment("O", NONE, NOT_SUBJECT)
    raise NoRate(country)
