"""Endpoints of brands and of the audit log."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.models import Organization
from accounts.selectors import audit, organizations
from accounts.selectors import brands as selectors
from accounts.services import brands
from panel.core.api.views import ApiView
from panel.core.errors import NotFound


class OneBrand(ApiView):
    """The brand of an organization."""

    actions = {"GET": "brand.view", "PATCH": "brand.change"}

    @extend_schema(responses=serializers.BrandSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it; 404 when the organization lives under a brand from above."""
        brand = selectors.own(self._organization(pk))
        if brand is None:
            raise NotFound()
        return Response(serializers.BrandSerializer(brand).data)

    @extend_schema(request=serializers.BrandSerializer, responses=serializers.BrandSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change the fields given; the first time, this creates the brand."""
        organization = self._organization(pk)
        values = self.read(serializers.BrandSerializer, partial=True)
        brand = brands.set(actor=self.actor, organization=organization, **values)
        return Response(serializers.BrandSerializer(brand).data)

    def _organization(self, pk: str) -> Organization:
        return self.find(organizations.listed(), pk)


class Audit(ApiView):
    """The audit log of the caller's organization and everything below it."""

    actions = {"GET": "audit.view"}
    is_list = True

    @extend_schema(
        responses=serializers.AuditSerializer(many=True),
        parameters=[OpenApiParameter("object", str, description="The id of the object that was changed.")],
    )
    def get(self, request: Request) -> Response:
        """List entries, newest first."""
        rows = audit.entries(self.actor)
        wanted = request.query_params.get("object")
        if wanted is not None:
            rows = rows.filter(object_id=wanted)
        return self.page(rows, serializers.AuditSerializer)
