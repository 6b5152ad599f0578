"""Endpoints of organizations: clients and resellers, their limits, suspension and closing."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.models import Organization
from accounts.selectors import limits as lines
from accounts.selectors import organizations as selectors
from accounts.selectors import plans
from accounts.services import limits, onboarding
from accounts.services import organizations as service
from panel.core import policy
from panel.core.api.limits import LimitSerializer
from panel.core.api.views import ApiView
from panel.core.errors import Invalid

Out = serializers.OrganizationSerializer


class OrganizationView(ApiView):
    """Base: the organization of the path, and how organizations are answered."""

    def organization(self, pk: str) -> Organization:
        """Return the organization, or raise NotFound."""
        return self.find(selectors.listed(), pk)

    def shown(self, organization: Organization) -> Any:
        """Return the answer for one organization."""
        return Out(organization, context={"path": self.actor.path}).data


class Organizations(OrganizationView):
    """The organizations in reach, the caller's own among them."""

    actions = {"GET": "organization.view", "POST": "organization.view"}
    is_list = True

    @extend_schema(
        responses=Out(many=True),
        parameters=[
            OpenApiParameter("kind", str, enum=Organization.Kind.values),
            OpenApiParameter("status", str, enum=Organization.Status.values),
        ],
    )
    def get(self, request: Request) -> Response:
        """List organizations, newest first."""
        rows = selectors.listed()
        for field, allowed in (("kind", Organization.Kind.values), ("status", Organization.Status.values)):
            value = request.query_params.get(field)
            if value is not None:
                if value not in allowed:
                    raise Invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", field)
                rows = rows.filter(**{field: value})
        return self.page(rows, Out, path=self.actor.path)

    @extend_schema(request=serializers.OrganizationCreateSerializer, responses={201: Out})
    def post(self, request: Request) -> Response:
        """Create a client or a reseller."""
        values = self.read(serializers.OrganizationCreateSerializer)
        parent = self.organization(values.pop("parent", self.actor.organization_id))
        if values.pop("kind") == "client":
            for field in ("resellers_allowed", "plan"):
                if field in values:
                    raise Invalid("unknown_field", _("Only a reseller has this."), field)
            made = service.create_client(actor=self.actor, parent=parent, name=values["name"])
        else:
            if "resellers_allowed" in values:
                policy.require(self.actor, "organization.allow_resellers")
            if "plan" in values:
                values["plan"] = self.find(plans.listed(), values["plan"])
            made = onboarding.reseller(actor=self.actor, parent=parent, **values)
        return self.created(self.shown(made), reverse("accounts_api:organization", args=[made.id]))


class OneOrganization(OrganizationView):
    """One organization."""

    actions = {"GET": "organization.view", "PATCH": "organization.change"}

    @extend_schema(responses=Out)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(self.shown(self.organization(pk)))

    @extend_schema(request=serializers.OrganizationChangeSerializer, responses=Out)
    def patch(self, request: Request, pk: str) -> Response:
        """Change it."""
        organization = self.organization(pk)
        values = self.read(serializers.OrganizationChangeSerializer, partial=True)
        return Response(self.shown(service.change(actor=self.actor, organization=organization, **values)))


class Limits(OrganizationView):
    """The limits of an organization."""

    actions = {"GET": "organization.view", "PATCH": "organization.set_limit"}

    @extend_schema(responses=LimitSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """Show every limit with its use, and why one more would be refused."""
        return Response(self._shown(self.organization(pk)))

    @extend_schema(request=serializers.LimitsChangeSerializer, responses=LimitSerializer(many=True))
    def patch(self, request: Request, pk: str) -> Response:
        """Set limits; null lifts one."""
        organization = self.organization(pk)
        values = self.read(serializers.LimitsChangeSerializer, partial=True)
        limits.change_limits(actor=self.actor, organization=organization, limits=values)
        return Response(self._shown(organization))

    @staticmethod
    def _shown(organization: Organization) -> Any:
        return LimitSerializer(lines.of_organization(organization), many=True).data
