"""Form fields that the pages of money share: amounts, currencies, countries, days."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

from billing import countries
from billing.fields import SCALE
from billing.models.sellers import check_reminders
from billing.pricing import money

CURRENCIES = [(code, code) for code in sorted(money.PLACES)]


class AmountField(forms.DecimalField):
    """An amount of money that is not negative; empty is 0 unless it is required."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_digits=14, decimal_places=SCALE, **kwargs)
        self.widget.attrs["inputmode"] = "decimal"

    def clean(self, value: Any) -> Any:
        """Return a Decimal."""
        found = super().clean(value)
        return 0 if found is None else found

    def prepare_value(self, value: Any) -> Any:
        """Show an amount without zeros that say nothing."""
        return f"{value.normalize():f}" if hasattr(value, "normalize") else value


class CountryField(forms.ChoiceField):
    """A country, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=_countries, **kwargs)


class DayField(forms.DateField):
    """A day, typed or picked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs)


class DaysField(forms.CharField):
    """Days before and after another one, as in -3, 1, 5."""

    def clean(self, value: Any) -> Any:
        """Return a list of numbers."""
        text = super().clean(value)
        try:
            days = [int(part) for part in text.replace(",", " ").split()]
        except ValueError as error:
            raise ValidationError(gettext("Give whole days, such as -3, 1, 5."), code="days") from error
        check_reminders(days)
        return days

    def prepare_value(self, value: Any) -> Any:
        """Show a list of numbers as it is typed."""
        return ", ".join(str(day) for day in value) if isinstance(value, list) else value


def _countries() -> list[tuple[str, Any]]:
    return [("", gettext_lazy("Not said")), *countries.choices()]
