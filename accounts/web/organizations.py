"""Pages of clients and resellers: list, create, at a glance, rename, limits, suspend, close."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import words
from accounts.models import Organization
from accounts.selectors import organizations, plans, users
from accounts.services import limits, onboarding
from accounts.services import organizations as service
from accounts.web import forms, tables
from panel.core.lists import ListsPage
from panel.core.web import Action, Empty, FormPage, ListPage, Page

TITLES = {"client": gettext_lazy("Clients"), "reseller": gettext_lazy("Resellers")}


class ClientListPage(ListPage):
    """Clients."""

    action = "organization.create_client"
    title = TITLES["client"]
    table_class = tables.ClientTable
    filter_class = tables.OrganizationFilter
    export_name = "clients"

    def list_rows(self) -> QuerySet[Organization]:
        return organizations.of_kind("client", self.actor, closed=self.request.GET.get("status") == "closed")

    def actions(self) -> list[Action]:
        return [Action(_("New client"), reverse("accounts:client_create"), "plus", "primary")]

    def empty(self) -> Empty:
        text = _("A client owns hosting accounts and signs in to see them.")
        return Empty("users", _("No clients yet"), text, reverse("accounts:client_create"), _("New client"))


class ResellerListPage(ListPage):
    """Resellers."""

    action = "organization.create_reseller"
    title = TITLES["reseller"]
    table_class = tables.ResellerTable
    filter_class = tables.OrganizationFilter
    export_name = "resellers"

    def list_rows(self) -> QuerySet[Organization]:
        return organizations.of_kind("reseller", self.actor, closed=self.request.GET.get("status") == "closed")

    def actions(self) -> list[Action]:
        return [Action(_("New reseller"), reverse("accounts:reseller_create"), "plus", "primary")]

    def empty(self) -> Empty:
        text = _("A reseller sells hosting to clients under a brand of its own.")
        return Empty(
            "building-store", _("No resellers yet"), text, reverse("accounts:reseller_create"), _("New reseller")
        )


class ClientCreatePage(FormPage):
    """Creates a client, and its owner when there is an address."""

    action = "organization.create_client"
    title = gettext_lazy("New client")
    form_class: ClassVar[type[Form]] = forms.ClientForm
    submit_label = gettext_lazy("Create the client")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Clients"), reverse("accounts:client_list"))]

    def initial(self) -> dict[str, Any]:
        return {"parent": self.actor.organization_id}

    def form_options(self) -> dict[str, Any]:
        return {"parents": organizations.sellers()}

    def act(self, data: dict[str, Any]) -> str:
        made = onboarding.client(actor=self.actor, **data)
        messages.success(self.request, _("The client is there."))
        return reverse("accounts:client", args=[made.pk])


class ResellerCreatePage(ClientCreatePage):
    """Creates a reseller, and its owner when there is an address."""

    action = "organization.create_reseller"
    title = gettext_lazy("New reseller")
    form_class = forms.ResellerForm
    submit_label = gettext_lazy("Create the reseller")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Resellers"), reverse("accounts:reseller_list"))]

    def form_options(self) -> dict[str, Any]:
        own = organizations.of_actor(self.actor)
        return super().form_options() | {
            "may_allow": self.may("organization.allow_resellers"),
            "plans": plans.sold_by(own),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the provider what it means when the installation has no neutral domain."""
        context = super().get_context_data(**kwargs)
        if self.actor.kind == "provider" and not settings.NEUTRAL_PANEL_DOMAIN:
            context["intro"] = _(
                "This installation has no neutral domain: until the reseller has proved a host name of its own, its "
                "customers sign in at yours and read your name there. The page Host name of your brand says what to do."
            )
        return context

    def act(self, data: dict[str, Any]) -> str:
        made = onboarding.reseller(actor=self.actor, **data)
        messages.success(self.request, _("The reseller is there."))
        return reverse("accounts:reseller", args=[made.pk])


