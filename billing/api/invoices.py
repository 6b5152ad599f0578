"""Endpoints of papers: read by both parties, written, issued and corrected by the seller."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import invoice_serializers as shapes
from billing.models import Invoice
from billing.selectors import customers, ledger
from billing.selectors import invoices as selectors
from billing.services import documents, drafts, invoices, paper_mail, pro_formas
from panel.core.api.endpoints import Endpoint, Nothing, describe, page_of
from panel.core.errors import NotFound


class InvoiceList(Endpoint):
    """Papers."""

    actions = {"GET": "invoice.view", "POST": "invoice.create"}
    is_list = True
    while_suspended = True

    @describe(
        "invoices_list",
        "List papers that you wrote or got, newest first",
        page_of(shapes.Paper),
        query=shapes.PaperQuery,
    )
    def get(self, request: Request) -> Response:
        """Those of which your organization is seller or buyer; drafts are their seller's."""
        wanted = self.query(shapes.PaperQuery)
        sides = {"sold": selectors.sold, "bought": selectors.bought, "": selectors.visible}
        rows: QuerySet[Invoice] = sides[wanted.pop("side", "")](self.actor)
        if "number" in wanted:
            wanted["label"] = wanted.pop("number")
        return self.page(rows.filter(**wanted), shapes.Paper)

    @describe("invoices_create", "Begin an invoice by hand", shapes.WholePaper, status=201, body=shapes.DraftCreate)
    def post(self, request: Request) -> Response:
        """It is a draft until it is issued, and its buyer does not see it."""
        made = drafts.create(actor=self.actor, **self.read(shapes.DraftCreate))
        return self.created(_whole(self, made), reverse("billing_api:invoice", args=[made.pk]))


class InvoiceItem(Endpoint):
    """One paper."""

    actions = {"GET": "invoice.view", "PATCH": "invoice.change", "DELETE": "invoice.remove"}
    while_suspended = True

    @describe("invoices_get", "Get a paper with its lines", shapes.WholePaper)
    def get(self, request: Request, pk: str) -> Response:
        """As it was issued, and what is open of it now."""
        return Response(_whole(self, self.find(selectors.visible(self.actor), pk)))

    @describe("invoices_change", "Change a draft", shapes.WholePaper, body=shapes.DraftChange)
    def patch(self, request: Request, pk: str) -> Response:
        """What is issued is never changed."""
        invoice = self.find(selectors.visible(self.actor), pk)
        values = self.read(shapes.DraftChange)
        usual = values.get("due_on", invoice) is None
        return Response(_whole(self, drafts.change(actor=self.actor, invoice=invoice, due_as_usual=usual, **values)))

    @describe("invoices_discard", "Throw a draft away", status=204)
    def delete(self, request: Request, pk: str) -> Response:
        """What is issued is never deleted."""
        drafts.discard(actor=self.actor, invoice=self.find(selectors.visible(self.actor), pk))
        return Response(status=204)


class PdfRenderer(BaseRenderer):
    """Lets clients ask for `application/pdf`."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        """Never asked for: the file is answered as it is kept."""
        raise NotImplementedError


class InvoicePdf(Endpoint):
    """The PDF of a paper."""

    actions = {"GET": "invoice.view"}
    while_suspended = True

    def get_renderers(self) -> list[BaseRenderer]:
        """Offer PDF beside JSON, which refusals come in."""
        return [*super().get_renderers(), PdfRenderer()]

    @extend_schema(
        operation_id="invoices_pdf",
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")},
    )
    def get(self, request: Request, pk: str) -> HttpResponse:
        """Get the PDF of an issued paper: the same bytes each time."""
        invoice = self.find(selectors.visible(self.actor), pk)
        answer = HttpResponse(paper_mail.fetch(invoice), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="{documents.name(invoice)}"'
        return answer


class InvoiceLines(Endpoint):
    """The lines of a draft."""

    actions = {"POST": "invoice.change"}

    @describe("invoices_add_line", "Put a line on a draft", shapes.WholePaper, status=201, body=shapes.LineCreate)
    def post(self, request: Request, pk: str) -> Response:
        """Quantity times price, rounded once, to the places of the currency."""
        invoice = self.find(selectors.visible(self.actor), pk)
        drafts.add_line(actor=self.actor, invoice=invoice, **self.read(shapes.LineCreate))
        return self.created(_whole(self, invoice), reverse("billing_api:invoice", args=[pk]))


class InvoiceLineItem(Endpoint):
    """A line of a draft."""

    actions = {"DELETE": "invoice.change"}

    @describe("invoices_remove_line", "Take a line off a draft", status=204)
    def delete(self, request: Request, pk: str, line: str) -> Response:
        """What is issued stays as it is."""
        invoice = self.find(selectors.visible(self.actor), pk)
        found = next((row for row in selectors.lines(invoice) if row.pk == line), None)
        if found is None:
            raise NotFound()
        drafts.remove_line(actor=self.actor, invoice=invoice, line=found)
        return Response(status=204)


class InvoiceIssue(Endpoint):
    """Issue a draft."""

    actions = {"POST": "invoice.issue"}

    @describe("invoices_issue", "Issue a draft", shapes.WholePaper, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """It gets today's date and the next number, is mailed, and is never changed again."""
        self.read(Nothing)
        invoice = self.find(selectors.visible(self.actor), pk)
        return Response(_whole(self, invoices.issue(actor=self.actor, invoice=invoice)))


