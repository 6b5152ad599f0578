"""Forms of the accounts pages: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import words
from accounts.models import Membership, Organization, ResellerPlan
from accounts.services.limits import RESOURCES


class ClientForm(forms.Form):
    """A new client."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Company or person."))
    parent: forms.ModelChoiceField[Organization] = forms.ModelChoiceField(None, label=_("Belongs to"), empty_label=None)
    email = forms.CharField(
        label=_("Mail address of the owner"),
        max_length=254,
        required=False,
        help_text=_("Gets a link to choose a password. Leave it empty to add people later."),
    )
    person = forms.CharField(label=_("Name of the owner"), max_length=100, required=False)

    def __init__(self, *args: Any, parents: QuerySet[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = parents  # type: ignore[attr-defined]


class ResellerForm(ClientForm):
    """A new reseller."""

    plan: forms.ModelChoiceField[ResellerPlan] = forms.ModelChoiceField(
        None, label=_("Plan"), required=False, empty_label=_("No plan: no limits of its own")
    )
    resellers_allowed = forms.BooleanField(
        label=_("May have resellers of its own"), required=False, help_text=_("With a plan, the plan says so.")
    )

    def __init__(self, *args: Any, may_allow: bool, plans: QuerySet[ResellerPlan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = plans  # type: ignore[attr-defined]
        if not may_allow:
            del self.fields["resellers_allowed"]


class NameForm(forms.Form):
    """Another name."""

    name = forms.CharField(label=_("Name"), max_length=100)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class LimitsForm(forms.Form):
    """Limits by resource; empty is unlimited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for resource in RESOURCES:
            self.fields[resource] = forms.IntegerField(
                label=words.resource(resource), min_value=0, max_value=2**62, required=False
            )


class MemberForm(forms.Form):
    """A person to invite."""

    email = forms.CharField(label=_("Mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=100, required=False, help_text=_("They can change it."))
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.TECHNICIAN)


class AcceptForm(forms.Form):
    """What somebody invited chooses."""

    name = forms.CharField(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Choose a password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters, and not a common one."),
    )


class RoleForm(forms.Form):
    """Another role."""

    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)


class ImpersonationForm(forms.Form):
    """Why somebody acts as another."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Such as a ticket number. The person's organization can read it."),
    )


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What the token is for."))
    scopes = forms.CharField(
        label=_("Scopes"),
        initial="*",
        max_length=1000,
        help_text=_("Separated by blanks, such as account.create, account.*, *.view, or * for all that you may do."),
    )
    days = forms.IntegerField(
        label=_("Days until it ends"), min_value=1, max_value=3650, required=False, help_text=_("Empty: never.")
    )

    def clean_scopes(self) -> list[str]:
        """Return the scopes as a list."""
        text: str = self.cleaned_data["scopes"]
        return text.replace(",", " ").split()


class ProfileForm(forms.Form):
    """One's own details."""

    name = forms.CharField(label=_("Name"), max_length=100)
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=[(zone, zone) for zone in sorted(zoneinfo.available_timezones())]
    )
