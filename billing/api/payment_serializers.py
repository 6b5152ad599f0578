"""Request and answer formats of payments, cards, statements and the payment service."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing.api.fields import Figure
from billing.fields import SCALE
from billing.models import BankEntry, Dispute, Gateway, Payment, Refund
from billing.pricing import money
from billing.selectors import gateways, payments
from panel.core.api.fields import Flag, Text
from panel.core.api.serializers import StrictSerializer

LONGEST_KEY = 100


class Amount(Figure):
    """An amount of money, as a string with the places that it is kept with."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=SCALE, **kwargs)


class PaidSerializer(StrictSerializer):
    """What a payment pays."""

    invoice = serializers.CharField(read_only=True)
    amount = Amount(read_only=True)


class RefundSerializer(StrictSerializer):
    """Money of a payment that goes back."""

    id = serializers.CharField(read_only=True)
    amount = Amount(read_only=True)
    status = serializers.ChoiceField(choices=Refund.Status.choices, read_only=True)
    reason = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class DisputeSerializer(StrictSerializer):
    """A payment that the buyer's bank takes back until it is decided."""

    id = serializers.CharField(read_only=True)
    amount = Amount(read_only=True)
    status = serializers.ChoiceField(choices=Dispute.Status.choices, read_only=True)
    reason = serializers.CharField(read_only=True)
    opened_at = serializers.DateTimeField(read_only=True)


class PaymentSerializer(StrictSerializer):
    """One attempt to pay, or money that has come."""

    id = serializers.CharField(read_only=True)
    customer = serializers.CharField(source="customer_id", read_only=True)
    source = serializers.ChoiceField(choices=Payment.Source.choices, read_only=True)  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=Payment.Status.choices, read_only=True)
    amount = Amount(read_only=True)
    refunded = Amount(read_only=True)
    currency = serializers.CharField(read_only=True)
    invoice = serializers.CharField(source="invoice_id", read_only=True, allow_null=True, help_text="Paid first.")
    reference = serializers.CharField(read_only=True)
    failure = serializers.CharField(read_only=True, help_text="Why it failed, in words.")
    checkout_url = serializers.SerializerMethodField(help_text="Where the payer goes on while it is under way.")
    received_on = serializers.DateField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_checkout_url(self, payment: Payment) -> str:
        """Return the address to the payer; it is nobody else's."""
        mine = payment.customer.buyer_id == self.context["actor"].organization_id
        return payment.checkout_url if mine and payment.status == Payment.Status.PENDING else ""


class OnePaymentSerializer(PaymentSerializer):
    """One payment, what it pays and what went back."""

    pays = serializers.SerializerMethodField()
    refunds = RefundSerializer(many=True, read_only=True)
    disputes = serializers.SerializerMethodField(help_text="For the seller.")

    def get_pays(self, payment: Payment) -> list[dict[str, Any]]:
        """Return the invoices that it pays."""
        rows = [{"invoice": row.pk, "amount": amount} for row, amount in payments.paid_of(payment)]
        found: list[dict[str, Any]] = list(PaidSerializer(rows, many=True).data)
        return found

    def get_disputes(self, payment: Payment) -> list[dict[str, Any]]:
        """Return its disputes."""
        if payment.seller_id != self.context["actor"].organization_id:
            return []
        found: list[dict[str, Any]] = list(DisputeSerializer(payment.disputes.all(), many=True).data)
        return found


class PaymentQuery(StrictSerializer):
    """Which payments to list."""

    status = serializers.ChoiceField(choices=Payment.Status.choices, required=False)
    customer = Text(required=False, max_length=32)
    invoice = Text(required=False, max_length=32, help_text="The invoice that is paid first.")


class EntryQuery(StrictSerializer):
    """Which bookings to list."""

    status = serializers.ChoiceField(choices=BankEntry.Status.choices, required=False)


class PaySerializer(StrictSerializer):
    """How to pay: by a card that is saved, or else at a page of the payment service."""

    key = Text(max_length=LONGEST_KEY, help_text="Of your making: the same key pays once.")
    card = Text(max_length=32, required=False, help_text="A saved card's id.")
    save_card = Flag(required=False, default=False)


class RecordSerializer(StrictSerializer):
    """Money that came without a payment service."""

    customer = Text(max_length=32)
    amount = Amount(min_value=Decimal(0))
    currency = serializers.ChoiceField(choices=sorted(money.PLACES))
    received_on = serializers.DateField()
    reference = Text(max_length=200, required=False, allow_blank=True, default="")
    invoice = Text(max_length=32, required=False, help_text="Paid first.")
    key = Text(max_length=LONGEST_KEY, help_text="Of your making: the same key is recorded once.")


