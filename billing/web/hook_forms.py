"""Forms of addresses for programs."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.services.hooks import KINDS
from billing.words import HAPPENINGS


class HookForm(forms.Form):
    """Where, and of what."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text=_("It is sent a POST with JSON, signed as Standard Webhooks has it."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("What it is told of"),
        choices=[(kind, HAPPENINGS[kind]) for kind in KINDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose none, and it is told of everything."),
    )


class HookChangeForm(HookForm):
    """The same, and whether it is told anything."""

    is_active = forms.BooleanField(label=_("Tell it"), required=False)
