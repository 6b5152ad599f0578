"""Pages that write and correct papers: drafts and their lines, issuing, credit notes, what is given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import formats
from billing.models import Invoice
from billing.pricing.money import unit
from billing.selectors import customers
from billing.selectors import invoices as selectors
from billing.services import drafts, invoices, pro_formas
from billing.web.invoice_forms import CreditForm, DraftForm, LineForm, NewInvoiceForm, ReasonForm
from billing.web.invoices import OfInvoice
from panel.core.web import ActionPage, FormPage

DAY = timedelta(days=1)


class InvoiceCreatePage(FormPage):
    """Begins an invoice by hand."""

    action = "invoice.create"
    title = gettext_lazy("New invoice")
    form_class = NewInvoiceForm
    submit_label = gettext_lazy("Begin")
    intro = gettext_lazy("Lines come next. Nobody sees it before you issue it.")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Invoices"), reverse("billing:invoice_list"))]

    def form_options(self) -> dict[str, Any]:
        return {"customers": selectors.customers(self.actor)}

    def initial(self) -> dict[str, Any]:
        return {"customer": self.request.GET.get("customer", "")}

    def act(self, data: dict[str, Any]) -> str:
        made = drafts.create(actor=self.actor, **data)
        return reverse("billing:invoice", args=[made.pk])


class _OfDraft(OfInvoice):
    """A page about a draft, or a paper that is to be corrected."""

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (str(self.object), self.url("invoice"))]


class InvoiceChangePage(_OfDraft, FormPage):
    """Changes a draft's note and due date."""

    action = "invoice.change"
    title = gettext_lazy("Change draft")
    form_class = DraftForm

    def initial(self) -> dict[str, Any]:
        return {"note": self.object.note, "due_on": None if self.object.due_as_usual else self.object.due_on}

    def act(self, data: dict[str, Any]) -> str:
        drafts.change(actor=self.actor, invoice=self.object, due_as_usual=data["due_on"] is None, **data)
        return self.url("invoice")


class LineAddPage(_OfDraft, FormPage):
    """Puts a line on a draft."""

    action = "invoice.change"
    title = gettext_lazy("Add a line")
    form_class = LineForm
    submit_label = gettext_lazy("Add the line")

    def act(self, data: dict[str, Any]) -> str:
        last = data.pop("ends_on")
        drafts.add_line(actor=self.actor, invoice=self.object, ends_on=last + DAY if last else None, **data)
        return self.url("invoice")


class LineRemovePage(_OfDraft, ActionPage):
    """Takes a line off a draft."""

    action = "invoice.change"
    title = gettext_lazy("Remove line")
    submit_label = gettext_lazy("Remove the line")

    def find(self) -> Any:
        found = super().find()
        self.line = found.lines.filter(pk=self.kwargs["line"]).first()
        if self.line is None:
            raise Http404
        return found

    def get_question(self) -> str:
        return _("Take “%(text)s” off this draft?") % {"text": self.line.text}

    def act(self) -> str:
        drafts.remove_line(actor=self.actor, invoice=self.object, line=self.line)
        return self.url("invoice")


class InvoiceIssuePage(_OfDraft, ActionPage):
    """Issues a draft."""

    action = "invoice.issue"
    title = gettext_lazy("Issue invoice")
    submit_label = gettext_lazy("Issue the invoice")

    def get_question(self) -> str:
        return _("Issue this invoice to %(customer)s over %(amount)s?") % {
            "customer": self.object.customer.name,
            "amount": formats.money(self.object.gross, self.object.currency),
        }

    def consequences(self) -> list[str]:
        return [
            _("It gets today's date and the next number, and is mailed."),
            _("From then on nobody changes it. What is wrong is corrected by a credit note."),
        ]

    def act(self) -> str:
        made = invoices.issue(actor=self.actor, invoice=self.object)
        messages.success(self.request, _("%(number)s is issued.") % {"number": made.label})
        return self.url("invoice")


class InvoiceDiscardPage(_OfDraft, ActionPage):
    """Throws a draft away."""

    action = "invoice.remove"
    title = gettext_lazy("Discard draft")
    question = gettext_lazy("Throw this draft away, with its lines?")
    submit_label = gettext_lazy("Discard the draft")

    def act(self) -> str:
        drafts.discard(actor=self.actor, invoice=self.object)
        return reverse("billing:invoice_list")


class InvoiceCreditPage(_OfDraft, FormPage):
    """Credits an invoice: all that is left of it, or some of it."""

    action = "invoice.credit"
    title = gettext_lazy("Credit invoice")
    form_class = CreditForm
    submit_label = gettext_lazy("Issue the credit note")
    intro = gettext_lazy(
        "Each line shows what is left of it. Take back all of it, or type less. What was paid already becomes credit."
    )

    def form_options(self) -> dict[str, Any]:
        return {"lines": [line for line in selectors.lines(self.object) if line.left]}  # type: ignore[attr-defined]

    def initial(self) -> dict[str, Any]:
        return {
            f"line_{line.pk}": str(line.left.quantize(unit(self.object.currency)))
            for line in self.form_options()["lines"]
        }

    def act(self, data: dict[str, Any]) -> str:
        reason = data.pop("reason")
        lines = {name.removeprefix("line_"): amount for name, amount in data.items() if amount}
        note = invoices.credit(actor=self.actor, invoice=self.object, reason=reason, lines=lines)
        messages.success(self.request, _("%(number)s is issued.") % {"number": note.label})
        return reverse("billing:invoice", args=[note.pk])


class InvoiceWriteOffPage(_OfDraft, FormPage):
    """Gives up what is open of an invoice."""

    action = "invoice.write_off"
    title = gettext_lazy("Write off")
    form_class = ReasonForm
    submit_label = gettext_lazy("Write it off")
    intro = gettext_lazy("What is open is booked as a loss, and the invoice counts as settled. It stays as it is.")

    def act(self, data: dict[str, Any]) -> str:
        invoices.write_off(actor=self.actor, invoice=self.object, **data)
        messages.success(self.request, _("It is written off."))
        return self.url("invoice")


class ProFormaPage(ActionPage):
    """Writes a pro-forma invoice of what a customer will be billed next."""

    action = "invoice.issue"
    title = gettext_lazy("Pro-forma invoice")
    submit_label = gettext_lazy("Write it")

    def rows(self) -> QuerySet[Any] | None:
        return customers.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Customers"), reverse("billing:customer_list")),
            (str(self.object), reverse("billing:customer", args=[self.object.pk])),
        ]

    def get_question(self) -> str:
        return _("Write a pro-forma invoice to %(customer)s?") % {"customer": self.object.name}

    def consequences(self) -> list[str]:
        return [
            _("It names what waits for an invoice and what the next period of each subscription costs."),
            _("It has no number, and nothing is owed by it."),
        ]

    def act(self) -> str:
        made: Invoice = pro_formas.next_period(actor=self.actor, customer=self.object)
        return reverse("billing:invoice", args=[made.pk])
