"""Pages of subscriptions: those that one sells or buys, one with its history, and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import formats
from billing.models import Charge, Component, Subscription
from billing.selectors import customers, prices, sellers
from billing.selectors import subscriptions as selectors
from billing.services import addons, subscriptions
from billing.web import subscription_tables as tables
from billing.web.subscription_forms import CancelForm, ChangeForm, StartForm
from panel.core.impact import Impact, ImpactFormPage
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page


class SubscriptionListPage(ListPage):
    """What the organization sells again and again."""

    action = "ledger.view"
    title = gettext_lazy("Subscriptions")
    table_class = tables.SubscriptionTable
    filter_class = tables.SubscriptionFilter
    export_name = "subscriptions"

    def list_rows(self) -> QuerySet[Subscription]:
        return selectors.sold(self.actor)

    def actions(self) -> list[Action]:
        if not self.may("subscription.start"):
            return []
        return [Action(_("New subscription"), reverse("billing:subscription_start"), "plus", "primary")]

    def empty(self) -> Empty:
        text = _("What customers pay for again and again appears here; it writes its invoices by itself.")
        return Empty("refresh", _("No subscriptions yet"), text)


class PurchaseListPage(ListPage):
    """What the organization buys again and again."""

    action = "subscription.view"
    title = gettext_lazy("Your subscriptions")
    table_class = tables.PurchaseTable
    filter_class = tables.SubscriptionFilter
    export_name = "your-subscriptions"

    def list_rows(self) -> QuerySet[Subscription]:
        return selectors.bought(self.actor)

    def empty(self) -> Empty:
        return Empty("refresh", _("No subscriptions yet"), _("What you pay for again and again appears here."))


class SubscriptionStartPage(FormPage):
    """Sells something to a customer again and again."""

    action = "subscription.start"
    title = gettext_lazy("New subscription")
    form_class = StartForm
    submit_label = gettext_lazy("Start the subscription")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Subscriptions"), reverse("billing:subscription_list"))]

    def form_options(self) -> dict[str, Any]:
        own = organizations.of_actor(self.actor)
        on_sale = prices.on_sale(own, sellers.today(sellers.of(own))).filter(months__gt=0)
        return {"prices": on_sale, "customers": customers.listed(self.actor)}

    def act(self, data: dict[str, Any]) -> str:
        made = subscriptions.start(actor=self.actor, **data)
        return reverse("billing:subscription", args=[made.pk])


class OfSubscription(Page):
    """A page about one subscription of which the reader's organization is a party."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def is_seller(self) -> bool:
        """Tell whether the reader's organization sells it."""
        return bool(self.object.customer.seller_id == self.actor.organization_id)

    def url(self, name: str = "subscription", *more: str) -> str:
        """Return the address of a page about the same subscription."""
        return reverse(f"billing:{name}", args=[self.object.pk, *more])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        way = [(_("Your subscriptions"), reverse("billing:purchase_list"))]
        if self.is_seller():
            way = [(_("Subscriptions"), reverse("billing:subscription_list"))]
        return [*way, *([] if type(self) is SubscriptionPage else [(str(self.object), self.url())])]


