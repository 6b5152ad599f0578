"""Forms of customers: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.web.form_fields import CURRENCIES, CountryField


class PartyForm(forms.Form):
    """Who a customer is on invoices."""

    name = forms.CharField(label=_("Name"), max_length=100)
    address = forms.CharField(
        label=_("Address"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    country = CountryField(label=_("Country"), required=False)
    region = forms.CharField(
        label=_("Region"), max_length=10, required=False, help_text=_("Where tax depends on it, such as TX.")
    )
    is_business = forms.BooleanField(label=_("A business"), required=False)
    vat_number = forms.CharField(
        label=_("VAT number"),
        max_length=30,
        required=False,
        help_text=_("Of the European Union: it is checked, and only then counts."),
    )
    email = forms.CharField(
        label=_("Mail address for invoices"), max_length=254, required=False, widget=forms.EmailInput
    )


class TermsForm(forms.Form):
    """What is the seller's to say."""

    currency = forms.ChoiceField(
        label=_("Currency"), choices=CURRENCIES, help_text=_("It stays from the first charge on.")
    )
    exemption = forms.CharField(
        label=_("Reason of tax exemption"),
        max_length=200,
        required=False,
        help_text=_("Stands on invoices, which have no tax then. Keep the proof."),
    )
