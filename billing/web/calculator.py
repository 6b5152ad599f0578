"""What would it cost? A page that applies a rule to a use, and says each step."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from billing import formats
from billing.pricing import rating
from billing.selectors import prices
from billing.services import rates
from billing.web.metering_forms import CalculatorForm
from panel.core.web import FormPage, Page

SHOWN_STEPS = 60


@dataclass(frozen=True)
class CurvePoint:
    """What a quantity costs, as the chart draws it."""

    quantity: Decimal
    amount: Decimal


class CalculatorPage(FormPage):
    """Works out what a use would cost. Nothing is kept."""

    action = "rate.create"
    title = gettext_lazy("What would it cost?")
    form_class = CalculatorForm
    template_name = "billing/calculator.html"
    submit_label = gettext_lazy("Work it out")

    def form_options(self) -> dict[str, Any]:
        return {"prices": prices.listed(self.actor).filter(rule__isnull=False)}

    def initial(self) -> dict[str, Any]:
        return {"price": self.request.GET.get("price"), "measure": "sum", "tiers": "1000 0.10\n0.08", "quantity": 2500}

    def cancel_url(self) -> str:
        return ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("found", None)
        return super().get_context_data(**kwargs)

    def done(self, data: dict[str, Any]) -> HttpResponseBase:
        """Show the same page with what was found."""
        own = organizations.of_actor(self.actor)
        price, quantity = data["price"], data["quantity"]
        rule = {"currency": price.currency, **price.rule} if price else data["rule"]
        points: list[CurvePoint] = []
        if data["usage"] is not None:
            found = rates.rate(actor=self.actor, organization=own, rule=rule, document=data["usage"])
        else:
            found = rates.rate_quantity(actor=self.actor, organization=own, rule=rule, quantity=quantity)
            curve = rates.curve(actor=self.actor, organization=own, rule=rule, quantity=quantity) if quantity else []
            points = [CurvePoint(step, amount) for step, amount in curve]
        context = self.get_context_data(
            form=self.make_form(),
            submit_label=self.submit_label,
            found=found,
            amount=formats.money(found.line, found.currency),
            exact=rating.text(found.exact),
            steps=[_told(step, found.currency) for step in found.explanation[:SHOWN_STEPS]],
            left_out=max(0, len(found.explanation) - SHOWN_STEPS),
            points=points,
        )
        return Page.render_to_response(self, context)


def _told(step: rating.Step, currency: str) -> tuple[str, str]:
    """Return a step in words, and its amount where it has one."""
    words = {
        "zero_if": _("%(events)s events are included in another product"),
        "pool": _("%(window)s: %(quantity)s counted"),
        "allowance": _("%(free)s free, %(left)s left to pay"),
        "tier": _("%(quantity)s at %(price)s"),
        "segment": _("From %(at)s: %(quantity)s at %(price)s"),
        "sum": _("Together"),
    }
    shown = {**step, "window": _("The period") if step.get("window") == "period" else step.get("window")}
    for name in ("quantity", "free", "left", "price"):
        if name in step:
            shown[name] = _number(step[name])
    text = words[step["step"]] % shown
    if step.get("dimensions"):
        text += f" ({', '.join(step['dimensions'].values())})"
    if step.get("capped"):
        text += f" ({_('capped')})"
    amount = f"{_number(step['amount'])}\N{NO-BREAK SPACE}{currency}" if "amount" in step else ""
    return text, amount


def _number(text: str) -> str:
    """Return an exact number as people read it; one without an end as a fraction."""
    return text if "/" in text else formats.exact(Decimal(text))
