"""Pages of what follows when nobody pays: what is overdue, a customer's holds, waiting with it, lifting by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import words
from billing.models import DunningPause, Receivable
from billing.pricing import dunning as steps
from billing.selectors import customers, invoices, sellers
from billing.selectors import dunning as selectors
from billing.services import dunning_pauses, holds
from billing.web import dunning_tables as tables
from billing.web.dunning_forms import WaitForm
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage


class OverdueListPage(ListPage):
    """What customers should have paid by now."""

    action = "dunning.view"
    title = gettext_lazy("Overdue")
    table_class = tables.OverdueTable
    filter_class = tables.OverdueFilter
    export_name = "overdue"

    def list_rows(self) -> QuerySet[Receivable]:
        return selectors.overdue(self.actor, sellers.today(sellers.of(organizations.of_actor(self.actor))))

    def actions(self) -> list[Action]:
        found = [Action(_("Owed"), reverse("billing:report_owed"), "chart-bar")] if self.may("report.view") else []
        if self.may("seller.change"):
            found.append(Action(_("Reminders and days"), f"{reverse('billing:seller')}#id_reminder_days", "settings"))
        return found

    def empty(self) -> Empty:
        return Empty("circle-check", _("Nothing is overdue"), _("An invoice appears here the day after it was due."))


class CustomerDunningPage(ListsPage):
    """What a customer has not paid, what comes when, and what is held back of it."""

    action = "dunning.view"
    template_name = "billing/customer_dunning.html"

    def rows(self) -> QuerySet[Any] | None:
        return customers.listed(self.actor).select_related("buyer", "seller")

    def get_title(self) -> str:
        return _("Reminders and holds: %(customer)s") % {"customer": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _of_customer(self.object)[:-1]

    def actions(self) -> list[Action]:
        found = []
        if self.pause is not None and self.may("dunning.resume", self.pause):
            found.append(Action(_("Wait no more"), reverse("billing:dunning_resume", args=[self.pause.pk]), "x"))
        if self.may("dunning.pause"):
            found.append(
                Action(_("Wait with all"), reverse("billing:customer_wait", args=[self.object.pk]), "hourglass")
            )
        return found

    @property
    def pause(self) -> DunningPause | None:
        """What was promised for all of its invoices."""
        return selectors.pause_of(self.object, None, sellers.today(sellers.of(self.object.seller)))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add its unpaid invoices and its holds."""
        nothing = Empty("circle-check", _("Nothing is open"), _("Every invoice of this customer is paid."))
        free = Empty(
            "circle-check", _("Nothing is held back"), _("What is suspended for an unpaid invoice stands here.")
        )
        held = self.table(tables.HoldTable, selectors.held(self.actor).filter(customer=self.object), free)
        if not self.may("hold.lift"):
            held.exclude = ["lift"]
        return super().get_context_data(
            pause=self.pause,
            unpaid=self.table(tables.UnpaidTable, selectors.of_customer(self.object), nothing),
            holds=held,
            **kwargs,
        )


class CustomerWaitPage(FormPage):
    """Promises to wait with all of a customer's invoices."""

    action = "dunning.pause"
    title = gettext_lazy("Wait")
    form_class = WaitForm
    intro = gettext_lazy("Until then no reminder is sent and nothing is taken away. What is held back stays held back.")
    submit_label = gettext_lazy("Wait until then")

    def rows(self) -> QuerySet[Any] | None:
        return customers.listed(self.actor).select_related("buyer", "seller")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _of_customer(self.object)

    def act(self, data: dict[str, Any]) -> str:
        pause = dunning_pauses.hold_off(actor=self.actor, customer=self.object, **data)
        return self.told(pause)

    def told(self, pause: DunningPause) -> str:
        """Say until when nothing follows; return where it is seen."""
        messages.success(self.request, _("Nothing follows before %(day)s.") % {"day": date_format(pause.until)})
        return self.cancel_url()


class InvoiceWaitPage(CustomerWaitPage):
    """Promises to wait with one invoice."""

    def rows(self) -> QuerySet[Any] | None:
        return invoices.sold(self.actor).select_related("customer__buyer", "customer__seller")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Invoices"), reverse("billing:invoice_list")),
            (str(self.object), reverse("billing:invoice", args=[self.object.pk])),
        ]

    def act(self, data: dict[str, Any]) -> str:
        customer = self.object.customer
        return self.told(dunning_pauses.hold_off(actor=self.actor, customer=customer, invoice=self.object, **data))


class ResumePage(ActionPage):
    """Takes a promise to wait back."""

    action = "dunning.resume"
    title = gettext_lazy("Wait no more")
    submit_label = gettext_lazy("Go on now")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.pauses(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _of_customer(self.object.customer)

    def get_question(self) -> str:
        if self.object.invoice is None:
            return _("Go on with all invoices of %(customer)s?") % {"customer": self.object.customer}
        return _("Go on with %(invoice)s?") % {"invoice": self.object.invoice.label}

    def consequences(self) -> list[str]:
        return [_("What has become due meanwhile comes one step at a time, and nothing is taken away without notice.")]

    def act(self) -> str:
        dunning_pauses.resume(actor=self.actor, pause=self.object)
        return self.cancel_url()


class HoldLiftPage(ActionPage):
    """Gives back what is held back, though nobody has paid."""

    action = "hold.lift"
    title = gettext_lazy("Lift now")
    submit_label = gettext_lazy("Lift it")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.held(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _of_customer(self.object.customer)

    def get_question(self) -> str:
        what = words.stage(self.object.stage, self.object.customer.buyer.kind)
        return _("Lift “%(what)s” for %(customer)s, though %(invoice)s is not paid?") % {
            "what": what,
            "customer": self.object.customer,
            "invoice": self.object.invoice.label,
        }

    def consequences(self) -> list[str]:
        found = [
            _("What goes further is lifted, too. Servers follow within moments."),
            _("It is not imposed again for this invoice; the invoice stays open."),
        ]
        return [*found, *self._still_to_come()]

    def _still_to_come(self) -> list[str]:
        """Say what would be taken away next for unpaid invoices all the same."""
        customer, now = self.object.customer, timezone.now()
        seller, kind = sellers.of(organizations.of_actor(self.actor)), customer.buyer.kind
        found = []
        for row in selectors.of_customer(customer):
            coming = (step for step in selectors.outlook(row, seller, now).ahead if step.name in selectors.HOLDS)
            step = next((step for step in coming if step.name != steps.TERMINATE), None)
            if step is not None:
                found.append(
                    _("%(day)s: %(what)s, for invoice %(invoice)s, unless it is paid or you wait with it.")
                    % {"day": date_format(step.on), "what": words.step(step.name, kind), "invoice": row.invoice.label}
                )
        return found

    def act(self) -> str:
        holds.lift(actor=self.actor, hold=self.object)
        messages.success(self.request, _("It is being lifted."))
        return self.cancel_url()


def _of_customer(customer: Any) -> list[tuple[str, str]]:
    return [
        (_("Customers"), reverse("billing:customer_list")),
        (str(customer), reverse("billing:customer", args=[customer.pk])),
        (_("Reminders and holds"), reverse("billing:customer_dunning", args=[customer.pk])),
    ]
