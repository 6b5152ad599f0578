"""Pages of what is done to organizations with all that is theirs: suspend, release, close, open again, move."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization
from accounts.selectors import organizations
from panel.core.errors import NotFound
from panel.core.web import FormPage, Page
from provisioning import words
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import hosting_accounts, packages
from provisioning.services import relocations
from provisioning.web import account_pages, limits, verb_pages
from provisioning.web.tenancy_forms import AccountMoveForm, CloseForm, MoveForm, OrganizationSuspendForm

MOST_NAMES = 5


class OfOrganization(Page):
    """A page about one client or reseller below the reader."""

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed().exclude(kind=Organization.Kind.PROVIDER)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        kind = "client" if self.object.kind == Organization.Kind.CLIENT else "reseller"
        label = _("Clients") if kind == "client" else _("Resellers")
        return [(label, reverse(f"accounts:{kind}_list")), (self.object.name, self.home())]

    def home(self) -> str:
        """Return the address of the organization's page."""
        kind = "client" if self.object.kind == Organization.Kind.CLIENT else "reseller"
        return reverse(f"accounts:{kind}", args=[self.object.pk])

    def after(self, operation: Operation | None) -> str:
        """Lead to the operation, where there is one to watch."""
        return reverse("provisioning:operation", args=[operation.pk]) if operation else self.home()

    @cached_property
    def accounts(self) -> list[HostingAccount]:
        """The accounts below the organization that are not terminated."""
        return list(hosting_accounts.below(self.object))

    def said_accounts(self) -> str:
        """Return how many hosting accounts there are, and the first by name."""
        count = len(self.accounts)
        if not count:
            return _("No hosting accounts are left")
        text = ngettext("%(count)d hosting account", "%(count)d hosting accounts", count) % {"count": count}
        names = ", ".join(row.domain for row in self.accounts[:MOST_NAMES])
        more = "…" if count > MOST_NAMES else ""
        return f"{text}: {names}{more}"


class SuspendPage(OfOrganization, verb_pages.VerbFormPage):
    """Suspends an organization, with its hosting accounts or without."""

    action = "organization.suspend"
    verb = "organization.suspend"
    title = gettext_lazy("Suspend")
    form_class = OrganizationSuspendForm
    submit_label = gettext_lazy("Suspend")
    intro = gettext_lazy(
        "Its people, and those of everything below it, see one page that says so, and nothing else. Programs are "
        "refused."
    )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(danger=True, **kwargs)

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"organization": self.object.pk, **data}


class UnsuspendPage(OfOrganization, verb_pages.VerbActionPage):
    """Lifts a suspension."""

    action = "organization.unsuspend"
    verb = "organization.unsuspend"
    title = gettext_lazy("Release")
    question = gettext_lazy("Lift the suspension?")
    submit_label = gettext_lazy("Release")

    def consequences(self) -> list[str]:
        if not self.object.accounts_suspended:
            return [_("Its hosting accounts were not suspended along with it, and stay as they are.")]
        return [
            _("The hosting accounts that were suspended along with it work again."),
            _("Those that were suspended by themselves stay suspended."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"organization": self.object.pk}


class ClosePage(OfOrganization, verb_pages.VerbFormPage):
    """Closes an organization, empty or with everything below it."""

    action = "organization.close"
    verb = "organization.close"
    template_name = "generic/confirm.html"
    title = gettext_lazy("Close")
    form_class = CloseForm
    submit_label = gettext_lazy("Close")

    def form_options(self) -> dict[str, Any]:
        return {"must_type": self.object.name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = [_("Its people can't sign in any more, and their tokens stop."), self.said_accounts()]
        if self.object.kind == Organization.Kind.RESELLER:
            lines.append(_("To keep clients, move them to another reseller first."))
        lines.append(
            ngettext(
                "For %(days)d day it can be opened again with its accounts; then their data goes.",
                "For %(days)d days it can be opened again with its accounts; then their data goes.",
                settings.TERMINATION_GRACE_DAYS,
            )
            % {"days": settings.TERMINATION_GRACE_DAYS}
        )
        return super().get_context_data(
            question=_("Close %(name)s?") % {"name": self.object.name}, consequences=lines, danger=True, **kwargs
        )

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"organization": self.object.pk, **data}


class ReopenPage(OfOrganization, verb_pages.VerbActionPage):
    """Opens a closed organization again."""

    action = "organization.reopen"
    verb = "organization.reopen"
    title = gettext_lazy("Open again")
    question = gettext_lazy("Open it again, with what was closed along with it?")
    submit_label = gettext_lazy("Open again")

    def consequences(self) -> list[str]:
        return [
            _("Its people can sign in again. What was suspended before is suspended still."),
            _("Hosting accounts that ended with it come back, as long as their data is still there."),
        ]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"organization": self.object.pk}


