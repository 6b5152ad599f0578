"""The form of a brand: what may be typed and chosen. Whether it is accepted is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.services.brand_images import SLOTS
from panel.core import images

PICTURES = ".png,.jpg,.jpeg,.webp,.svg"


def _picture(slot: str, label: Any, help_text: Any = "") -> forms.FileField:
    widget = forms.FileInput(attrs={"accept": PICTURES, "data-slot": slot})
    return forms.FileField(label=label, required=False, widget=widget, help_text=help_text, allow_empty_file=True)


class BrandForm(forms.Form):
    """What customers see."""

    name = forms.CharField(label=_("Brand name"), max_length=100)
    logo = _picture("logo", _("Logo"), _("PNG, JPEG, WebP or SVG, 2 MB at most."))
    logo_dark = _picture("logo_dark", _("Logo for dark pages"), _("Without one, dark pages show the other logo."))
    favicon = _picture("favicon", _("Icon for browser tabs"), _("Square. Without one it is your initial."))
    primary_color = forms.CharField(
        label=_("Colour of buttons"), max_length=7, widget=forms.TextInput(attrs={"type": "color"})
    )
    accent_color = forms.CharField(
        label=_("Colour of links"), max_length=7, widget=forms.TextInput(attrs={"type": "color"}), required=False
    )
    same_color = forms.BooleanField(label=_("Links have the colour of buttons"), required=False)
    remove = forms.MultipleChoiceField(
        label=_("Take away"), choices=[], required=False, widget=forms.CheckboxSelectMultiple
    )
    panel_host = forms.CharField(
        label=_("Host name of the panel"),
        max_length=253,
        required=False,
        help_text=_("Where your customers sign in, such as panel.example.org. It has to prove itself first."),
    )
    nameservers = forms.CharField(
        label=_("Name servers"),
        required=False,
        max_length=1100,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Two to four, one per line. Empty at first: ns1 and ns2 of your domain."),
    )
    mail_host = forms.CharField(
        label=_("Host name for mail programs"),
        max_length=253,
        required=False,
        help_text=_("Empty at first: mail of your domain."),
    )
    hostmaster = forms.CharField(
        label=_("Address of the hostmaster"),
        max_length=254,
        required=False,
        help_text=_("Stands in every zone, and gets mail to postmaster and abuse."),
    )
    support_email = forms.CharField(label=_("Support mail address"), max_length=254, required=False)
    support_url = forms.CharField(label=_("Support page"), max_length=400, required=False)
    support_phone = forms.CharField(label=_("Support telephone"), max_length=40, required=False)
    terms_url = forms.CharField(label=_("Terms of service"), max_length=400, required=False)
    privacy_url = forms.CharField(label=_("Privacy policy"), max_length=400, required=False)
    footer = forms.CharField(
        label=_("Line at the foot of every page"), max_length=300, required=False, help_text=_("Such as your address.")
    )
    locale = forms.ChoiceField(label=_("Language of pages and mail"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, removable: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(slot, self.fields[slot].label) for slot in removable]
        self.fields["remove"].choices = choices  # type: ignore[attr-defined]

    def clean_nameservers(self) -> list[str]:
        """Return the hosts as a list."""
        text: str = self.cleaned_data["nameservers"]
        return text.replace(",", " ").split()

    def pictures(self) -> dict[str, bytes]:
        """Return what was chosen for each slot; more than a picture may have is cut, and so refused."""
        chosen: dict[str, UploadedFile] = {slot: self.cleaned_data[slot] for slot in SLOTS if self.cleaned_data[slot]}
        return {slot: file.read(images.MOST_BYTES + 1) for slot, file in chosen.items()}


class PreviewForm(forms.Form):
    """What the preview shows of a brand's form, as far as it has been typed."""

    name = forms.CharField(max_length=100, required=False)
    primary_color = forms.CharField(max_length=7, required=False)
    accent_color = forms.CharField(max_length=7, required=False)
    footer = forms.CharField(max_length=300, required=False)
    same_color = forms.BooleanField(required=False)
