"""Orders: read by both parties, placed by a seller's own shop, decided by the seller."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Order as OrderRow
from billing.selectors import orders as selectors
from billing.selectors import prices
from billing.services import orders as service
from billing.services.changes import Extra
from panel.core.api.endpoints import Document, Endpoint, Nothing, describe, naming, page_of
from panel.core.api.fields import Number, Text
from panel.core.api.serializers import StrictSerializer

LOCALE = r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"


class OrderedAddon(Document):
    """An add-on that is bought with an order's product."""

    product = serializers.CharField(source="price.product_id")
    price = serializers.CharField(source="price_id")
    quantity = serializers.IntegerField()


class Order(Document):
    """What somebody wants to buy and how far it is: unpaid, review, building, live; or failed, refused."""

    id = serializers.CharField()
    seller = serializers.CharField(source="seller_id")
    buyer = serializers.CharField(source="buyer_id", help_text="The organization that was made for it, or ordered.")
    customer = serializers.CharField(source="customer_id")
    status = serializers.ChoiceField(choices=OrderRow.Status.choices)
    reason = serializers.CharField(help_text="Why it failed or was refused; else empty.")
    product = serializers.CharField(source="product_id")
    price = serializers.CharField(source="price_id")
    currency = serializers.CharField()
    pays_by = serializers.ChoiceField(choices=OrderRow.Payment.choices)
    domain = serializers.CharField(help_text="Empty for a reseller plan.")
    email = serializers.CharField()
    person = serializers.CharField()
    company = serializers.CharField()
    country = serializers.CharField()
    region = serializers.CharField()
    vat_number = serializers.CharField()
    addons = OrderedAddon(many=True, source="addons.all")
    subscription = serializers.CharField(source="subscription_id", allow_null=True)
    invoice = serializers.CharField(source="invoice_id", allow_null=True, help_text="Null for a trial.")
    operation = serializers.CharField(source="operation_id", allow_null=True, help_text="What sets it up.")
    link = serializers.SerializerMethodField(help_text="Its page, where the buyer pays and watches without signing in.")
    created_at = serializers.DateTimeField()
    live_at = serializers.DateTimeField(allow_null=True)

    def get_link(self, order: OrderRow) -> str:
        """Return the path of its page at the brand's panel."""
        return reverse("billing:order_watch", args=[selectors.token(order)])


class OrderAddon(StrictSerializer):
    """An add-on with the order's product, in the same currency and cycle."""

    price = Text(max_length=32, help_text="A price that is in force, of an add-on.")
    quantity = Number(required=False, min_value=1, max_value=100_000, help_text="1 unless given.")


class OrderCreate(StrictSerializer):
    """A new order for a new client. The buyer gets an invitation to the panel, and the order's link by mail."""

    price = Text(max_length=32, help_text="A price that is in force, of a package or a reseller plan.")
    key = Text(max_length=50, help_text="Your own number of the order: the same again is the same order.")
    email = Text(max_length=254)
    person = Text(max_length=100)
    pays_by = serializers.ChoiceField(
        choices=OrderRow.Payment.choices,
        help_text="`invoice` sets it up before it is paid, whatever your order page allows.",
    )
    domain = Text(required=False, max_length=253)
    company = Text(required=False, max_length=100)
    address = serializers.CharField(required=False, max_length=400)
    country = Text(required=False, max_length=2)
    region = Text(required=False, max_length=40, help_text="Needed where your tax rates differ by region, such as TX.")
    vat_number = Text(required=False, max_length=20)
    locale = serializers.RegexField(LOCALE, required=False, max_length=10, help_text="Of mails to the buyer, as in de.")
    addons = serializers.ListField(child=OrderAddon(), required=False, max_length=50)


class Reason(StrictSerializer):
    """Why."""

    reason = Text(max_length=300, help_text="The buyer reads it.")


class OrderQuery(StrictSerializer):
    """Which orders to list."""

    status = serializers.ChoiceField(choices=OrderRow.Status.choices, required=False)
    q = Text(required=False, max_length=100, help_text="Part of the domain or of the mail address.")


class OrderList(Endpoint):
    """Orders."""

    actions = {"GET": "order.view", "POST": "order.create"}
    is_list = True

    @describe("orders_list", "List orders that you sold or placed, newest first", page_of(Order), query=OrderQuery)
    def get(self, request: Request) -> Response:
        """Those of which your organization is seller or buyer."""
        wanted = self.query(OrderQuery)
        return self.page(selectors.found(selectors.listed(self.actor), **wanted), Order)

    @describe("orders_create", "Place an order for a new client of yours", Order, status=201, body=OrderCreate)
    def post(self, request: Request) -> Response:
        """What your order page does, for your own shop: client, subscription and invoice are made, nothing twice."""
        values: dict[str, Any] = self.read(OrderCreate)
        price = self.find(prices.listed(self.actor), values.pop("price"), "price")
        wanted = enumerate(values.pop("addons", []))
        addons = tuple(
            Extra(
                self.find(prices.listed(self.actor), each["price"], f"addons.{number}.price"), each.get("quantity", 1)
            )
            for number, each in wanted
        )
        values |= {"key": f"api:{values['key']}", "domain": values.get("domain", ""), "addons": addons}
        with naming(name="company" if values.get("company") else "person"):
            made = service.place(actor=self.actor, price=price, wish=service.Wish(**values))
        body = Order(selectors.listed(self.actor).get(pk=made.pk)).data
        return self.created(body, reverse("billing_api:order", args=[made.pk]))


class OrderItem(Endpoint):
    """One order."""

    actions = {"GET": "order.view"}

    @describe("orders_get", "Get an order", Order)
    def get(self, request: Request, pk: str) -> Response:
        """Where it stands."""
        return Response(Order(self.find(selectors.listed(self.actor), pk)).data)


class _Verb(Endpoint):
    """Something that a seller does to an order."""

    def answer(self, order: OrderRow) -> Response:
        """Return the order as it is now."""
        return Response(Order(selectors.listed(self.actor).get(pk=order.pk)).data)


class OrderApprove(_Verb):
    """Let a reviewed order be set up."""

    actions = {"POST": "order.review"}

    @describe("orders_approve", "Approve an order that waits for a review", Order, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """It is set up at once."""
        self.read(Nothing)
        return self.answer(service.approve(actor=self.actor, order=self.find(selectors.listed(self.actor), pk)))


class OrderRefuse(_Verb):
    """Refuse an order."""

    actions = {"POST": "order.review"}

    @describe("orders_refuse", "Refuse an order that is not set up", Order, body=Reason)
    def post(self, request: Request, pk: str) -> Response:
        """Its subscription ends and its invoice is credited; what was paid is the buyer's credit."""
        order = self.find(selectors.listed(self.actor), pk)
        return self.answer(service.refuse(actor=self.actor, order=order, **self.read(Reason)))


class OrderRetry(_Verb):
    """Set a failed order up again."""

    actions = {"POST": "order.retry"}

    @describe("orders_retry", "Try to set a failed order up again", Order, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """What was set up already is not doubled."""
        self.read(Nothing)
        return self.answer(service.retry(actor=self.actor, order=self.find(selectors.listed(self.actor), pk)))
