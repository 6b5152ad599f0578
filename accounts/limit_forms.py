"""What the forms of packages and of reseller plans have in common: name, limits, and features that can be sold."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import words
from panel.core.form_fields import LimitField, SizeField


class LimitsForm(forms.Form):
    """A name, limits and features. Empty is unlimited, 0 is none; `features` are those that the seller can sell."""

    name = forms.CharField(label=_("Name"), max_length=80)
    disk_bytes = SizeField(label=_("Disk space in GB"))
    bandwidth_bytes = SizeField(label=_("Bandwidth per month in GB"))
    mailboxes = LimitField(label=_("Mailboxes"))
    aliases = LimitField(label=_("Mail aliases"))
    databases = LimitField(label=_("Databases"))
    database_users = LimitField(label=_("Database users"))
    subdomains = LimitField(label=_("Subdomains"))
    alias_domains = LimitField(label=_("Alias domains"))
    records = LimitField(label=_("DNS records"))
    features = forms.MultipleChoiceField(
        label=_("Features"), required=False, initial=list(words.FEATURES), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, features: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold = [(name, label) for name, label in words.FEATURES.items() if name in features]
        self.fields["features"].choices = sold  # type: ignore[attr-defined]
