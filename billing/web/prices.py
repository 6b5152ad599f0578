"""Pages of prices: the price list, a new price, the end of one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.selectors import organizations
from billing import formats
from billing.models import Price, Product
from billing.selectors import prices as selectors
from billing.selectors import products, sellers
from billing.services import prices, repricing
from billing.web.catalogue_tables import PriceFilter, PriceTable
from billing.web.product_forms import PriceApplyForm, PriceEndForm, PriceForm
from billing.web.products import calculator, meters, trail
from panel.core.impact import Impact, ImpactFormPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage


class PriceListPage(ListPage):
    """What everything costs on a day, today unless another one is asked for."""

    action = "price.view"
    title = gettext_lazy("Price list")
    table_class = PriceTable
    filter_class = PriceFilter
    export_name = "prices"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Products"), reverse("billing:product_list"))]

    def list_rows(self) -> QuerySet[Price]:
        own = organizations.of_actor(self.actor)
        rows = selectors.of_seller(own)
        return rows if self.request.GET.get("on") else selectors.in_force(rows, sellers.today(sellers.of(own)))

    def actions(self) -> list[Action]:
        return [Action(_("Products"), reverse("billing:product_list"), "tag")]

    def empty(self) -> Empty:
        return Empty(
            "tag", _("No prices on this day"), _("Give your products prices; they stand here by currency and day.")
        )


class PriceCreatePage(ImpactFormPage):
    """Sells a product at a price from a day on; who keeps another one is shown first."""

    action = "price.create"
    title = gettext_lazy("New price")
    form_class = PriceForm
    template_name = "generic/impact_form.html"
    submit_label = gettext_lazy("Set this price")

    def rows(self) -> QuerySet[Any] | None:
        return products.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object)

    def actions(self) -> list[Action]:
        return [calculator(), meters()] if self.object.kind == Product.Kind.METERED else []

    def form_options(self) -> dict[str, Any]:
        return {"kind": self.object.kind}

    def initial(self) -> dict[str, Any]:
        seller = sellers.of(self.object.organization)
        return {"currency": seller.currency, "months": Price.Cycle.MONTH, "valid_from": sellers.today(seller)}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        months = self.months(data)
        count = products.subscriptions_of(self.object, currency=data["currency"], months=months)
        if not count:
            return None
        words = ngettext(
            "%(count)s subscription keeps what it pays.", "%(count)s subscriptions keep what they pay.", count
        )
        return Impact(words % {"count": count}, [])

    def months(self, data: dict[str, Any]) -> int:
        """Return the cycle: what goes by use is charged each month, an item once."""
        usual = Price.Cycle.ONCE if self.object.kind == "item" else Price.Cycle.MONTH
        return int(data.get("months", usual))

    def act(self, data: dict[str, Any]) -> str:
        prices.create(actor=self.actor, product=self.object, **{**data, "months": self.months(data)})
        return self.cancel_url()


class PriceEndPage(FormPage):
    """Sells at a price no more."""

    action = "price.change"
    title = gettext_lazy("End price")
    form_class = PriceEndForm
    submit_label = gettext_lazy("End the price")
    intro = gettext_lazy("Subscriptions at this price go on and keep paying it; nobody else gets it.")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object.product)

    def initial(self) -> dict[str, Any]:
        return {"on": sellers.today(sellers.of(self.object.product.organization))}

    def act(self, data: dict[str, Any]) -> str:
        prices.end(actor=self.actor, price=self.object, on=data["on"])
        return self.cancel_url()


class PriceApplyPage(ImpactFormPage):
    """Gives a price to those who have its product; who pays what from when on is shown first."""

    action = "price.change"
    form_class = PriceApplyForm
    template_name = "generic/impact_form.html"
    submit_label = gettext_lazy("Show who is concerned")
    intro = gettext_lazy(
        "Subscriptions at another price of this cycle get this one with their next period after the notice. "
        "Their buyers are told by mail at once; what is cancelled ends at the price that it has."
    )

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object.product)

    def get_title(self) -> str:
        price = self.object
        if price.rule is not None:
            return _("Apply the price from %(day)s on") % {"day": date_format(price.valid_from, "DATE_FORMAT")}
        shown = {"amount": formats.money(price.amount, price.currency), "cycle": price.get_months_display()}
        return _("Apply the price %(amount)s / %(cycle)s") % shown

    def initial(self) -> dict[str, Any]:
        return {"notice_days": sellers.of(self.object.product.organization).price_notice_days}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        found = list(repricing.touched(actor=self.actor, price=self.object, **data))
        count = len(found)
        words = ngettext("%(count)s subscription gets this price.", "%(count)s subscriptions get this price.", count)
        return Impact(words % {"count": count}, [_new_price(row) for row in found])

    def act(self, data: dict[str, Any]) -> str:
        count = repricing.apply(actor=self.actor, price=self.object, **data)
        words = ngettext("%(count)s buyer is told by mail.", "%(count)s buyers are told by mail.", count)
        messages.success(self.request, words % {"count": count})
        return self.cancel_url()


class PriceRemovePage(ActionPage):
    """Takes back a price that has not begun."""

    action = "price.remove"
    title = gettext_lazy("Take back price")
    submit_label = gettext_lazy("Take it back")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return trail(self.object.product)

    def get_question(self) -> str:
        day = date_format(self.object.valid_from, "DATE_FORMAT")
        return _("Take back the price that begins on %(day)s?") % {"day": day}

    def act(self) -> str:
        prices.remove(actor=self.actor, price=self.object)
        return self.cancel_url()


def _new_price(row: repricing.Touched) -> str:
    """Say who pays what, and from when on."""
    subscription, currency = row.component.subscription, row.price.currency
    shown = {
        "who": f"{subscription.customer}, {subscription}",
        "day": date_format(row.starts_on, "DATE_FORMAT"),
        "before": formats.money(row.before, currency),
        "after": formats.money(row.after, currency),
    }
    if row.price.rule is not None:
        return _("%(who)s: by this rule from %(day)s") % shown
    return _("%(who)s: %(before)s, from %(day)s %(after)s") % shown
