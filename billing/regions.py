"""States and provinces of countries whose taxes differ by them, so that a name and its code are one. Not a list of all
regions of the world: those of other countries are whatever code a seller's tax rates have.
"""

from __future__ import annotations

_UNITED_STATES = """AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut,
    DE Delaware, DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa,
    KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota,
    MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico,
    NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island,
    SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
    WV West Virginia, WI Wisconsin, WY Wyoming"""
_CANADA = """AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador,
    NS Nova Scotia, NT Northwest Territories, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec,
    SK Saskatchewan, YT Yukon"""


def _read(table: str) -> dict[str, str]:
    rows = (" ".join(row.split()).partition(" ") for row in table.split(","))
    return {code: name for code, _blank, name in rows}


NAMES = {"US": _read(_UNITED_STATES), "CA": _read(_CANADA)}
"""Country → code of ISO 3166-2 without the country → name in English."""


def code(country: str, text: str) -> str:
    """Return the code of a region of one of these countries that somebody gave by code or name, or nothing."""
    wanted = " ".join(text.split()).casefold()
    return next((code for code, name in NAMES[country].items() if wanted in (code.casefold(), name.casefold())), "")
