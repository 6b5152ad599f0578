"""Pages of orders for those who sell, and the list of one's own for those who buy: look, approve, refuse, try again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.selectors import brands, organizations
from billing.models import Order, Seller
from billing.selectors import orders as selectors
from billing.selectors import sellers
from billing.services import orders
from billing.services import sellers as seller_service
from billing.web import order_progress
from billing.web.order_forms import OrderPageForm, RefusalForm
from billing.web.order_tables import OrderFilter, OrderTable
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page


class OrderListPage(ListPage):
    """Orders that one's organization sold or placed."""

    action = "order.view"
    title = gettext_lazy("Orders")
    table_class = OrderTable
    filter_class = OrderFilter
    export_name = "orders"

    def list_rows(self) -> QuerySet[Order]:
        return selectors.listed(self.actor)

    def actions(self) -> list[Action]:
        if self.actor.kind == Organization.Kind.CLIENT:
            return [Action(_("Order"), reverse("billing:shop"), "plus", "primary")] if self._takes_orders() else []
        own = organizations.of_actor(self.actor)
        if not self.may("seller.change", own):
            return []
        return [Action(_("Order page"), reverse("billing:order_settings"), "settings")]

    def empty(self) -> Empty:
        if self.actor.kind == Organization.Kind.CLIENT:
            return Empty("package", _("No orders yet"), _("What you order appears here, with its steps."))
        text = _("Open your order page, and what people order there appears here.")
        return Empty("package", _("No orders yet"), text, reverse("billing:order_settings"), _("Order page"))

    def _takes_orders(self) -> bool:
        seller = sellers.of_buyer(organizations.of_actor(self.actor))
        return seller is not None and sellers.of(seller).is_open


class _OfOrder(Page):
    """A page about one order."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Orders"), reverse("billing:order_list"))]

    def is_seller(self) -> bool:
        """Tell whether the reader sold it."""
        return bool(self.object.seller_id == self.actor.organization_id)


class OrderDetailPage(_OfOrder):
    """One order: what, who, how far. Buyers are led to its own page."""

    action = "order.view"
    template_name = "billing/order.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.is_seller():
            return HttpResponseRedirect(reverse("billing:order_watch", args=[selectors.token(self.object)]))
        return super().get(request, *args, **kwargs)

    def actions(self) -> list[Action]:
        status, pk = self.object.status, self.object.pk
        found = []
        if status == Order.Status.REVIEW and self.may("order.review"):
            url = reverse("billing:order_approve", args=[pk])
            found.append(Action(_("Approve"), url, "check", "primary"))
        if status == Order.Status.FAILED and self.may("order.retry"):
            url = reverse("billing:order_retry", args=[pk])
            found.append(Action(_("Try again"), url, "refresh", "primary"))
        refusable = status in (Order.Status.UNPAID, Order.Status.REVIEW, Order.Status.FAILED)
        if refusable and not self.object.operation_id and self.may("order.review"):
            found.append(Action(_("Refuse"), reverse("billing:order_refuse", args=[pk]), "ban"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        progress = order_progress.of(self.object)
        return super().get_context_data(
            order=self.object, progress=progress, paid=selectors.paid(self.object), **kwargs
        )


class _OrderAction(_OfOrder, ActionPage):
    """A button for one order."""

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (str(self.object), reverse("billing:order", args=[self.object.pk]))]


class ApprovePage(_OrderAction):
    """Lets an order be set up."""

    action = "order.review"
    title = gettext_lazy("Approve the order")
    question = gettext_lazy("Set up what was ordered? It begins at once.")
    submit_label = gettext_lazy("Approve")

    def get_title(self) -> str:
        return str(self.title)

    def act(self) -> str:
        orders.approve(actor=self.actor, order=self.object)
        messages.success(self.request, _("It is being set up."))
        return self.cancel_url()


class RetryPage(_OrderAction):
    """Sets a failed order up again."""

    action = "order.retry"
    title = gettext_lazy("Try again")
    submit_label = gettext_lazy("Try again")

    def get_title(self) -> str:
        return str(self.title)

    def get_question(self) -> str:
        return _("Try to set up the order again? It failed because: %(reason)s") % {"reason": self.object.reason}

    def act(self) -> str:
        orders.retry(actor=self.actor, order=self.object)
        messages.success(self.request, _("It is being set up."))
        return self.cancel_url()


class RefusePage(_OfOrder, FormPage):
    """Refuses an order."""

    action = "order.review"
    title = gettext_lazy("Refuse the order")
    form_class = RefusalForm
    submit_label = gettext_lazy("Refuse the order")
    intro = gettext_lazy(
        "Nothing is set up, the subscription ends, and a credit note takes the invoice back. What was paid becomes the "
        "buyer's credit: pay it back on the payment's page."
    )

    def get_title(self) -> str:
        return str(self.title)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (str(self.object), reverse("billing:order", args=[self.object.pk]))]

    def act(self, data: dict[str, Any]) -> str:
        orders.refuse(actor=self.actor, order=self.object, reason=data["reason"])
        messages.success(self.request, _("The order is refused, and the buyer gets a mail."))
        return self.cancel_url()


class OrderSettingsPage(FormPage):
    """How one's own order page works, and where it is."""

    action = "seller.change"
    title = gettext_lazy("Order page")
    template_name = "billing/order_settings.html"
    form_class = OrderPageForm
    submit_label = gettext_lazy("Save")

    def find(self) -> Organization:
        return organizations.of_actor(self.actor)

    def seller(self) -> Seller:
        """Return what the organization sells by."""
        return sellers.of(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Orders"), reverse("billing:order_list"))]

    def initial(self) -> dict[str, Any]:
        seller = self.seller()
        return {name: getattr(seller, name) for name in OrderPageForm.base_fields}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        seller = self.seller()
        brand = brands.own(self.object)
        has_host = brand is not None and bool(brands.host(brand) or self.actor.kind == Organization.Kind.PROVIDER)
        address = brands.base_url(brand) + reverse("billing:shop") if brand is not None and has_host else ""
        return super().get_context_data(
            address=address,
            is_open=seller.is_open,
            ways=selectors.ways(seller),
            on_sale=len(selectors.offers(self.object, sellers.today(seller))),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> str:
        seller_service.change(actor=self.actor, organization=self.object, **data)
        messages.success(self.request, _("Saved."))
        return reverse("billing:order_settings")
