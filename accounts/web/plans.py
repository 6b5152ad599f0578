"""Pages of reseller plans: on sale, given to a reseller, and what the limits of an organization are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import words
from accounts.models import Organization, ResellerPlan
from accounts.selectors import limits, organizations
from accounts.selectors import plans as selectors
from accounts.services import plans
from accounts.web import tables
from accounts.web.plan_forms import SECTIONS, PlanChoiceForm, PlanForm
from panel.core import policy
from panel.core.impact import Impact, ImpactFormPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page


class PlanListPage(ListPage):
    """Plans on sale."""

    action = "plan.view"
    title = gettext_lazy("Reseller plans")
    table_class = tables.PlanTable
    export_name = "reseller-plans"

    def list_rows(self) -> QuerySet[ResellerPlan]:
        return selectors.listed()

    def actions(self) -> list[Action]:
        if not self.may("plan.create"):
            return []
        return [Action(_("New plan"), reverse("accounts:plan_create"), "plus", "primary")]

    def empty(self) -> Empty:
        may = self.may("plan.create")
        text = _("A plan says how much a reseller can sell: accounts, disk space, bandwidth.")
        return Empty("package", _("No plans yet"), text, reverse("accounts:plan_create") if may else "", _("New plan"))


class PlanCreatePage(FormPage):
    """Puts a plan on sale."""

    action = "plan.create"
    title = gettext_lazy("New plan")
    form_class = PlanForm
    template_name = "accounts/plan_form.html"
    submit_label = gettext_lazy("Create plan")
    intro = gettext_lazy("A field left empty is unlimited, 0 is none. 1 GB is 1,000,000,000 bytes.")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Reseller plans"), reverse("accounts:plan_list"))]

    def seller(self) -> Organization:
        """Return who sells the plan."""
        return self.object.organization if self.object else organizations.of_actor(self.actor)

    def form_options(self) -> dict[str, Any]:
        return {"features": selectors.features(self.seller())}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs["form"]
        sections = [(title, [form[name] for name in names]) for title, names in SECTIONS]
        return super().get_context_data(sections=sections, **kwargs)

    def act(self, data: dict[str, Any]) -> str:
        plans.create(actor=self.actor, organization=self.seller(), **data)
        return reverse("accounts:plan_list")


class PlanChangePage(ImpactFormPage, PlanCreatePage):
    """Changes a plan; its resellers follow, and who would be over is shown first."""

    action = "plan.change"
    submit_label = gettext_lazy("Save")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def get_title(self) -> str:
        return str(self.object)

    def actions(self) -> list[Action]:
        found = []
        if policy.allowed(self.actor, "server.view"):
            found.append(Action(_("Servers"), reverse("provisioning:plan_servers", args=[self.object.pk]), "server"))
        if self.may("plan.remove"):
            url = reverse("accounts:plan_remove", args=[self.object.pk])
            found.append(Action(_("Remove"), url, "trash", "danger"))
        return found

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in PlanForm.base_fields}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        resellers = selectors.resellers_on(self.object)
        return _impact(resellers, ResellerPlan(**data)) if resellers else None

    def act(self, data: dict[str, Any]) -> str:
        plans.change(actor=self.actor, plan=self.object, **data)
        return reverse("accounts:plan_list")


class PlanRemovePage(ActionPage):
    """Takes a plan off the shelf."""

    action = "plan.remove"
    title = gettext_lazy("Remove plan")
    submit_label = gettext_lazy("Remove the plan")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Reseller plans"), reverse("accounts:plan_list"))]

    def get_question(self) -> str:
        return _("Take %(name)s off the shelf?") % {"name": self.object}

    def consequences(self) -> list[str]:
        return [_("Resellers who have it keep it; nobody else can be given it.")]

    def act(self) -> str:
        plans.archive(actor=self.actor, plan=self.object)
        return reverse("accounts:plan_list")


class ResellerPlanPage(ImpactFormPage):
    """Gives a reseller a plan."""

    action = "organization.assign_plan"
    title = gettext_lazy("Plan")
    form_class = PlanChoiceForm
    template_name = "generic/impact_form.html"
    submit_label = gettext_lazy("Give this plan")

    def rows(self) -> QuerySet[Any] | None:
        return organizations.resellers(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Resellers"), reverse("accounts:reseller_list")),
            (self.object.name, reverse("accounts:reseller", args=[self.object.pk])),
        ]

    def initial(self) -> dict[str, Any]:
        return {"plan": self.object.plan_id}

    def form_options(self) -> dict[str, Any]:
        return {"plans": selectors.for_reseller(self.object)}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        return _impact([self.object], data["plan"]) if data["plan"] else None

    def act(self, data: dict[str, Any]) -> str:
        plans.assign(actor=self.actor, organization=self.object, plan=data["plan"])
        messages.success(self.request, _("The reseller has this plan now."))
        return reverse("accounts:reseller", args=[self.object.pk])


class OrganizationLimitsPage(Page):
    """Every limit of an organization with its use, and why one more would be refused."""

    action = "organization.view"
    template_name = "accounts/limits.html"

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def get_title(self) -> str:
        return _("Limits of %(name)s") % {"name": self.object.name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = selectors.of_reseller(self.object)
        return super().get_context_data(
            lines=limits.of_organization(self.object),
            plan=plan,
            plan_features=[words.feature(name) for name in plan.features] if plan else [],
            **kwargs,
        )


class OwnLimitsPage(OrganizationLimitsPage):
    """The limits of the organization that one works for."""

    title = gettext_lazy("Limits")

    def rows(self) -> QuerySet[Any] | None:
        return None

    def find(self) -> Any:
        return organizations.of_actor(self.actor)

    def get_title(self) -> str:
        return str(self.title)


def _impact(resellers: list[Organization], plan: ResellerPlan) -> Impact:
    overs = selectors.overs(resellers, plan.counted)
    count = len(resellers)
    title = ngettext("It touches %(count)s reseller.", "It touches %(count)s resellers.", count) % {"count": count}
    if overs:
        title = f"{title} {_('Who would be over keeps what is there and gets no more:')}"
    lines = [
        _("%(name)s: %(resource)s, %(used)s used of %(limit)s")
        % {
            "name": row.organization.name,
            "resource": words.within(row.resource),
            "used": words.amount(row.resource, row.used),
            "limit": words.amount(row.resource, row.limit),
        }
        for row in overs
    ]
    return Impact(title, lines)
