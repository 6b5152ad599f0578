"""Pages of meters and of the use that is reported to them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing.models import Meter, MeterEvent
from billing.selectors import meters as selectors
from billing.services import meters
from billing.web.metering_forms import MeterCreateForm, MeterForm
from billing.web.metering_tables import MeterTable, UseFilter, UseTable
from panel.core.web import Action, Empty, FormPage, ListPage


class MeterListPage(ListPage):
    """What the organization counts."""

    action = "meter.view"
    title = gettext_lazy("Meters")
    table_class = MeterTable
    export_name = "meters"

    def list_rows(self) -> QuerySet[Meter]:
        return selectors.listed(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Products"), reverse("billing:product_list"))]

    def actions(self) -> list[Action]:
        found = [
            Action(_("Reported use"), reverse("billing:use_list"), "list-details"),
            Action(_("Price feeds"), reverse("billing:feed_list"), "chart-line"),
            Action(_("Calculator"), reverse("billing:calculator"), "calculator"),
        ]
        if self.may("meter.create"):
            found.append(Action(_("New meter"), reverse("billing:meter_create"), "plus", "primary"))
        return found

    def empty(self) -> Empty:
        may = self.may("meter.create")
        text = _("A meter counts what products by use are charged by: measured here, or reported by your programs.")
        return Empty("gauge", _("No meters yet"), text, reverse("billing:meter_create") if may else "", _("New meter"))


class MeterCreatePage(FormPage):
    """Makes a meter."""

    action = "meter.create"
    title = gettext_lazy("New meter")
    form_class = MeterCreateForm
    submit_label = gettext_lazy("Create meter")
    intro = gettext_lazy("Disk space counts with the average of a period's days, bandwidth with their sum.")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Meters"), reverse("billing:meter_list"))]

    def act(self, data: dict[str, Any]) -> str:
        meters.create(actor=self.actor, organization=organizations.of_actor(self.actor), **data)
        messages.success(self.request, _("The meter is there. Products by use can be charged by it."))
        return reverse("billing:meter_list")


class MeterChangePage(FormPage):
    """Names a meter anew."""

    action = "meter.change"
    form_class = MeterForm
    submit_label = gettext_lazy("Save")
    intro = gettext_lazy("Lines of invoices to come say the unit. Where the figures come from stays.")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor)

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Meters"), reverse("billing:meter_list"))]

    def initial(self) -> dict[str, Any]:
        return {"name": self.object.name, "unit": self.object.unit}

    def act(self, data: dict[str, Any]) -> str:
        meters.change(actor=self.actor, meter=self.object, **data)
        return reverse("billing:meter_list")


class UseListPage(ListPage):
    """What was reported: of what the organization sells, and of what it buys."""

    action = "meter_event.view"
    title = gettext_lazy("Reported use")
    table_class = UseTable
    filter_class = UseFilter
    export_name = "use"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Meters"), reverse("billing:meter_list"))] if self.may("meter.view") else []

    def list_rows(self) -> QuerySet[MeterEvent]:
        return selectors.events(self.actor)

    def empty(self) -> Empty:
        text = _("Programs report it by API: each event once, with its source and id.")
        return Empty("gauge", _("No use was reported yet"), text)
