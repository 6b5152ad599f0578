"""The member states of the European Union for VAT, and how their VAT numbers begin. Not a list of countries."""

from __future__ import annotations

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)  # fmt: skip
"""ISO 3166-1 codes of the member states (Directive 2006/112/EC, Article 5)."""

COUNTS_AS = {"MC": "FR"}
"""What is no member state but taxed as one: Monaco as France (Article 7)."""


def state(country: str) -> str:
    """Return the country that a country is taxed as, mostly itself."""
    return COUNTS_AS.get(country, country)


def in_eu(country: str) -> bool:
    """Tell whether VAT of the European Union is due in a country."""
    return state(country) in EU


def prefix(country: str) -> str:
    """Return the two letters that VAT numbers of a member state begin with: EL in Greece (Article 215)."""
    return "EL" if state(country) == "GR" else state(country)


def of_prefix(letters: str) -> str:
    """Return the member state whose VAT numbers begin with two letters, or nothing."""
    country = "GR" if letters == "EL" else letters
    return country if country in EU and letters != "GR" else ""
