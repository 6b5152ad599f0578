"""Endpoints of subscriptions: read and ended by both parties, begun and changed as their permissions say."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import subscription_serializers as shapes
from billing.models import Subscription
from billing.selectors import sellers
from billing.selectors import subscriptions as selectors
from billing.services import addons, charges, subscriptions
from panel.core.api.endpoints import Endpoint, Nothing, describe, naming, page_of


class SubscriptionList(Endpoint):
    """Subscriptions."""

    actions = {"GET": "subscription.view", "POST": "subscription.start"}
    is_list = True

    @describe(
        "subscriptions_list",
        "List subscriptions that you sell or buy, newest first",
        page_of(shapes.SubscriptionSerializer),
        query=shapes.SubscriptionQuery,
    )
    def get(self, request: Request) -> Response:
        """Those of which your organization is seller or buyer."""
        wanted = self.query(shapes.SubscriptionQuery)
        sides = {"sold": selectors.sold, "bought": selectors.bought, "": selectors.listed}
        rows = sides[wanted.pop("side", "")](self.actor)
        return self.page(rows.filter(**wanted), shapes.SubscriptionSerializer, actor=self.actor)

    @describe(
        "subscriptions_start",
        "Start a subscription",
        shapes.WholeSubscriptionSerializer,
        status=201,
        body=shapes.SubscriptionStart,
    )
    def post(self, request: Request) -> Response:
        """What has begun by today is charged at once."""
        with naming(hosting="account"):
            made = subscriptions.start(actor=self.actor, **self.read(shapes.SubscriptionStart))
        return self.created(_whole(self, made), reverse("billing_api:subscription", args=[made.pk]))


class SubscriptionItem(Endpoint):
    """One subscription."""

    actions = {"GET": "subscription.view"}

    @describe("subscriptions_get", "Get a subscription with its products", shapes.WholeSubscriptionSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """As it stands."""
        found = self.find(selectors.listed(self.actor), pk)
        return Response(shapes.WholeSubscriptionSerializer(found, context={"actor": self.actor}).data)


class SubscriptionCharges(Endpoint):
    """What was charged for a subscription."""

    actions = {"GET": "subscription.view"}
    is_list = True

    @describe("subscriptions_charges", "List what was charged, newest first", page_of(shapes.ChargeSerializer))
    def get(self, request: Request, pk: str) -> Response:
        """Charges are never changed; what is given back is a charge below zero."""
        found = self.find(selectors.listed(self.actor), pk)
        return self.page(selectors.history(found).order_by("-id"), shapes.ChargeSerializer)


class SubscriptionPreview(Endpoint):
    """What a change would charge."""

    actions = {"POST": "subscription.change"}

    @describe(
        "subscriptions_preview",
        "Show what a change would charge",
        shapes.ChargeSerializer(many=True),
        body=shapes.SubscriptionChange,
    )
    def post(self, request: Request, pk: str) -> Response:
        """Nothing is changed; the change itself charges exactly this."""
        found = self.find(selectors.listed(self.actor), pk)
        values = {"quantity": 1, **self.read(shapes.SubscriptionChange)}
        values.setdefault("on", sellers.today(sellers.of(found.customer.seller)))
        made = subscriptions.preview(actor=self.actor, subscription=found, **values)
        return Response(shapes.ChargeSerializer(made, many=True).data)


class _Verb(Endpoint):
    """Something done with one subscription, which it answers with."""

    def subscription(self, pk: str) -> Subscription:
        """Return the subscription of the address."""
        found: Subscription = self.find(selectors.listed(self.actor), pk)
        return found

    def shown(self, pk: str) -> Response:
        """Answer with the subscription as it is now."""
        return Response(_whole(self, selectors.listed(self.actor).get(pk=pk)))


class SubscriptionChange(_Verb):
    """Another price or quantity."""

    actions = {"POST": "subscription.change"}

    @describe(
        "subscriptions_change",
        "Change product, cycle or quantity",
        shapes.WholeSubscriptionSerializer,
        body=shapes.SubscriptionChange,
    )
    def post(self, request: Request, pk: str) -> Response:
        """A package changes at its hosting account and a plan at its reseller, or all of it is refused."""
        found = self.subscription(pk)
        subscriptions.change(actor=self.actor, subscription=found, **self.read(shapes.SubscriptionChange))
        return self.shown(pk)


class SubscriptionAddons(_Verb):
    """Add-ons of a subscription."""

    actions = {"POST": "subscription.change"}

    @describe("subscriptions_add", "Add an add-on", shapes.WholeSubscriptionSerializer, body=shapes.SubscriptionChange)
    def post(self, request: Request, pk: str) -> Response:
        """The rest of the current period is charged at once."""
        found = self.subscription(pk)
        addons.add(actor=self.actor, subscription=found, **self.read(shapes.SubscriptionChange))
        return self.shown(pk)


class SubscriptionAddon(_Verb):
    """One add-on."""

    actions = {"DELETE": "subscription.change"}

    @describe("subscriptions_remove", "Take an add-on away", status=204)
    def delete(self, request: Request, pk: str, component: str) -> Response:
        """What was charged for days from today on is given back."""
        addons.remove(actor=self.actor, component=selectors.addon(self.subscription(pk), component))
        return Response(status=204)


class SubscriptionCancel(_Verb):
    """The end of a subscription."""

    actions = {"POST": "subscription.cancel"}

    @describe(
        "subscriptions_cancel",
        "Cancel a subscription",
        shapes.WholeSubscriptionSerializer,
        body=shapes.SubscriptionCancel,
    )
    def post(self, request: Request, pk: str) -> Response:
        """At the end of the current period, or, for its seller, today."""
        found = self.subscription(pk)
        subscriptions.cancel(actor=self.actor, subscription=found, **self.read(shapes.SubscriptionCancel))
        return self.shown(pk)


class SubscriptionResume(_Verb):
    """A cancellation taken back."""

    actions = {"POST": "subscription.cancel"}

    @describe("subscriptions_resume", "Take a cancellation back", shapes.WholeSubscriptionSerializer, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Until the day for which it was cancelled."""
        self.read(Nothing)
        subscriptions.resume(actor=self.actor, subscription=self.subscription(pk))
        return self.shown(pk)


class SubscriptionUnpark(_Verb):
    """A subscription that runs had left out."""

    actions = {"POST": "subscription.unpark"}

    @describe("subscriptions_unpark", "Let runs try again", shapes.WholeSubscriptionSerializer, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """The next run charges what is due."""
        self.read(Nothing)
        subscriptions.unpark(actor=self.actor, subscription=self.subscription(pk))
        return self.shown(pk)


class Items(Endpoint):
    """What is sold once."""

    actions = {"POST": "charge.create"}

    @describe("items_create", "Charge something once", shapes.ChargeSerializer, status=201, body=shapes.ItemCreate)
    def post(self, request: Request) -> Response:
        """It goes on the customer's next invoice."""
        made = charges.item(actor=self.actor, **self.read(shapes.ItemCreate))
        return Response(shapes.ChargeSerializer(made).data, status=201)


def _whole(endpoint: Endpoint, subscription: Subscription) -> dict[str, Any]:
    """Describe a subscription with its products."""
    row = selectors.listed(endpoint.actor).get(pk=subscription.pk)
    return dict(shapes.WholeSubscriptionSerializer(row, context={"actor": endpoint.actor}).data)
