"""Pages of what an organization sells by."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing.selectors import sellers as selectors
from billing.services import sellers
from billing.web.seller_forms import SECTIONS, BankForm, SellerForm
from panel.core.web import Action, FormPage


class SellerPage(FormPage):
    """Who the organization is on invoices, and by what it bills."""

    action = "seller.change"
    title = gettext_lazy("Billing settings")
    form_class = SellerForm
    template_name = "billing/sections_form.html"

    def find(self) -> Any:
        return selectors.of(organizations.of_actor(self.actor))

    def actions(self) -> list[Action]:
        found = [Action(_("Tax rates"), reverse("billing:tax_rate_list"), "list-details")]
        if self.may("seller.change_bank"):
            found.append(Action(_("Bank account"), reverse("billing:seller_bank"), "building-store"))
        if self.may("hook.view"):
            found.append(Action(_("Webhooks"), reverse("billing:hook_list"), "webhook"))
        return found

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in self.form_class.base_fields}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs["form"]
        sections = [(title, [form[name] for name in names]) for title, names in SECTIONS]
        return super().get_context_data(sections=sections, **kwargs)

    def act(self, data: dict[str, Any]) -> str:
        sellers.change(actor=self.actor, organization=self.object.organization, **data)
        messages.success(self.request, _("Saved. It holds for invoices to come."))
        return reverse("billing:seller")


class SellerBankPage(FormPage):
    """The account that buyers are asked to pay to."""

    action = "seller.change_bank"
    title = gettext_lazy("Bank account")
    form_class = BankForm
    intro = gettext_lazy("It stands on every invoice that is paid by transfer.")

    def find(self) -> Any:
        return selectors.of(organizations.of_actor(self.actor))

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Billing settings"), reverse("billing:seller"))]

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in self.form_class.base_fields}

    def act(self, data: dict[str, Any]) -> str:
        sellers.change_bank(actor=self.actor, organization=self.object.organization, **data)
        messages.success(self.request, _("Saved. It holds for invoices to come."))
        return reverse("billing:seller")
