"""Endpoints of products and prices."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api.catalogue_serializers import (
    PriceApplySerializer,
    PriceCreateSerializer,
    PriceEndSerializer,
    PriceSerializer,
    ProductChangeSerializer,
    ProductCreateSerializer,
    ProductSerializer,
    RepricedSerializer,
    TouchedSerializer,
)
from billing.selectors import prices as price_selectors
from billing.selectors import products as selectors
from billing.selectors import sellers, subscriptions
from billing.services import prices, products, repricing
from panel.core.api.views import ApiView
from panel.core.errors import Invalid

ON = OpenApiParameter("on", date, description="The day whose prices are asked for; today unless given.")


class Products(ApiView):
    """What you sell."""

    actions = {"GET": "product.view", "POST": "product.create"}
    is_list = True

    @extend_schema(operation_id="products_list", responses=ProductSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List your products, archived ones left out, newest first."""
        return self.page(selectors.listed(self.actor), ProductSerializer)

    @extend_schema(operation_id="products_create", request=ProductCreateSerializer, responses={201: ProductSerializer})
    def post(self, request: Request) -> Response:
        """Put something on sale. It can be bought once it has a price."""
        own = organizations.of_actor(self.actor)
        values = self.read(ProductCreateSerializer)
        sources: dict[str, Any] = {
            "package": selectors.packages_of(own),
            "plan": selectors.plans_of(own),
            "meter": selectors.meters_of(own),
        }
        for field, rows in sources.items():
            wanted = values.pop(field, None)
            values[field] = self.find(rows, wanted, field) if wanted is not None else None
        made = products.create(actor=self.actor, organization=own, **values)
        body = ProductSerializer(selectors.listed(self.actor).get(pk=made.pk)).data
        return self.created(body, reverse("billing_api:product", args=[made.pk]))


class OneProduct(ApiView):
    """One product."""

    actions = {"GET": "product.view", "PATCH": "product.change", "DELETE": "product.remove"}

    @extend_schema(operation_id="products_get", responses=ProductSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it, also when it is archived."""
        return Response(ProductSerializer(self.find(selectors.every(self.actor), pk)).data)

    @extend_schema(operation_id="products_change", request=ProductChangeSerializer, responses=ProductSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change how it is called and sold."""
        product = self.find(selectors.listed(self.actor), pk)
        products.change(actor=self.actor, product=product, **self.read(ProductChangeSerializer, partial=True))
        return Response(ProductSerializer(selectors.listed(self.actor).get(pk=pk)).data)

    @extend_schema(operation_id="products_archive", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it off the shelf. Who has it keeps it."""
        products.archive(actor=self.actor, product=self.find(selectors.listed(self.actor), pk))
        return Response(status=204)


class ProductPrices(ApiView):
    """The prices of a product."""

    actions = {"GET": "price.view", "POST": "price.create"}
    is_list = True

    @extend_schema(operation_id="product_prices_list", responses=PriceSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """List all its prices: past ones, those in force, and those to come."""
        product = self.find(selectors.every(self.actor), pk)
        return self.page(price_selectors.of_product(product), PriceSerializer)

    @extend_schema(
        operation_id="product_prices_create", request=PriceCreateSerializer, responses={201: PriceSerializer}
    )
    def post(self, request: Request, pk: str) -> Response:
        """Sell it at a price from a day on. Subscriptions keep what they pay."""
        product = self.find(selectors.listed(self.actor), pk)
        made = prices.create(actor=self.actor, product=product, **self.read(PriceCreateSerializer))
        return self.created(PriceSerializer(made).data, reverse("billing_api:price", args=[made.pk]))


class ProductImpact(ApiView):
    """Whom the archiving of a product, or a new price, concerns."""

    actions = {"GET": "product.view"}

    @extend_schema(operation_id="products_impact", responses=TouchedSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Say how many subscriptions have it: they keep it, at the price that was agreed."""
        product = self.find(selectors.listed(self.actor), pk)
        return Response(TouchedSerializer({"subscriptions": product.subscription_count}).data)  # type: ignore[attr-defined]


class Prices(ApiView):
    """Your price list."""

    actions = {"GET": "price.view"}
    is_list = True

    @extend_schema(operation_id="prices_list", parameters=[ON], responses=PriceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List what your products cost on a day."""
        own = organizations.of_actor(self.actor)
        wanted = request.query_params.get("on")
        on = _day(wanted) if wanted else sellers.today(sellers.of(own))
        return self.page(price_selectors.on_sale(own, on), PriceSerializer)


class OnePrice(ApiView):
    """One price."""

    actions = {"GET": "price.view", "PATCH": "price.change", "DELETE": "price.remove"}

    @extend_schema(operation_id="prices_get", responses=PriceSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(PriceSerializer(self.find(price_selectors.listed(self.actor), pk)).data)

    @extend_schema(operation_id="prices_end", request=PriceEndSerializer, responses=PriceSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Sell at it no more from a day on. Subscriptions at it go on."""
        price = self.find(price_selectors.listed(self.actor), pk)
        on = self.read(PriceEndSerializer, partial=True).get("ended_on")
        return Response(PriceSerializer(prices.end(actor=self.actor, price=price, on=on)).data)

    @extend_schema(operation_id="prices_remove", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it back, as long as it has not begun and nobody has agreed on it."""
        prices.remove(actor=self.actor, price=self.find(price_selectors.listed(self.actor), pk))
        return Response(status=204)


class PriceSubscriptions(ApiView):
    """Who could get a price."""

    actions = {"GET": "price.change"}
    is_list = True

    @extend_schema(operation_id="prices_subscriptions", responses=RepricedSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """List what goes on with its product at another price of its currency and cycle, with your usual notice."""
        price = self.find(price_selectors.listed(self.actor), pk)
        first = repricing.earliest(price, None)
        return self.page(subscriptions.at_other_price(price), RepricedSerializer, price=price, first=first)


class PriceApply(ApiView):
    """A price for those who have its product."""

    actions = {"POST": "price.change"}

    @extend_schema(operation_id="prices_apply", request=PriceApplySerializer, responses=TouchedSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Give it to them with their next period after the notice, and tell their buyers by mail."""
        price = self.find(price_selectors.listed(self.actor), pk)
        count = repricing.apply(actor=self.actor, price=price, **self.read(PriceApplySerializer))
        return Response(TouchedSerializer({"subscriptions": count}).data)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("day", _("Give a day as 2026-03-01."), "on") from error
