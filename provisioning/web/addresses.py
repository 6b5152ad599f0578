"""Pages of one address of a server: whose it is, its reverse name, giving it to a brand and taking it back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.web import Action, Page
from provisioning.models import Address, Operation
from provisioning.selectors import pointers as pointer_selectors
from provisioning.selectors import servers as selectors
from provisioning.services import pointers
from provisioning.web.forms import AddressGiveForm
from provisioning.web.verb_pages import VerbActionPage, VerbFormPage


class OfAddress(Page):
    """A page about one address."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.addresses()

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        url = reverse("provisioning:server", args=[self.object.server_id])
        return [
            (_("Servers"), reverse("provisioning:server_list")),
            (str(self.object.server), url),
            (str(self.object), self.page_url()),
        ]

    def page_url(self) -> str:
        """Return the address of the page."""
        return reverse("provisioning:address", args=[self.object.pk])

    def after(self, operation: Operation | None) -> str:
        """Return where a change leads: its operation, or back to the page."""
        return reverse("provisioning:operation", args=[operation.pk]) if operation else self.page_url()


class AddressPage(OfAddress):
    """One address: who speaks under it, and the reverse name to ask for. POST looks into the DNS again."""

    action = "address.view"
    flags = ("address.change",)
    template_name = "provisioning/address.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return super().breadcrumbs()[:-1]

    def actions(self) -> list[Action]:
        address, found = self.object, []
        if address.brand_id and self.may("address.take_back"):
            url = reverse("provisioning:address_take_back", args=[address.pk])
            found.append(Action(_("Take it back"), url, "rotate-clockwise"))
        free = address.kind == Address.Kind.DEDICATED and not address.brand_id and not address.hosting_id
        if free and self.may("address.give"):
            url = reverse("provisioning:address_give", args=[address.pk])
            found.append(Action(_("Give it to a brand"), url, "palette", "primary"))
        if self.may("address.remove"):
            found.append(Action(_("Remove"), reverse("provisioning:address_remove", args=[address.pk]), "trash"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pointer = pointer_selectors.of(self.object)
        return super().get_context_data(address=self.object, pointer=pointer, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look into the DNS now, which takes some seconds at most."""
        pointers.check(actor=self.actor, address=self.object)
        return HttpResponseRedirect(self.page_url())


class AddressGivePage(OfAddress, VerbFormPage):
    """Gives a dedicated address to a reseller's brand."""

    action = "address.give"
    verb = "address.give"
    form_class = AddressGiveForm
    submit_label = gettext_lazy("Give the address")
    intro = gettext_lazy(
        "On this address the server speaks under the brand's mail host. Mail of the brand's domains leaves from it, and"
        " their sites and DNS records use it, too."
    )

    def get_title(self) -> str:
        return _("Give %(address)s to a brand") % {"address": self.object}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"address": self.object.pk, "organization": data["organization"].pk}


class AddressTakeBackPage(OfAddress, VerbActionPage):
    """Takes an address back from the brand that has it."""

    action = "address.take_back"
    verb = "address.take_back"
    title = gettext_lazy("Take the address back")
    submit_label = gettext_lazy("Take it back")
    danger = True

    def get_title(self) -> str:
        return str(self.title)

    def get_question(self) -> str:
        if self.object.brand is None:
            return _("No brand has %(address)s.") % {"address": self.object}
        return _("Take %(address)s back from %(brand)s?") % {"address": self.object, "brand": self.object.brand}

    def consequences(self) -> list[str]:
        return [
            _("Mail of the brand's domains leaves from the shared address, under the neutral host name."),
            _("Sites and DNS records of the brand's accounts use the shared address again."),
            _("Its reverse name is to be the neutral host name again; ask whoever rents it out."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"address": self.object.pk}
