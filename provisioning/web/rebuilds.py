"""Pages of rebuilds, the provider's alone: choose the new server, see the plan, confirm, watch."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.lists import ListsPage
from panel.core.web import FormPage, Page, refuse
from provisioning import words
from provisioning.selectors import rebuilds as selectors
from provisioning.services import rebuilds
from provisioning.web import progress
from provisioning.web.forms import RebuildChoiceForm, RebuildForm
from provisioning.web.servers import OfServer

MOST_LOSSES = 100


class RebuildStartPage(OfServer, FormPage):
    """Puts another server in this one's place: first which one, then the plan and the confirmation."""

    action = "server.rebuild"
    form_class = RebuildForm
    template_name = "provisioning/rebuild_start.html"
    submit_label = gettext_lazy("Replace the server")
    intro = gettext_lazy(
        "All that this server carried is made anew on another one, from the panel's own database: users, sites, zones, "
        "databases, logins and mailboxes. This server is given nothing any more."
    )

    def get_title(self) -> str:
        return _("Replace %(server)s") % {"server": self.object}

    def form_options(self) -> dict[str, Any]:
        return {"old": self.object}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for the new server; once it is named, show the plan."""
        chosen = RebuildChoiceForm(request.GET or None, old=self.object)
        if not chosen.is_valid():
            return self.ask(chosen)
        try:
            return self.show_plan(self._first_form(chosen.cleaned_data), chosen.cleaned_data)
        except DomainError as error:
            refuse(chosen, error)
            return self.ask(chosen, status=error.status)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Start it, or show what was refused beside the plan."""
        form = RebuildForm(request.POST, old=self.object)
        if not form.is_valid():
            return self.ask(RebuildChoiceForm(request.POST, old=self.object), status=400)
        try:
            return self.done(form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            refuse(form, error)
            if error.field != "confirm":
                return self.ask(RebuildChoiceForm(request.POST, old=self.object), error, status=error.status)
            return self.show_plan(form, form.cleaned_data, status=error.status)

    def act(self, data: dict[str, Any]) -> str:
        operation = rebuilds.start(
            actor=self.actor,
            old=self.object,
            new=data["new"],
            confirm=data["confirm"],
            addresses=data["addresses"],
            password=data["password"],
        )
        return reverse("provisioning:rebuild", args=[operation.rebuild.pk])

    def ask(self, chosen: RebuildChoiceForm, error: DomainError | None = None, status: int = 200) -> HttpResponseBase:
        """Show the choice of the new server."""
        if error is not None:
            chosen.full_clean()
            refuse(chosen, error)
        context = self.get_context_data(
            form=chosen,
            intro=self.intro,
            cancel_url=self.cancel_url(),
            has_candidates=selectors.candidates(self.object).exists(),
        )
        return self.render_to_response(context, status=status)

    def show_plan(self, form: RebuildForm, data: dict[str, Any], status: int = 200) -> HttpResponseBase:
        """Show what it would do, and ask for the confirmation."""
        plan = rebuilds.plan(actor=self.actor, old=self.object, new=data["new"], addresses=data["addresses"])
        context = self.get_context_data(
            form=form if plan.is_bare else form.without_password(),
            plan=plan,
            counts=[(words.resource(kind), count) for kind, count in plan.counts.items()],
            losses=plan.losses[:MOST_LOSSES],
            more_losses=max(0, len(plan.losses) - MOST_LOSSES),
            submit_label=self.submit_label,
            back_url=reverse("provisioning:rebuild_start", args=[self.object.pk]),
        )
        return self.render_to_response(context, status=status)

    def _first_form(self, data: dict[str, Any]) -> RebuildForm:
        typed = "\n".join(f"{before} = {after}" for before, after in data["addresses"].items())
        return RebuildForm(old=self.object, initial={"new": data["new"], "addresses": typed})


class OfRebuild(Page):
    """A page about one rebuild."""

    action = "server.view"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def get_title(self) -> str:
        return _("%(new)s takes the place of %(old)s") % {"new": self.object.new, "old": self.object.old}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        new = self.object.new
        servers = (_("Servers"), reverse("provisioning:server_list"))
        return [servers, (str(new), reverse("provisioning:server", args=[new.pk]))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        done, total = selectors.progress(self.object)
        return super().get_context_data(rebuild=self.object, done=done, total=total, **kwargs)


class RebuildPage(OfRebuild, ListsPage):
    """How far a rebuild is, step by step, and what only a backup brings back."""

    template_name = "provisioning/rebuild.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lost = self.object.lost
        return super().get_context_data(
            progress=progress.of(self.object.operation, self.actor),
            setting_up=self._setting_up(),
            losses=lost[:MOST_LOSSES],
            more_losses=max(0, len(lost) - MOST_LOSSES),
            losses_export=self._losses(),
            **kwargs,
        )

    def _losses(self) -> str:
        header = (_("Account"), _("Home directory"), _("Sites"), _("Databases"), _("Mailboxes"), _("Exceptions"))
        lines = (
            (loss.domain, loss.home, loss.sites, loss.databases, loss.mailboxes, loss.pins) for loss in self.object.lost
        )
        return self.sheet("losses", header, lines)

    def _setting_up(self) -> progress.Progress | None:
        found = selectors.setting_up(self.object)
        return progress.of(found, self.actor) if found else None


class RebuildPart(OfRebuild):
    """How many accounts are live again; it fetches itself while the rebuild goes on."""

    template_name = "provisioning/rebuild_part.html"