class MovePage(OfOrganization, FormPage):
    """Asks which seller a client goes to; what that means is shown before anything is done."""

    action = "organization.move"
    title = gettext_lazy("Move to another seller")
    form_class = MoveForm
    submit_label = gettext_lazy("Show what it means")

    def rows(self) -> QuerySet[Any] | None:
        return organizations.clients()

    def form_options(self) -> dict[str, Any]:
        sellers = organizations.sellers().exclude(pk=self.object.parent_id)
        return {"sellers": sellers, "packages": packages.listed()}

    def act(self, data: dict[str, Any]) -> str:
        wanted = {"parent": data["parent"].pk}
        if data["package"] is not None:
            wanted["package"] = data["package"].pk
        return f"{reverse('provisioning:client_move_confirm', args=[self.object.pk])}?{urlencode(wanted)}"


class MoveConfirmPage(OfOrganization, verb_pages.VerbActionPage):
    """Shows what moving a client to a seller means, and does it."""

    action = "organization.move"
    verb = "organization.move"
    template_name = "provisioning/client_move_confirm.html"
    title = gettext_lazy("Move to another seller")
    submit_label = gettext_lazy("Move")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return organizations.clients()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask, or let a seller be chosen first."""
        return super().get(request, *args, **kwargs) if self.chosen else HttpResponseRedirect(self.cancel_url())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do it, or let a seller be chosen first."""
        return super().post(request, *args, **kwargs) if self.chosen else HttpResponseRedirect(self.cancel_url())

    def get_question(self) -> str:
        return _("Move %(client)s to %(seller)s?") % {"client": self.object.name, "seller": self.parent.name}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("Move"), reverse("provisioning:client_move", args=[self.object.pk]))]

    @cached_property
    def chosen(self) -> Organization | None:
        """The seller in the address, if the reader may choose it."""
        return organizations.sellers().filter(pk=self.request.GET.get("parent", "")).first()

    @property
    def parent(self) -> Organization:
        """The seller that was chosen."""
        if self.chosen is None:
            raise NotFound()
        return self.chosen

    @cached_property
    def impact(self) -> relocations.Impact:
        """What the move would mean, with the package that was chosen for what the new seller does not sell."""
        package = packages.listed().filter(pk=self.request.GET.get("package", "")).first()
        return relocations.impact(actor=self.actor, organization=self.object, parent=self.parent, package=package)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(blocked=self.impact.obstacles, **kwargs)

    def consequences(self) -> list[str]:
        found = self.impact
        before, after = found.brands
        lines = [self.said_accounts()]
        if before.pk != after.pk:
            lines.append(_("Brand: %(before)s becomes %(after)s") % {"before": before.name, "after": after.name})
            none = _("none")
            names = {"before": ", ".join(before.nameservers) or none, "after": ", ".join(after.nameservers) or none}
            lines.append(_("Name servers in all zones: %(before)s become %(after)s") % names)
        if found.unsold:
            names_of = ", ".join(sorted({row.package.name for row in found.unsold}))
            lines.append(_("Not sold there, so the chosen package takes its place: %(names)s") % {"names": names_of})
        lines += limits.other_php(found.other_php)
        for resource, used, limit in found.limits:
            values = {"resource": words.resource(resource), "used": used, "limit": limit}
            lines.append(_("Limit of the new seller, %(resource)s: %(used)s of %(limit)s used then") % values)
        if found.people.along:
            emails = {"emails": ", ".join(found.people.along)}
            lines.append(_("Sign in at the new panel, with new passkeys where they have some: %(emails)s") % emails)
        if found.people.anew:
            emails = {"emails": ", ".join(found.people.anew)}
            lines.append(
                _("Get a new invitation, as their address is known there or they belong elsewhere, too: %(emails)s")
                % emails
            )
        return lines

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        package = self.request.GET.get("package")
        return {"organization": self.object.pk, "parent": self.parent.pk, **({"package": package} if package else {})}


class AccountMovePage(account_pages.VerbFormPage):
    """Gives an account to another client; its plan is always shown first."""

    action = "account.move"
    verb = "account.move"
    title = gettext_lazy("Move to another client")
    form_class = AccountMoveForm
    submit_label = gettext_lazy("Show what will change")
    shows_first = False
    intro = gettext_lazy(
        "What the account holds is counted at the new client and the sellers above it. Where the new client lives "
        "under another brand, zones, mail and pages follow. Its history goes along."
    )

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def form_options(self) -> dict[str, Any]:
        clients = organizations.clients().filter(status=Organization.Status.ACTIVE)
        return {"clients": clients.exclude(pk=self.object.organization_id), "packages": packages.listed()}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        chosen = {name: row.pk for name, row in data.items() if row is not None}
        return {"hosting": self.hosting.pk, **chosen}

    def act(self, data: dict[str, Any]) -> str:
        return self.plan(data)
