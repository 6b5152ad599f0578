"""Pages of operations: list, one with its live part, retry and cancel."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.web import Action, ActionPage, Empty, ListPage, Page
from provisioning import words
from provisioning.models import Operation
from provisioning.selectors import operations as selectors
from provisioning.services import operations
from provisioning.web import progress
from provisioning.web.filters import OperationFilter
from provisioning.web.tables import OperationTable


class OperationListPage(ListPage):
    """What was asked for, newest first."""

    action = "operation.view"
    title = gettext_lazy("Operations")
    table_class = OperationTable
    filter_class = OperationFilter
    export_name = "operations"

    def list_rows(self) -> QuerySet[Operation]:
        return selectors.listed(self.actor.path)

    def empty(self) -> Empty:
        return Empty("activity", _("Nothing was asked for yet"), _("Every change appears here with its steps."))


class OfOperation(Page):
    """A page about one operation."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed(self.actor.path)

    def get_title(self) -> str:
        return words.title(self.object.verb, self.object.subject)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Operations"), reverse("provisioning:operation_list"))]


class OperationPage(OfOperation):
    """One operation: live steps, what failed and what to do."""

    action = "operation.view"
    flags = ("server.view",)
    template_name = "provisioning/operation.html"

    def actions(self) -> list[Action]:
        found, status, pk = [], self.object.status, self.object.pk
        retryable = (Operation.Status.REJECTED, Operation.Status.CANCELLED, Operation.Status.WAITING)
        if status in retryable and self.may("operation.retry"):
            found.append(
                Action(_("Try again"), reverse("provisioning:operation_retry", args=[pk]), "refresh", "primary")
            )
        if operations.is_held(self.object) and self.may("operation.confirm"):
            found.append(Action(_("Confirm"), reverse("provisioning:operation_confirm", args=[pk]), "check", "primary"))
        if self.object.is_open and self.may("operation.cancel") and selectors.unbegun(self.object).exists():
            found.append(Action(_("Stop waiting"), reverse("provisioning:operation_cancel", args=[pk]), "ban"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            operation=self.object,
            progress=progress.of(self.object, self.actor),
            log=progress.log(self.object, self.actor),
            **kwargs,
        )


class OperationLogFile(OfOperation):
    """The log as a text file."""

    action = "operation.view"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it."""
        text = progress.log_text(self.object, progress.log(self.object, self.actor))
        name = f"{self.object.pk}.txt"
        return HttpResponse(
            text,
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class OperationPart(OfOperation):
    """The live part alone, which fetches itself again while the operation is open."""

    action = "operation.view"
    template_name = "components/operation.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send it; the operation's own page is asked to load anew once it is over, for its log and its buttons."""
        response = super().get(request, *args, **kwargs)
        if "own" in request.GET and not self.object.is_open:
            response["HX-Refresh"] = "true"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        how = {name: name in self.request.GET for name in ("own", "link")}
        return {"progress": progress.of(self.object, self.actor), **how}


class RetryPage(OfOperation, ActionPage):
    """Tries what was not done again."""

    action = "operation.retry"
    question = gettext_lazy("Try again now, with everything as it is ordered by now?")
    submit_label = gettext_lazy("Try again")

    def cancel_url(self) -> str:
        return reverse("provisioning:operation", args=[self.object.pk])

    def act(self) -> str:
        operations.retry(actor=self.actor, operation=self.object)
        return self.cancel_url()


class ConfirmPage(OfOperation, ActionPage):
    """Lets a held operation go on, though it removes unusually much."""

    action = "operation.confirm"
    question = gettext_lazy("Let this operation remove what it asks for?")
    submit_label = gettext_lazy("Yes, go on")
    danger = True

    def consequences(self) -> list[str]:
        return [_(self.object.reason)] if self.object.reason else []

    def cancel_url(self) -> str:
        return reverse("provisioning:operation", args=[self.object.pk])

    def act(self) -> str:
        operations.confirm(actor=self.actor, operation=self.object)
        return self.cancel_url()


class CancelPage(OfOperation, ActionPage):
    """Stops waiting for those parts that no server has begun."""

    action = "operation.cancel"
    question = gettext_lazy("Stop waiting for this operation?")
    submit_label = gettext_lazy("Stop waiting")

    def consequences(self) -> list[str]:
        begun = _("What a server has begun already goes on to its end.")
        if self.object.verb in operations.COMPARING:
            return [begun, _("What is only to be compared is not looked at any more.")]
        return [begun, _("What was ordered stays ordered: the next run on the server carries it along.")]

    def cancel_url(self) -> str:
        return reverse("provisioning:operation", args=[self.object.pk])

    def act(self) -> str:
        operations.cancel(actor=self.actor, operation=self.object)
        return self.cancel_url()
