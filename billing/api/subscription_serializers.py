"""What subscriptions and what is charged for them look like to programs. Spans leave their last day out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import Figure
from billing.api.invoice_serializers import Amount
from billing.fields import SCALE
from billing.models import Charge, Price, Subscription, TaxRate
from billing.selectors import customers, prices, subscriptions
from panel.core.api.endpoints import Document
from panel.core.api.fields import Flag, Number, Reference, Text, is_id
from panel.core.api.serializers import StrictSerializer
from provisioning.selectors import hosting_accounts


@extend_schema_field(str)
class PriceReference(serializers.Field[Any, Any, str, Any]):
    """The id of a price of the seller."""

    default_error_messages = {"invalid": "Give the id of a price."}

    def to_internal_value(self, data: Any) -> Price:
        """Return the price."""
        found = prices.named().filter(pk=data).first() if isinstance(data, str) and is_id(data) else None
        if found is None:
            self.fail("invalid")
        return found

    def to_representation(self, value: Price) -> str:
        """Return its id."""
        return str(value.pk)


class ComponentSerializer(Document):
    """A product within a subscription, at the price that was agreed; `ends_on` is null while it goes on."""

    id = serializers.CharField()
    product = serializers.CharField(source="product_id")
    name = serializers.CharField(source="product.name")
    price = serializers.CharField(source="price_id")
    is_main = serializers.BooleanField()
    quantity = serializers.IntegerField()
    amount = Amount("price.currency", help_text="Of one, for a cycle.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)


class SubscriptionSerializer(Document):
    """Something that is paid for again and again."""

    id = serializers.CharField()
    customer = serializers.CharField(source="customer_id")
    seller = serializers.CharField(source="customer.seller_id")
    buyer = serializers.CharField(source="customer.buyer_id")
    account = serializers.CharField(source="hosting_id", allow_null=True, help_text="The hosting account it pays for.")
    label = serializers.CharField()  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=Subscription.Status.choices)
    months = serializers.IntegerField(help_text="The cycle.")
    starts_on = serializers.DateField()
    trial_until = serializers.DateField(allow_null=True)
    billed_until = serializers.DateField(help_text="Charged up to this day, which is not part of it.")
    cancel_on = serializers.DateField(allow_null=True)
    ended_on = serializers.DateField(allow_null=True)
    parked_reason = serializers.SerializerMethodField(
        help_text="Why runs leave it out; empty while they do not. A buyer is told only that they do."
    )
    created_at = serializers.DateTimeField()

    def get_parked_reason(self, subscription: Subscription) -> str:
        """Return what the reader may know of it."""
        is_seller = subscription.customer.seller_id == self.context["actor"].organization_id
        return subscription.parked_reason if is_seller else subscription.pause


class WholeSubscriptionSerializer(SubscriptionSerializer):
    """A subscription with its products."""

    components = serializers.SerializerMethodField()

    @extend_schema_field(ComponentSerializer(many=True))
    def get_components(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return its products."""
        rows = subscriptions.components(subscription)
        return ComponentSerializer(rows, many=True).data  # type: ignore[return-value]


class ChargeSerializer(Document):
    """An amount that a customer owes, or gets back, for a span of days. It has no id before it is kept."""

    id = serializers.SerializerMethodField()
    kind = serializers.ChoiceField(choices=Charge.Kind.choices)
    text = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    due_on = serializers.DateField()
    quantity = serializers.CharField()
    unit_price = serializers.CharField()
    amount = Amount()
    currency = serializers.CharField()
    explanation = serializers.ListField(child=serializers.DictField(), help_text="How the amount came about.")

    @extend_schema_field({"type": "string", "nullable": True})
    def get_id(self, charge: Charge) -> str | None:
        """Return the id of one that is kept."""
        return None if charge._state.adding else str(charge.pk)


class SubscriptionQuery(StrictSerializer):
    """Which subscriptions to list."""

    side = serializers.ChoiceField(choices=["sold", "bought"], required=False, help_text="Which party you are.")
    status = serializers.ChoiceField(choices=Subscription.Status.choices, required=False)
    customer = Text(required=False, max_length=32)


class SubscriptionChange(StrictSerializer):
    """Another price or quantity, from `on`, today by default."""

    price = PriceReference()
    quantity = Number(required=False, min_value=1, max_value=100_000)
    on = serializers.DateField(required=False)


class SubscriptionStart(StrictSerializer):
    """A new subscription of a customer."""

    customer = Reference(customers.known, "subscription.start")
    price = PriceReference()
    quantity = Number(required=False, min_value=1, max_value=100_000)
    account = Reference(hosting_accounts.listed, "account.view", source="hosting", required=False)
    starts_on = serializers.DateField(required=False, help_text="Today unless another day is named.")
    label = Text(required=False, max_length=253)  # type: ignore[assignment]
    trial = Flag(required=False, help_text="With the product's trial days; true by default.")


class SubscriptionCancel(StrictSerializer):
    """When it ends: with its period, or today."""

    at_end = Flag(required=False, help_text="True by default; only the seller may say false.")


class ItemCreate(StrictSerializer):
    """Something sold once: by a price that is paid once, or by text and amount."""

    customer = Reference(customers.known, "charge.create")
    text = Text(required=False, max_length=300)
    amount = Figure(
        required=False, max_digits=14, decimal_places=SCALE, help_text="Of one; below zero it is given back."
    )
    quantity = Number(required=False, min_value=1, max_value=100_000)
    price = PriceReference(required=False)
    on = serializers.DateField(required=False, help_text="The day on whose invoice it goes.")
    tax_category = serializers.ChoiceField(choices=TaxRate.Category.choices, required=False)
