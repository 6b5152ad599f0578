"""Endpoints of what follows when nobody pays: what is overdue, what comes, waiting with it, holds."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import organizations
from billing.api import dunning_serializers as shapes
from billing.selectors import dunning as selectors
from billing.selectors import invoices, sellers
from billing.services import dunning_pauses, holds
from panel.core.api.endpoints import Endpoint, Nothing, describe, page_of


class OverdueList(Endpoint):
    """Overdue invoices."""

    actions = {"GET": "dunning.view"}
    is_list = True

    @describe(
        "overdue_list",
        "List what customers should have paid by now",
        page_of(shapes.Overdue),
        query=shapes.OverdueQuery,
    )
    def get(self, request: Request) -> Response:
        """Each with its last step, the next one and its day, and what is held back."""
        wanted, now = self.query(shapes.OverdueQuery), timezone.now()
        seller = sellers.of(organizations.of_actor(self.actor))
        rows = selectors.overdue(self.actor, sellers.today(seller, now)).filter(**wanted)
        return self.page(rows, shapes.Overdue, seller=seller, now=now)


class InvoiceDunning(Endpoint):
    """What follows from an invoice that is not paid."""

    actions = {"GET": "invoice.view"}
    while_suspended = True

    @describe("invoices_dunning", "Say what was done for an invoice, and what comes when", shapes.OutlookOf)
    def get(self, request: Request, pk: str) -> Response:
        """Read by both parties. Of what is paid, what was done."""
        invoice = self.find(invoices.visible(self.actor), pk)
        found = selectors.of_paper(invoice, sellers.of(invoice.seller), timezone.now())
        return Response(shapes.OutlookOf(found).data)


class PauseList(Endpoint):
    """Promises to wait."""

    actions = {"GET": "dunning.view", "POST": "dunning.pause"}
    is_list = True

    @describe("dunning_pauses_list", "List your promises to wait, newest first", page_of(shapes.Pause))
    def get(self, request: Request) -> Response:
        """Those that are over, too, until they are taken back or changed."""
        return self.page(selectors.pauses(self.actor), shapes.Pause)

    @describe(
        "dunning_pauses_create",
        "Wait with what follows from unpaid invoices",
        shapes.Pause,
        status=201,
        body=shapes.PauseCreate,
    )
    def post(self, request: Request) -> Response:
        """No reminder is sent and nothing taken away before the day. A promise that was there is changed."""
        values = self.read(shapes.PauseCreate)
        wanted = values.pop("invoice", None)
        invoice = self.find(invoices.sold(self.actor), wanted) if wanted else None
        made = dunning_pauses.hold_off(actor=self.actor, invoice=invoice, **values)
        return self.created(shapes.Pause(made).data, reverse("billing_api:dunning_pause", args=[made.pk]))


class PauseItem(Endpoint):
    """A promise to wait."""

    actions = {"GET": "dunning.view", "DELETE": "dunning.resume"}

    @describe("dunning_pauses_get", "Get a promise to wait", shapes.Pause)
    def get(self, request: Request, pk: str) -> Response:
        """Until when, with what, and why."""
        return Response(shapes.Pause(self.find(selectors.pauses(self.actor), pk)).data)

    @describe("dunning_pauses_end", "Wait no more", status=204)
    def delete(self, request: Request, pk: str) -> Response:
        """What has become due meanwhile comes one step at a time."""
        dunning_pauses.resume(actor=self.actor, pause=self.find(selectors.pauses(self.actor), pk))
        return Response(status=204)


class HoldList(Endpoint):
    """What is, or was, held back."""

    actions = {"GET": "hold.view"}
    is_list = True

    @describe("holds_list", "List what is or was held back for unpaid invoices, newest first", page_of(shapes.Held))
    def get(self, request: Request) -> Response:
        """Of your customers, and of you."""
        return self.page(selectors.held(self.actor), shapes.Held)


class HoldLift(Endpoint):
    """Lift a hold."""

    actions = {"POST": "hold.lift"}

    @describe("holds_lift", "Give back what is held back, though nobody has paid", shapes.Held, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """What goes further is lifted, too; `state` says when servers have done it."""
        self.read(Nothing)
        hold = self.find(selectors.held(self.actor), pk)
        return Response(shapes.Held(holds.lift(actor=self.actor, hold=hold)).data)
