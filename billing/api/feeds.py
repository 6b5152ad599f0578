"""Price feeds: prices in time that rules read."""

from __future__ import annotations

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api.fields import Exact
from billing.pricing.money import PLACES
from billing.selectors import meters as selectors
from billing.services import meters as service
from panel.core.api.endpoints import Document, Endpoint, describe, page_of
from panel.core.api.fields import Text
from panel.core.api.serializers import StrictSerializer


class PriceFeed(Document):
    """A price in time that rules read by its name."""

    id = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    last_price = serializers.CharField(allow_null=True, help_text="The newest price; null before the first.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="The instant from which on it holds.")
    created_at = serializers.DateTimeField()


class PriceFeedCreate(StrictSerializer):
    """A new feed."""

    name = Text(max_length=60)
    currency = serializers.ChoiceField(choices=sorted(PLACES))


class PricePoint(Document):
    """A price, for what a rule calls `per`, from an instant on until the next."""

    at = serializers.DateTimeField(source="instant")
    price = serializers.CharField()


class Point(StrictSerializer):
    """A price to add."""

    at = serializers.DateTimeField()
    price = Exact()


class Points(StrictSerializer):
    """Prices to add: all, or none."""

    points = serializers.ListField(child=Point(), min_length=1, max_length=service.MOST_POINTS)


class Added(Document):
    """How many prices were new."""

    new = serializers.IntegerField()


class PriceFeedList(Endpoint):
    """Price feeds."""

    actions = {"GET": "feed.view", "POST": "feed.create"}
    is_list = True

    @describe("price_feeds_list", "List your price feeds, newest first", page_of(PriceFeed))
    def get(self, request: Request) -> Response:
        """Those of your organization."""
        return self.page(selectors.feeds(self.actor), PriceFeed)

    @describe("price_feeds_create", "Create a price feed", PriceFeed, status=201, body=PriceFeedCreate)
    def post(self, request: Request) -> Response:
        """A rule reads it by its name."""
        own = organizations.of_actor(self.actor)
        made = service.create_feed(actor=self.actor, organization=own, **self.read(PriceFeedCreate))
        body = PriceFeed(selectors.feeds(self.actor).get(pk=made.pk)).data
        return self.created(body, reverse("billing_api:price_feed_points", args=[made.pk]))


class PriceFeedPoints(Endpoint):
    """The prices of a feed."""

    actions = {"GET": "feed.view", "POST": "feed.change"}
    is_list = True

    @describe("price_feeds_points", "List the prices of a feed, newest first", page_of(PricePoint))
    def get(self, request: Request, pk: str) -> Response:
        """In the order in which they were added."""
        return self.page(selectors.points(self.find(selectors.feeds(self.actor), pk)), PricePoint)

    @describe("price_feeds_add", "Add prices to a feed, up to 1,000 at once", Added, body=Points)
    def post(self, request: Request, pk: str) -> Response:
        """The same again is taken; an instant that has another price is a conflict. Prices are never changed."""
        feed = self.find(selectors.feeds(self.actor), pk)
        points = [(point["at"], point["price"]) for point in self.read(Points)["points"]]
        return Response({"new": service.add_points(actor=self.actor, feed=feed, points=points)})
