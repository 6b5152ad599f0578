"""Pages of hosting accounts: list, order with its plan, overview, suspend, release, terminate, history."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.selectors import brands, organizations
from panel.core.web import Action, Empty, FormPage, ListPage
from provisioning import outlooks, words
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import hosting_accounts, operations, packages, usage
from provisioning.selectors import servers as servers_selectors
from provisioning.services import bulk, previews
from provisioning.web import guides
from provisioning.web.account_pages import AccountPage, ConfirmByNamePage, VerbActionPage, VerbFormPage
from provisioning.web.bulk import KINDS
from provisioning.web.filters import AccountFilter
from provisioning.web.forms import AccountForm, RenameForm, SuspendForm
from provisioning.web.tables import AccountTable, OperationTable

MOST_NAMES = 12
"""So many names of one kind are shown where an account may hold hundreds."""


class AccountListPage(ListPage):
    """Hosting accounts."""

    action = "account.view"
    title = gettext_lazy("Accounts")
    table_class = AccountTable
    filter_class = AccountFilter
    export_name = "accounts"
    template_name = "provisioning/account_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        verbs = [(verb, kind.label, kind.icon) for verb, kind in KINDS.items() if self.may(kind.action)]
        if verbs:
            kwargs["table"].columns.show("chosen")
        count, shown = kwargs["table"].paginator.count, len(kwargs["table"].page)
        given = [(name, value) for name, value in self.request.GET.items() if name in AccountFilter.base_filters]
        return super().get_context_data(
            bulk_verbs=verbs,
            matching=count if count > shown else 0,
            matching_at_once=count <= bulk.MOST,
            at_once=bulk.MOST,
            filtered_by=given,
            **kwargs,
        )

    def list_rows(self) -> QuerySet[HostingAccount]:
        return hosting_accounts.listed()

    def actions(self) -> list[Action]:
        if not self.may("account.create"):
            return []
        return [Action(_("New account"), reverse("provisioning:account_create"), "plus", "primary")]

    def empty(self) -> Empty:
        if not self.may("account.create"):
            return Empty("world", _("No accounts yet"), _("Your hoster has not set one up for you yet."))
        return Empty(
            "world",
            _("No accounts yet"),
            _("An account holds web sites, databases, DNS and mail of one client on one of the servers."),
            reverse("provisioning:account_create"),
            _("New account"),
        )


class AccountCreatePage(FormPage):
    """Orders an account: the form leads to the plan, which is confirmed there."""

    action = "account.create"
    title = gettext_lazy("New account")
    form_class = AccountForm
    submit_label = gettext_lazy("Show what will change")
    intro = gettext_lazy(
        "The account gets a Unix user, a web site, a DNS zone, a mail domain and room for databases. "
        "Next you see exactly what changes on the server; nothing is changed before you confirm."
    )

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Accounts"), reverse("provisioning:account_list"))]

    def initial(self) -> dict[str, Any]:
        names = ("organization", "package", "domain", "username", "server")
        return {name: self.request.GET[name] for name in names if name in self.request.GET}

    def form_options(self) -> dict[str, Any]:
        provider = self.actor.kind == "provider"
        return {
            "clients": organizations.clients(),
            "packages": packages.listed(),
            "servers": servers_selectors.ready() if provider else None,
        }

    def act(self, data: dict[str, Any]) -> str:
        arguments = {
            "organization": data["organization"].pk,
            "package": data["package"].pk,
            "domain": data["domain"],
            "username": data["username"],
        }
        if data.get("server"):
            arguments["server"] = data["server"].pk
        preview = previews.request(actor=self.actor, verb="account.create", arguments=arguments)
        return reverse("provisioning:preview", args=[preview.pk])


class OverviewPage(AccountPage):
    """An account at a glance, with its newest operation live."""

    action = "account.view"
    template_name = "provisioning/account.html"
    tab = "account"

    def followed(self) -> Operation | None:
        return super().followed() or operations.listed(self.actor.path).filter(hosting=self.hosting).first()

    def actions(self) -> list[Action]:
        pk, status, found = self.hosting.pk, self.hosting.status, []
        if status == HostingAccount.Status.ACTIVE and self.may("account.rename"):
            found.append(Action(_("Rename"), reverse("provisioning:account_rename", args=[pk]), "pencil"))
        if status != HostingAccount.Status.TERMINATED and self.may("account.move"):
            found.append(Action(_("Move"), reverse("provisioning:account_move", args=[pk]), "arrow-right"))
        if self.hosting.purge_at and self.may("account.restore"):  # type: ignore[attr-defined]
            url = reverse("provisioning:account_restore", args=[pk])
            found.append(Action(_("Restore"), url, "rotate-clockwise", "primary"))
        if status == HostingAccount.Status.ACTIVE and self.may("account.suspend"):
            url = reverse("provisioning:account_suspend", args=[pk])
            found.append(Action(_("Suspend"), url, "player-pause"))
        if status == HostingAccount.Status.SUSPENDED and self.may("account.unsuspend"):
            url = reverse("provisioning:account_unsuspend", args=[pk])
            found.append(Action(_("Release"), url, "player-play", "primary"))
        if status != HostingAccount.Status.TERMINATED and self.may("account.terminate"):
            url = reverse("provisioning:account_terminate", args=[pk])
            found.append(Action(_("Terminate"), url, "trash", "danger"))
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(
            sites=hosting_accounts.sites(self.hosting),
            servers=hosting_accounts.servers(self.hosting) if servers_selectors.shown_to(self.actor) else [],
            addresses=hosting_accounts.web_addresses(self.hosting),
            **kwargs,
        )
        counted: dict[str, tuple[int, int | None]] = context["usage"]
        brand = brands.for_organization(self.hosting.organization)
        context["guide"] = guides.of(
            self.hosting,
            features=self.features,
            nameservers=brand.nameservers,
            addresses=context["addresses"],
            mail_host=brand.mail_host,
        )
        context["guide_open"] = guides.lies_open(self.hosting, context["guide"])
        limits = usage.limits_of(self.hosting)
        context["resources"] = outlooks.resources(usage.now_of([self.hosting])[self.hosting.pk], [], limits)
        context["gauges"] = [
            {"label": label, "used": used, "limit": limit}
            for name, label in words.RESOURCES.items()
            if not name.endswith("_bytes") and (counter := counted.get(name)) is not None
            for used, limit in [counter]
        ]
        return context


class RenamePage(VerbFormPage):
    """Gives an account other names; its plan is always shown first."""

    action = "account.rename"
    verb = "account.rename"
    title = gettext_lazy("Rename")
    form_class = RenameForm
    submit_label = gettext_lazy("Show what will change")
    shows_first = False
    intro = gettext_lazy(
        "The web site, DNS zone and mailboxes get the new domain, and the old one is let go at once: it answers no "
        "more, and mail to it is refused. Files, mail and logs stay. With another user name, databases and their users "
        "keep the names they have. Mail for the new domain is taken once its MX record points here."
    )

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def initial(self) -> dict[str, Any]:
        return {"domain": self.hosting.domain, "username": self.hosting.username}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in data.items() if value != getattr(self.hosting, name)}
        return {"hosting": self.hosting.pk, **given}

    def act(self, data: dict[str, Any]) -> str:
        return self.plan(data)


class RestorePage(VerbActionPage):
    """Takes a termination back."""

    action = "account.restore"
    verb = "account.restore"
    title = gettext_lazy("Restore")
    question = gettext_lazy("Bring the account back, with everything that it held when it was terminated?")
    submit_label = gettext_lazy("Restore the account")
    danger = False

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk}


class SuspendPage(VerbFormPage):
    """Suspends an account, with a reason for the client."""

    action = "account.suspend"
    verb = "account.suspend"
    title = gettext_lazy("Suspend")
    form_class = SuspendForm
    submit_label = gettext_lazy("Suspend the account")
    intro = gettext_lazy(
        "Its sites answer that they are suspended, and nobody signs in to its mailboxes or databases. "
        "DNS goes on, and nothing is deleted."
    )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(danger=True, **kwargs)

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk, **data}


class UnsuspendPage(VerbActionPage):
    """Releases a suspended account."""

    action = "account.unsuspend"
    verb = "account.unsuspend"
    title = gettext_lazy("Release")
    question = gettext_lazy("Let the account's sites, mailboxes and databases work again?")
    submit_label = gettext_lazy("Release the account")
    danger = False

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk}


class TerminatePage(ConfirmByNamePage):
    """Ends an account: shows what goes, and asks for its name."""

    action = "account.terminate"
    verb = "account.terminate"
    title = gettext_lazy("Terminate")
    question = gettext_lazy("This ends the account and everything it holds:")
    submit_label = gettext_lazy("Terminate the account")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def must_type(self) -> str:
        return self.hosting.domain

    def consequences(self) -> list[str]:
        lines = hosting_accounts.holdings(self.hosting)
        names = [f"{words.holding(kind, len(items))}: {_some(items)}" for kind, items in lines.items() if items]
        names.append(_("The user %(name)s with all files in %(home)s") % self._user())
        names.append(
            ngettext(
                "Configuration goes at once. For %(days)d day it can be restored; then files, mail and databases go.",
                "Configuration goes at once. For %(days)d days it can be restored; then files, mail and databases go.",
                settings.TERMINATION_GRACE_DAYS,
            )
            % {"days": settings.TERMINATION_GRACE_DAYS}
        )
        return names

    def _user(self) -> dict[str, str]:
        return {"name": self.hosting.username, "home": self.hosting.home}

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk, **data}


class HistoryPage(AccountPage):
    """What was done to an account."""

    action = "operation.view"
    template_name = "provisioning/account_history.html"
    tab = "account_history"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = operations.listed(self.actor.path).filter(hosting=self.hosting)
        table = self.table(OperationTable, rows, Empty("history", _("Nothing was asked for yet")))
        table.exclude = ("hosting",)
        return super().get_context_data(table=table, **kwargs)


def _some(names: list[str]) -> str:
    """Return the first of many names, and how many more there are."""
    shown, left = ", ".join(names[:MOST_NAMES]), len(names) - MOST_NAMES
    if left <= 0:
        return shown
    more = ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", left)
    return more % {"names": shown, "count": left}
