"""Forms of reseller plans: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.limit_forms import LimitsForm
from accounts.models import ResellerPlan
from panel.core.form_fields import LimitField, SizeField

#: Heading → the fields below it, in order; the name stands above all.
SECTIONS: list[tuple[str | Promise, tuple[str, ...]]] = [
    (_("In all"), (*ResellerPlan.TOTALS, "accounts_per_package")),
    (_("When more is sold than there is (overselling)"), ("oversell_disk", "oversell_bandwidth", "overuse")),
    (_("One account at most"), tuple(f"account_{name}" for name in ResellerPlan.MOST)),
    (_("What can be sold with it"), ("features", "private_nameservers", "resellers_allowed")),
]


class PlanForm(LimitsForm):
    """The limits and features that are sold to a reseller."""

    accounts = LimitField(label=_("Accounts"))
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
    private_nameservers = forms.BooleanField(label=_("Name servers of its own"), required=False, initial=True)
    resellers_allowed = forms.BooleanField(label=_("Resellers of its own"), required=False)


class PlanChoiceForm(forms.Form):
    """The plan of a reseller."""

    plan: forms.ModelChoiceField[ResellerPlan] = forms.ModelChoiceField(
        None, label=_("Plan"), required=False, empty_label=_("No plan: no limits of its own")
    )

    def __init__(self, *args: Any, plans: QuerySet[ResellerPlan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = plans  # type: ignore[attr-defined]
