"""Forms of what an organization sells by: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

import functools
import zoneinfo
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Seller
from billing.web.form_fields import CURRENCIES, CountryField, DaysField

#: Heading → the fields below it, in order.
SECTIONS: list[tuple[str | Promise, tuple[str, ...]]] = [
    (_("Who you are on paper"), ("legal_name", "address", "country", "region", "email", "legal_line")),
    (_("Tax"), ("is_taxed", "tax_mode", "vat_number", "tax_number", "taxes_at_home")),
    (
        _("Currency and days"),
        ("currency", "time_zone", "billing_day", "days_ahead", "due_days", "series", "credit_series"),
    ),
    (_("What customers are told ahead"), ("trial_notice_days", "price_notice_days")),
    (
        _("When nobody pays"),
        ("reminder_days", "suspend_days", "terminate_days", "panel_days", "sites_days"),
    ),
    (_("Orders"), ("is_open", "reviews_orders", "takes_invoices")),
]


@functools.cache
def _zones() -> list[tuple[str, str]]:
    return [(zone, zone) for zone in sorted(zoneinfo.available_timezones())]


def _days(label: Any, text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=3650,
        required=False,
        help_text=text,
        widget=forms.NumberInput(attrs={"placeholder": _("never")}),
    )


class SellerForm(forms.Form):
    """Everything but the bank account."""

    legal_name = forms.CharField(label=_("Legal name"), max_length=100)
    address = forms.CharField(
        label=_("Address"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    country = CountryField(label=_("Country"), required=False)
    region = forms.CharField(
        label=_("Region"), max_length=10, required=False, help_text=_("Where tax depends on it, such as TX.")
    )
    email = forms.CharField(
        label=_("Mail address for invoices"), max_length=254, required=False, widget=forms.EmailInput
    )
    legal_line = forms.CharField(
        label=_("Legal line"),
        max_length=300,
        required=False,
        help_text=_("At the foot of invoices: register, court, managing directors."),
    )
    is_taxed = forms.BooleanField(
        label=_("You charge tax"),
        required=False,
        help_text=_("Without it invoices say that they are not subject to tax."),
    )
    tax_mode = forms.ChoiceField(label=_("Prices"), choices=Seller.TaxMode.choices)
    vat_number = forms.CharField(label=_("VAT number"), max_length=30, required=False)
    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    taxes_at_home = forms.BooleanField(
        label=_("Consumers in other EU countries pay your country's tax"),
        required=False,
        help_text=_(
            "Allowed while you sell them less than 10,000 EUR a year in all; then they pay their own country's."
        ),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=CURRENCIES, help_text=_("Of new customers; others keep theirs.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, help_text=_("Your days begin at its midnight."))
    billing_day = forms.IntegerField(
        label=_("Fixed billing day"),
        min_value=1,
        max_value=28,
        required=False,
        help_text=_("Day of the month; left empty, each subscription has its own."),
    )
    days_ahead = forms.IntegerField(
        label=_("Invoice days ahead"), min_value=0, max_value=60, help_text=_("So long before a period begins.")
    )
    due_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=120)
    trial_notice_days = forms.IntegerField(
        label=_("Days before the end of a trial"),
        min_value=0,
        max_value=30,
        help_text=_("A mail says what follows and how to cancel. With 0 there is none."),
    )
    price_notice_days = forms.IntegerField(
        label=_("Days before a new price"),
        min_value=0,
        max_value=366,
        help_text=_("So long before the period from which subscriptions pay it, their buyers get a mail."),
    )
    series = forms.CharField(label=_("Invoice series"), max_length=10)
    credit_series = forms.CharField(label=_("Credit note series"), max_length=10)
    reminder_days = DaysField(
        label=_("Reminders"),
        max_length=60,
        required=False,
        help_text=_("Days before (with a minus) and after an invoice is due, such as -3, 1, 5."),
    )
    suspend_days = _days(_("Suspend accounts after days"), _("Counted from the day on which an invoice is due."))
    terminate_days = _days(_("Terminate accounts after days"), _("Left empty, only a person terminates."))
    panel_days = _days(_("Resellers reach only their bills after days"))
    sites_days = _days(
        _("Sites of a reseller's clients off after days"), _("Later than that; left empty, they stay on.")
    )
    is_open = forms.BooleanField(label=_("Order page"), required=False, help_text=_("Strangers can order from you."))
    reviews_orders = forms.BooleanField(
        label=_("Review orders by hand"), required=False, help_text=_("Nothing is set up before you have said yes.")
    )
    takes_invoices = forms.BooleanField(
        label=_("Orders can be paid by invoice"),
        required=False,
        help_text=_("Set up at once, paid later."),
    )


class BankForm(forms.Form):
    """The account that buyers are asked to pay to."""

    bank_holder = forms.CharField(label=_("Account holder"), max_length=120, required=False)
    iban = forms.CharField(label=_("IBAN"), max_length=50, required=False)
    bic = forms.CharField(label=_("BIC"), max_length=15, required=False)
    bank_details = forms.CharField(
        label=_("Other bank details"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where there is no IBAN: bank, account number, routing number."),
    )
