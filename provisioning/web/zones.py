"""Pages of an account's DNS zones and records."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.web import Empty
from provisioning.models import HostingAccount
from provisioning.selectors import hosting_accounts
from provisioning.selectors import zones as selectors
from provisioning.web.account_pages import AccountPage, VerbActionPage, VerbFormPage
from provisioning.web.forms import RecordForm
from provisioning.web.tables import RecordTable

TAB = "account_zones"


class ZonesPage(AccountPage):
    """The zones of an account with all that they serve."""

    action = "zone.view"
    flags = ("record.create", "record.change", "record.remove")
    template_name = "provisioning/account_zones.html"
    tab = TAB

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tables = [
            (
                zone,
                self.table(RecordTable, selectors.records(zone), Empty("route", _("No records")), prefix=f"{number}-"),
            )
            for number, zone in enumerate(hosting_accounts.zones(self.hosting))
        ]
        return super().get_context_data(tables=tables, **kwargs)


class RecordAddPage(VerbFormPage):
    """Adds a record to a zone."""

    action = "record.create"
    verb = "record.create"
    form_class = RecordForm
    submit_label = gettext_lazy("Add record")
    tab = TAB

    def get_title(self) -> str:
        return _("Add record to %(name)s") % {"name": self.object}

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.zones()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"zone": self.object.pk, **data}


class RecordChangePage(VerbFormPage):
    """Changes a record."""

    action = "record.change"
    verb = "record.change"
    form_class = RecordForm
    submit_label = gettext_lazy("Save")
    tab = TAB

    @property
    def hosting(self) -> HostingAccount:
        found: HostingAccount = self.object.zone.hosting
        return found

    def get_title(self) -> str:
        return _("Change %(type)s record %(name)s") % {"type": self.object.type, "name": self.object.name}

    def rows(self) -> QuerySet[Any] | None:
        return selectors.own_records()

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ("type", "name", "content", "ttl")}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"record": self.object.pk, **data}


class RecordRemovePage(VerbActionPage):
    """Removes a record."""

    action = "record.remove"
    verb = "record.remove"
    title = gettext_lazy("Remove record")
    submit_label = gettext_lazy("Remove the record")
    tab = TAB

    @property
    def hosting(self) -> HostingAccount:
        found: HostingAccount = self.object.zone.hosting
        return found

    def rows(self) -> QuerySet[Any] | None:
        return selectors.own_records()

    def get_question(self) -> str:
        values = {"type": self.object.type, "name": self.object.name, "content": self.object.content}
        return _("Remove the %(type)s record %(name)s with %(content)s?") % values

    def consequences(self) -> list[str]:
        return [_("Default records of this name and type come back.")]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"record": self.object.pk}
