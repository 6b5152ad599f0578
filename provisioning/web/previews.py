"""Pages of previews: the plan while it is worked out, when it is ready, and its confirmation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from panel.core.impact import Impact
from panel.core.web import ActionPage, Page
from provisioning import words
from provisioning.models import HostingAccount, Preview
from provisioning.selectors import hosting_accounts, packages, servers
from provisioning.selectors import previews as selectors
from provisioning.services import previews
from provisioning.web import limits, plans

ORDER = "account.create"


class OfPreview(Page):
    """A page about one preview."""

    action = "preview.create"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.of_actor(self.actor)

    def get_title(self) -> str:
        if self.object.verb == ORDER:
            return _("New account: what will change")
        subject = self.object.result.get("subject")
        return words.title(self.object.verb, subject) if subject else _("What will change")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if self.object.verb == ORDER:
            return [(_("Accounts"), reverse("provisioning:account_list")), (_("New account"), self.back_url())]
        return [(_("Back"), self.back_url())]

    def back_url(self) -> str:
        """Return the address of the form; that of a new account comes filled in as it was."""
        if self.object.verb == ORDER:
            return f"{reverse('provisioning:account_create')}?{urlencode(self.object.arguments)}"
        return self.object.origin or reverse("provisioning:operation_list")


class PreviewPage(OfPreview):
    """The plan of an order, worked out while the page waits."""

    template_name = "provisioning/preview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        preview: Preview = self.object
        result = preview.result
        planned = preview.status in (Preview.Status.READY, Preview.Status.OUTDATED)
        return super().get_context_data(
            preview=preview,
            plan=plans.build(selectors.plans(preview, self.actor)) if planned else None,
            reason=_(result["message"]) if result.get("message") else "",
            summary=self.summary(),
            back_url=self.back_url(),
            is_order=preview.verb == ORDER,
            passwords=sorted(previews.hidden_arguments(preview)),
            chosen=self.chosen,
            impact=self.impact(),
            **kwargs,
        )

    @cached_property
    def chosen(self) -> list[HostingAccount]:
        """The accounts that the same is done to at once; none for other changes."""
        ids = self.object.arguments.get("hostings", [])
        return list(hosting_accounts.listed().filter(pk__in=ids).order_by("domain")) if ids else []

    def impact(self) -> Impact | None:
        """Return which of several accounts their new package would be too small for, or None for other changes."""
        package = packages.listed().filter(pk=self.object.arguments.get("package", "")).first()
        if not self.chosen or package is None:
            return None
        return limits.impact(packages.impact(self.chosen, package.limits, package.php_versions))

    def summary(self) -> list[tuple[str, str]]:
        """Return the order in words, and the server that would take it."""
        names = ", ".join(part["server"] for part in selectors.plans(self.object, self.actor))
        if "hostings" in self.object.arguments:
            return self._of_many(names)
        if self.object.verb != ORDER:
            rows = [(_("Change"), self.get_title()), (_("Server"), names)]
            return [(label, value) for label, value in rows if value]
        arguments = self.object.arguments
        client = organizations.clients().filter(pk=arguments["organization"]).first()
        package = packages.listed().filter(pk=arguments["package"]).first()
        chosen = servers.ready().filter(pk=arguments.get("server", "")).first()
        rows = [
            (_("Domain"), arguments["domain"]),
            (_("Client"), str(client or "")),
            (_("Package"), str(package or "")),
            (_("User name"), arguments.get("username") or _("made from the domain")),
            (_("Server"), names or str(chosen or "")),
        ]
        return [(label, value) for label, value in rows if value]

    def _of_many(self, servers_: str) -> list[tuple[str, str]]:
        """Return a change of many accounts in words."""
        arguments = self.object.arguments
        package = packages.listed().filter(pk=arguments.get("package", "")).first()
        rows = [
            (_("Change"), self.get_title()),
            (_("Accounts"), str(len(self.chosen))),
            (_("Package"), str(package or "")),
            (_("Reason"), arguments.get("reason", "")),
            (_("Server"), servers_),
        ]
        return [(label, value) for label, value in rows if value]


class PreviewPart(PreviewPage):
    """The part of the page that waits for the plan."""

    template_name = "provisioning/preview_part.html"


class PreviewConfirmPage(OfPreview, ActionPage):
    """Carries out what the plan showed."""

    question = gettext_lazy("Make the change as planned?")
    submit_label = gettext_lazy("Confirm")

    def cancel_url(self) -> str:
        return reverse("provisioning:preview", args=[self.object.pk])

    def act(self) -> str:
        given = {name: self.request.POST[name] for name in ("password",) if name in self.request.POST}
        made, operation = previews.confirm(actor=self.actor, preview=self.object, secrets=given)
        if operation is None:
            return self.back_url()
        if operation.batch:
            return reverse("provisioning:batch", args=[operation.batch])
        if isinstance(made, HostingAccount):
            return f"{reverse('provisioning:account', args=[made.pk])}?operation={operation.pk}"
        return reverse("provisioning:operation", args=[operation.pk])


class PreviewAgainPage(OfPreview, ActionPage):
    """Asks for the same plan anew, after something that it rested on has changed."""

    question = gettext_lazy("Work out the same change anew, from everything as it is now?")
    submit_label = gettext_lazy("Work out a new plan")

    def cancel_url(self) -> str:
        return reverse("provisioning:preview", args=[self.object.pk])

    def act(self) -> str:
        preview = previews.again(actor=self.actor, preview=self.object)
        return reverse("provisioning:preview", args=[preview.pk])