class InvoiceCredit(Endpoint):
    """Credit an invoice."""

    actions = {"POST": "invoice.credit"}

    @describe("invoices_credit", "Credit an invoice", shapes.WholePaper, status=201, body=shapes.CreditCreate)
    def post(self, request: Request, pk: str) -> Response:
        """Issue a credit note of all that is left, or of parts of lines."""
        invoice = self.find(selectors.visible(self.actor), pk)
        wanted = self.read(shapes.CreditCreate)
        parts = wanted.get("lines")
        lines = None if parts is None else {part["line"]: part["amount"] for part in parts}
        note = invoices.credit(actor=self.actor, invoice=invoice, reason=wanted["reason"], lines=lines)
        return self.created(_whole(self, note), reverse("billing_api:invoice", args=[note.pk]))


class InvoiceWriteOff(Endpoint):
    """Give up what is open of an invoice."""

    actions = {"POST": "invoice.write_off"}

    @describe("invoices_write_off", "Give up what is open of an invoice", shapes.WholePaper, body=shapes.WriteOff)
    def post(self, request: Request, pk: str) -> Response:
        """It is booked as a loss."""
        invoice = self.find(selectors.visible(self.actor), pk)
        return Response(
            _whole(self, invoices.write_off(actor=self.actor, invoice=invoice, **self.read(shapes.WriteOff)))
        )


class InvoiceSend(Endpoint):
    """Mail a paper again."""

    actions = {"POST": "invoice.send"}

    @describe("invoices_send", "Mail a paper once more", shapes.Sent, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """To the customer's billing address, or to those of its people who see to money."""
        self.read(Nothing)
        count = paper_mail.send_again(actor=self.actor, invoice=self.find(selectors.visible(self.actor), pk))
        return Response({"count": count})


class ProForma(Endpoint):
    """Write a pro-forma invoice."""

    actions = {"POST": "invoice.issue"}

    @describe("customers_pro_forma", "Write a pro-forma invoice", shapes.WholePaper, status=201, body=Nothing)
    def post(self, request: Request, pk: str) -> Response:
        """Of what waits for an invoice, and of the next period of each subscription."""
        self.read(Nothing)
        made = pro_formas.next_period(actor=self.actor, customer=self.find(customers.listed(self.actor), pk))
        return self.created(_whole(self, made), reverse("billing_api:invoice", args=[made.pk]))


class LedgerList(Endpoint):
    """Your books."""

    actions = {"GET": "ledger.view"}
    is_list = True

    @describe("ledger_list", "List the entries of your books, newest first", page_of(shapes.BookEntry))
    def get(self, request: Request) -> Response:
        """Entries are written once and never changed."""
        return self.page(ledger.entries(self.actor), shapes.BookEntry)


class LedgerBalances(Endpoint):
    """The balances of your books."""

    actions = {"GET": "ledger.view"}

    @describe("ledger_balances", "Get the balance of each account", shapes.Balances, query=shapes.BalanceQuery)
    def get(self, request: Request) -> Response:
        """By currency; debits and credits of a currency are equal."""
        wanted = self.query(shapes.BalanceQuery)
        rows = ledger.trial_balance(ledger.entries(self.actor), wanted.get("until"))
        return Response(shapes.Balances({"items": rows}).data)


def _whole(view: Endpoint, invoice: Invoice) -> Any:
    return shapes.WholePaper(selectors.visible(view.actor).get(pk=invoice.pk)).data
