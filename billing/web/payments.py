"""Pages of payments: what was received, one payment, recording, paying back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import formats
from billing.models import Payment
from billing.selectors import customers, invoices, sellers
from billing.selectors import payments as selectors
from billing.services import payments, refunds
from billing.web.payment_forms import KeepForm, RecordForm, RefundForm
from billing.web.payment_tables import PaidTable, PaymentFilter, ReceivedTable
from panel.core.web import Action, Empty, FormPage, ListPage, Page


class ReceivedListPage(ListPage):
    """What was paid to the organization."""

    action = "receipt.view"
    title = gettext_lazy("Payments")
    table_class = ReceivedTable
    filter_class = PaymentFilter
    export_name = "payments"

    def list_rows(self) -> QuerySet[Payment]:
        return selectors.received(self.actor)

    def actions(self) -> list[Action]:
        found = [Action(_("Bank statements"), reverse("billing:bank_list"), "download")]
        if self.may("gateway.view"):
            found.append(Action(_("Cards"), reverse("billing:gateway"), "credit-card"))
        if self.may("receipt.record"):
            found.append(Action(_("Record a payment"), reverse("billing:payment_record"), "plus", "primary"))
        return found

    def empty(self) -> Empty:
        text = _(
            "What customers pay by card appears by itself. Read in bank statements, or record what came otherwise."
        )
        return Empty("coin", _("No payments yet"), text)


class PaidListPage(ListPage):
    """What the organization has paid."""

    action = "payment.view"
    while_suspended = True
    title = gettext_lazy("Your payments")
    table_class = PaidTable
    export_name = "paid"

    def list_rows(self) -> QuerySet[Payment]:
        return selectors.paid(self.actor)

    def actions(self) -> list[Action]:
        return [Action(_("Saved cards"), reverse("billing:cards"), "credit-card")]

    def empty(self) -> Empty:
        return Empty("coin", _("No payments yet"), _("What you pay appears here."))


class PaymentPage(Page):
    """One payment: what it pays, what went back of it."""

    action = "payment.view"
    while_suspended = True
    template_name = "billing/payment.html"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.with_parts(selectors.visible(self.actor))

    def get_title(self) -> str:
        return formats.money(self.object.amount, self.object.currency)

    @property
    def is_sold(self) -> bool:
        """Whether the actor's organization is who was paid."""
        return bool(self.object.seller_id == self.actor.organization_id)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if self.is_sold:
            return [(_("Payments"), reverse("billing:payment_list"))]
        return [(_("Your payments"), reverse("billing:paid_list"))]

    def actions(self) -> list[Action]:
        found, pk = [], [self.object.pk]
        if self.object.status == Payment.Status.SUCCEEDED and self.may("receipt.refund"):
            found.append(Action(_("Take off an invoice"), reverse("billing:payment_keep", args=pk), "rotate-clockwise"))
            found.append(Action(_("Pay back"), reverse("billing:payment_refund", args=pk), "receipt-refund"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waits = self.object.status == Payment.Status.PENDING
        return super().get_context_data(
            is_sold=self.is_sold,
            paid=selectors.paid_of(self.object),
            left=refunds.left(self.object) if self.is_sold else None,
            waits=waits,
            checkout_url=self.object.checkout_url if waits and not self.is_sold else "",
            **kwargs,
        )


class RecordPage(FormPage):
    """Records money that came without a payment service."""

    action = "receipt.record"
    title = gettext_lazy("Record a payment")
    submit_label = gettext_lazy("Record")
    form_class: ClassVar[type[Form]] = RecordForm

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Payments"), reverse("billing:payment_list"))]

    def form_options(self) -> dict[str, Any]:
        unpaid = invoices.sold(self.actor).filter(receivable__settled_at__isnull=True, receivable__open__gt=0)
        return {"customers": customers.listed(self.actor), "invoices": unpaid}

    def initial(self) -> dict[str, Any]:
        found: dict[str, Any] = {"received_on": sellers.today(sellers.of(organizations.of_actor(self.actor)))}
        wanted = self.request.GET.get("invoice", "")
        invoice = invoices.sold(self.actor).filter(pk=wanted).first() if wanted else None
        if invoice is not None:
            open_amount = invoices.open_of(invoice)
            found |= {"invoice": invoice, "customer": invoice.customer_id, "amount": f"{open_amount:f}"}
        return found

    def act(self, data: dict[str, Any]) -> str:
        payment = payments.record(actor=self.actor, currency=data["customer"].currency, **data)
        messages.success(self.request, _("Recorded."))
        return reverse("billing:payment", args=[payment.pk])


class RefundPage(FormPage):
    """Pays back a payment, or a part of it."""

    action = "receipt.refund"
    title = gettext_lazy("Pay back")
    submit_label = gettext_lazy("Pay back")
    form_class: ClassVar[type[Form]] = RefundForm

    def rows(self) -> QuerySet[Any] | None:
        return selectors.received(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        title = formats.money(self.object.amount, self.object.currency)
        return [(_("Payments"), reverse("billing:payment_list")), (title, self.url())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(danger=True, **(kwargs | {"intro": self.explanation()}))

    def explanation(self) -> str:
        """Return where the money goes and where it comes from."""
        values = {"left": formats.money(refunds.left(self.object), self.object.currency)}
        if self.object.gateway_id:
            text = _("The money goes back to the card, at most %(left)s. It is taken from the customer's credit;")
        else:
            text = _("Send the money yourself, at most %(left)s; it is noted here. It is taken from the credit;")
        return f"{text % values} {_('beyond that, invoices that this payment paid are open again.')}"

    def url(self) -> str:
        """Return the address of the payment."""
        return reverse("billing:payment", args=[self.object.pk])

    def initial(self) -> dict[str, Any]:
        return {"amount": f"{refunds.left(self.object):f}"}

    def act(self, data: dict[str, Any]) -> str:
        refund = refunds.create(actor=self.actor, payment=self.object, **data)
        waits = refund.status == refund.Status.PENDING
        messages.success(self.request, _("The money is on its way back.") if waits else _("Noted as paid back."))
        return self.url()


class KeepPage(RefundPage):
    """Takes a payment off an invoice and leaves the money as the customer's credit."""

    title = gettext_lazy("Take off an invoice")
    submit_label = gettext_lazy("Take off")
    form_class: ClassVar[type[Form]] = KeepForm

    def explanation(self) -> str:
        return _("The invoice is open again, and the money becomes the customer's credit.")

    def form_options(self) -> dict[str, Any]:
        return {"invoices": selectors.invoices_of(self.object)}

    def act(self, data: dict[str, Any]) -> str:
        refunds.keep_as_credit(actor=self.actor, payment=self.object, **data)
        messages.success(self.request, _("The money is the customer's credit now."))
        return self.url()
