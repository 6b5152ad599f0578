"""Standard VAT rates of the European Union as shipped, for sellers to adopt and correct. Not what a seller charges."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

AS_OF = date(2026, 1, 1)
"""The day whose law the rates are, after the European Commission's list of VAT rates applied in the member states."""

_LONG = date(2024, 1, 1)
_SINCE = {
    "EE": date(2025, 7, 1),
    "FI": date(2024, 9, 1),
    "RO": date(2025, 8, 1),
    "SK": date(2025, 1, 1),
}
_PERCENT = (
    "AT 20 BE 21 BG 20 CY 19 CZ 21 DE 19 DK 25 EE 24 ES 21 FI 25.5 FR 20 GR 24 HR 25 HU 27 IE 23 IT 22 LT 21 LU 17 "
    "LV 21 MT 18 NL 21 PL 23 PT 23 RO 21 SE 25 SI 22 SK 23"
).split()

STANDARD: dict[str, tuple[Decimal, date]] = {
    country: (Decimal(percent), _SINCE.get(country, _LONG))
    for country, percent in zip(_PERCENT[::2], _PERCENT[1::2], strict=True)
}
"""Member state → percent, and a day from which on it has been that."""
