"""Forms of papers: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billing.models import Customer, InvoiceLine, TaxRate
from billing.web.form_fields import DayField

MORE = {"inputmode": "decimal"}


class DraftForm(forms.Form):
    """A draft's own values."""

    due_on = DayField(
        label=_("Due on"), required=False, help_text=_("Empty: the usual days to pay, from the day of issue on.")
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stands on the invoice."),
    )


class NewInvoiceForm(DraftForm):
    """To whom an invoice is written."""

    customer = forms.ModelChoiceField(queryset=None, label=_("Customer"), empty_label=_("Choose one"))  # type: ignore[var-annotated]
    field_order = ("customer", "due_on", "note")

    def __init__(self, *args: Any, customers: QuerySet[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]


class LineForm(forms.Form):
    """A line of a draft."""

    text = forms.CharField(label=_("What it is for"), max_length=300)
    quantity = forms.DecimalField(
        label=_("Quantity"), max_digits=14, decimal_places=4, initial=1, widget=forms.TextInput(attrs=MORE)
    )
    unit = forms.CharField(label=_("Unit"), max_length=20, required=False, help_text=_("Such as hours or GB."))
    unit_price = forms.DecimalField(
        label=_("Price of one"), max_digits=14, decimal_places=4, widget=forms.TextInput(attrs=MORE)
    )
    tax_category = forms.ChoiceField(label=_("Tax"), choices=TaxRate.Category.choices)
    starts_on = DayField(label=_("First day"), required=False, help_text=_("Of the service, where it has a period."))
    ends_on = DayField(label=_("Last day"), required=False)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


class CreditForm(ReasonForm):
    """How much of each line is credited: what is left of it unless something else is typed."""

    field_order = ("reason",)

    def __init__(self, *args: Any, lines: list[InvoiceLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("It stands on the credit note.")
        for line in lines:
            self.fields[f"line_{line.pk}"] = forms.DecimalField(
                label=line.text, max_digits=14, decimal_places=4, required=False, widget=forms.TextInput(attrs=MORE)
            )
