"""Endpoints of brands and of the audit log."""

import base64
import binascii

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.api.brand_serializers import BrandSerializer, PictureSerializer
from accounts.models import Brand, Organization
from accounts.selectors import audit, organizations
from accounts.selectors import brands as selectors
from accounts.services import brand_hosts, brand_images, brands, old_hosts
from panel.core.api.pagination import PAGING
from panel.core.api.views import ApiView
from panel.core.errors import Invalid, NotFound

SLOT = OpenApiParameter("slot", str, OpenApiParameter.PATH, enum=list(brand_images.SLOTS))


class BrandView(ApiView):
    """Base: the brand of the organization in the path."""

    def organization(self, pk: str) -> Organization:
        """Return the organization, or raise NotFound."""
        return self.find(organizations.listed(), pk)

    def shown(self, brand: Brand) -> Response:
        """Return the answer for a brand."""
        return Response(BrandSerializer(brand).data)


class OneBrand(BrandView):
    """The brand of an organization."""

    actions = {"GET": "brand.view", "PATCH": "brand.change"}

    @extend_schema(responses=BrandSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it; 404 when the organization lives under a brand from above."""
        brand = selectors.own(self.organization(pk))
        if brand is None:
            raise NotFound()
        return self.shown(brand)

    @extend_schema(request=BrandSerializer, responses=BrandSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change the fields given; the first time, this creates the brand.

        A new `panel_host` waits as `panel_host_claim` until it has proved itself; the one in use stays until then.
        """
        organization = self.organization(pk)
        values = self.read(BrandSerializer, partial=True)
        return self.shown(brands.set(actor=self.actor, organization=organization, **values))


class Picture(BrandView):
    """A picture of a brand: its logo, its logo for dark pages, its favicon."""

    actions = {"PUT": "brand.change", "DELETE": "brand.change"}

    @extend_schema(request=PictureSerializer, responses=BrandSerializer, parameters=[SLOT])
    def put(self, request: Request, pk: str, slot: str) -> Response:
        """Set it."""
        organization = self.organization(pk)
        try:
            content = base64.b64decode(self.read(PictureSerializer)["content"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Invalid("base64", "Give the file's bytes in base 64.", "content") from error
        return self.shown(brand_images.put(actor=self.actor, organization=organization, slot=slot, content=content))

    @extend_schema(responses=BrandSerializer, parameters=[SLOT])
    def delete(self, request: Request, pk: str, slot: str) -> Response:
        """Take it away."""
        return self.shown(brand_images.remove(actor=self.actor, organization=self.organization(pk), slot=slot))


class PanelHost(BrandView):
    """The panel host that has yet to prove itself."""

    actions = {"DELETE": "brand.change"}

    @extend_schema(responses=BrandSerializer)
    def delete(self, request: Request, pk: str) -> Response:
        """Give it up; the brand keeps the host that it has."""
        return self.shown(brand_hosts.withdraw(actor=self.actor, organization=self.organization(pk)))


class PanelHostCheck(BrandView):
    """A look whether the panel host is the brand's."""

    actions = {"POST": "brand.change"}

    @extend_schema(request=serializers.EmptySerializer, responses=BrandSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Ask the public DNS and the host now, which takes some seconds at most; proven, it is in use."""
        organization = self.organization(pk)
        self.read(serializers.EmptySerializer)
        return self.shown(brand_hosts.check(actor=self.actor, organization=organization))


class PanelHostVouch(BrandView):
    """The provider's word for a panel host."""

    actions = {"POST": "brand.vouch"}

    @extend_schema(request=serializers.EmptySerializer, responses=BrandSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Take it into use without a proof."""
        organization = self.organization(pk)
        self.read(serializers.EmptySerializer)
        return self.shown(brand_hosts.vouch(actor=self.actor, organization=organization))


class OldHost(BrandView):
    """A former panel host of the brand."""

    actions = {"DELETE": "brand.change"}

    @extend_schema(responses=BrandSerializer)
    def delete(self, request: Request, pk: str, old: str) -> Response:
        """Let it go at once, given by its id; it leads nowhere then, and is free for others."""
        return self.shown(old_hosts.end(actor=self.actor, organization=self.organization(pk), pk=old))


class Audit(ApiView):
    """The audit log of the caller's organization and everything below it."""

    actions = {"GET": "audit.view"}
    is_list = True

    @extend_schema(responses=serializers.AuditSerializer(many=True), parameters=[serializers.AuditQuery])
    def get(self, request: Request) -> Response:
        """List entries, newest first."""
        names = {"q": "text", "object": "object_id"}
        given = {name: value for name, value in request.query_params.items() if name not in PAGING}
        wanted = serializers.AuditQuery(data=given)
        wanted.is_valid(raise_exception=True)
        arguments = {names.get(name, name): value for name, value in wanted.validated_data.items()}
        return self.page(audit.matching(audit.entries(self.actor), **arguments), serializers.AuditSerializer)
