"""Columns for money and exact numbers that both databases keep and add up without a rounding of their own."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.pricing import money

SCALE = 4
"""Decimal places that an amount is kept with: as many as the finest currency has, and one to spare."""


class MoneyField(models.BigIntegerField):  # type: ignore[type-arg]
    """A Decimal amount, kept as an integer of ten-thousandths: SQLite would keep a decimal as a float, and PostgreSQL
    and SQLite round an over-long one differently. Sums are exact. An amount with more places is refused.
    """

    _pyi_private_set_type: Decimal | int | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]
    _pyi_lookup_exact_type: Decimal | int  # type: ignore[assignment]

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Decimal | None:
        """Return the amount."""
        return None if value is None else Decimal(int(value)).scaleb(-SCALE)

    def to_python(self, value: Any) -> Decimal | None:
        """Return `value` as an amount; raises ValidationError for what is none."""
        return _decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        """Return the integer that is kept; raises ValueError when the amount has more places than are kept."""
        if value is None or hasattr(value, "resolve_expression"):
            return value  # type: ignore[no-any-return]
        scaled = Decimal(value).scaleb(SCALE)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {SCALE} decimal places: round it first.")
        return int(scaled)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return what the database is given."""
        return value if prepared else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the amount as fixtures write it."""
        return str(self.value_from_object(obj))

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        """Ask for a decimal number."""
        kwargs.setdefault("decimal_places", SCALE)
        return models.Field.formfield(self, form_class or forms.DecimalField, choices_form_class, **kwargs)

    @property
    def validators(self) -> list[Any]:
        """No range of its own: the integer behind it holds nine hundred trillion."""
        return list(self._validators)  # type: ignore[attr-defined]


class ExactField(models.CharField):  # type: ignore[type-arg]
    """A Decimal number of any length, such as a quantity or a price of 0.000011, kept as it is written."""

    _pyi_private_set_type: Decimal | int | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]
    _pyi_lookup_exact_type: Decimal | int

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 60)
        super().__init__(**kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Decimal | None:
        """Return the number."""
        return None if value is None or value == "" else Decimal(value)

    def to_python(self, value: Any) -> Decimal | None:
        """Return `value` as a number; raises ValidationError for what is none."""
        return _decimal(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the digits."""
        return None if value is None else format(Decimal(value), "f")

    def run_validators(self, value: Any) -> None:
        """Check the length of what is kept."""
        if value is not None:
            super().run_validators(self.get_prep_value(value))


class CurrencyField(models.CharField):  # type: ignore[type-arg]
    """A currency that can be sold in (ISO 4217)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {"max_length": 3, "choices": [(code, code) for code in sorted(money.PLACES)]}
        kwargs.setdefault("verbose_name", gettext_lazy("currency"))
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        """Describe the field for migrations; the list of currencies may grow without one."""
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "choices", "verbose_name"):
            kwargs.pop(implied, None)
        return name, path, args, kwargs


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValidationError(_("Write this as a number, as in 12.50."), code="number") from error
    if not number.is_finite():
        raise ValidationError(_("Write this as a number, as in 12.50."), code="number")
    return number
