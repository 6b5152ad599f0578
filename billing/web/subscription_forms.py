"""Forms of subscriptions: what may be chosen. Whether it is accepted, and what it costs, is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing import formats
from billing.models import Customer, Price
from billing.web.form_fields import DayField


class PriceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A price of a product, with its cycle."""

    def label_from_instance(self, obj: Price) -> str:
        """Return product, amount and cycle."""
        return f"{obj.product}: {formats.money(obj.amount, obj.currency)} / {obj.get_months_display()}"


class ChangeForm(forms.Form):
    """Another price or quantity."""

    price = PriceField(None, label=_("Product and price"), empty_label=_("Choose one"))
    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=100_000, initial=1)

    def __init__(self, *args: Any, prices: QuerySet[Price], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]


class StartForm(ChangeForm):
    """A new subscription of a customer."""

    customer: forms.ModelChoiceField[Customer] = forms.ModelChoiceField(
        None, label=_("Customer"), empty_label=_("Choose one")
    )
    label = forms.CharField(label=_("For"), max_length=253, required=False, help_text=_("Such as a domain."))
    starts_on = DayField(label=_("From"), required=False, help_text=_("Today unless you choose another day."))
    trial = forms.BooleanField(label=_("With the product's trial days"), required=False, initial=True)

    field_order = ("customer", "price", "quantity", "label", "starts_on", "trial")

    def __init__(self, *args: Any, customers: QuerySet[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]


class CancelForm(forms.Form):
    """When a subscription ends."""

    when = forms.ChoiceField(
        label=_("When"),
        choices=[("end", _("When the period ends")), ("now", _("Today, and the rest is given back"))],
        initial="end",
        widget=forms.RadioSelect,
    )
