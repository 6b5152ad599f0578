"""Forms of reseller plans: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import words
from accounts.models import ResellerPlan
from panel.core.form_fields import LimitField, SizeField

#: Heading → the fields below it, in order; the name stands above all.
SECTIONS: list[tuple[str | Promise, tuple[str, ...]]] = [
    (_("In all"), (*ResellerPlan.TOTALS, "accounts_per_package")),
    (_("When it is sold more than once"), ("oversell_disk", "oversell_bandwidth", "overuse")),
    (_("One account at most"), tuple(f"account_{name}" for name in ResellerPlan.MOST)),
    (_("What can be sold with it"), ("features", "private_nameservers", "resellers_allowed")),
]


class PlanForm(forms.Form):
    """The limits and features that are sold to a reseller. Empty is unlimited, 0 is none."""

    name = forms.CharField(label=_("Name"), max_length=80)
    accounts = LimitField(label=_("Accounts"))
    disk_bytes = SizeField(label=_("Disk space in GB"))
    bandwidth_bytes = SizeField(label=_("Bandwidth per month in GB"))
    mailboxes = LimitField(label=_("Mailboxes"))
    aliases = LimitField(label=_("Mail aliases"))
    databases = LimitField(label=_("Databases"))
    database_users = LimitField(label=_("Database users"))
    subdomains = LimitField(label=_("Subdomains"))
    alias_domains = LimitField(label=_("Alias domains"))
    records = LimitField(label=_("DNS records"))
    accounts_per_package = LimitField(
        label=_("Accounts per package"), help_text=_("So many accounts may one package carry.")
    )
    oversell_disk = forms.BooleanField(
        label=_("Disk space may be oversold"),
        required=False,
        help_text=_("What is used counts. Without it, what packages promise counts."),
    )
    oversell_bandwidth = forms.BooleanField(
        label=_("Bandwidth may be oversold"),
        required=False,
        help_text=_("What is used counts. Without it, what packages promise counts."),
    )
    overuse = forms.ChoiceField(
        label=_("When more is used than was bought"), choices=ResellerPlan.Overuse.choices, initial="block"
    )
    account_disk_bytes = SizeField(label=_("Disk space in GB"))
    account_bandwidth_bytes = SizeField(label=_("Bandwidth per month in GB"))
    account_mailboxes = LimitField(label=_("Mailboxes"))
    account_databases = LimitField(label=_("Databases"))
    features = forms.MultipleChoiceField(
        label=_("Features"),
        required=False,
        choices=list(words.FEATURES.items()),
        initial=list(words.FEATURES),
        widget=forms.CheckboxSelectMultiple,
    )
    private_nameservers = forms.BooleanField(label=_("Name servers of its own"), required=False, initial=True)
    resellers_allowed = forms.BooleanField(label=_("Resellers of its own"), required=False)

    def __init__(self, *args: Any, features: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold = [(name, label) for name, label in words.FEATURES.items() if name in features]
        self.fields["features"].choices = sold  # type: ignore[attr-defined]


class PlanChoiceForm(forms.Form):
    """The plan of a reseller."""

    plan: forms.ModelChoiceField[ResellerPlan] = forms.ModelChoiceField(
        None, label=_("Plan"), required=False, empty_label=_("No plan: no limits of its own")
    )

    def __init__(self, *args: Any, plans: QuerySet[ResellerPlan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = plans  # type: ignore[attr-defined]
