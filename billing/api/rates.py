"""What would it cost? The calculator of rules, for programs."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.pricing import rating
from billing.selectors import prices
from billing.services import rates as service
from panel.core.api.endpoints import Document, Endpoint, describe
from panel.core.api.serializers import StrictSerializer
from panel.core.errors import Invalid


class RateBody(StrictSerializer):
    """A rule, or a price that has one, and a usage document as docs/rating.md describes both."""

    rule = serializers.JSONField(required=False)
    price = serializers.CharField(required=False, max_length=32, help_text="A price of yours that goes by use.")
    usage = serializers.JSONField()


class Rated(Document):
    """What the use costs."""

    exact = serializers.CharField(help_text="The exact amount, as a fraction.")
    line = serializers.CharField(help_text="The amount on an invoice line: rounded, once.")
    currency = serializers.CharField()
    quantity = serializers.CharField(help_text="What counted, in base units.")
    explain = serializers.ListField(child=serializers.DictField(), help_text="Each step.")


class RateView(Endpoint):
    """The calculator."""

    actions = {"POST": "rate.create"}

    @describe("rate", "Work out what a use would cost", Rated, body=RateBody)
    def post(self, request: Request) -> Response:
        """Nothing is kept. Feeds that the usage document lacks are those of your organization."""
        told = self.read(RateBody)
        if ("rule" in told) == ("price" in told):
            raise Invalid("rule", "Give either a rule or a price.", "rule")
        rule = told["rule"] if "rule" in told else self._rule_of(told["price"])
        own = organizations.of_actor(self.actor)
        found = service.rate(actor=self.actor, organization=own, rule=rule, document=told["usage"])
        return Response(
            {
                "exact": str(found.exact),
                "line": format(found.line, "f"),
                "currency": found.currency,
                "quantity": rating.text(found.quantity),
                "explain": list(found.explanation),
            }
        )

    def _rule_of(self, pk: str) -> object:
        price = self.find(prices.listed(self.actor), pk)
        return {"currency": price.currency, **(price.rule or {})}
