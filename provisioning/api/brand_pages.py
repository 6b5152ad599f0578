"""Endpoints of what a brand shows on servers: its pages there, and the files that new accounts begin with."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Brand
from accounts.selectors import brands, organizations
from panel.core.api.serializers import StrictSerializer
from panel.core.api.views import ApiView
from panel.core.errors import NotFound
from provisioning.selectors import brand_pages as selectors
from provisioning.services import brand_pages as service


class BrandPagesSerializer(StrictSerializer):
    """Words of a brand's pages; an empty one is ours. `{{domain}}` in the first page is the new site's name."""

    first_title = serializers.CharField(max_length=100, allow_blank=True, required=False)
    first_text = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    suspended_title = serializers.CharField(max_length=100, allow_blank=True, required=False)
    suspended_text = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    missing_title = serializers.CharField(max_length=100, allow_blank=True, required=False)
    missing_text = serializers.CharField(max_length=2000, allow_blank=True, required=False)
    operation = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="What carries the change to servers; null where none shows the pages.",
    )


class SkeletonSerializer(StrictSerializer):
    """Files (text by name) that new accounts have in their web directory."""

    files = serializers.DictField(child=serializers.CharField(allow_blank=True, trim_whitespace=False))


class PagesView(ApiView):
    """Base: the own brand of the organization in the path."""

    def brand(self, pk: str) -> Brand:
        """Return the brand; raises NotFound when the organization lives under one from above."""
        brand = brands.own(self.find(organizations.listed(), pk))
        if brand is None:
            raise NotFound()
        return brand


class Pages(PagesView):
    """The pages of a brand on servers."""

    actions = {"GET": "brand.view", "PATCH": "brand.change"}

    @extend_schema(responses=BrandPagesSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show their words."""
        (look,) = selectors.looks([self.brand(pk)])
        return Response({field: getattr(look.pages, field) for field in service.FIELDS} | {"operation": None})

    @extend_schema(request=BrandPagesSerializer, responses=BrandPagesSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change the words given. The first page is for new sites only."""
        brand = self.brand(pk)
        values = self.read(BrandPagesSerializer, partial=True)
        pages, operation = service.change(actor=self.actor, brand=brand, **values)
        shown = {field: getattr(pages, field) for field in service.FIELDS}
        return Response(shown | {"operation": operation.pk if operation else None})


class Skeleton(PagesView):
    """The files that new accounts of a brand begin with."""

    actions = {"GET": "brand.view", "PUT": "brand.change"}

    @extend_schema(responses=SkeletonSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show them."""
        newest = selectors.newest_skeleton(self.brand(pk))
        return Response({"files": newest.files if newest is not None else {}})

    @extend_schema(request=SkeletonSerializer, responses=SkeletonSerializer)
    def put(self, request: Request, pk: str) -> Response:
        """Set them all. Accounts that are there keep what they have."""
        brand = self.brand(pk)
        files = self.read(SkeletonSerializer)["files"]
        return Response({"files": service.set_skeleton(actor=self.actor, brand=brand, files=files).files})
