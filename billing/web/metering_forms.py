"""Forms of meters, price feeds and the calculator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import Meter, Price, PriceFeed
from billing.web.form_fields import CURRENCIES
from billing.web.rule_fields import DocumentField, RuleFields


class MeterForm(forms.Form):
    """What is counted, and in which unit."""

    name = forms.CharField(label=_("Name"), max_length=60)
    unit = forms.CharField(label=_("Unit"), max_length=20, help_text=_("What quantities are of, such as GB."))


class MeterCreateForm(MeterForm):
    """A new meter: its source stays."""

    source = forms.ChoiceField(label=_("Figures"), choices=Meter.Source.choices)


class FeedForm(forms.Form):
    """A new price feed."""

    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("Rules read the feed by it."))
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)


class PointForm(forms.Form):
    """A price from an instant on."""

    instant = forms.DateTimeField(
        label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), help_text=_("In UTC.")
    )
    price = forms.DecimalField(label=_("Price"), min_value=0, max_digits=50, decimal_places=20)


class AgainstForm(forms.Form):
    """Which feed the prices are held against."""

    against: forms.ModelChoiceField[PriceFeed] = forms.ModelChoiceField(
        None, label=_("Held against"), required=False, empty_label=_("No other feed")
    )

    def __init__(self, *args: Any, feeds: QuerySet[PriceFeed], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["against"].queryset = feeds  # type: ignore[attr-defined]


class CalculatorForm(RuleFields):
    """A rule, and what is used."""

    field_order = ("price", "quantity", *RuleFields.usual, "rule", "usage")
    price: forms.ModelChoiceField[Price] = forms.ModelChoiceField(
        None, label=_("Price"), required=False, empty_label=_("Another rule, given below")
    )
    quantity = forms.DecimalField(
        label=_("Quantity"),
        required=False,
        min_value=0,
        max_digits=40,
        decimal_places=10,
        help_text=_("In the units of the meter; of what goes on, in seconds."),
    )
    usage = DocumentField(
        label=_("Or a usage document"),
        help_text=_("As JSON: period, customer_since and events. It holds instead of the quantity."),
    )

    def __init__(self, *args: Any, prices: QuerySet[Price], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]
        self.fields["price"].label_from_instance = _named  # type: ignore[attr-defined]

    def needs_rule(self, data: dict[str, Any]) -> bool:
        """A chosen price has its own."""
        return data.get("price") is None

    def clean(self) -> dict[str, Any]:
        """Ask for one of quantity and usage document."""
        data = super().clean()
        if data.get("quantity") is None and data.get("usage") is None and not self.errors:
            self.add_error("quantity", _("Say how much is used."))
        return data


def _named(price: Price) -> str:
    return f"{price.product}, {price.currency}, {price.valid_from:%Y-%m-%d}"