class SubscriptionPage(OfSubscription, ListsPage):
    """One subscription: its products, its days, and what was charged for it."""

    action = "subscription.view"
    template_name = "billing/subscription.html"

    def get_title(self) -> str:
        return str(self.object)

    def actions(self) -> list[Action]:
        if self.object.status == Subscription.Status.ENDED:
            return []
        found = []
        if self.object.parked_at and self.may("subscription.unpark"):
            found.append(Action(_("Try again"), self.url("subscription_unpark"), "refresh"))
        if self.object.cancel_on:
            if self.may("subscription.cancel"):
                found.append(Action(_("Resume"), self.url("subscription_resume"), "refresh", "primary"))
            return found
        if self.may("subscription.cancel"):
            found.append(Action(_("Cancel"), self.url("subscription_cancel"), "ban"))
        if self.may("subscription.change"):
            found.append(Action(_("Add"), self.url("subscription_add"), "plus"))
            found.append(Action(_("Change"), self.url("subscription_change"), "pencil", "primary"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        charged = self.table(
            tables.ChargeTable,
            selectors.history(self.object),
            Empty("list-details", _("Nothing charged yet"), _("What is due appears here, and then on an invoice.")),
        )
        rows = [row for row in selectors.components(self.object) if row.ends_on is None or row.ends_on > row.starts_on]
        may = self.may("subscription.change") and not self.object.cancel_on
        may = may and self.object.status != Subscription.Status.ENDED
        removable = [
            row.pk
            for row in rows
            if may and not row.is_main and row.ends_on is None and (self.is_seller() or selectors.is_of_buyer(row))
        ]
        return super().get_context_data(
            subscription=self.object,
            facts=self._facts(),
            components=rows,
            charges=charged,
            currency=self.object.customer.currency,
            is_seller=self.is_seller(),
            removable=removable,
            **kwargs,
        )

    def _facts(self) -> list[tuple[str, str]]:
        of = self.object
        found = [(_("State"), str(of.get_status_display())), (_("Cycle"), str(of.get_months_display()))]
        if self.is_seller():
            found.insert(0, (_("Customer"), str(of.customer)))
        days = [(_("Since"), of.starts_on), (_("Trial until"), of.trial_until), (_("Charged until"), of.billed_until)]
        days += [(_("Cancelled for"), of.cancel_on), (_("Ended on"), of.ended_on)]
        found += [(label, date_format(day)) for label, day in days if day]
        why = (_("Left out because"), of.parked_reason) if self.is_seller() else (_("Paused"), of.pause)
        return [*found, why] if why[1] else found


class SubscriptionChangePage(OfSubscription, ImpactFormPage):
    """Changes product, cycle or quantity from today; what that costs is shown first."""

    action = "subscription.change"
    title = gettext_lazy("Change subscription")
    form_class = ChangeForm
    template_name = "generic/impact_form.html"
    submit_label = gettext_lazy("Show what it costs")

    def form_options(self) -> dict[str, Any]:
        return {"prices": self.choices()}

    def initial(self) -> dict[str, Any]:
        main = selectors.main_of(self.object)
        return {"price": main.price_id, "quantity": main.quantity} if main else {}

    def today(self) -> Any:
        """Return the seller's date."""
        return sellers.today(sellers.of(self.object.customer.seller))

    def choices(self) -> QuerySet[Any]:
        """Return the prices to choose from."""
        offered = selectors.changeable if self.is_seller() else selectors.offers
        return offered(self.object, self.today())

    def impact(self, data: dict[str, Any]) -> Impact | None:
        made = subscriptions.preview(
            actor=self.actor,
            subscription=self.object,
            price=data["price"],
            quantity=data["quantity"],
            on=self.today(),
        )
        return _cost(made)

    def act(self, data: dict[str, Any]) -> str:
        subscriptions.change(actor=self.actor, subscription=self.object, **data)
        return self.url()


class SubscriptionAddPage(SubscriptionChangePage):
    """Adds an add-on from today."""

    title = gettext_lazy("Add to the subscription")
    template_name = "generic/form.html"
    submit_label = gettext_lazy("Add")
    intro = gettext_lazy("The rest of the current period is charged at once, later periods with the subscription.")

    def initial(self) -> dict[str, Any]:
        return {}

    def choices(self) -> QuerySet[Any]:
        offered = selectors.addable if self.is_seller() else selectors.addable_by_buyer
        return offered(self.object, self.today())

    def impact(self, data: dict[str, Any]) -> Impact | None:
        return None

    def act(self, data: dict[str, Any]) -> str:
        addons.add(actor=self.actor, subscription=self.object, **data)
        return self.url()


class ComponentRemovePage(OfSubscription, ActionPage):
    """Takes an add-on away from today."""

    action = "subscription.change"
    title = gettext_lazy("Remove")
    submit_label = gettext_lazy("Remove the add-on")
    danger = True

    def component(self) -> Component:
        """Return the add-on that the address names; the subscription's own, or not found."""
        return selectors.addon(self.object, self.kwargs["component"])

    def get_question(self) -> str:
        return _("Remove %(name)s from the subscription?") % {"name": self.component().product}

    def consequences(self) -> list[str]:
        return [_("What was charged for days from today on is given back.")]

    def act(self) -> str:
        addons.remove(actor=self.actor, component=self.component())
        return self.url()


class SubscriptionCancelPage(OfSubscription, FormPage):
    """Ends a subscription when its period does, or, for its seller, today."""

    action = "subscription.cancel"
    title = gettext_lazy("Cancel subscription")
    form_class = CancelForm
    submit_label = gettext_lazy("Cancel the subscription")
    intro = gettext_lazy(
        "Until then everything stays as it is, and it can be resumed. Hosting accounts are not deleted."
    )

    def make_form(self) -> Any:
        form = super().make_form()
        if not self.is_seller():
            form.fields["when"].choices = form.fields["when"].choices[:1]  # type: ignore[attr-defined]
        return form

    def act(self, data: dict[str, Any]) -> str:
        subscriptions.cancel(actor=self.actor, subscription=self.object, at_end=data["when"] == "end")
        return self.url()


class SubscriptionResumePage(OfSubscription, ActionPage):
    """Takes a cancellation back."""

    action = "subscription.cancel"
    title = gettext_lazy("Resume subscription")
    question = gettext_lazy("Let the subscription go on?")
    submit_label = gettext_lazy("Resume it")

    def consequences(self) -> list[str]:
        return [_("It is charged again with its periods.")]

    def act(self) -> str:
        subscriptions.resume(actor=self.actor, subscription=self.object)
        return self.url()


class SubscriptionUnparkPage(OfSubscription, ActionPage):
    """Lets the run try again."""

    action = "subscription.unpark"
    title = gettext_lazy("Try again")
    question = gettext_lazy("Let the next run charge this subscription again?")
    submit_label = gettext_lazy("Try again")

    def consequences(self) -> list[str]:
        return [self.object.parked_reason]

    def act(self) -> str:
        subscriptions.unpark(actor=self.actor, subscription=self.object)
        return self.url()


def _cost(made: list[Charge]) -> Impact:
    """Say what a change charges: line by line, and in all."""
    lines = [f"{row.text}: {formats.money(row.amount, row.currency)}" for row in made]
    if not made:
        return Impact(_("Nothing is charged now; the new price holds from the next period on."), [])
    total = formats.money(sum(row.amount for row in made), made[0].currency)
    return Impact(_("In all: %(total)s, before tax where it is added.") % {"total": total}, lines)
