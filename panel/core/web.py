"""Base classes of the panel's pages: sign-in, permission, refusals as form errors, lists with filter and export.

They know no model: a page says where its rows come from (a selector) and what it does (a service).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import django_filters
import django_tables2
from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from panel.core import audit, exports, policy
from panel.core.actors import Actor
from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.tables import RowPaginator

PAGE_SIZES = (25, 50, 100)
SHOW_FIRST = "show_first"
"""Name of the button that asks what a form or question would change before anything is changed."""


@dataclass(frozen=True)
class Action:
    """A button beside a page's heading; style is primary, danger or nothing."""

    label: str
    url: str
    icon: str = ""
    style: str = ""


@dataclass(frozen=True)
class Empty:
    """What a list says while there is nothing to list, and the way to the first thing; a table's `empty_text`."""

    icon: str
    title: str
    text: str = ""
    action_url: str = ""
    action_label: str = ""


class Page(TemplateResponseMixin, ContextMixin, View):
    """A page for somebody who is signed in here and may do `action` with the page's object.

    With `rows()` overridden the object is the row whose key is in the address; a row that the tenant scope or the
    permission table hides is a 404, one that may be seen but not used so is a 403. A `fresh` page, and every page of
    an action that wants it, asks who signed in longer ago than a few minutes to prove again who they are; `acts` names
    the action of a POST where it is another one. A page with `while_suspended` stays open to people of an organization
    that is suspended.
    """

    action: ClassVar[str] = ""
    fresh: ClassVar[bool] = False
    while_suspended: ClassVar[bool] = False
    acts: ClassVar[str] = ""
    title: str | Promise = ""
    flags: ClassVar[tuple[str, ...]] = ()
    actor: Actor
    object: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let a stranger sign in first; turn the services' refusals into the pages for them."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None:
            return redirect_to_login(request.get_full_path())
        self.actor = actor
        try:
            self.object = self.find()
            policy.require(actor, self.action, self.subject())
            if self.wants_fresh():
                policy.require_fresh(actor)
            return super().dispatch(request, *args, **kwargs)
        except (Http404, NotFound) as error:
            audit.refused(actor, f"{request.method} {request.path}")
            raise Http404 from error
        except Forbidden as error:
            if error.code == policy.SIGN_IN_AGAIN:
                return redirect_to_login(request.get_full_path(), reverse("account_reauthenticate"))
            audit.refused(actor, f"{request.method} {request.path}")
            raise PermissionDenied(error.reason) from error

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the page."""
        return self.render_to_response(self.get_context_data(**kwargs))

    def rows(self) -> QuerySet[Any] | None:
        """Return where the page's object is looked up, or None for a page without one."""
        return None

    def find(self) -> Any:
        """Return the page's object; raises Http404 when the actor has no such row."""
        rows = self.rows()
        if rows is None:
            return None
        found = rows.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def wants_fresh(self) -> bool:
        """Tell whether the person has to have proved a short while ago who they are."""
        action = self.acts if self.acts and self.request.method == "POST" else self.action
        return self.fresh or policy.wants_fresh(action)

    def subject(self) -> object | None:
        """Return what the permission is asked for: the object, unless a page says otherwise."""
        return cast(object | None, self.object)

    def may(self, action: str, obj: object | None = None) -> bool:
        """Tell whether the actor may do `action`, to the page's object by default."""
        return policy.allowed(self.actor, action, self.subject() if obj is None else obj)

    def get_title(self) -> str:
        """Return the page's heading."""
        return str(self.title)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """Return the way up as (label, address), the page itself left out."""
        return []

    def actions(self) -> list[Action]:
        """Return the buttons beside the heading."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add heading, way up, buttons, and `may.<noun>_<verb>` for each of `flags`."""
        return super().get_context_data(
            title=self.get_title(),
            breadcrumbs=self.breadcrumbs(),
            actions=self.actions(),
            may={flag.replace(".", "_"): self.may(flag) for flag in self.flags},
            object=self.object,
            **kwargs,
        )


class ListPage(Page):
    """A list with search and filters, sorting, pages of 25 and export as CSV (`?export=csv`)."""

    template_name = "generic/list.html"
    table_class: ClassVar[type[django_tables2.Table]]
    filter_class: ClassVar[type[django_filters.FilterSet] | None] = None
    per_page = 25
    export_name = "list"

    def list_rows(self) -> QuerySet[Any]:
        """Return what is listed, before filters."""
        raise NotImplementedError

    def empty(self) -> Empty:
        """Return what the list says while it is empty."""
        return Empty("circle-dashed", _("Nothing here yet"))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the list, or send it as a file; with a filter that is not valid, nothing but what is wrong with it."""
        rows = self.list_rows()
        filtered = self.filter_class(request.GET or None, rows, request=request) if self.filter_class else None
        refused = filtered is not None and filtered.is_bound and not filtered.is_valid()
        if filtered is not None:
            rows = rows.none() if refused else filtered.qs
        table = self.table_class(rows)
        if request.GET.get("export") == "csv" and not refused:
            django_tables2.RequestConfig(request, paginate=False).configure(table)
            return exports.of_table(request, table, self.export_name)
        configured(request, table, self.per_page)
        searched = filtered is not None and any(request.GET.get(name) for name in filtered.filters)
        table.empty_text = not_filtered() if refused else no_match() if searched else self.empty()
        context = self.get_context_data(table=table, filter=filtered, export_url=self._export_url(), **kwargs)
        return self.render_to_response(context, status=400 if refused else 200)

    def _export_url(self) -> str:
        query = self.request.GET.copy()
        query["export"] = "csv"
        return f"?{query.urlencode()}"


class OwnOrBelow(Page):
    """A page about one's own organization, or about the one below that the address names."""

    def find(self) -> Any:
        """Return the organization; what is not below is not found."""
        self.kwargs.setdefault("pk", self.actor.organization_id)
        return super().find()

    @property
    def is_own(self) -> bool:
        """Whether it is one's own."""
        return bool(self.object.pk == self.actor.organization_id)


