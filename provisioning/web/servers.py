"""Pages of target servers, which are the provider's alone: list, add, host key, set-up, change, addresses."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page
from provisioning.models import Operation, Server
from provisioning.selectors import drift as drift_selectors
from provisioning.selectors import operations as operation_selectors
from provisioning.selectors import servers as selectors
from provisioning.services import servers, standoffs
from provisioning.web import progress, usage_parts
from provisioning.web.filters import ServerFilter
from provisioning.web.forms import AddressForm, HostKeyForm, OverruleForm, ServerChangeForm, ServerForm, SetUpForm
from provisioning.web.tables import RunTable, ServerTable
from provisioning.web.verb_pages import VerbActionPage, VerbFormPage, VerbPage


class ServerListPage(ListPage):
    """Target servers."""

    action = "server.view"
    title = gettext_lazy("Servers")
    table_class = ServerTable
    filter_class = ServerFilter
    export_name = "servers"

    def list_rows(self) -> QuerySet[Server]:
        return selectors.listed()

    def actions(self) -> list[Action]:
        if not self.may("server.add"):
            return []
        return [Action(_("Add server"), reverse("provisioning:server_add"), "plus", "primary")]

    def empty(self) -> Empty:
        return Empty(
            "server",
            _("No servers yet"),
            _("Add a bare Debian 12 or 13 machine; the panel sets it up by itself."),
            reverse("provisioning:server_add") if self.may("server.add") else "",
            _("Add server"),
        )


class ServerAddPage(FormPage):
    """Adds a server; its host key is shown next."""

    action = "server.add"
    title = gettext_lazy("Add server")
    form_class = ServerForm
    submit_label = gettext_lazy("Add server")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Servers"), reverse("provisioning:server_list"))]

    def act(self, data: dict[str, Any]) -> str:
        roles = frozenset(data.pop("roles"))
        own = organizations.of_actor(self.actor)
        server = servers.add(actor=self.actor, organization=own, roles=roles, **data)
        return reverse("provisioning:server", args=[server.pk])


class OfServer(Page):
    """A page about one server."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed().prefetch_related("addresses__hosting", "addresses__brand")

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Servers"), reverse("provisioning:server_list")),
            (str(self.object), self.page_url()),
        ]

    def page_url(self) -> str:
        """Return the address of the server's page."""
        return reverse("provisioning:server", args=[self.object.pk])


class ServerPage(OfServer, ListsPage):
    """One server: what it is, its addresses, its runs, and what to do next."""

    action = "server.view"
    flags = (
        "server.overrule",
        "server.change",
        "server.bootstrap",
        "server.reconcile",
        "server.measure",
        "address.add",
        "address.remove",
    )
    template_name = "provisioning/server.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return super().breadcrumbs()[:1]

    def actions(self) -> list[Action]:
        pk, found = self.object.pk, []
        if self.object.state == Server.State.READY and self.may("server.reconcile"):
            url = reverse("provisioning:server_reconcile", args=[pk])
            found.append(Action(_("Compare and repair"), url, "git-compare"))
        if self.object.state in (Server.State.READY, Server.State.FAILED) and self.may("server.rebuild"):
            found.append(Action(_("Replace"), reverse("provisioning:rebuild_start", args=[pk]), "server-off"))
        if self.object.state in (Server.State.READY, Server.State.FAILED) and self.may("server.bootstrap"):
            found.append(Action(_("Set up again"), reverse("provisioning:server_bootstrap", args=[pk]), "refresh"))
        if self.object.state != Server.State.RETIRED and self.may("server.change"):
            url = reverse("provisioning:server_open", args=[pk])
            found.append(
                Action(_("Open to new accounts"), url, "lock-open")
                if self.object.closed
                else Action(_("Close to new accounts"), url, "lock")
            )
            found.append(Action(_("Change"), reverse("provisioning:server_change", args=[pk]), "pencil"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        no_run = Empty("activity", _("No run yet"))
        newest = operation_selectors.listed(self.actor.path).filter(server=self.object).first()
        return super().get_context_data(
            server=self.object,
            runs=self.table(RunTable, self.object.runs.all(), no_run, "runs-", 10),
            addresses_export=self._addresses(),
            days_export=self.sheet("days", *usage_parts.days_of(self.object)),
            progress=progress.of(newest, self.actor) if newest else None,
            setup_form=SetUpForm(),
            drift=drift_selectors.standing(self.object),
            usage=usage_parts.of_server(self.object),
            **kwargs,
        )

    def _addresses(self) -> str:
        header = (_("Address"), _("Kind"), _("Seen as"), _("Account"))
        lines = (
            (row.ip, row.get_kind_display(), row.public_ip, row.hosting.domain if row.hosting else "")
            for row in self.object.addresses.all()
        )
        return self.sheet("addresses", header, lines)


class ServerSetUpPart(OfServer):
    """The way to a ready server, which fetches itself again while the host key is being fetched."""

    action = "server.view"
    template_name = "provisioning/server_setup.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"server": self.object, "setup_form": SetUpForm()}


class ServerVerbPage(OfServer, VerbPage):
    """A verb on a server or one of its addresses: the page of the operation comes next."""

    def after(self, operation: Operation | None) -> str:
        return reverse("provisioning:operation", args=[operation.pk]) if operation else self.page_url()


class ServerChangePage(ServerVerbPage, VerbFormPage):
    """Changes names, stack and roles."""

    action = "server.change"
    verb = "server.change"
    form_class = ServerChangeForm
    submit_label = gettext_lazy("Save")
    intro = gettext_lazy("Another stack or other roles reach every account on the server.")

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ServerChangeForm.base_fields}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"server": self.object.pk, **data}


