"""Pages of tax rates."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.selectors import organizations
from billing import countries
from billing.models import TaxRate
from billing.selectors import sellers
from billing.selectors import tax_rates as selectors
from billing.services import tax_rates
from billing.tax import rates
from billing.web.catalogue_tables import TaxRateFilter, TaxRateTable
from billing.web.product_forms import TaxRateForm
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage


class TaxRateListPage(ListPage):
    """Rates as the organization has set them."""

    action = "tax_rate.view"
    title = gettext_lazy("Tax rates")
    table_class = TaxRateTable
    filter_class = TaxRateFilter
    export_name = "tax-rates"
    per_page = 50

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Billing settings"), reverse("billing:seller"))] if self.may("seller.change") else []

    def list_rows(self) -> QuerySet[TaxRate]:
        return selectors.listed(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = organizations.of_actor(self.actor)
        kwargs["table"].today = sellers.today(sellers.of(own)) if self.may("tax_rate.remove") else kwargs["table"].today
        return super().get_context_data(**kwargs)

    def actions(self) -> list[Action]:
        if not self.may("tax_rate.create"):
            return []
        found = [Action(_("New rate"), reverse("billing:tax_rate_create"), "plus", "primary")]
        if selectors.to_adopt(organizations.of_actor(self.actor)):
            found.insert(0, Action(_("Adopt EU rates"), reverse("billing:tax_rate_adopt"), "download"))
        return found

    def empty(self) -> Empty:
        text = _("Set the rates that you charge, or adopt the standard rates of the European Union.")
        may = self.may("tax_rate.create")
        return Empty(
            "list-details",
            _("No tax rates yet"),
            text,
            reverse("billing:tax_rate_adopt") if may else "",
            _("Adopt EU rates"),
        )


class TaxRateCreatePage(FormPage):
    """Sets a rate from a day on."""

    action = "tax_rate.create"
    title = gettext_lazy("New rate")
    form_class = TaxRateForm
    submit_label = gettext_lazy("Set this rate")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Tax rates"), reverse("billing:tax_rate_list"))]

    def initial(self) -> dict[str, Any]:
        seller = sellers.of(organizations.of_actor(self.actor))
        return {"country": seller.country, "valid_from": sellers.today(seller)}

    def act(self, data: dict[str, Any]) -> str:
        tax_rates.create(actor=self.actor, organization=organizations.of_actor(self.actor), **data)
        return reverse("billing:tax_rate_list")


class TaxRateAdoptPage(ActionPage):
    """Adopts the standard rates of the European Union as they are shipped."""

    action = "tax_rate.create"
    title = gettext_lazy("Adopt EU rates")
    submit_label = gettext_lazy("Adopt these rates")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Tax rates"), reverse("billing:tax_rate_list"))]

    def get_question(self) -> str:
        said = {"day": date_format(rates.AS_OF, "DATE_FORMAT"), "source": tax_rates.SOURCE}
        return _("Adopt these standard rates, as of %(day)s (%(source)s)? Check them: rates change.") % said

    def consequences(self) -> list[str]:
        return [
            f"{countries.name(rate.country)}: {number_format(rate.percent)} %"
            for rate in selectors.to_adopt(organizations.of_actor(self.actor))
        ]

    def act(self) -> str:
        count = len(tax_rates.adopt(actor=self.actor, organization=organizations.of_actor(self.actor)))
        words = ngettext("%(count)s rate was adopted.", "%(count)s rates were adopted.", count)
        messages.success(self.request, words % {"count": count})
        return reverse("billing:tax_rate_list")


class TaxRateRemovePage(ActionPage):
    """Takes back a rate that has not begun."""

    action = "tax_rate.remove"
    title = gettext_lazy("Take back rate")
    submit_label = gettext_lazy("Take it back")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Tax rates"), reverse("billing:tax_rate_list"))]

    def get_question(self) -> str:
        said = {"rate": self.object, "day": date_format(self.object.valid_from, "DATE_FORMAT")}
        return _("Take back %(rate)s from %(day)s on?") % said

    def act(self) -> str:
        tax_rates.remove(actor=self.actor, rate=self.object)
        return self.cancel_url()
