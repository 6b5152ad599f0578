"""Pages of customers: who buys, who they are on invoices, what is known of their VAT numbers; and one's own details."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.selectors import organizations
from billing import countries
from billing.models import Customer
from billing.selectors import customers as selectors
from billing.selectors import invoices
from billing.services import customers, vat_checks
from billing.web.catalogue_tables import CustomerFilter, CustomerTable
from billing.web.customer_forms import PartyForm, TermsForm
from billing.web.invoice_tables import BillTable
from panel.core.errors import Forbidden
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page


class CustomerListPage(ListPage):
    """Who buys from the organization."""

    action = "seller.view"
    title = gettext_lazy("Customers")
    table_class = CustomerTable
    filter_class = CustomerFilter
    export_name = "customers"

    def list_rows(self) -> QuerySet[Customer]:
        return selectors.listed(self.actor)

    def actions(self) -> list[Action]:
        if not self.may("seller.change"):
            return []
        count = selectors.missing(organizations.of_actor(self.actor)).count()
        label = ngettext("Take in %(count)s organization", "Take in %(count)s organizations", count) % {"count": count}
        return [Action(label, reverse("billing:customer_take_in"), "plus", "primary")] if count else []

    def empty(self) -> Empty:
        text = _("Clients and resellers right below you become customers when something is first sold to them.")
        return Empty("users", _("No customers yet"), text)


class CustomerTakeInPage(ActionPage):
    """Makes customers of all organizations right below."""

    action = "seller.change"
    title = gettext_lazy("Take in organizations")
    question = gettext_lazy("Make customers of these organizations?")
    submit_label = gettext_lazy("Take them in")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Customers"), reverse("billing:customer_list"))]

    def consequences(self) -> list[str]:
        return [row.name for row in selectors.missing(organizations.of_actor(self.actor))]

    def act(self) -> str:
        customers.take_in(actor=self.actor, organization=organizations.of_actor(self.actor))
        return reverse("billing:customer_list")


class CustomerPage(ListsPage):
    """A customer with its invoices, as its seller sees it."""

    action = "customer.view"
    template_name = "billing/facts_table.html"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Customers"), reverse("billing:customer_list"))]

    def actions(self) -> list[Action]:
        found = []
        pk = [self.object.pk]
        if self.object.vat_number and self.may("customer.check_vat"):
            found.append(Action(_("Check the VAT number"), reverse("billing:customer_check_vat", args=pk), "refresh"))
        if self.may("dunning.view"):
            url = reverse("billing:customer_dunning", args=pk)
            found.append(Action(_("Reminders and holds"), url, "hourglass"))
        if self.may("customer.set_terms"):
            found.append(Action(_("Terms"), reverse("billing:customer_terms", args=pk), "adjustments"))
        if self.may("customer.change"):
            url = reverse("billing:customer_change", args=pk)
            found.append(Action(_("Change details"), url, "pencil", "primary"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.may("invoice.view"):
            papers = invoices.sold(self.actor).filter(customer=self.object)
            empty = Empty("file-invoice", _("No invoices yet"), _("What is charged goes on an invoice when it is due."))
            kwargs |= {"table": self.table(BillTable, papers, empty, per_page=10), "table_title": _("Invoices")}
        return super().get_context_data(facts=facts(self.object), **kwargs)


class CustomerChangePage(FormPage):
    """Changes who a customer is on invoices."""

    action = "customer.change"
    title = gettext_lazy("Change details")
    form_class: ClassVar[type[Form]] = PartyForm
    intro = gettext_lazy("It holds for invoices to come; those that are issued stay as they are.")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Customers"), reverse("billing:customer_list")),
            (str(self.object), reverse("billing:customer", args=[self.object.pk])),
        ]

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in self.form_class.base_fields}

    def act(self, data: dict[str, Any]) -> str:
        customers.change(actor=self.actor, customer=self.object, **data)
        return self.cancel_url()


class CustomerTermsPage(CustomerChangePage):
    """Sets what is the seller's to say about a customer."""

    action = "customer.set_terms"
    title = gettext_lazy("Terms")
    form_class = TermsForm
    intro = gettext_lazy("What only you can say of this customer.")

    def act(self, data: dict[str, Any]) -> str:
        customers.set_terms(actor=self.actor, customer=self.object, **data)
        return self.cancel_url()


