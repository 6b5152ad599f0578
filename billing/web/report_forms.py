"""The form of reports: from which month to which."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from billing.selectors.reports import YEARS

MONTH = "%Y-%m"


class MonthField(forms.DateField):
    """A month, as its first day."""

    widget = forms.DateInput(format=MONTH, attrs={"type": "month"})
    default_error_messages = {"invalid": _("Write a month as in 2026-03.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=[MONTH], required=False, **kwargs)

    def to_python(self, value: Any) -> date | None:
        """Return the month's first day; raises ValidationError for one that no report goes back or on to."""
        found = super().to_python(value)
        if found is not None and found.year not in YEARS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return found


class MonthsForm(forms.Form):
    """Months from and to; what is left out is as usual."""

    since = MonthField(label=_("From"))
    until = MonthField(label=_("To"))

    def __init__(self, sent: Any, *, usual: tuple[date, date]) -> None:
        super().__init__(sent, initial={"since": usual[0], "until": usual[1]})
        self.usual = usual

    def is_valid(self) -> bool:
        """Nothing that was sent is valid, too."""
        return not self.is_bound or super().is_valid()

    def clean(self) -> dict[str, Any]:
        """Refuse an end before the beginning."""
        values = super().clean() or {}
        first, last = values.get("since"), values.get("until")
        if first and last and last < first:
            self.add_error("until", _("Choose a month that is not before the first one."))
        return values

    @property
    def months(self) -> tuple[date, date]:
        """The first days of the first and the last month."""
        values = self.cleaned_data if self.is_bound else {}
        last = values.get("until") or max(self.usual[1], values.get("since") or self.usual[1])
        return values.get("since") or min(self.usual[0], last), last
