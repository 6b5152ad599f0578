"""What the API says and takes about sellers, customers and tax rates."""

from __future__ import annotations

from rest_framework import serializers

from billing.api.catalogue_serializers import CURRENCIES
from billing.api.fields import Figure
from billing.models import Customer, Seller
from panel.core.api.fields import Flag, Number
from panel.core.api.serializers import StrictSerializer


def _text(most: int, **options: object) -> serializers.CharField:
    return serializers.CharField(max_length=most, allow_blank=True, required=False, **options)  # type: ignore[arg-type]


def _days(most: int, **options: object) -> Number:
    return Number(min_value=0, max_value=most, required=False, **options)


class SellerSerializer(StrictSerializer):
    """What you sell by. Days of null never come."""

    legal_name = _text(100)
    address = _text(400, help_text="Lines, parted by line feeds.")
    country = _text(2, help_text="ISO 3166-1, as in DE.")
    region = _text(10)
    vat_number = _text(30)
    tax_number = _text(40)
    email = _text(254)
    legal_line = _text(300, help_text="At the foot of invoices.")
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False, help_text="Of new customers.")
    tax_mode = serializers.ChoiceField(choices=Seller.TaxMode.choices, required=False)
    is_taxed = Flag(required=False, help_text="Whether you charge tax at all.")
    taxes_at_home = Flag(required=False, help_text="Consumers in other member states of the EU pay your country's tax.")
    time_zone = serializers.CharField(max_length=50, required=False, help_text="As in Europe/Berlin.")
    billing_day = Number(
        min_value=1, max_value=28, allow_null=True, required=False, help_text="null: each subscription has its own."
    )
    days_ahead = _days(60, help_text="So long before a period begins it is invoiced.")
    due_days = _days(120)
    trial_notice_days = _days(30, help_text="So long before its trial ends a buyer gets a mail; 0: none.")
    price_notice_days = _days(366, help_text="So long before a new price holds for it a buyer gets a mail.")
    series = serializers.CharField(max_length=10, required=False)
    credit_series = serializers.CharField(max_length=10, required=False)
    reminder_days = serializers.ListField(
        child=Number(min_value=-30, max_value=60),
        max_length=10,
        required=False,
        help_text="Counted from the day on which an invoice is due.",
    )
    suspend_days = _days(3650, allow_null=True)
    terminate_days = _days(3650, allow_null=True)
    panel_days = _days(3650, allow_null=True)
    sites_days = _days(3650, allow_null=True)
    is_open = Flag(required=False, help_text="Whether strangers can order.")
    reviews_orders = Flag(required=False)
    takes_invoices = Flag(required=False, help_text="Whether orders can be paid by invoice.")


class BankSerializer(StrictSerializer):
    """The account that buyers are asked to pay to."""

    bank_holder = _text(120)
    iban = _text(50)
    bic = _text(15)
    bank_details = _text(300)


class PartySerializer(StrictSerializer):
    """Who a customer is on invoices to come; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    address = _text(400, help_text="Lines, parted by line feeds.")
    country = _text(2, help_text="ISO 3166-1, as in DE.")
    region = _text(10)
    is_business = Flag(required=False)
    vat_number = _text(30, help_text="Of the European Union: checked, and only then it counts.")
    email = _text(254, help_text="Where invoices go.")


class DetailsSerializer(PartySerializer):
    """Who you are on the invoices of who sells to you."""

    vat_state = serializers.ChoiceField(choices=Customer.VatState.choices, read_only=True)
    currency = serializers.ChoiceField(choices=CURRENCIES, read_only=True)
    exemption = serializers.CharField(read_only=True, help_text="Why you pay no tax, if so.")


class CustomerSerializer(DetailsSerializer):
    """Somebody who buys from you."""

    id = serializers.CharField(read_only=True)
    organization = serializers.CharField(source="buyer_id", read_only=True)
    vat_asked_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When the number was last asked about, with or without an answer."
    )
    since = serializers.DateField(read_only=True)


class CustomerCreateSerializer(StrictSerializer):
    """An organization right below you that is to be your customer."""

    organization = serializers.CharField(max_length=32)
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False)


class TermsSerializer(StrictSerializer):
    """What is yours to say about a customer. The currency stays from the first charge on."""

    currency = serializers.ChoiceField(choices=CURRENCIES, required=False)
    exemption = _text(200)


class TaxRateSerializer(StrictSerializer):
    """A rate in percent from a day on."""

    id = serializers.CharField(read_only=True)
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1, as in DE.")
    region = _text(10, help_text="Empty: wherever no region's own rate is set.")
    category = serializers.ChoiceField(choices=["standard", "reduced"], default="standard")
    percent = Figure(max_digits=7, decimal_places=4, min_value=0, max_value=100)
    valid_from = serializers.DateField()


class AdoptedSerializer(StrictSerializer):
    """How many shipped rates were adopted, of which day, and where they are from."""

    adopted = serializers.IntegerField(read_only=True)
    as_of = serializers.DateField(read_only=True)
    source = serializers.CharField(read_only=True)  # type: ignore[assignment]