class FormPage(Page):
    """A form whose values go to a service; the service's refusals come back at the fields that they name."""

    template_name = "generic/form.html"
    form_class: ClassVar[type[forms.Form]]
    submit_label: str | Promise = ""
    intro: str | Promise = ""
    shows_first = False

    def plan(self, data: dict[str, Any]) -> str:
        """Ask what `act` would change; return the address of the page that shows it. For pages that `shows_first`."""
        raise NotImplementedError

    def act(self, data: dict[str, Any]) -> str:
        """Call the service with the form's values; return the address of the page to show next."""
        raise NotImplementedError

    def done(self, data: dict[str, Any]) -> HttpResponseBase:
        """Act and answer; a page that shows a result instead of leading on overrides this."""
        return HttpResponseRedirect(self.act(data))

    def initial(self) -> dict[str, Any]:
        """Return the values that the form starts with."""
        return {}

    def form_options(self) -> dict[str, Any]:
        """Return further arguments of the form class."""
        return {}

    def cancel_url(self) -> str:
        """Return where Cancel leads: one step up, unless a page says otherwise."""
        crumbs = self.breadcrumbs()
        return crumbs[-1][1] if crumbs else "/"

    def make_form(self) -> forms.Form:
        """Return the form, with what was sent when something was."""
        sent: tuple[Any, ...] = (self.request.POST, self.request.FILES) if self.request.method == "POST" else ()
        return self.form_class(*sent, **{"initial": self.initial(), **self.form_options()})

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form."""
        return self.show(self.make_form())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do it, or show what was refused with the status of the refusal."""
        form = self.make_form()
        if not form.is_valid():
            return self.show(form, status=400)
        try:
            return self.submit(form)
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            refuse(form, error)
            return self.show(form, status=error.status)

    @property
    def is_plan_wanted(self) -> bool:
        """Whether the person asked to see first what will change on servers."""
        return self.shows_first and SHOW_FIRST in self.request.POST

    def submit(self, form: forms.Form) -> HttpResponseBase:
        """Plan or do what a valid form says. DomainError when it is refused."""
        if self.is_plan_wanted:
            return HttpResponseRedirect(self.plan(form.cleaned_data))
        return self.done(form.cleaned_data)

    def show(self, form: forms.Form, status: int = 200) -> HttpResponseBase:
        """Render the page around the form."""
        context = self.get_context_data(
            form=form,
            submit_label=self.submit_label,
            intro=self.intro,
            cancel_url=self.cancel_url(),
            shows_first=self.shows_first,
        )
        return self.render_to_response(context, status=status)


class ActionPage(Page):
    """Something done by one button: GET asks, POST does it. A refusal is shown where the person came from."""

    template_name = "generic/confirm.html"
    question: str | Promise = ""
    submit_label: str | Promise = ""
    danger = False
    shows_first = False

    def act(self) -> str:
        """Call the service; return the address of the page to show next."""
        raise NotImplementedError

    def plan(self) -> str:
        """Ask what `act` would change; return the address of the page that shows it. For pages that `shows_first`."""
        raise NotImplementedError

    def get_question(self) -> str:
        """Return what the person is asked."""
        return str(self.question)

    def consequences(self) -> Sequence[str]:
        """Return what it will do, line by line."""
        return []

    def cancel_url(self) -> str:
        """Return where Cancel, and a refusal, lead: one step up, unless a page says otherwise."""
        crumbs = self.breadcrumbs()
        return crumbs[-1][1] if crumbs else "/"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the question and its consequences."""
        return super().get_context_data(
            question=self.get_question(),
            consequences=self.consequences(),
            submit_label=self.submit_label,
            danger=self.danger,
            cancel_url=self.cancel_url(),
            shows_first=self.shows_first,
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do it."""
        try:
            if self.shows_first and SHOW_FIRST in request.POST:
                return HttpResponseRedirect(self.plan())
            return HttpResponseRedirect(self.act())
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(self.cancel_url())


def configured(request: HttpRequest, table: django_tables2.Table, per_page: int) -> django_tables2.Table:
    """Sort and page a table by the address; other sizes of pages than those of PAGE_SIZES are not served."""
    wanted = request.GET.get(table.prefixed_per_page_field, "")
    size = int(wanted) if wanted in {str(size) for size in PAGE_SIZES} else per_page
    django_tables2.RequestConfig(request, paginate=False).configure(table)
    number = request.GET.get(table.prefixed_page_field, "1")
    table.paginate(RowPaginator, page=1, per_page=size)
    table.page = table.paginator.get_page(number)
    return table


def no_match() -> Empty:
    """Return what a list says when its search and filters leave nothing."""
    return Empty("search", _("Nothing matches"), _("No entry fits this search and these filters."))


def not_filtered() -> Empty:
    """Return what a list says when its filters are not valid."""
    return Empty("alert-triangle", _("Nothing is shown"), _("Correct the filters above, or take them away."))


def refuse(form: forms.Form, error: DomainError) -> None:
    """Put a refusal into a form: at the fields that it names, or above them all where the form has no such field."""
    by_field = error.errors or {error.field or "": [error.message]}
    for field, texts in by_field.items():
        for text in texts:
            form.add_error(field if field in form.fields else None, text)
