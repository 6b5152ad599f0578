"""Endpoints of what you sell by, and of your tax rates."""

from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api.party_serializers import AdoptedSerializer, BankSerializer, SellerSerializer, TaxRateSerializer
from billing.selectors import sellers as selectors
from billing.selectors import tax_rates as rate_selectors
from billing.services import sellers, tax_rates
from billing.tax import rates
from panel.core.api.views import ApiView


class OwnSeller(ApiView):
    """What you sell by."""

    actions = {"GET": "seller.view", "PATCH": "seller.change"}

    @extend_schema(operation_id="seller_get", responses=SellerSerializer)
    def get(self, request: Request) -> Response:
        """Show it."""
        return Response(SellerSerializer(selectors.of(organizations.of_actor(self.actor))).data)

    @extend_schema(operation_id="seller_change", request=SellerSerializer, responses=SellerSerializer)
    def patch(self, request: Request) -> Response:
        """Change it, for invoices to come."""
        own = organizations.of_actor(self.actor)
        made = sellers.change(actor=self.actor, organization=own, **self.read(SellerSerializer, partial=True))
        return Response(SellerSerializer(made).data)


class OwnBank(ApiView):
    """The account that your buyers are asked to pay to."""

    actions = {"GET": "seller.view", "PATCH": "seller.change_bank"}

    @extend_schema(operation_id="seller_bank_get", responses=BankSerializer)
    def get(self, request: Request) -> Response:
        """Show it."""
        return Response(BankSerializer(selectors.of(organizations.of_actor(self.actor))).data)

    @extend_schema(operation_id="seller_bank_change", request=BankSerializer, responses=BankSerializer)
    def patch(self, request: Request) -> Response:
        """Change it. For owners."""
        own = organizations.of_actor(self.actor)
        made = sellers.change_bank(actor=self.actor, organization=own, **self.read(BankSerializer, partial=True))
        return Response(BankSerializer(made).data)


class TaxRates(ApiView):
    """Your tax rates."""

    actions = {"GET": "tax_rate.view", "POST": "tax_rate.create"}
    is_list = True

    @extend_schema(operation_id="tax_rates_list", responses=TaxRateSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        return self.page(rate_selectors.listed(self.actor), TaxRateSerializer)

    @extend_schema(operation_id="tax_rates_create", request=TaxRateSerializer, responses={201: TaxRateSerializer})
    def post(self, request: Request) -> Response:
        """Set a rate from a day on."""
        own = organizations.of_actor(self.actor)
        made = tax_rates.create(actor=self.actor, organization=own, **self.read(TaxRateSerializer))
        return self.created(TaxRateSerializer(made).data, reverse("billing_api:tax_rate", args=[made.pk]))


class OneTaxRate(ApiView):
    """One tax rate."""

    actions = {"GET": "tax_rate.view", "DELETE": "tax_rate.remove"}

    @extend_schema(operation_id="tax_rates_get", responses=TaxRateSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(TaxRateSerializer(self.find(rate_selectors.listed(self.actor), pk)).data)

    @extend_schema(operation_id="tax_rates_remove", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it back, as long as it has not begun."""
        tax_rates.remove(actor=self.actor, rate=self.find(rate_selectors.listed(self.actor), pk))
        return Response(status=204)


class AdoptTaxRates(ApiView):
    """The standard rates of the European Union, as they are shipped."""

    actions = {"POST": "tax_rate.create"}

    @extend_schema(operation_id="tax_rates_adopt", request=None, responses=AdoptedSerializer)
    def post(self, request: Request) -> Response:
        """Adopt them where you have set none as new."""
        own = organizations.of_actor(self.actor)
        count = len(tax_rates.adopt(actor=self.actor, organization=own))
        said = {"adopted": count, "as_of": rates.AS_OF, "source": str(tax_rates.SOURCE)}
        return Response(AdoptedSerializer(said).data)
