"""Pages that belong to no single app: home for each of the three faces, search, activity, the brand's style sheet."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import actors
from accounts.selectors import audit, organizations
from panel.core import colors
from panel.core.models import AuditEntry
from panel.core.web import Action, Empty, ListPage, Page
from panel.dashboard import money, plan_use, search, selectors
from panel.dashboard.tables import ActivityFilter, ActivityTable


class HomePage(Page):
    """Where people arrive: what needs their eye, what is running, what comes next. One account leads straight to it."""

    action = "account.view"
    title = gettext_lazy("Home")
    flags = ("account.create", "package.create", "server.view", "organization.create_client")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the overview; a client with one account gets that account."""
        only = selectors.only_account() if self.actor.kind == "client" else None
        if only is not None:
            return HttpResponseRedirect(reverse("provisioning:account", args=[only.pk]))
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        """Each of the three has a home of its own."""
        return [f"dashboard/home_{self.actor.kind}.html"]

    def actions(self) -> list[Action]:
        """The next account is what most people come for."""
        if not self.may("account.create"):
            return []
        return [Action(_("New account"), reverse("provisioning:account_create"), "plus", "primary")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what needs an eye and the newest operations, and what the kind of home is about."""
        face = {"provider": self._of_provider, "reseller": self._of_reseller, "client": self._of_client}
        return super().get_context_data(
            attention=selectors.attention(self.actor),
            newest=selectors.newest_operations(self.actor),
            **face[self.actor.kind](),
            **kwargs,
        )

    def _of_provider(self) -> dict[str, Any]:
        return {
            "figures": selectors.figures(self.actor),
            "sums": money.of_provider(self.actor, organizations.of_actor(self.actor)),
            "notices": plan_use.notices(self.actor),
            "unreachable": selectors.unreachable_servers(),
            "drifted": selectors.drifted_servers(),
            "servers": selectors.servers(),
            "resellers": selectors.resellers(self.actor),
            "steps": selectors.first_steps(self.actor),
        }

    def _of_reseller(self) -> dict[str, Any]:
        own = organizations.of_actor(self.actor)
        resources = plan_use.resources(own)
        return {
            "figures": selectors.figures(self.actor),
            "earnings": money.of_reseller(self.actor, own),
            "to_pay": money.to_pay(self.actor),
            "notices": plan_use.notices(self.actor),
            "plan": plan_use.lines(own, resources),
            "resources": resources,
            "drifted": selectors.drifted_accounts(),
            "steps": selectors.first_steps(self.actor),
            "panel_url": selectors.panel_url(own),
        }

    def _of_client(self) -> dict[str, Any]:
        return {"accounts": selectors.accounts_of_client(), "to_pay": money.to_pay(self.actor)}


class SearchPage(Page):
    """Finds what the person can see by a part of its name."""

    action = "account.view"
    title = gettext_lazy("Search")
    template_name = "dashboard/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what was found; two characters are the least to look for."""
        text = self.request.GET.get("q", "").strip()[:100]
        found = search.search(self.actor, text) if len(text) >= 2 else []
        return super().get_context_data(text=text, found=found, too_short=0 < len(text) < 2, **kwargs)


class ActivityPage(ListPage):
    """Who did what, newest first."""

    action = "audit.view"
    title = gettext_lazy("Activity")
    table_class = ActivityTable
    filter_class = ActivityFilter
    export_name = "activity"

    def list_rows(self) -> QuerySet[AuditEntry]:
        return audit.entries(self.actor)

    def empty(self) -> Empty:
        return Empty("history", _("Nothing was done yet"))


class SwitchPage(Page):
    """Lets the session work for another organization of its user."""

    action = "profile.view"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Choose, then start at home: the page one came from may not exist for the other organization."""
        actors.choose(request, request.POST.get("organization", ""))
        target = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
        return HttpResponseRedirect(target if safe else reverse("dashboard:home"))


@require_safe
@cache_control(public=True, max_age=86400)
def brand_css(request: HttpRequest) -> HttpResponse:
    """Serve the colours of the brand of this host; its address changes with the colours, so it may be cached."""
    brand = getattr(request, "brand", None)
    sheet = colors.stylesheet(brand.primary_color, brand.accent_color) if brand else colors.stylesheet("")
    return HttpResponse(sheet, content_type="text/css; charset=utf-8")
