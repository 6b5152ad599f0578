"""Pages of who pays: an invoice or all of them, by card, from credit, by bank transfer; and saved cards."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import formats
from billing.gateways.stripe import origins
from billing.models import Customer, Payment, PaymentMethod
from billing.selectors import customers, gateways, invoices, sellers
from billing.selectors import payments as selectors
from billing.services import methods, payments, settlements
from billing.web.payment_forms import KeyForm, PayForm
from billing.web.payment_tables import CardTable
from panel.core.errors import Forbidden, NotFound
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page


class PayPage(FormPage):
    """Pays an invoice: how much is open, the ways to pay, and what to write on a transfer."""

    action = "payment.pay"
    while_suspended = True
    template_name = "billing/pay.html"
    submit_label = gettext_lazy("Pay by card")
    form_class: ClassVar[type[Form]] = PayForm

    def rows(self) -> QuerySet[Any] | None:
        return invoices.bought(self.actor).select_related("customer__seller", "customer__buyer", "seller")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the form lead on to the payment service."""
        request.csp_form_action = origins()  # type: ignore[attr-defined]
        return super().dispatch(request, *args, **kwargs)

    def get_title(self) -> str:
        return _("Pay %(invoice)s") % {"invoice": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Your payments"), reverse("billing:paid_list"))]

    @property
    def customer(self) -> Customer:
        """Who pays."""
        found: Customer = self.object.customer
        return found

    def form_options(self) -> dict[str, Any]:
        return {
            "cards": list(selectors.cards(self.actor).filter(customer=self.customer).order_by("-is_default", "-id"))
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        credit = settlements.credit_of(self.customer)
        return super().get_context_data(
            receivables=[row for row in selectors.open_of(self.customer) if row.invoice_id == self.object.pk],
            reference=self.object.reference,
            **self.ways(credit),
            **kwargs,
        )

    def ways(self, credit: Any) -> dict[str, Any]:
        """Return the ways to pay that there are."""
        return {
            "credit": credit,
            "currency": self.customer.currency,
            "seller": sellers.of(self.customer.seller),
            "takes_cards": gateways.active(self.customer.seller) is not None,
        }

    def act(self, data: dict[str, Any]) -> str:
        if data["method"] != "page":
            method = self.card(data["method"])
            payment = payments.pay_saved(actor=self.actor, invoice=self.object, method=method, key=data["key"])
            return reverse("billing:payment", args=[payment.pk])
        payment = self.begin(data["key"], save_card=data["save_card"])
        waits = payment.status == Payment.Status.PENDING
        return payment.checkout_url if waits else reverse("billing:payment", args=[payment.pk])

    def begin(self, key: str, *, save_card: bool) -> Payment:
        """Begin the payment at the payment service."""
        return payments.pay(actor=self.actor, invoice=self.object, key=key, save_card=save_card)

    def card(self, pk: str) -> PaymentMethod:
        """Return a card of the payer."""
        found = selectors.cards(self.actor).filter(pk=pk).first()
        if found is None:
            raise NotFound()
        return found


class PayAllPage(PayPage):
    """Pays all that is open at once."""

    title = gettext_lazy("Pay all open invoices")

    def rows(self) -> QuerySet[Any] | None:
        return None

    def find(self) -> Customer:
        return own_customer(self)

    def get_title(self) -> str:
        return str(self.title)

    @property
    def customer(self) -> Customer:
        """Who pays."""
        found: Customer = self.object
        return found

    def form_options(self) -> dict[str, Any]:
        return {"cards": []}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        credit = settlements.credit_of(self.customer)
        rows = list(selectors.open_of(self.customer))
        return FormPage.get_context_data(self, receivables=rows, **self.ways(credit), **kwargs)

    def begin(self, key: str, *, save_card: bool) -> Payment:
        return payments.pay_all(actor=self.actor, customer=self.customer, key=key, save_card=save_card)


class PayFromCreditPage(ActionPage):
    """Pays an invoice from credit."""

    action = "payment.pay"
    while_suspended = True
    title = gettext_lazy("Pay from credit")
    submit_label = gettext_lazy("Pay from credit")

    def rows(self) -> QuerySet[Any] | None:
        return invoices.bought(self.actor).select_related("customer__seller", "customer__buyer")

    def get_question(self) -> str:
        credit = settlements.credit_of(self.object.customer)
        values = {"invoice": self.object, "credit": formats.money(credit, self.object.currency)}
        return _("Pay %(invoice)s from your credit of %(credit)s, as far as that goes?") % values

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Pay %(invoice)s") % {"invoice": self.object}, reverse("billing:invoice_pay", args=[self.object.pk]))
        ]

    def act(self) -> str:
        paid = payments.pay_from_credit(actor=self.actor, invoice=self.object)
        text = _("%(amount)s was paid from your credit.") % {"amount": formats.money(paid, self.object.currency)}
        messages.success(self.request, text)
        return self.cancel_url()


class CardListPage(ListPage):
    """The cards that are saved."""

    action = "payment.view"
    while_suspended = True
    title = gettext_lazy("Saved cards")
    table_class = CardTable
    export_name = "cards"

    def list_rows(self) -> QuerySet[PaymentMethod]:
        return selectors.cards(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Your payments"), reverse("billing:paid_list"))]

    def actions(self) -> list[Action]:
        if not self.may("payment.save_card"):
            return []
        return [Action(_("Save a card"), reverse("billing:card_add"), "plus", "primary")]

    def empty(self) -> Empty:
        text = _("A saved card is charged when an invoice is due. A card that you save just now appears in a moment.")
        return Empty("credit-card", _("No card is saved"), text)


class CardAddPage(FormPage):
    """Leads on to the payment service, where a card is saved."""

    action = "payment.save_card"
    while_suspended = True
    title = gettext_lazy("Save a card")
    submit_label = gettext_lazy("Go on")
    form_class: ClassVar[type[Form]] = KeyForm
    intro = gettext_lazy(
        "The next page is the payment service's. Your card's number stays there; the panel gets its last digits."
    )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let the form lead on to the payment service."""
        request.csp_form_action = origins()  # type: ignore[attr-defined]
        return super().dispatch(request, *args, **kwargs)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Saved cards"), reverse("billing:cards"))]

    def act(self, data: dict[str, Any]) -> str:
        return methods.add(actor=self.actor, customer=own_customer(self), key=data["key"])


class CardDefaultPage(ActionPage):
    """Lets a saved card be the one that is charged."""

    action = "payment.save_card"
    while_suspended = True
    title = gettext_lazy("Charge this card")
    submit_label = gettext_lazy("Charge this one")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.cards(self.actor)

    def get_question(self) -> str:
        return _("Charge %(card)s when invoices are due?") % {"card": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Saved cards"), reverse("billing:cards"))]

    def act(self) -> str:
        methods.make_default(actor=self.actor, method=self.object)
        return reverse("billing:cards")


class CardRemovePage(ActionPage):
    """Forgets a saved card."""

    action = "payment.remove_card"
    while_suspended = True
    title = gettext_lazy("Remove the card")
    submit_label = gettext_lazy("Remove")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.cards(self.actor)

    def get_question(self) -> str:
        return _("Remove %(card)s? It is not charged any more.") % {"card": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Saved cards"), reverse("billing:cards"))]

    def act(self) -> str:
        methods.remove(actor=self.actor, method=self.object)
        return reverse("billing:cards")


def own_customer(page: Page) -> Customer:
    """Return what the actor's organization is billed by; raises Forbidden where nothing was ever sold to it."""
    found = customers.own(organizations.of_actor(page.actor))
    if found is None or found._state.adding:
        raise Forbidden(_("Nothing was sold to you yet, so that there is nothing to pay."))
    return found
