"""Endpoints of customers, and of one's own details on the invoices that one gets."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api.party_serializers import (
    CustomerCreateSerializer,
    CustomerSerializer,
    DetailsSerializer,
    PartySerializer,
    TermsSerializer,
)
from billing.models import Customer
from billing.selectors import customers as selectors
from billing.services import customers, vat_checks
from panel.core.api.views import ApiView
from panel.core.errors import Forbidden


class Customers(ApiView):
    """Who buys from you."""

    actions = {"GET": "customer.view", "POST": "customer.set_terms"}
    is_list = True

    @extend_schema(operation_id="customers_list", responses=CustomerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List your customers, newest first."""
        return self.page(selectors.listed(self.actor), CustomerSerializer)

    @extend_schema(
        operation_id="customers_create", request=CustomerCreateSerializer, responses={201: CustomerSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make a customer of an organization right below you; one that is there already stays as it is."""
        values = self.read(CustomerCreateSerializer)
        own = organizations.of_actor(self.actor)
        buyer = self.find(organizations.listed(), values["organization"], "organization")
        made = customers.ensure(actor=self.actor, seller=own, buyer=buyer, currency=values.get("currency", ""))
        return self.created(CustomerSerializer(made).data, reverse("billing_api:customer", args=[made.pk]))


class OneCustomer(ApiView):
    """One customer."""

    actions = {"GET": "customer.view", "PATCH": "customer.change"}

    @extend_schema(operation_id="customers_get", responses=CustomerSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(CustomerSerializer(self.find(selectors.listed(self.actor), pk)).data)

    @extend_schema(operation_id="customers_change", request=PartySerializer, responses=CustomerSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change who it is on invoices to come."""
        customer = self.find(selectors.listed(self.actor), pk)
        made = customers.change(actor=self.actor, customer=customer, **self.read(PartySerializer, partial=True))
        return Response(CustomerSerializer(made).data)


class CustomerTerms(ApiView):
    """What is the seller's to say about a customer."""

    actions = {"PATCH": "customer.set_terms"}

    @extend_schema(operation_id="customers_terms", request=TermsSerializer, responses=CustomerSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Set currency and exemption."""
        customer = self.find(selectors.listed(self.actor), pk)
        made = customers.set_terms(actor=self.actor, customer=customer, **self.read(TermsSerializer, partial=True))
        return Response(CustomerSerializer(made).data)


class CustomerVatCheck(ApiView):
    """The check of a customer's VAT number."""

    actions = {"POST": "customer.check_vat"}

    @extend_schema(operation_id="customers_check_vat", request=None, responses={202: CustomerSerializer})
    def post(self, request: Request, pk: str) -> Response:
        """Have the number checked again. Look at `vat_state` and `vat_asked_at` in a moment."""
        customer = self.find(selectors.listed(self.actor), pk)
        vat_checks.request(actor=self.actor, customer=customer)
        return Response(CustomerSerializer(customer).data, status=202)


class OwnDetails(ApiView):
    """Who you are on the invoices that you get."""

    actions = {"GET": "customer.view", "PATCH": "customer.change"}

    def own(self) -> Customer:
        """Return what the actor's organization is billed by; raises Forbidden for who buys from nobody."""
        found = selectors.own(organizations.of_actor(self.actor))
        if found is None:
            raise Forbidden(_("Nobody stands above you who could bill you."))
        return found

    @extend_schema(operation_id="billing_details_get", responses=DetailsSerializer)
    def get(self, request: Request) -> Response:
        """Show it."""
        return Response(DetailsSerializer(self.own()).data)

    @extend_schema(operation_id="billing_details_change", request=PartySerializer, responses=DetailsSerializer)
    def patch(self, request: Request) -> Response:
        """Change it, for invoices to come."""
        made = customers.change(actor=self.actor, customer=self.own(), **self.read(PartySerializer, partial=True))
        return Response(DetailsSerializer(made).data)
