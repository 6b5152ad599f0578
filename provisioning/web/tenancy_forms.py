"""Forms of what is done to organizations and of moves: what may be typed. The services judge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from provisioning.models import Package
from provisioning.web.fields import name_input


class OrganizationSuspendForm(forms.Form):
    """Why an organization is suspended, and how far."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Shown to its people; for example: unpaid invoice."),
    )
    accounts = forms.BooleanField(
        label=_("Suspend its hosting accounts, too"),
        required=False,
        initial=True,
        help_text=_("Their sites answer that they are suspended, and logins are locked. They come back on release."),
    )


class CloseForm(forms.Form):
    """How far an organization is closed; its name confirms that."""

    accounts = forms.BooleanField(
        label=_("Terminate all hosting accounts, and close everything below it, too"),
        required=False,
        help_text=_("Otherwise nothing may be left below."),
    )
    confirm = forms.CharField(max_length=100, required=False, widget=name_input())

    def __init__(self, *args: Any, must_type: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].label = _("Type %(name)s to confirm") % {"name": must_type}


class MoveForm(forms.Form):
    """Which seller a client goes to."""

    parent: forms.ModelChoiceField[Organization] = forms.ModelChoiceField(
        queryset=None, label=_("New seller"), empty_label=_("Choose a seller")
    )
    package: forms.ModelChoiceField[Package] = forms.ModelChoiceField(
        queryset=None,
        label=_("Package"),
        required=False,
        empty_label=_("Keep the packages"),
        help_text=_("For accounts whose package the new seller does not sell."),
    )

    def __init__(self, *args: Any, sellers: QuerySet[Organization], packages: QuerySet[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = sellers  # type: ignore[attr-defined]
        self.fields["package"].queryset = packages  # type: ignore[attr-defined]
        self.fields["package"].label_from_instance = _of_seller  # type: ignore[attr-defined]


class AccountMoveForm(forms.Form):
    """Which client an account goes to."""

    organization: forms.ModelChoiceField[Organization] = forms.ModelChoiceField(
        queryset=None, label=_("New client"), empty_label=_("Choose a client")
    )
    package: forms.ModelChoiceField[Package] = forms.ModelChoiceField(
        queryset=None,
        label=_("Package"),
        required=False,
        empty_label=_("Keep the package"),
        help_text=_("Needed where the package is not sold to the new client."),
    )

    def __init__(self, *args: Any, clients: QuerySet[Organization], packages: QuerySet[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = clients  # type: ignore[attr-defined]
        self.fields["package"].queryset = packages  # type: ignore[attr-defined]
        self.fields["package"].label_from_instance = _of_seller  # type: ignore[attr-defined]


def _of_seller(package: Package) -> str:
    return f"{package.name} ({package.organization.name})"