class ServerOpenPage(OfServer, ActionPage):
    """Opens or closes a server to new accounts."""

    action = "server.change"

    def get_question(self) -> str:
        if self.object.closed:
            return _("Let new accounts go to %(name)s again?") % {"name": self.object}
        return _("Let no new accounts go to %(name)s? Those that are there stay.") % {"name": self.object}

    def act(self) -> str:
        servers.change(actor=self.actor, server=self.object, closed=not self.object.closed)
        return self.page_url()


class ServerConfirmPage(OfServer, FormPage):
    """Pins the host key that a person has compared."""

    action = "server.confirm"
    form_class = HostKeyForm
    title = gettext_lazy("Confirm host key")
    submit_label = gettext_lazy("Trust this key")

    def initial(self) -> dict[str, Any]:
        return {"fingerprint": self.object.fingerprint}

    def act(self, data: dict[str, Any]) -> str:
        servers.confirm_host_key(actor=self.actor, server=self.object, fingerprint=data["fingerprint"])
        return self.page_url()


class ServerFetchKeyPage(OfServer, ActionPage):
    """Asks an unconfirmed server for its host key again."""

    action = "server.add"
    question = gettext_lazy("Ask the server for its host key again?")
    submit_label = gettext_lazy("Ask again")

    def act(self) -> str:
        servers.fetch_host_key(actor=self.actor, server=self.object)
        messages.info(self.request, _("The server is being asked for its host key."))
        return self.page_url()


class ServerBootstrapPage(OfServer, FormPage):
    """Sets a server up, the first time or again."""

    action = "server.bootstrap"
    form_class = SetUpForm
    submit_label = gettext_lazy("Set up now")
    intro = gettext_lazy("The panel installs and configures what the server's roles need.")

    def act(self, data: dict[str, Any]) -> str:
        servers.bootstrap(actor=self.actor, server=self.object, password=data["password"])
        return self.page_url()


class ServerReconcilePage(ServerVerbPage, VerbActionPage):
    """Compares everything on the server with what should be, and repairs it, or shows what would be repaired."""

    action = "server.reconcile"
    verb = "server.reconcile"
    question = gettext_lazy(
        "Compare every file, zone, login and service on the server with what should be, and repair it?"
    )
    submit_label = gettext_lazy("Compare and repair")

    def consequences(self) -> list[str]:
        return [_("What somebody changed by hand in the panel's files is put back."), _("Other files are not touched.")]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"server": self.object.pk}


class ServerOverrulePage(OfServer, FormPage):
    """Goes on with the panel's state on a server that holds newer settings."""

    action = "server.overrule"
    form_class = OverruleForm
    template_name = "provisioning/server_overrule.html"
    submit_label = gettext_lazy("Go on with the panel's state")

    def get_title(self) -> str:
        return _("%(server)s holds newer settings than this panel") % {"server": self.object}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(server=self.object, ahead=standoffs.shown(self.object), **kwargs)

    def act(self, data: dict[str, Any]) -> str:
        operation = standoffs.overrule(actor=self.actor, server=self.object, **data)
        return reverse("provisioning:operation", args=[operation.pk])


class AddressAddPage(ServerVerbPage, VerbFormPage):
    """Adds an address to a server."""

    action = "address.add"
    verb = "address.add"
    form_class = AddressForm
    submit_label = gettext_lazy("Add address")

    def get_title(self) -> str:
        return _("Add address")

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"server": self.object.pk, **data, "public_ip": data["public_ip"] or None}


class AddressRemovePage(VerbActionPage):
    """Removes an address from a server."""

    action = "address.remove"
    verb = "address.remove"
    title = gettext_lazy("Remove address")
    submit_label = gettext_lazy("Remove the address")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.addresses()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        url = reverse("provisioning:server", args=[self.object.server_id])
        return [(_("Servers"), reverse("provisioning:server_list")), (str(self.object.server), url)]

    def get_question(self) -> str:
        return _("Remove %(address)s from %(server)s?") % {"address": self.object, "server": self.object.server}

    def consequences(self) -> list[str]:
        return [_("Sites stop answering on it, and zones stop naming it.")]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"address": self.object.pk}

    def after(self, operation: Operation | None) -> str:
        return reverse("provisioning:operation", args=[operation.pk]) if operation else self.cancel_url()
