"""Pages of papers: those that one has written, those that one has got, a paper itself and its PDF."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization
from accounts.selectors import organizations
from billing.models import Invoice, Seller
from billing.selectors import invoices as selectors
from billing.selectors import ledger, sellers
from billing.services import documents, drafts, paper_mail
from billing.web import invoice_tables as tables
from billing.web import timelines
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, ListPage, Page


class InvoiceListPage(ListPage):
    """Papers that one's organization has written."""

    action = "ledger.view"
    title = gettext_lazy("Invoices")
    table_class = tables.InvoiceTable
    filter_class = tables.InvoiceFilter
    export_name = "invoices"

    def subject(self) -> object | None:
        return None

    def list_rows(self) -> QuerySet[Invoice]:
        return selectors.sold(self.actor)

    def actions(self) -> list[Action]:
        found = [Action(_("Books"), reverse("billing:ledger"), "list-details")]
        if self.may("invoice.create"):
            found.append(Action(_("New invoice"), reverse("billing:invoice_create"), "plus", "primary"))
        return found

    def empty(self) -> Empty:
        text = _("What your customers are billed appears here. Subscriptions write invoices by themselves.")
        return Empty("list-details", _("No invoices yet"), text)


class BillListPage(ListPage):
    """Papers that were written to one's organization."""

    action = "invoice.view"
    while_suspended = True
    title = gettext_lazy("Your invoices")
    table_class = tables.BillTable
    filter_class = tables.BillFilter
    export_name = "bills"

    def list_rows(self) -> QuerySet[Invoice]:
        return selectors.bought(self.actor)

    def empty(self) -> Empty:
        return Empty("list-details", _("No invoices yet"), _("What you are billed appears here, with its PDF."))


class OfInvoice(Page):
    """A page about one paper that the reader may know of."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.visible(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if self.is_seller():
            return [(_("Invoices"), reverse("billing:invoice_list"))]
        return [(_("Your invoices"), reverse("billing:bill_list"))]

    def is_seller(self) -> bool:
        """Tell whether the reader's organization has written it."""
        return bool(self.object.seller_id == self.actor.organization_id)

    def url(self, name: str) -> str:
        """Return the address of a page about the same paper."""
        return reverse(f"billing:{name}", args=[self.object.pk])


class InvoicePage(OfInvoice, ListsPage):
    """One paper: what it says, what is open of it, and what can be done with it."""

    action = "invoice.view"
    while_suspended = True
    template_name = "billing/invoice.html"

    def get_title(self) -> str:
        if self.object.status == Invoice.Status.DRAFT:
            return _("Draft for %(customer)s") % {"customer": self.object.customer.name}
        if self.object.kind == Invoice.Kind.PRO_FORMA:
            return str(self.object.label)
        return f"{self.object.get_kind_display()} {self.object.label}"

    def actions(self) -> list[Action]:
        if self.object.status == Invoice.Status.DRAFT:
            return self._of_draft()
        found = [Action(_("PDF"), self.url("invoice_pdf"), "download")]
        if not self.is_seller():
            if self.object.open and self.may("payment.pay"):
                found.append(Action(_("Pay"), self.url("invoice_pay"), "check", "primary"))
            return found
        if self.may("invoice.send"):
            found.append(Action(_("Mail again"), self.url("invoice_send"), "mail"))
        if self.object.kind == Invoice.Kind.INVOICE and self.may("invoice.credit"):
            found.append(Action(_("Credit"), self.url("invoice_credit"), "rotate-clockwise"))
        if self.object.open and self.may("invoice.write_off"):
            found.append(Action(_("Write off"), self.url("invoice_write_off"), "ban"))
        return found

    def _of_draft(self) -> list[Action]:
        found = []
        if self.may("invoice.remove"):
            found.append(Action(_("Discard"), self.url("invoice_discard"), "trash"))
        if self.may("invoice.change"):
            found.append(Action(_("Change"), self.url("invoice_change"), "pencil"))
            found.append(Action(_("Add a line"), self.url("invoice_line_add"), "plus"))
        if self.may("invoice.issue"):
            found.append(Action(_("Issue"), self.url("invoice_issue"), "check", "primary"))
        return found

    def _lines(self, changes: bool) -> Any:
        text = _("Add what is to be paid; then issue it.")
        table = self.table(
            tables.LineTable,
            selectors.lines(self.object),
            Empty("list-details", _("No lines yet"), text),
            per_page=drafts.MOST_LINES,
        )
        hidden = [] if changes else ["remove"]
        table.exclude = hidden if self.object.tax_mode == Seller.TaxMode.INCLUSIVE else [*hidden, "amount"]
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        invoice = self.object
        changes = invoice.status == Invoice.Status.DRAFT and self.may("invoice.change")
        return super().get_context_data(
            invoice=invoice,
            standing=invoice.standing,
            lines=self._lines(changes),
            taxes=list(invoice.taxes.all()),
            corrections=list(invoice.corrections.filter(status=Invoice.Status.ISSUED)),
            allocations=list(invoice.allocations.select_related("payment", "credit_note").order_by("id")),
            is_seller=self.is_seller(),
            timeline=timelines.of_invoice(self.actor, invoice),
            **kwargs,
        )


class InvoicePdfPage(OfInvoice):
    """The PDF of a paper, as it was kept."""

    action = "invoice.view"
    while_suspended = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it; a draft has none and is led back."""
        answer = HttpResponse(paper_mail.fetch(self.object), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{documents.name(self.object)}"'
        return answer


class InvoiceSendPage(OfInvoice, ActionPage):
    """Mails a paper once more."""

    action = "invoice.send"
    title = gettext_lazy("Mail again")
    submit_label = gettext_lazy("Mail it")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (str(self.object), self.url("invoice"))]

    def get_question(self) -> str:
        return _("Mail %(paper)s to %(customer)s once more?") % {
            "paper": self.object.label,
            "customer": self.object.customer.name,
        }

    def act(self) -> str:
        count = paper_mail.send_again(actor=self.actor, invoice=self.object)
        text = ngettext("Mailed to %(count)s address.", "Mailed to %(count)s addresses.", count)
        messages.success(self.request, text % {"count": count})
        return self.url("invoice")


class LedgerPage(ListsPage):
    """One's own books: the balance of each account, and the entries."""

    action = "ledger.view"
    title = gettext_lazy("Books")
    template_name = "billing/ledger.html"

    def find(self) -> Organization:
        return organizations.of_actor(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Invoices"), reverse("billing:invoice_list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = ledger.entries(self.actor)
        none = Empty("list-details", _("Nothing is booked yet"), _("Invoices and payments book themselves."))
        return super().get_context_data(
            balances=self.table(tables.BalanceTable, ledger.trial_balance(rows), none, prefix="balance-"),
            entries=self.table(tables.EntryTable, rows, none, prefix="entry-"),
            zone=sellers.of(self.object).time_zone,
            **kwargs,
        )
