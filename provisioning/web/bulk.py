"""Pages of a change to many accounts: choose, see the plan, watch the operations."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core import policy
from panel.core.errors import Invalid
from panel.core.web import Empty, FormPage, Page, configured
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import hosting_accounts, operations, packages
from provisioning.services import bulk, previews
from provisioning.web.filters import AccountFilter
from provisioning.web.forms import BulkReasonForm, NothingForm
from provisioning.web.package_forms import BulkPackageForm
from provisioning.web.tables import OperationTable

CHOSEN = "account"
"""The field that names a chosen account."""

LISTED = 20
"""So many names of chosen accounts are written out."""


class Kind(NamedTuple):
    """A change that can be made to many accounts: whose permission, its form and words."""

    action: str
    form: type[forms.Form]
    title: Promise
    intro: Promise
    label: Promise
    icon: str


KINDS: dict[str, Kind] = {
    "suspend": Kind(
        "account.suspend",
        BulkReasonForm,
        gettext_lazy("Suspend accounts"),
        gettext_lazy("Their sites answer that they are suspended, and nobody signs in to mailboxes or databases."),
        gettext_lazy("Suspend"),
        "player-pause",
    ),
    "unsuspend": Kind(
        "account.unsuspend",
        NothingForm,
        gettext_lazy("Release accounts"),
        gettext_lazy("Their sites, mailboxes and databases work again."),
        gettext_lazy("Release"),
        "player-play",
    ),
    "change_package": Kind(
        "account.change",
        BulkPackageForm,
        gettext_lazy("Change the package of accounts"),
        gettext_lazy("The new limits hold at once. What an account has beyond them stays, and it gets no more."),
        gettext_lazy("Change package"),
        "package",
    ),
}


class BulkPage(FormPage):
    """Says which of the chosen accounts a change is for, asks for what it needs, and leads to its plan."""

    action = "account.suspend"
    template_name = "provisioning/bulk.html"
    submit_label = gettext_lazy("Show what will change")

    @property
    def verb(self) -> str:
        """The change that was chosen."""
        return self.request.GET.get("verb", "suspend")

    @property
    def kind(self) -> Kind:
        """What is known of it."""
        return KINDS[self.verb]

    def find(self) -> list[HostingAccount]:
        """Return the chosen accounts that the actor can see: those that are named or, with `matching`, all that a list
        with these filters holds, none where a filter is not valid, and no more than show that they are too many. The
        form then names them, so that what it is sent with is what it showed.
        """
        if self.verb not in KINDS:
            raise Http404
        rows = hosting_accounts.listed()
        if self.is_matching:
            found = AccountFilter(self.request.GET, rows, request=self.request)
            rows = found.qs if found.is_valid() else rows.none()
            return list(rows.order_by("domain")[: bulk.MOST + 1])
        given = self.request.POST.getlist(CHOSEN) or self.request.GET.getlist(CHOSEN)
        return list(rows.filter(pk__in=given).order_by("domain"))

    @property
    def is_matching(self) -> bool:
        """Whether a filter is to be asked: when the form is shown, and never when it is sent."""
        return self.request.method != "POST" and "matching" in self.request.GET

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the form, or the list again where too many match."""
        if len(self.object) > bulk.MOST:
            messages.error(request, too_many())
            query = urlencode(
                {name: value for name, value in request.GET.items() if name in AccountFilter.base_filters}
            )
            return HttpResponseRedirect(f"{reverse('provisioning:account_list')}?{query}")
        return super().get(request, *args, **kwargs)

    def wants_fresh(self) -> bool:
        return policy.wants_fresh(self.kind.action)

    def subject(self) -> None:
        return None

    def get_title(self) -> str:
        return str(self.kind.title)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Accounts"), reverse("provisioning:account_list"))]

    def fitting(self) -> list[HostingAccount]:
        """Return those of the chosen accounts that the change is for."""
        states = bulk.STATES[self.verb]
        return [row for row in self.object if row.status in states and self.may(self.kind.action, row)]

    def make_form(self) -> forms.Form:
        sent = (self.request.POST,) if self.request.method == "POST" else ()
        if self.kind.form is BulkPackageForm:
            return BulkPackageForm(*sent, packages=packages.listed())
        return self.kind.form(*sent)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        fitting = self.fitting()
        left = [row for row in self.object if row not in fitting]
        context = super().get_context_data(**kwargs)
        return context | {
            "intro": self.kind.intro,
            "chosen": fitting[:LISTED],
            "more": max(0, len(fitting) - LISTED),
            "count": len(fitting),
            "left_out": left[:LISTED],
            "more_left_out": max(0, len(left) - LISTED),
            "named": [row.pk for row in self.object],
        }

    def act(self, data: dict[str, Any]) -> str:
        rows = self.fitting()
        if not rows:
            raise Invalid("required", _("None of the chosen accounts can be changed so. Choose others."))
        bulk.check_count(len(rows), "")
        arguments: dict[str, Any] = {"hostings": [row.pk for row in rows]}
        if "package" in data:
            arguments["package"] = data["package"].pk
        if data.get("reason"):
            arguments["reason"] = data["reason"]
        preview = previews.request(
            actor=self.actor,
            verb=f"accounts.{self.verb}",
            arguments=arguments,
            origin=reverse("provisioning:account_list"),
        )
        return reverse("provisioning:preview", args=[preview.pk])


def too_many() -> str:
    """Return what is said where more accounts match than can be changed at once."""
    return _("More than %(count)s accounts match. Narrow the search: at most so many are changed at once.") % {
        "count": bulk.MOST
    }


class BatchPage(Page):
    """The operations that were asked for at once, live until all are over."""

    action = "operation.view"
    template_name = "provisioning/batch.html"

    def rows(self) -> QuerySet[Operation]:
        return operations.listed(self.actor.path).filter(batch=self.kwargs["pk"])

    def find(self) -> Operation:
        """Return one of the operations, which stands for all; raises Http404 when none can be seen."""
        found = self.rows().first()
        if found is None:
            raise Http404
        return found

    def get_title(self) -> str:
        return _("Several accounts at once")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Operations"), reverse("provisioning:operation_list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        states = list(self.rows().values_list("status", flat=True))
        over = sum(status not in Operation.OPEN for status in states)
        empty = Empty("history", _("Nothing was asked for yet"))
        table = configured(self.request, OperationTable(self.rows(), empty_text=empty), 100)
        table.export_url = f"{reverse('provisioning:operation_list')}?batch={self.kwargs['pk']}&export=csv"
        return super().get_context_data(
            batch=self.kwargs["pk"],
            table=table,
            over=over,
            count=len(states),
            done=sum(status == Operation.Status.APPLIED for status in states),
            live=over < len(states),
            **kwargs,
        )


class BatchPart(BatchPage):
    """The live part alone."""

    template_name = "provisioning/batch_part.html"
