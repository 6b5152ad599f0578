"""Form fields for limits and names: sizes in GB and counts, empty for unlimited. They parse; the services judge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

GIGABYTE = 1_000_000_000


class SizeField(forms.DecimalField):
    """A size that people write in GB (10⁹ bytes) and code gets in bytes; empty is None, which stands for unlimited."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_digits=12, decimal_places=3, required=False, **kwargs)
        self.widget.attrs["placeholder"] = _("unlimited")
        self.widget.attrs["inputmode"] = "decimal"

    def clean(self, value: Any) -> Any:
        """Return bytes, or None."""
        number = super().clean(value)
        return None if number is None else int(number * GIGABYTE)

    def prepare_value(self, value: Any) -> Any:
        """Show bytes as GB, and what a person typed as it was typed."""
        if isinstance(value, int):
            return f"{(Decimal(value) / GIGABYTE).normalize():f}"
        return value


class LimitField(forms.IntegerField):
    """How many of something a package allows; empty is None, which stands for unlimited."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=1_000_000, required=False, **kwargs)
        self.widget.attrs["placeholder"] = _("unlimited")


def name_input(**attrs: str | Promise) -> forms.TextInput:
    """Return an input for host names, user names and the like: the browser leaves what is typed as it is."""
    common = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
    return forms.TextInput(attrs={**common, **attrs})
