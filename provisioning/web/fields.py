"""Form fields of their own: sizes in GB and lists of addresses. They parse; the services judge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
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


class AddressListField(forms.CharField):
    """Mail addresses, one on a line or separated by commas."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return the list of addresses as typed, without empty lines."""
        text = super().clean(value)
        return [part.strip() for line in text.splitlines() for part in line.split(",") if part.strip()]


class PairsField(forms.CharField):
    """Pairs of addresses, `old = new`, one on a line."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return new by old, as typed."""
        pairs = {}
        for line in super().clean(value).splitlines():
            before, equals, after = (part.strip() for part in line.partition("="))
            if (before or after) and not (before and equals and after):
                raise forms.ValidationError(_("Write one pair on a line, like 203.0.113.10 = 203.0.113.20."))
            if before:
                pairs[before] = after
        return pairs


def name_input(**attrs: str) -> forms.TextInput:
    """Return an input for host names, user names and the like: the browser leaves what is typed as it is."""
    common = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
    return forms.TextInput(attrs={**common, **attrs})


def new_password(**kwargs: Any) -> forms.CharField:
    """Return a field for a new password with a button that makes one; the value is never sent back to the page."""
    attrs = {"autocomplete": "new-password", "data-generated": "", "spellcheck": "false"}
    return forms.CharField(strip=False, max_length=200, widget=forms.PasswordInput(attrs=attrs), **kwargs)