class CustomerCheckPage(ActionPage):
    """Has a VAT number checked again."""

    action = "customer.check_vat"
    title = gettext_lazy("Check the VAT number")
    submit_label = gettext_lazy("Check it now")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Customers"), reverse("billing:customer_list")),
            (str(self.object), reverse("billing:customer", args=[self.object.pk])),
        ]

    def get_question(self) -> str:
        return _("Ask the European Union's service about %(number)s?") % {"number": self.object.vat_number}

    def consequences(self) -> list[str]:
        return [
            _("The answer is kept as evidence."),
            _("While the service does not answer, what is known stays, and it is asked again."),
        ]

    def act(self) -> str:
        vat_checks.request(actor=self.actor, customer=self.object)
        messages.success(self.request, _("The service is being asked. Load this page again in a moment."))
        return self.cancel_url()


class OwnDetailsPage(Page):
    """Who one's own organization is on the invoices that it gets."""

    action = "customer.view"
    title = gettext_lazy("Billing details")
    template_name = "generic/detail.html"

    def find(self) -> Any:
        found = selectors.own(organizations.of_actor(self.actor))
        if found is None:
            raise Forbidden(_("Nobody stands above you who could bill you."))
        return found

    def actions(self) -> list[Action]:
        if not self.may("customer.change"):
            return []
        return [Action(_("Change details"), reverse("billing:own_details_change"), "pencil", "primary")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(facts=facts(self.object), **kwargs)


class OwnDetailsChangePage(CustomerChangePage):
    """Changes who one's own organization is on the invoices that it gets."""

    def find(self) -> Any:
        return OwnDetailsPage.find(self)  # type: ignore[arg-type]

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Billing details"), reverse("billing:own_details"))]


def facts(customer: Customer) -> list[tuple[str, Any]]:
    """Return what is known of a customer, for a page."""
    place = ", ".join(filter(None, [countries.name(customer.country), customer.region]))
    found: list[tuple[str, Any]] = [
        (_("Name"), customer.name),
        (_("Address"), customer.address.replace("\n", ", ") or "\N{EN DASH}"),
        (_("Country"), place or "\N{EN DASH}"),
        (_("Kind"), _("Business") if customer.is_business else _("Consumer")),
        (_("VAT number"), customer.vat_number or "\N{EN DASH}"),
    ]
    if customer.vat_number:
        found += [(_("VAT number checked"), line) for line in _vat_lines(customer)]
    found += [
        (_("Mail address for invoices"), customer.email or "\N{EN DASH}"),
        (_("Currency"), customer.currency),
        (_("Customer since"), date_format(customer.since, "DATE_FORMAT")),
    ]
    if customer.exemption:
        found.append((_("Exempt from tax"), customer.exemption))
    return found


def _vat_lines(customer: Customer) -> list[str]:
    last = selectors.last_check(customer)
    if last is not None and customer.vat_state in (Customer.VatState.VALID, Customer.VatState.INVALID):
        said = {"state": customer.get_vat_state_display(), "when": date_format(last.checked_at, "DATETIME_FORMAT")}
        if last.request_id:
            return [_("%(state)s on %(when)s, consultation %(number)s") % {**said, "number": last.request_id}]
        return [_("%(state)s on %(when)s") % said]
    if customer.vat_asked_at is not None:
        when = date_format(customer.vat_asked_at, "DATETIME_FORMAT")
        return [
            _("The service did not answer on %(when)s; it is asked again. Until then it does not count.")
            % {"when": when}
        ]
    return [str(customer.get_vat_state_display())]
