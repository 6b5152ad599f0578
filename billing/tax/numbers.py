"""VAT numbers as they are written: brought into one form, checked for shape and check digits. Whether a number is in
force only its member state knows: see `billing.vies`.
"""

from __future__ import annotations

from stdnum import get_cc_module
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.util import clean

from billing.tax import places


class NumberInvalid(ValueError):
    """No VAT number of this country: `code` is shape, or country for one of another member state."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def normal(number: str, country: str) -> str:
    """Return a VAT number as it is kept: capital letters and digits, in the Union with its two letters in front.

    A number of a member state may come without them. Raises NumberInvalid. Where a country's numbers have no rule
    here, 4 to 20 letters and digits pass.
    """
    text = clean(number, " -./").upper()
    if not text.isascii() or not text.isalnum() or not 4 <= len(text) <= 20:
        raise NumberInvalid("shape")
    if places.in_eu(country):
        return _of_union(text, places.prefix(country))
    rule = get_cc_module(country.lower(), "vat") if country else None
    if rule is not None:
        try:
            rule.validate(text)
        except ValidationError as error:
            raise NumberInvalid("shape") from error
    return text


def askable(number: str) -> bool:
    """Tell whether the Union's service knows numbers like this one."""
    return bool(places.of_prefix(number[:2]))


def _of_union(text: str, prefix: str) -> str:
    for candidate in (text, prefix + text):
        if candidate.startswith(prefix) and vat.is_valid(candidate):
            return candidate
    other = places.of_prefix(text[:2])
    raise NumberInvalid("country" if other and places.prefix(other) != prefix and vat.is_valid(text) else "shape")