class _OfKind(Page):
    """A page about one organization of the kind that its route names."""

    kind: ClassVar[str] = "client"

    def rows(self) -> QuerySet[Any] | None:
        return organizations.of_kind(self.kind, self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        way = [(str(TITLES[self.kind]), reverse(f"accounts:{self.kind}_list"))]
        return way if isinstance(self, OrganizationPage) else [*way, (self.object.name, self.url(""))]

    def url(self, verb: str) -> str:
        """Return the address of another page of the organization."""
        name = f"accounts:{self.kind}_{verb}" if verb else f"accounts:{self.kind}"
        return reverse(name, args=[self.object.pk])


class OrganizationPage(_OfKind, ListsPage):
    """An organization at a glance, with its people."""

    action = "organization.view"
    template_name = "accounts/organization_detail.html"
    flags = ("membership.add", "account.create")

    def get_title(self) -> str:
        return str(self.object.name)

    def actions(self) -> list[Action]:
        if self.object.status == Organization.Status.CLOSED:
            return self._deeds(
                [("organization_reopen", "organization.reopen", _("Open again"), "lock-open", "primary")]
            )
        found = []
        verbs = [("change", "organization.change", _("Rename"), "pencil", "")]
        if self.kind == "reseller":
            verbs.append(("plan", "organization.assign_plan", _("Plan"), "package", ""))
            if not self.object.plan_id:
                verbs.append(("limits", "organization.set_limit", _("Limits"), "gauge", ""))
            verbs.append(("brand", "brand.change", _("Brand"), "palette", ""))
        for verb, action, label, icon, style in verbs:
            if self.may(action):
                found.append(Action(label, self.url(verb), icon, style))
        deeds = [("organization_suspend", "organization.suspend", _("Suspend"), "player-pause", "")]
        if self.object.status == Organization.Status.SUSPENDED:
            deeds = [("organization_unsuspend", "organization.unsuspend", _("Release"), "player-play", "primary")]
        if self.kind == "client":
            deeds.append(("client_move", "organization.move", _("Move"), "arrow-right", ""))
        deeds.append(("organization_close", "organization.close", _("Close"), "trash", "danger"))
        found += self._deeds(deeds)
        found.insert(
            0, Action(_("Use and limits"), reverse("accounts:organization_limits", args=[self.object.pk]), "gauge")
        )
        if self.may("sign_in_policy.change"):
            url = reverse("accounts:sign_in_policy", args=[self.object.pk])
            found.insert(1, Action(_("Sign-in policy"), url, "shield-lock"))
        return found

    def _deeds(self, deeds: list[tuple[str, str, str, str, str]]) -> list[Action]:
        return [
            Action(label, reverse(f"provisioning:{route}", args=[self.object.pk]), icon, style)
            for route, action, label, icon, style in deeds
            if self.may(action)
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organization: Organization = self.object
        facts = [(_("State"), organization.get_status_display()), (_("Since"), organization.created_at)]
        if organization.suspended_reason:
            facts.insert(1, (_("Reason"), organization.suspended_reason))
        if organization.parent_id != self.actor.organization_id and organization.parent:
            facts.append((_("Belongs to"), organization.parent.name))
        people, nobody = users.members(organization.path), Empty("users", _("Nobody yet"))
        plan = plans.of_reseller(organization)
        if plan is not None:
            facts.append((_("Plan"), plan.name))
        for counter in organizations.limits(organization):
            used, limit = (words.amount(counter.resource, value) for value in (counter.used, counter.limit))
            facts.append(
                (words.resource(counter.resource), _("%(used)s of %(limit)s") % {"used": used, "limit": limit})
            )
        return super().get_context_data(
            facts=facts, organization=organization, table=self.table(tables.MemberTable, people, nobody), **kwargs
        )


class ChangePage(_OfKind, FormPage):
    """Renames an organization."""

    action = "organization.change"
    title = gettext_lazy("Rename")
    form_class = forms.NameForm

    def initial(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def act(self, data: dict[str, Any]) -> str:
        service.change(actor=self.actor, organization=self.object, **data)
        return self.url("")


class LimitsPage(_OfKind, FormPage):
    """Sets the limits of a reseller."""

    action = "organization.set_limit"
    title = gettext_lazy("Limits")
    form_class = forms.LimitsForm
    intro = gettext_lazy(
        "They count everything that the reseller and its customers have. Empty is unlimited, 0 is none."
    )

    def initial(self) -> dict[str, Any]:
        return {counter.resource: counter.limit for counter in organizations.limits(self.object)}

    def act(self, data: dict[str, Any]) -> str:
        limits.change_limits(actor=self.actor, organization=self.object, limits=data)
        return self.url("")
