"""Forms of payments: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from billing.models import Customer, Invoice, PaymentMethod, Receivable
from panel.core.form_fields import name_input

LARGEST = Decimal("999999999999")


class KeyForm(forms.Form):
    """A form that does what it asks for once, however often it is sent."""

    key = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = get_random_string(24)


class AmountForm(KeyForm):
    """An amount of money in a currency that the page knows."""

    amount = forms.DecimalField(
        label=_("Amount"),
        min_value=Decimal("0.0001"),
        max_value=LARGEST,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class PayForm(KeyForm):
    """How to pay: at a page of the payment service, or by a card that is saved."""

    method = forms.ChoiceField(label=_("Pay by"), widget=forms.RadioSelect)
    save_card = forms.BooleanField(label=_("Save the card for the next invoices"), required=False)

    def __init__(self, *args: Any, cards: list[PaymentMethod], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: list[tuple[str, Any]] = [(card.pk, str(card)) for card in cards]
        self.fields["method"].choices = [*choices, ("page", _("another card") if cards else _("card"))]  # type: ignore[attr-defined]
        self.fields["method"].initial = choices[0][0] if cards else "page"


class RecordForm(AmountForm):
    """Money that came without a payment service."""

    customer: forms.ModelChoiceField[Customer] = forms.ModelChoiceField(
        label=_("Customer"), queryset=None, empty_label=_("Choose one")
    )
    invoice: forms.ModelChoiceField[Invoice] = forms.ModelChoiceField(
        label=_("Invoice"),
        queryset=None,
        required=False,
        empty_label=_("The oldest first"),
        help_text=_("Paid first. What is left pays other open invoices, the oldest first; the rest is credit."),
    )
    received_on = forms.DateField(label=_("Received on"), widget=forms.DateInput(attrs={"type": "date"}))
    reference = forms.CharField(label=_("Reference"), max_length=200, required=False, widget=name_input())

    field_order = ("customer", "amount", "received_on", "invoice", "reference", "key")

    def __init__(self, *args: Any, customers: Any, invoices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]
        self.fields["invoice"].queryset = invoices  # type: ignore[attr-defined]


class RefundForm(AmountForm):
    """How much goes back, and why."""

    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class KeepForm(AmountForm):
    """Which invoice a payment is taken off, and how much."""

    invoice: forms.ModelChoiceField[Invoice] = forms.ModelChoiceField(
        label=_("Invoice"), queryset=None, empty_label=_("Choose one")
    )

    def __init__(self, *args: Any, invoices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["invoice"].queryset = invoices  # type: ignore[attr-defined]


class GatewayForm(forms.Form):
    """Keys at Stripe. Those that are set are never shown again; empty keeps them."""

    public_key = forms.CharField(
        label=_("Publishable key"), max_length=200, required=False, widget=name_input(placeholder="pk_live_…")
    )
    secret_key = forms.CharField(
        label=_("Secret key"),
        max_length=200,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "sk_live_…"}),
    )
    hook_secret = forms.CharField(
        label=_("Signing secret of the webhook"),
        max_length=200,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "whsec_…"}),
    )


class StatementForm(forms.Form):
    """A file from the bank."""

    statement = forms.FileField(
        label=_("Statement"),
        help_text=_("An XML file of the kind CAMT.053, as most banks offer it."),
        widget=forms.FileInput(attrs={"accept": ".xml,application/xml,text/xml"}),
    )


class MatchForm(forms.Form):
    """Whose money it is, and which invoice it is for."""

    receivable: forms.ModelChoiceField[Receivable] = forms.ModelChoiceField(
        label=_("Open invoice"), queryset=None, required=False, empty_label=_("None of them")
    )
    customer: forms.ModelChoiceField[Customer] = forms.ModelChoiceField(
        label=_("Customer"),
        queryset=None,
        required=False,
        empty_label=_("Choose one"),
        help_text=_("Where no invoice is open: the amount becomes credit."),
    )

    def __init__(self, *args: Any, receivables: Any, customers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["receivable"].queryset = receivables  # type: ignore[attr-defined]
        self.fields["receivable"].label_from_instance = _receivable  # type: ignore[attr-defined]
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]


def _receivable(row: Receivable) -> str:
    return f"{row.invoice.label}, {row.customer.name}: {row.open:.2f} {row.currency}"
