"""Pages of impersonation: begin it with a reason, end it, read who acted for whom."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Impersonation
from accounts.selectors import impersonations as selectors
from accounts.selectors import users
from accounts.services import impersonations as service
from accounts.web import forms, tables
from accounts.web.places import home_of
from panel.core.web import Empty, FormPage, ListPage, Page

SESSION_KEY = "impersonation"


class ImpersonatePage(FormPage):
    """Begins to act as a person, for somebody who signed in just now."""

    action = "impersonation.start"
    form_class = forms.ImpersonationForm
    submit_label = gettext_lazy("Act as this person")
    intro = gettext_lazy(
        "You will see the panel as this person does, for an hour at most. Whatever you do is noted with both names, "
        "and the owner of the organization can read that somebody was there, and why. Passwords, tokens and team stay "
        "closed."
    )

    def rows(self) -> QuerySet[Any] | None:
        return users.memberships()

    def get_title(self) -> str:
        return _("Act as %(name)s") % {"name": self.object.user.name}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object.organization, self.actor.organization_id)]

    def act(self, data: dict[str, Any]) -> str:
        begun = service.start(actor=self.actor, membership=self.object, **data)
        self.request.session[SESSION_KEY] = begun.pk
        self.request.session.cycle_key()
        return "/"


class ImpersonationEndPage(Page):
    """Goes back to being oneself."""

    action = "profile.view"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """End what the session says; without an impersonation nothing happens."""
        found: Impersonation | None = getattr(request, "impersonation", None)
        if found is None:
            return HttpResponseRedirect("/")
        service.end(impersonation=found)
        request.session.pop(SESSION_KEY, None)
        request.session.cycle_key()
        messages.success(request, _("You are yourself again."))
        kind = "client" if found.organization.kind == "client" else "reseller"
        return HttpResponseRedirect(reverse(f"accounts:{kind}", args=[found.organization_id]))


class ImpersonationListPage(ListPage):
    """Who acted as one's people, when and why."""

    action = "impersonation.view"
    title = gettext_lazy("Impersonations")
    table_class = tables.ImpersonationTable
    export_name = "impersonations"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Team"), reverse("accounts:member_list"))]

    def list_rows(self) -> QuerySet[Impersonation]:
        return selectors.listed(self.actor)

    def empty(self) -> Empty:
        text = _("When somebody who looks after you acts as one of your people, it is listed here with the reason.")
        return Empty("users", _("Nobody has acted as one of your people"), text)
