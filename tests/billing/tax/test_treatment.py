"""Which tax a sale has, as a table: seller, buyer, kind of rate → code, percent, reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.tax import rates, treatment
from billing.tax.places import EU
from billing.tax.treatment import Buying, NoRate, Rate, Selling, Treatment

ON = date(2026, 3, 1)
UNION = [Rate(country, percent, since) for country, (percent, since) in rates.STANDARD.items()]
REDUCED = [*UNION, Rate("DE", Decimal(7), date(2024, 1, 1), "reduced")]
STATES = [
    Rate("US", Decimal("8.25"), date(2024, 1, 1), region="TX"),
    Rate("US", Decimal("6.25"), date(2024, 1, 1), region="MA"),
]
SWISS = [*UNION, Rate("CH", Decimal("8.1"), date(2024, 1, 1))]
ISLANDS = [*UNION, Rate("ES", Decimal(0), date(2024, 1, 1), region="CN")]
GERMAN = Selling("DE")
SMALL = Selling("DE", taxes_at_home=True)
TEXAN = Selling("US", "TX")

AE = ("AE", "0", "VATEX-EU-AE")
G = ("G", "0", "VATEX-EU-G")
O = ("O", "0", "VATEX-EU-O")  # noqa: E741 (the code's name)

CASES = {
    "a consumer at home": (GERMAN, Buying("DE"), "standard", UNION, ("S", "19", "")),
    "a business at home": (GERMAN, Buying("DE", has_valid_number=True), "standard", UNION, ("S", "19", "")),
    "nobody knows where: at home": (GERMAN, Buying(""), "standard", UNION, ("S", "19", "")),
    "a business in another member state": (GERMAN, Buying("FR", has_valid_number=True), "standard", UNION, AE),
    "the threshold is for consumers only": (SMALL, Buying("FR", has_valid_number=True), "standard", UNION, AE),
    "a number that nobody has checked counts for nothing": (GERMAN, Buying("FR"), "standard", UNION, ("S", "20", "")),
    "a consumer in another member state": (GERMAN, Buying("FI"), "standard", UNION, ("S", "25.5", "")),
    "a consumer there, below the threshold": (SMALL, Buying("FI"), "standard", UNION, ("S", "19", "")),
    "a consumer in Greece": (GERMAN, Buying("GR"), "standard", UNION, ("S", "24", "")),
    "Monaco counts as France": (GERMAN, Buying("MC"), "standard", UNION, ("S", "20", "")),
    "a seller in Monaco and a consumer in France": (Selling("MC"), Buying("FR"), "standard", UNION, ("S", "20", "")),
    "a part of a member state with a rate of its own": (
        GERMAN,
        Buying("ES", "CN"),
        "standard",
        ISLANDS,
        ("Z", "0", ""),
    ),
    "another part of it": (GERMAN, Buying("ES", "MD"), "standard", ISLANDS, ("S", "21", "")),
    "outside the Union": (GERMAN, Buying("US", "TX"), "standard", UNION, G),
    "Northern Ireland is no member state for services": (GERMAN, Buying("GB"), "standard", UNION, G),
    "outside the Union where the seller is registered": (GERMAN, Buying("CH"), "standard", SWISS, ("S", "8.1", "")),
    "reduced at home": (GERMAN, Buying("DE"), "reduced", REDUCED, ("S", "7", "")),
    "no reduced rate is set: the standard one": (GERMAN, Buying("FR"), "reduced", REDUCED, ("S", "20", "")),
    "zero": (GERMAN, Buying("DE"), "zero", UNION, ("Z", "0", "")),
    "exempt goods": (GERMAN, Buying("DE"), "exempt", UNION, ("E", "0", "exempt")),
    "an exempt buyer": (
        GERMAN,
        Buying("DE", exemption="Embassy, note 12"),
        "standard",
        UNION,
        ("E", "0", "Embassy, note 12"),
    ),
    "reverse charge comes before the kind of rate": (GERMAN, Buying("FR", has_valid_number=True), "zero", UNION, AE),
    "a seller who charges no tax": (Selling("DE", is_taxed=False), Buying("DE"), "standard", UNION, O),
    "such a seller and a business abroad": (
        Selling("DE", is_taxed=False),
        Buying("FR", has_valid_number=True),
        "standard",
        UNION,
        O,
    ),
    "a state with a rate": (TEXAN, Buying("US", "TX"), "standard", STATES, ("S", "8.25", "")),
    "another state with a rate": (TEXAN, Buying("US", "MA"), "standard", STATES, ("S", "6.25", "")),
    "a state without": (TEXAN, Buying("US", "OR"), "standard", STATES, O),
    "nobody knows where: the seller's own state": (TEXAN, Buying(""), "standard", STATES, ("S", "8.25", "")),
    "abroad": (TEXAN, Buying("CA"), "standard", STATES, O),
    "a consumer in the Union, no rate set": (TEXAN, Buying("DE"), "standard", STATES, O),
    "a business in the Union, no rate set": (TEXAN, Buying("DE", has_valid_number=True), "standard", STATES, O),
    "a seller elsewhere with the Union's scheme": (
        TEXAN,
        Buying("DE"),
        "standard",
        STATES + UNION,
        ("S", "19", ""),
    ),
    "such a seller and a business": (TEXAN, Buying("DE", has_valid_number=True), "standard", STATES + UNION, AE),
    "a seller in Switzerland": (Selling("CH"), Buying("CH"), "standard", SWISS, ("S", "8.1", "")),
}


@pytest.mark.parametrize("case", CASES)
def test_tax_of_a_sale(case: str) -> None:
    seller, buyer, category, known, (code, percent, reason) = CASES[case]
    assert treatment.treatment(seller, buyer, category, known, ON) == Treatment(code, Decimal(percent), reason)


@pytest.mark.parametrize(
    ("seller", "buyer", "country"),
    [(GERMAN, Buying("DE"), "DE"), (GERMAN, Buying("FR"), "FR"), (Selling("CH"), Buying("CH"), "CH")],
)
def test_a_rate_that_is_due_and_missing_is_no_zero(seller: Selling, buyer: Buying, country: str) -> None:
    with pytest.raises(NoRate) as caught:
        treatment.treatment(seller, buyer, "standard", [], ON)
    assert caught.value.country == country


def test_rates_change_with_the_day() -> None:
    known = [*UNION, Rate("DE", Decimal(21), date(2027, 1, 1))]
    last, first = date(2026, 12, 31), date(2027, 1, 1)
    assert treatment.treatment(GERMAN, Buying("DE"), "standard", known, last).percent == 19
    assert treatment.treatment(GERMAN, Buying("DE"), "standard", known, first).percent == 21
    estonian = Selling("EE")
    with pytest.raises(NoRate):
        treatment.treatment(estonian, Buying("EE"), "standard", UNION, date(2025, 6, 30))


def test_every_member_state_has_a_shipped_rate_within_the_directive() -> None:
    assert set(rates.STANDARD) == EU
    assert len(EU) == 27
    assert all(15 <= percent <= 27 and since <= rates.AS_OF for percent, since in rates.STANDARD.values())
