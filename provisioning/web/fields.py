"""Form fields of their own: lists of addresses, names, passwords. They parse; the services judge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from panel.core.form_fields import LimitField, SizeField, name_input

__all__ = ["AddressListField", "LimitField", "PairsField", "SizeField", "name_input", "new_password"]


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


def new_password(**kwargs: Any) -> forms.CharField:
    """Return a field for a new password with a button that makes one; the value is never sent back to the page."""
    attrs = {"autocomplete": "new-password", "data-generated": "", "spellcheck": "false"}
    return forms.CharField(strip=False, max_length=200, widget=forms.PasswordInput(attrs=attrs), **kwargs)
