"""Endpoints of payments, saved cards, bank statements and the payment service."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api import payment_serializers as formats
from billing.models import Gateway, Payment
from billing.selectors import customers, gateways, invoices
from billing.selectors import payments as selectors
from billing.services import gateways as gateway_service
from billing.services import methods, payments, refunds, statements
from panel.core.api.views import ApiView
from panel.core.errors import Invalid, NotFound


class PaymentView(ApiView):
    """What endpoints of payments share."""

    def shown(self, pk: str) -> dict[str, object]:
        """Return a payment as the caller may read it."""
        payment = self.find(selectors.with_parts(selectors.visible(self.actor)), pk)
        found: dict[str, object] = formats.OnePaymentSerializer(payment, context={"actor": self.actor}).data
        return found

    def answered(self, payment: Payment, status: int = 201) -> Response:
        """Answer with a payment and its address."""
        url = reverse("billing_api:payment", args=[payment.pk])
        return Response(self.shown(payment.pk), status=status, headers={"Location": url})


class Payments(PaymentView):
    """Payments of which you are seller or buyer."""

    actions = {"GET": "payment.view", "POST": "receipt.record"}
    while_suspended = True
    is_list = True

    @extend_schema(
        operation_id="payments_list",
        parameters=[formats.PaymentQuery],
        responses=formats.PaymentSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what you were paid and what you have paid, newest first."""
        rows = selectors.visible(self.actor).filter(**self.query(formats.PaymentQuery))
        return self.page(rows, formats.PaymentSerializer, actor=self.actor)

    @extend_schema(
        operation_id="payments_record", request=formats.RecordSerializer, responses={201: formats.OnePaymentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Record money that a customer of yours paid without a payment service."""
        values = self.read(formats.RecordSerializer)
        customer = self.find(customers.listed(self.actor), values.pop("customer"), "customer")
        wanted = values.pop("invoice", None)
        invoice = self.find(invoices.sold(self.actor), wanted, "invoice") if wanted else None
        return self.answered(payments.record(actor=self.actor, customer=customer, invoice=invoice, **values))


class OnePayment(PaymentView):
    """One payment."""

    actions = {"GET": "payment.view"}
    while_suspended = True

    @extend_schema(operation_id="payments_get", responses=formats.OnePaymentSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show what it pays and what went back of it."""
        return Response(self.shown(pk))


class Refunds(PaymentView):
    """Money of a payment that goes back."""

    actions = {"POST": "receipt.refund"}

    @extend_schema(
        operation_id="payments_refund",
        request=formats.RefundCreateSerializer,
        responses={201: formats.OnePaymentSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Pay back: from the customer's credit; beyond that, invoices that it paid are open again."""
        payment = self.find(selectors.received(self.actor), pk)
        refunds.create(actor=self.actor, payment=payment, **self.read(formats.RefundCreateSerializer))
        return self.answered(payment)


class Keep(PaymentView):
    """A payment that was for another invoice."""

    actions = {"POST": "receipt.refund"}

    @extend_schema(
        operation_id="payments_keep", request=formats.KeepSerializer, responses={200: formats.OnePaymentSerializer}
    )
    def post(self, request: Request, pk: str) -> Response:
        """Take it off an invoice, which is open again; the money becomes the customer's credit."""
        payment = self.find(selectors.received(self.actor), pk)
        values = self.read(formats.KeepSerializer)
        invoice = self.find(invoices.sold(self.actor), values.pop("invoice"), "invoice")
        refunds.keep_as_credit(actor=self.actor, payment=payment, invoice=invoice, **values)
        return self.answered(payment, 200)


class Pay(PaymentView):
    """A payment of an invoice that you got."""

    actions = {"POST": "payment.pay"}
    asks_elsewhere = True
    while_suspended = True

    @extend_schema(
        operation_id="invoices_pay", request=formats.PaySerializer, responses={201: formats.OnePaymentSerializer}
    )
    def post(self, request: Request, pk: str) -> Response:
        """Pay it by a saved card, or get the address of a page where it is paid."""
        invoice = self.find(invoices.bought(self.actor), pk)
        values = self.read(formats.PaySerializer)
        card = values.pop("card", None)
        if card is None:
            return self.answered(payments.pay(actor=self.actor, invoice=invoice, **values))
        method = self.find(selectors.cards(self.actor), card, "card")
        return self.answered(
            payments.pay_saved(actor=self.actor, invoice=invoice, method=method, key=values["key"]), 202
        )


class PayFromCredit(ApiView):
    """Your credit, used for an invoice."""

    actions = {"POST": "payment.pay"}
    while_suspended = True

    @extend_schema(operation_id="invoices_pay_credit", request=None, responses=formats.CreditSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Pay an invoice from your credit, as far as that goes."""
        invoice = self.find(invoices.bought(self.actor), pk)
        paid = payments.pay_from_credit(actor=self.actor, invoice=invoice)
        return Response(formats.CreditSerializer({"paid": paid}).data)


class Cards(ApiView):
    """Your saved cards."""

    actions = {"GET": "payment.view", "POST": "payment.save_card"}
    asks_elsewhere = True
    while_suspended = True
    is_list = True

    @extend_schema(operation_id="cards_list", responses=formats.CardSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        return self.page(selectors.cards(self.actor), formats.CardSerializer)

    @extend_schema(
        operation_id="cards_add", request=formats.CardAddSerializer, responses={201: formats.CardPageSerializer}
    )
    def post(self, request: Request) -> Response:
        """Get the address of a page of the payment service where a card is saved."""
        values = self.read(formats.CardAddSerializer)
        customer = customers.own(organizations.of_actor(self.actor))
        if customer is None or customer._state.adding:
            raise NotFound()
        url = methods.add(actor=self.actor, customer=customer, **values)
        return Response(formats.CardPageSerializer({"url": url}).data, status=201)


class OneCard(ApiView):
    """One saved card."""

    actions = {"GET": "payment.view", "DELETE": "payment.remove_card"}
    while_suspended = True

    @extend_schema(operation_id="cards_get", responses=formats.CardSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(formats.CardSerializer(self.find(selectors.cards(self.actor), pk)).data)

    @extend_schema(operation_id="cards_remove", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Remove it: it is not charged any more."""
        methods.remove(actor=self.actor, method=self.find(selectors.cards(self.actor), pk))
        return Response(status=204)


class CardDefault(ApiView):
    """The card that is charged."""

    actions = {"POST": "payment.save_card"}
    while_suspended = True

    @extend_schema(operation_id="cards_default", request=None, responses=formats.CardSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Charge this one when invoices are due."""
        made = methods.make_default(actor=self.actor, method=self.find(selectors.cards(self.actor), pk))
        return Response(formats.CardSerializer(made).data)


class Entries(ApiView):
    """Bookings of your bank statements."""

    actions = {"GET": "receipt.match", "POST": "receipt.match"}
    is_list = True

    @extend_schema(
        operation_id="bank_entries_list",
        parameters=[formats.EntryQuery],
        responses=formats.EntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List them, newest first."""
        rows = selectors.entries(self.actor).filter(**self.query(formats.EntryQuery))
        return self.page(rows, formats.EntrySerializer)

    @extend_schema(
        operation_id="bank_entries_read",
        request=formats.StatementSerializer,
        responses={201: formats.StatementReportSerializer},
    )
    def post(self, request: Request) -> Response:
        """Read in a statement; each booking is kept once, and nothing is booked as a payment yet."""
        values = self.read(formats.StatementSerializer)
        report = statements.read_in(actor=self.actor, statement=values["statement"].encode())
        return Response(formats.StatementReportSerializer(report).data, status=201)


class EntriesBook(ApiView):
    """Bookings that say which invoice they are for."""

    actions = {"POST": "receipt.match"}

    @extend_schema(operation_id="bank_entries_book", request=None, responses=formats.BookedSerializer)
    def post(self, request: Request) -> Response:
        """Book all that carry an invoice's reference or number; what can't be booked stays open."""
        return Response(formats.BookedSerializer(statements.match_sure(actor=self.actor)).data)


class OneEntry(ApiView):
    """One booking."""

    actions = {"GET": "receipt.match"}

    @extend_schema(operation_id="bank_entries_get", responses=formats.EntrySerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(formats.EntrySerializer(self.find(selectors.entries(self.actor), pk)).data)


class EntryMatch(PaymentView):
    """Whose money a booking is."""

    actions = {"POST": "receipt.match"}

    @extend_schema(
        operation_id="bank_entries_match",
        request=formats.MatchSerializer,
        responses={201: formats.OnePaymentSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Book it as a payment of a customer."""
        entry = self.find(selectors.entries(self.actor), pk)
        values = self.read(formats.MatchSerializer)
        customer = self.find(customers.listed(self.actor), values["customer"], "customer")
        wanted = values.get("invoice")
        invoice = self.find(invoices.sold(self.actor), wanted, "invoice") if wanted else None
        return self.answered(statements.match(actor=self.actor, entry=entry, customer=customer, invoice=invoice))


class EntryIgnore(ApiView):
    """A booking that is no payment of a customer."""

    actions = {"POST": "receipt.match"}

    @extend_schema(operation_id="bank_entries_ignore", request=None, responses=formats.EntrySerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Leave it out; again takes it back in."""
        made = statements.ignore(actor=self.actor, entry=self.find(selectors.entries(self.actor), pk))
        return Response(formats.EntrySerializer(made).data)


class OwnGateway(ApiView):
    """Your account at the payment service."""

    actions = {"GET": "gateway.view", "PUT": "gateway.change", "PATCH": "gateway.change"}

    def own(self) -> Gateway:
        """Return it; raises Invalid where no keys were set."""
        found = gateways.of(organizations.of_actor(self.actor))
        if found is None:
            raise Invalid("no_gateway", _("Set the keys of your account first."))
        return found

    @extend_schema(operation_id="gateway_get", responses=formats.GatewaySerializer)
    def get(self, request: Request) -> Response:
        """Show it, without its secrets."""
        organization = organizations.of_actor(self.actor)
        found = gateways.of(organization) or Gateway(organization=organization, is_active=False)
        return Response(formats.GatewaySerializer(found).data)

    @extend_schema(
        operation_id="gateway_set", request=formats.GatewayChangeSerializer, responses=formats.GatewaySerializer
    )
    def put(self, request: Request) -> Response:
        """Set keys, and take cards from now on."""
        made = gateway_service.set_keys(actor=self.actor, **self.read(formats.GatewayChangeSerializer))
        return Response(formats.GatewaySerializer(made).data)

    @extend_schema(
        operation_id="gateway_switch", request=formats.GatewaySwitchSerializer, responses=formats.GatewaySerializer
    )
    def patch(self, request: Request) -> Response:
        """Take cards, or none any more."""
        values = self.read(formats.GatewaySwitchSerializer)
        made = gateway_service.switch(actor=self.actor, gateway=self.own(), on=values["is_active"])
        return Response(formats.GatewaySerializer(made).data)


class GatewayTest(OwnGateway):
    """A test of the keys."""

    actions = {"POST": "gateway.change"}
    http_method_names = ["post", "options"]
    asks_elsewhere = True

    @extend_schema(operation_id="gateway_test", request=None, responses=formats.GatewayTestSerializer)
    def post(self, request: Request) -> Response:
        """Ask the payment service whose keys these are, within ten seconds."""
        name = gateway_service.test(actor=self.actor, gateway=self.own())
        return Response(formats.GatewayTestSerializer({"account": name}).data)
