"""What is typed about parties and prices, brought into the form in which it is kept, or refused with the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from stdnum import bic as bic_number
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from billing import countries, regions
from billing.pricing import money
from billing.tax import numbers
from panel.core.errors import Invalid
from panel.core.names import NameInvalid, sentence

MOST_LINES = 8
MOST_AMOUNT = Decimal(1_000_000_000)
_REGION = re.compile(r"[A-Z0-9]{1,10}")
_SERIES = re.compile(r"[A-Z0-9][A-Z0-9-]{0,9}")


def known(values: Mapping[str, Any], fields: Collection[str]) -> None:
    """Refuse values of fields that are not among `fields`."""
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise Invalid("unknown", _("There is no such field here."), unknown[0])


def line(text: str, field: str) -> str:
    """Return one printable line, or nothing."""
    if not text.strip():
        return ""
    try:
        return sentence(text)
    except NameInvalid as error:
        raise Invalid(error.rule, error.message, field) from error


def lines(text: str, field: str, most: int = MOST_LINES) -> str:
    """Return printable lines, those that are empty left out."""
    found = [line(part, field) for part in text.replace("\r\n", "\n").split("\n") if part.strip()]
    if len(found) > most:
        raise Invalid("lines", _("Give at most %(count)s lines.") % {"count": most}, field)
    return "\n".join(found)


def country(code: str, field: str = "country") -> str:
    """Return the code of a country in capital letters, or nothing."""
    code = code.strip().upper()
    if code and code not in countries.NAMES:
        raise Invalid("country", _("Choose a country; its code has two letters, such as DE."), field)
    return code


def region(code: str, of_country: str = "", field: str = "region") -> str:
    """Return the code of a part of a country in capital letters, such as TX, or nothing. States of the United States
    and provinces of Canada may be given by name.
    """
    if code.strip() and of_country in regions.NAMES:
        found = regions.code(of_country, code)
        if not found:
            text = _("There is no such region of %(country)s; give its two letters, such as %(example)s.")
            said = {"country": countries.name(of_country), "example": next(reversed(regions.NAMES[of_country]))}
            raise Invalid("region", text % said, field)
        return found
    code = code.strip().upper()
    if code and not _REGION.fullmatch(code):
        raise Invalid("region", _("A region is a short code of letters and digits, such as TX."), field)
    return code


def vat_number(number: str, of_country: str, field: str = "vat_number") -> str:
    """Return a VAT number as it is kept, or nothing; its country has to be known."""
    if not number.strip():
        return ""
    if not of_country:
        raise Invalid("country_first", _("Choose the country that the VAT number is of."), "country")
    try:
        return numbers.normal(number, of_country)
    except numbers.NumberInvalid as error:
        name = countries.name(of_country)
        if error.code == "country":
            text = _("This VAT number is of another country than %(country)s; correct one of them.")
        else:
            text = _("This is no VAT number of %(country)s; look for a mistyped or missing digit.")
        raise Invalid("vat_number", text % {"country": name}, field) from error


def iban(number: str) -> str:
    """Return an IBAN without blanks, its check digits checked, or nothing."""
    return _checked(iban_number, number, "iban", _("This is no IBAN; look for a mistyped or missing digit."))


def bic(code: str) -> str:
    """Return a BIC, or nothing."""
    return _checked(bic_number, code, "bic", _("A BIC has 8 or 11 letters and digits, such as DEUTDEFF."))


def series(text: str, field: str) -> str:
    """Return the name of a series of numbers in capital letters."""
    text = text.strip().upper()
    if not _SERIES.fullmatch(text):
        raise Invalid("series", _("Use 1 to 10 capital letters, digits and hyphens, such as INV."), field)
    return text


def currency(code: str, field: str = "currency") -> str:
    """Return the code of a currency that can be sold in."""
    if code not in money.PLACES:
        raise Invalid("currency", _("Choose a currency, such as EUR."), field)
    return code


def amount(value: Decimal, of_currency: str, field: str) -> Decimal:
    """Return an amount that is not negative and has no more places than its currency."""
    if not 0 <= value <= MOST_AMOUNT:
        raise Invalid("amount", _("Give an amount from 0 to 1,000,000,000."), field)
    if value != money.rounded(value, of_currency):
        said = {"currency": of_currency, "count": money.places(of_currency)}
        raise Invalid("places", _("%(currency)s has %(count)s decimal places.") % said, field)
    return value


def _checked(rule: Any, text: str, field: str, refusal: str) -> str:
    if not text.strip():
        return ""
    try:
        found: str = rule.validate(text)
    except ValidationError as error:
        raise Invalid(field, refusal, field) from error
    return found
