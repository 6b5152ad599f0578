"""Forms of orders: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing import countries
from billing.formats import money
from billing.models import Order, Price
from billing.selectors.orders import Offer, fitting
from billing.services.changes import MOST, Extra
from panel.core.form_fields import name_input

MANY = "addon-"
"""How the fields of add-ons are called, before the product's id."""


def words(price: Price) -> str:
    """Return a price as one chooses it."""
    text = gettext("%(amount)s per %(cycle)s") % {
        "amount": money(price.amount, price.currency),
        "cycle": price.get_months_display(),
    }
    if price.setup:
        text += gettext(", setup %(amount)s") % {"amount": money(price.setup, price.currency)}
    return text


class OrderForm(forms.Form):
    """What somebody orders, and who they are. `website` is for programs that fill in every field they see."""

    price = forms.ChoiceField(label=_("Period"), widget=forms.RadioSelect)
    domain = forms.CharField(
        label=_("Your domain"),
        max_length=253,
        widget=name_input(placeholder="example.org", inputmode="url"),
        help_text=_("A domain that you own. You can point it here afterwards."),
    )
    person = forms.CharField(
        label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.CharField(label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Choose a password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters, and not a common one."),
    )
    company = forms.CharField(
        label=_("Company"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    country = forms.ChoiceField(
        label=_("Country"), required=False, widget=forms.Select(attrs={"autocomplete": "country"})
    )
    region = forms.CharField(
        label=_("State or province"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level1"}),
    )
    vat_number = forms.CharField(
        label=_("VAT number"),
        max_length=20,
        required=False,
        widget=name_input(),
        help_text=_("Of companies in the EU."),
    )
    pays_by = forms.ChoiceField(label=_("Payment"), widget=forms.RadioSelect)
    terms = forms.BooleanField(label=_("I agree to the terms"))
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    key = forms.RegexField(r"\A[A-Za-z0-9_-]{20,40}\Z", widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        offer: Offer,
        addons: Sequence[Offer],
        ways: Sequence[str],
        wants_domain: bool,
        wants_country: bool,
        wants_region: Sequence[str],
        wants_terms: bool,
        is_known: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        self.addons = {f"{MANY}{each.product.pk}": each for each in addons}
        price, country, pays_by = self.fields["price"], self.fields["country"], self.fields["pays_by"]
        price.choices = [(row.pk, words(row)) for row in offer.prices]  # type: ignore[attr-defined]
        country.choices = [("", _("Choose")), *countries.choices()]  # type: ignore[attr-defined]
        country.required = wants_country
        pays_by.choices = [(way, Order.Payment(way).label) for way in ways]  # type: ignore[attr-defined]
        named = {"names": ", ".join(countries.name(code) for code in wants_region)}
        self.fields["region"].help_text = _("Needed for the tax in: %(names)s.") % named
        who = ("person", "email", "password", "company", "address", "country", "region", "vat_number")
        drop = {
            "domain": not wants_domain,
            "terms": not wants_terms,
            "region": not wants_region,
            **(dict.fromkeys(who, True) if is_known else {}),
        }
        for name in (name for name, dropped in drop.items() if dropped):
            del self.fields[name]

        for name, each in self.addons.items():
            self.fields[name] = forms.IntegerField(
                label=each.product.name,
                help_text=" · ".join([*filter(None, [each.product.description]), *map(words, each.prices)]),
                min_value=0,
                max_value=MOST,
                required=False,
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "shop-many", "placeholder": "0"}),
            )

    def addon_fields(self) -> list[forms.BoundField]:
        """Return the fields of add-ons."""
        return [self[name] for name in self.addons]

    def clean(self) -> dict[str, Any]:
        """Turn the chosen price and add-ons into rows, as `row` and `extras`; an add-on that is not sold with the price
        is refused at its field.
        """
        data = super().clean() or {}
        price = next((row for row in self.offer.prices if row.pk == data.get("price")), None)
        extras = []
        for name, each in self.addons.items():
            many = data.get(name) or 0
            found = fitting(each, price) if price is not None and many > 0 else None
            if found is not None:
                extras.append(Extra(found, many))
            elif price is not None and many > 0:
                text = gettext("This is not sold per %(cycle)s in %(currency)s. Choose another period, or 0.")
                shown = {"cycle": price.get_months_display(), "currency": price.currency}
                self.add_error(name, text % shown)
        return {**data, "row": price, "extras": tuple(extras)}

    def clean_website(self) -> str:
        """Refuse what only a program fills in."""
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_("Leave this field empty: it is there to tell people from programs."))
        return ""


class RefusalForm(forms.Form):
    """Why an order is refused."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("The buyer reads it in a mail and on the credit note."),
    )


class OrderPageForm(forms.Form):
    """How the order page works."""

    is_open = forms.BooleanField(
        label=_("Take orders"), required=False, help_text=_("Without it the order page is not there.")
    )
    reviews_orders = forms.BooleanField(
        label=_("Review orders by hand"),
        required=False,
        help_text=_("A paid order waits until you approve it; nothing is set up before."),
    )
    takes_invoices = forms.BooleanField(
        label=_("Set orders up before they are paid"),
        required=False,
        help_text=_("Buyers may choose to pay by invoice later. What they don't pay is reminded and suspended."),
    )
