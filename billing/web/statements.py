"""Pages of bank statements: reading in, the bookings, whose money they are."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import camt, formats
from billing.models import BankEntry
from billing.selectors import customers
from billing.selectors import payments as selectors
from billing.services import statements
from billing.web.payment_forms import MatchForm, StatementForm
from billing.web.payment_tables import EntryFilter, EntryTable
from panel.core.errors import Invalid
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage

MOST = 200
"""So many transfers are shown, and booked, at once."""
Status = BankEntry.Status


def crumbs() -> list[tuple[str, str]]:
    """Return the way up to the bookings."""
    return [(_("Payments"), reverse("billing:payment_list")), (_("Bank statements"), reverse("billing:bank_list"))]


class EntryListPage(ListPage):
    """What came in by bank."""

    action = "receipt.match"
    title = gettext_lazy("Bank statements")
    table_class = EntryTable
    filter_class = EntryFilter
    export_name = "bank"

    def list_rows(self) -> QuerySet[BankEntry]:
        return selectors.entries(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()[:1]

    def actions(self) -> list[Action]:
        found = [Action(_("Read in a statement"), reverse("billing:bank_import"), "download", "primary")]
        if selectors.entries(self.actor).filter(status=Status.OPEN).exists():
            found.insert(0, Action(_("Book by reference"), reverse("billing:bank_book"), "check"))
        return found

    def empty(self) -> Empty:
        text = _("Read in the bank's file, and transfers that carry an invoice's reference find their invoices.")
        return Empty("building-bank", _("No bookings yet"), text)


class ImportPage(FormPage):
    """Reads in a statement; nothing is booked by that."""

    action = "receipt.match"
    title = gettext_lazy("Read in a statement")
    submit_label = gettext_lazy("Read in")
    intro = gettext_lazy("What came in is listed, each booking once. You look at it before anything is booked.")
    form_class: ClassVar[type[Form]] = StatementForm

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()

    def act(self, data: dict[str, Any]) -> str:
        report = statements.read_in(actor=self.actor, statement=data["statement"].read(camt.LARGEST_BYTES + 1))
        new = ngettext("%(count)s new booking.", "%(count)s new bookings.", report.new) % {"count": report.new}
        known = _("Known already: %(known)s.") % {"known": report.known}
        messages.success(self.request, f"{new} {known}")
        return reverse("billing:bank_list")


class BookPage(ActionPage):
    """Books all that carry an invoice's reference, after showing which."""

    action = "receipt.match"
    title = gettext_lazy("Book by reference")
    submit_label = gettext_lazy("Book them")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()

    @cached_property
    def found(self) -> list[tuple[BankEntry, statements.Suggestion]]:
        """What can be booked: one more than is shown, if there is more."""
        return statements.sure(actor=self.actor, most=MOST + 1)

    def get_question(self) -> str:
        if not self.found:
            return _("No open booking carries the reference or number of an invoice. Match them one by one.")
        if len(self.found) > MOST:
            text = _("Book these %(most)s transfers? More carry the reference of an invoice: come back for them then.")
            return text % {"most": MOST}
        return _("Book these transfers, which carry the reference or number of an invoice?")

    def consequences(self) -> list[str]:
        return [
            f"{entry.debtor}, {formats.money(entry.amount, entry.currency)} → {sure.invoice}, {sure.customer.name}"
            for entry, sure in self.found[:MOST]
        ]

    def act(self) -> str:
        done = statements.match_sure(actor=self.actor, most=MOST)
        text = ngettext("%(count)s transfer is booked.", "%(count)s transfers are booked.", done.booked)
        messages.success(self.request, text % {"count": done.booked})
        if done.failed:
            text = ngettext(
                "%(count)s could not be booked and stays open.",
                "%(count)s could not be booked and stay open.",
                done.failed,
            )
            messages.warning(self.request, text % {"count": done.failed})
        return reverse("billing:bank_list")


class EntryPage(FormPage):
    """One booking, and whose money it may be."""

    action = "receipt.match"
    title = gettext_lazy("Booking")
    template_name = "billing/bank_entry.html"
    submit_label = gettext_lazy("Book")
    form_class: ClassVar[type[Form]] = MatchForm

    def rows(self) -> QuerySet[Any] | None:
        return selectors.entries(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()

    def actions(self) -> list[Action]:
        if self.object.status == Status.MATCHED:
            return [Action(_("Payment"), reverse("billing:payment", args=[self.object.payment_id]), "coin")]
        words = _("Leave out") if self.object.status == Status.OPEN else _("Take back in")
        return [Action(words, reverse("billing:bank_ignore", args=[self.object.pk]), "minus")]

    def form_options(self) -> dict[str, Any]:
        listed = customers.listed(self.actor).filter(currency=self.object.currency)
        return {"receivables": selectors.open_in(self.actor, self.object.currency), "customers": listed}

    def initial(self) -> dict[str, Any]:
        found = next(iter(self.suggested()), None)
        if found is None:
            return {}
        open_row = selectors.open_of(found.customer).filter(invoice=found.invoice).first()
        return {"receivable": open_row} if open_row else {"customer": found.customer}

    def suggested(self) -> list[statements.Suggestion]:
        """Return whose money it may be."""
        return statements.suggestions(self.object) if self.object.status == Status.OPEN else []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(suggestions=self.suggested(), **kwargs)

    def act(self, data: dict[str, Any]) -> str:
        row = data["receivable"]
        customer = row.customer if row is not None else data["customer"]
        if customer is None:
            raise Invalid("required", _("Choose an open invoice, or a customer."), "receivable")
        invoice = row.invoice if row is not None else None
        payment = statements.match(actor=self.actor, entry=self.object, customer=customer, invoice=invoice)
        messages.success(self.request, _("Booked."))
        return reverse("billing:payment", args=[payment.pk])


class EntryIgnorePage(ActionPage):
    """Leaves a booking out, or takes it back in."""

    action = "receipt.match"
    title = gettext_lazy("Leave out")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.entries(self.actor)

    def get_question(self) -> str:
        if self.object.status == Status.IGNORED:
            return _("Take this booking back in, to be matched?")
        return _("Leave this booking out? It is no payment of a customer.")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*crumbs(), (_("Booking"), reverse("billing:bank_entry", args=[self.object.pk]))]

    def act(self) -> str:
        statements.ignore(actor=self.actor, entry=self.object)
        return reverse("billing:bank_list")
