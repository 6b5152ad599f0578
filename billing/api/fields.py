"""Fields of request bodies of billing, beside those of `panel.core.api.fields`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.pricing.rules import NUMBER

_FIGURE = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


@extend_schema_field({"type": "string", "maxLength": 61, "pattern": f"^{NUMBER.pattern}$"})
class Exact(serializers.Field[Decimal, Any, str, Any]):
    """A number that is not negative, as text of digits, so that no program rounds it: "0.000011"."""

    default_error_messages = {"invalid": 'Give a number as text, as in "0.25", not negative.'}

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the number."""
        if not isinstance(data, str) or not NUMBER.fullmatch(data):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """Return its digits."""
        return format(value, "f")


class Figure(serializers.DecimalField):
    """An amount, quantity or percentage: text of ASCII digits such as "12.50", or a whole JSON number."""

    default_error_messages = {"invalid": 'Give a number as text, as in "12.50".'}

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the number; refuse fractions that are no text, other scripts' digits, exponents, blanks and `+`."""
        if isinstance(data, bool) or not isinstance(data, str | int) or not _FIGURE.fullmatch(str(data)):
            self.fail("invalid")
        return Decimal(super().to_internal_value(data))
