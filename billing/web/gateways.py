"""Pages of a seller's account at the payment service: keys, webhook, test."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.forms import Form
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing.gateways.stripe_objects import READERS
from billing.models import Gateway
from billing.selectors import gateways as selectors
from billing.services import gateways
from billing.web.payment_forms import GatewayForm
from panel.core.errors import Invalid
from panel.core.web import Action, ActionPage, FormPage


def crumbs() -> list[tuple[str, str]]:
    """Return the way up to the page of the gateway."""
    return [(_("Payments"), reverse("billing:payment_list")), (_("Cards"), reverse("billing:gateway"))]


class GatewayPage(FormPage):
    """The keys at Stripe, and what has to be set there."""

    action = "gateway.view"
    acts = "gateway.change"
    title = gettext_lazy("Cards by Stripe")
    template_name = "billing/gateway.html"
    form_class: ClassVar[type[Form]] = GatewayForm

    def find(self) -> Gateway | None:
        return selectors.of(organizations.of_actor(self.actor))

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()[:1]

    def actions(self) -> list[Action]:
        if self.object is None or not self.object.key_secret or not self.may("gateway.change"):
            return []
        words, icon = (
            (_("Take no cards"), "player-pause") if self.object.is_active else (_("Take cards"), "player-play")
        )
        return [
            Action(words, reverse("billing:gateway_switch"), icon),
            Action(_("Test the keys"), reverse("billing:gateway_test"), "plug"),
        ]

    def initial(self) -> dict[str, Any]:
        return {"public_key": self.object.public_key} if self.object else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            hook_url=selectors.hook_url(self.object) if self.object else "", kinds=list(READERS), **kwargs
        )

    def act(self, data: dict[str, Any]) -> str:
        gateways.set_keys(actor=self.actor, **data)
        messages.success(self.request, _("Saved. Test the keys, and set up the webhook at Stripe."))
        return reverse("billing:gateway")


class GatewayPart(ActionPage):
    """Something that is done with the gateway, where there is one."""

    action = "gateway.change"

    def find(self) -> Gateway | None:
        return selectors.of(organizations.of_actor(self.actor))

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return crumbs()

    def gateway(self) -> Gateway:
        """Return the gateway; raises Invalid without one."""
        if self.object is None:
            raise Invalid("no_gateway", _("Set the keys of your account first."))
        found: Gateway = self.object
        return found


class GatewayTestPage(GatewayPart):
    """Asks Stripe whose keys these are."""

    title = gettext_lazy("Test the keys")
    question = gettext_lazy("Ask Stripe whose account these keys are of?")
    submit_label = gettext_lazy("Test")

    def act(self) -> str:
        name = gateways.test(actor=self.actor, gateway=self.gateway())
        messages.success(self.request, _("The keys are good: they are of %(name)s.") % {"name": name})
        return reverse("billing:gateway")


class GatewaySwitchPage(GatewayPart):
    """Takes cards, or takes none any more."""

    title = gettext_lazy("Taking cards")

    @property
    def is_on(self) -> bool:
        """Whether cards are taken now."""
        return bool(self.object and self.object.is_active)

    def get_question(self) -> str:
        return _("Take no cards any more?") if self.is_on else _("Take cards again?")

    def consequences(self) -> list[str]:
        return [_("Payments that are under way are booked all the same.")] if self.is_on else []

    def act(self) -> str:
        gateways.switch(actor=self.actor, gateway=self.gateway(), on=not self.is_on)
        return reverse("billing:gateway")
