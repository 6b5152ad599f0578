"""Forms of the sign-in pages: what may be typed. Whether it is accepted is decided by the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import SignInPolicy

SESSION_CHOICES = (
    (15, _("15 minutes")),
    (30, _("30 minutes")),
    (60, _("1 hour")),
    (120, _("2 hours")),
    (240, _("4 hours")),
    (480, _("8 hours")),
    (720, _("12 hours")),
)


class AddressForm(forms.Form):
    """Another mail address."""

    email = forms.CharField(
        label=_("New mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class PolicyForm(forms.Form):
    """What is demanded of those who sign in."""

    second_factor = forms.ChoiceField(
        label=_("Who needs a second factor"),
        choices=SignInPolicy.SecondFactor.choices,
        help_text=_("An authenticator app or a passkey. Who lacks one is led to set it up, and reaches nothing else."),
    )
    session_minutes = forms.TypedChoiceField(
        label=_("A sign-in lasts"), choices=SESSION_CHOICES, coerce=int, help_text=_("Counted from signing in.")
    )
    remember_devices = forms.BooleanField(
        label=_("Devices may be remembered"),
        required=False,
        help_text=_("A remembered device is not asked for the second factor for 14 days."),
    )

    def __init__(self, *args: Any, sells: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not sells:
            field = self.fields["second_factor"]
            field.choices = [choice for choice in SignInPolicy.SecondFactor.choices if choice[0] != "everyone"]  # type: ignore[attr-defined]