class RefundCreateSerializer(StrictSerializer):
    """How much of a payment goes back."""

    amount = Amount(min_value=Decimal(0))
    reason = Text(max_length=200, required=False, allow_blank=True, default="")
    key = Text(max_length=60, help_text="Of your making: the same key pays back once.")


class KeepSerializer(StrictSerializer):
    """Which invoice a payment is taken off."""

    invoice = Text(max_length=32)
    amount = Amount(min_value=Decimal(0))
    key = Text(max_length=60)


class CreditSerializer(StrictSerializer):
    """How much was paid from credit."""

    paid = Amount(read_only=True)


class CardSerializer(StrictSerializer):
    """A saved card."""

    id = serializers.CharField(read_only=True)
    label = serializers.SerializerMethodField()  # type: ignore[assignment]
    expires_on = serializers.DateField(read_only=True, allow_null=True)
    is_default = serializers.BooleanField(read_only=True, help_text="The one that is charged when invoices are due.")

    def get_label(self, card: Any) -> str:
        """Return what people know it by."""
        return str(card)


class CardAddSerializer(StrictSerializer):
    """A key of your making: the same key leads to the same page."""

    key = Text(max_length=60)


class CardPageSerializer(StrictSerializer):
    """Where to go on."""

    url = serializers.CharField(read_only=True)


class EntrySerializer(StrictSerializer):
    """A booking of a bank statement."""

    id = serializers.CharField(read_only=True)
    reference = serializers.CharField(read_only=True, help_text="The bank's.")
    booked_on = serializers.DateField(read_only=True)
    amount = Amount(read_only=True)
    currency = serializers.CharField(read_only=True)
    debtor = serializers.CharField(read_only=True)
    remittance = serializers.CharField(read_only=True)
    status = serializers.ChoiceField(choices=BankEntry.Status.choices, read_only=True)
    payment = serializers.CharField(source="payment_id", read_only=True, allow_null=True)


class StatementSerializer(StrictSerializer):
    """A file of the kind CAMT.053, as text."""

    statement = Text(max_length=10_000_000)


class StatementReportSerializer(StrictSerializer):
    """What reading a statement in came to."""

    new = serializers.IntegerField(read_only=True)
    known = serializers.IntegerField(read_only=True)
    left_out = serializers.IntegerField(read_only=True)


class BookedSerializer(StrictSerializer):
    """How many bookings were booked as payments."""

    booked = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(
        read_only=True, help_text="So many carry one but could not be booked: still open."
    )


class MatchSerializer(StrictSerializer):
    """Whose money a booking is, and which invoice it pays first."""

    customer = Text(max_length=32)
    invoice = Text(max_length=32, required=False)


class GatewaySerializer(StrictSerializer):
    """Your account at the payment service; secrets are never shown."""

    kind = serializers.ChoiceField(choices=Gateway.Kind.choices, read_only=True)
    public_key = serializers.CharField(read_only=True)
    has_secret_key = serializers.SerializerMethodField()
    has_hook_secret = serializers.SerializerMethodField()
    hook_url = serializers.SerializerMethodField(help_text="What the service has to be told.")
    is_active = serializers.BooleanField(read_only=True)

    def get_has_secret_key(self, gateway: Gateway) -> bool:
        """Tell whether there is one."""
        return bool(gateway.key_secret)

    def get_has_hook_secret(self, gateway: Gateway) -> bool:
        """Tell whether there is one."""
        return bool(gateway.hook_secret)

    def get_hook_url(self, gateway: Gateway) -> str:
        """Return the webhook's address."""
        return gateways.hook_url(gateway) if gateway.hook else ""


class GatewayChangeSerializer(StrictSerializer):
    """Keys; what is left out stays."""

    public_key = Text(max_length=200, required=False, allow_blank=True)
    secret_key = Text(max_length=200, required=False, allow_blank=True, write_only=True)
    hook_secret = Text(max_length=200, required=False, allow_blank=True, write_only=True)


class GatewaySwitchSerializer(StrictSerializer):
    """Whether cards are taken."""

    is_active = Flag()


class GatewayTestSerializer(StrictSerializer):
    """Whose keys they are."""

    account = serializers.CharField(read_only=True)
