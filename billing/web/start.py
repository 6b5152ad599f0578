"""The page that leads a seller through its first steps of billing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing.selectors import sellers, setup
from panel.core.web import Page


@dataclass(frozen=True)
class Step:
    """One thing to do, with whether it is done."""

    label: str
    text: str
    url: str
    done: bool


class StartPage(Page):
    """Who bills, at what price, whom: what there has to be before the first invoice."""

    action = "seller.view"
    title = gettext_lazy("Start billing")
    template_name = "billing/start.html"

    def find(self) -> Any:
        return sellers.of(organizations.of_actor(self.actor))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the steps."""
        own = self.object.organization
        named = _("Name, address, currency, taxes: what invoices say, and when they are due.")
        priced = _("A package, a plan, an add-on or work by the hour, at what it costs a month or a year.")
        taken = _("Those right below you become customers, each with an address and a currency of their own.")
        steps = [
            Step(_("Say who you are on invoices"), named, reverse("billing:seller"), setup.standing(self.actor).sells),
            Step(_("Put a price on what you sell"), priced, reverse("billing:product_list"), setup.has_prices(own)),
            Step(_("Take in your customers"), taken, reverse("billing:customer_list"), setup.has_customers(own)),
        ]
        return super().get_context_data(steps=steps, **kwargs)
