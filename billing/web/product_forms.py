"""Forms of products, prices and tax rates: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import Price, Product, TaxRate
from billing.web.form_fields import CURRENCIES, AmountField, CountryField, DayField
from billing.web.rule_fields import RuleFields

NO_TRIAL = (Product.Kind.ITEM, Product.Kind.METERED)


class ProductForm(forms.Form):
    """How a product is called and sold."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("It stands on invoices."))
    description = forms.CharField(
        label=_("Description"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown on the order page."),
    )
    tax_category = forms.ChoiceField(
        label=_("Tax"), choices=TaxRate.Category.choices, initial=TaxRate.Category.STANDARD
    )
    trial_days = forms.IntegerField(
        label=_("Trial days"), min_value=0, max_value=365, initial=0, help_text=_("Free at the beginning; 0 is none.")
    )
    is_public = forms.BooleanField(label=_("On the order page"), required=False)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind in NO_TRIAL:
            del self.fields["trial_days"]


class NewProductForm(ProductForm):
    """What is sold, and how."""

    field_order = ("package", "plan", "meter", "name")

    def __init__(self, *args: Any, kind: str, choices: dict[str, QuerySet[Any]], **kwargs: Any) -> None:
        super().__init__(*args, kind=kind, **kwargs)
        labels = {"package": _("Package"), "plan": _("Plan"), "meter": _("Meter")}
        for name, rows in choices.items():
            self.fields[name] = forms.ModelChoiceField(rows, label=labels[name], empty_label=_("Choose one"))
        self.order_fields(self.field_order)


class PriceForm(RuleFields):
    """What a product costs from a day on; what goes by use has a rule."""

    field_order = ("currency", "months", "amount", "setup", *RuleFields.usual, "rule", "valid_from")

    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)
    months = forms.TypedChoiceField(
        label=_("Cycle"), choices=Price.Cycle.choices, coerce=int, help_text=_("How often it is paid.")
    )
    amount = AmountField(label=_("Price"))
    setup = AmountField(label=_("Setup fee"), required=False, initial=0, help_text=_("Charged once, at the beginning."))
    valid_from = DayField(
        label=_("From"), help_text=_("Until then the present price holds. Subscriptions keep what they pay.")
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind == Product.Kind.METERED:
            left = ["months", "amount", "setup"]
        elif kind == Product.Kind.ITEM:
            left = ["months", "setup", "rule", *RuleFields.usual]
        else:
            left = ["rule", *RuleFields.usual]
            months: Any = self.fields["months"]
            months.choices = [choice for choice in Price.Cycle.choices if choice[0]]
        for name in left:
            del self.fields[name]


class PriceEndForm(forms.Form):
    """From when on nobody can buy at a price."""

    on = DayField(label=_("Not sold from"))


class PriceApplyForm(forms.Form):
    """How long ahead those who have a product are told of a new price."""

    notice_days = forms.IntegerField(
        label=_("Notice in days"),
        min_value=0,
        max_value=366,
        help_text=_("Nobody pays it sooner than that."),
    )


class TaxRateForm(forms.Form):
    """A rate from a day on."""

    country = CountryField(label=_("Country"))
    region = forms.CharField(
        label=_("Region"),
        max_length=10,
        required=False,
        help_text=_("Left empty, it holds wherever no region's own rate is set."),
    )
    category = forms.ChoiceField(
        label=_("Rate"),
        choices=[choice for choice in TaxRate.Category.choices if choice[0] in ("standard", "reduced")],
    )
    percent = forms.DecimalField(label=_("Percent"), min_value=0, max_value=100, max_digits=7, decimal_places=4)
    valid_from = DayField(label=_("From"))
