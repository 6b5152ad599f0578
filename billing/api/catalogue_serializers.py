"""What the API says and takes about products and prices."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.api.fields import Figure
from billing.fields import SCALE
from billing.models import Component, Price, Product, TaxRate
from billing.pricing import money
from billing.services import repricing
from panel.core.api.fields import Flag, Number
from panel.core.api.serializers import StrictSerializer

CURRENCIES = sorted(money.PLACES)


def money_field(**options: object) -> Figure:
    """An amount of money, as a decimal string."""
    return Figure(max_digits=14, decimal_places=SCALE, min_value=0, **options)  # type: ignore[arg-type]


class ProductSerializer(StrictSerializer):
    """Something on sale."""

    id = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=Product.Kind.choices, read_only=True)
    name = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)
    package = serializers.CharField(source="package_id", read_only=True, allow_null=True)
    plan = serializers.CharField(source="plan_id", read_only=True, allow_null=True)
    meter = serializers.CharField(source="meter_id", read_only=True, allow_null=True)
    tax_category = serializers.ChoiceField(choices=TaxRate.Category.choices, read_only=True)
    trial_days = serializers.IntegerField(read_only=True)
    is_public = serializers.BooleanField(read_only=True, help_text="Whether it is on the order page.")
    archived_at = serializers.DateTimeField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    subscription_count = serializers.IntegerField(read_only=True, help_text="Subscriptions that go on and have it.")


class ProductChangeSerializer(StrictSerializer):
    """What is to change; what is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    description = serializers.CharField(max_length=1000, allow_blank=True, required=False)
    tax_category = serializers.ChoiceField(choices=TaxRate.Category.choices, required=False)
    trial_days = Number(min_value=0, max_value=365, required=False)
    is_public = Flag(required=False, help_text="Whether it is on the order page.")


class ProductCreateSerializer(ProductChangeSerializer):
    """A new product. A package, a plan and what goes by use name what they stand for."""

    kind = serializers.ChoiceField(choices=Product.Kind.choices)
    name = serializers.CharField(max_length=80)
    package = serializers.CharField(max_length=32, required=False, allow_null=True)
    plan = serializers.CharField(max_length=32, required=False, allow_null=True)
    meter = serializers.CharField(max_length=32, required=False, allow_null=True)


class PriceSerializer(StrictSerializer):
    """What a product costs from a day on."""

    id = serializers.CharField(read_only=True)
    product = serializers.CharField(source="product_id", read_only=True)
    currency = serializers.ChoiceField(choices=CURRENCIES, read_only=True)
    months = serializers.ChoiceField(
        choices=Price.Cycle.choices, read_only=True, help_text="The cycle; 0 for what is paid once."
    )
    amount = money_field(read_only=True)
    setup = money_field(read_only=True, help_text="Charged once, at the beginning.")
    rule = serializers.JSONField(read_only=True, allow_null=True, help_text="How use becomes money.")
    valid_from = serializers.DateField(read_only=True)
    ended_on = serializers.DateField(read_only=True, allow_null=True, help_text="From when on nobody can buy at it.")


class PriceCreateSerializer(StrictSerializer):
    """A new price: today unless a day is given. Subscriptions keep what they pay."""

    currency = serializers.ChoiceField(choices=CURRENCIES)
    months = serializers.ChoiceField(choices=Price.Cycle.choices, default=Price.Cycle.MONTH)
    amount = money_field(default=0)
    setup = money_field(default=0)
    rule = serializers.DictField(required=False, allow_null=True, help_text="Of what goes by use: as /rate takes it.")
    valid_from = serializers.DateField(required=False)


class PriceEndSerializer(StrictSerializer):
    """From when on nobody can buy at a price; today unless a day is given."""

    ended_on = serializers.DateField(required=False)


class PriceApplySerializer(StrictSerializer):
    """How long ahead buyers are told; your usual notice unless given."""

    notice_days = Number(min_value=0, max_value=repricing.MOST_NOTICE, required=False)


class RepricedSerializer(StrictSerializer):
    """A component that a price would be given to, what it costs for a cycle, and from which day on."""

    component = serializers.CharField(source="component.pk", read_only=True)
    subscription = serializers.CharField(source="component.subscription_id", read_only=True)
    customer = serializers.CharField(source="component.subscription.customer_id", read_only=True)
    quantity = serializers.IntegerField(source="component.quantity", read_only=True)
    before = money_field(read_only=True)
    after = money_field(read_only=True)
    starts_on = serializers.DateField(read_only=True)

    def to_representation(self, instance: Component) -> dict[str, Any]:
        """Return what would become of a component."""
        of = repricing.touch(instance, self.context["price"], self.context["first"])
        return dict(super().to_representation(of))


class TouchedSerializer(StrictSerializer):
    """Whom a change concerns."""

    subscriptions = serializers.IntegerField(read_only=True, help_text="So many it concerns.")
