"""Pages of previews: the plan while it is worked out, when it is ready, and its confirmation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from panel.core.web import ActionPage, Page
from provisioning.models import HostingAccount, Preview
from provisioning.selectors import packages, servers
from provisioning.selectors import previews as selectors
from provisioning.services import previews
from provisioning.web import plans


class OfPreview(Page):
    """A page about one preview of a new account."""

    action = "preview.create"
    title = gettext_lazy("New account: what will change")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.of_actor(self.actor).filter(verb="account.create")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Accounts"), reverse("provisioning:account_list")),
            (_("New account"), self.back_url()),
        ]

    def back_url(self) -> str:
        """Return the address of the form, filled in as it was."""
        return f"{reverse('provisioning:account_create')}?{urlencode(self.object.arguments)}"


class PreviewPage(OfPreview):
    """The plan of an order, worked out while the page waits."""

    template_name = "provisioning/preview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        preview: Preview = self.object
        result = preview.result
        plan = None
        if preview.status == Preview.Status.READY:
            changes = [change for server in result["servers"] for change in server["changes"]]
            plan = plans.build(changes, {name for server in result["servers"] for name in server["reloads"]})
        return super().get_context_data(
            preview=preview,
            plan=plan,
            reason=result.get("message", ""),
            summary=self.summary(),
            back_url=self.back_url(),
            **kwargs,
        )

    def summary(self) -> list[tuple[str, str]]:
        """Return the order in words, and the server that would take it."""
        arguments = self.object.arguments
        client = organizations.clients().filter(pk=arguments["organization"]).first()
        package = packages.listed().filter(pk=arguments["package"]).first()
        chosen = servers.ready().filter(pk=arguments.get("server", "")).first()
        names = [part["server"] for part in self.object.result.get("servers", [])]
        rows = [
            (_("Domain"), arguments["domain"]),
            (_("Client"), str(client or "")),
            (_("Package"), str(package or "")),
            (_("User name"), arguments.get("username") or _("made from the domain")),
            (_("Server"), ", ".join(names) or str(chosen or "")),
        ]
        return [(label, value) for label, value in rows if value]


class PreviewPart(PreviewPage):
    """The part of the page that waits for the plan."""

    template_name = "provisioning/preview_part.html"


class PreviewConfirmPage(OfPreview, ActionPage):
    """Carries out what the plan showed."""

    question = gettext_lazy("Create the account as planned?")
    submit_label = gettext_lazy("Create the account")

    def cancel_url(self) -> str:
        return reverse("provisioning:preview", args=[self.object.pk])

    def act(self) -> str:
        made, operation = previews.confirm(actor=self.actor, preview=self.object)
        if isinstance(made, HostingAccount):
            return f"{reverse('provisioning:account', args=[made.pk])}?operation={operation.pk}"
        return reverse("provisioning:operation", args=[operation.pk])
