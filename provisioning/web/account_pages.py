"""What the pages of one hosting account share: its frame, its tabs, and where a change leads."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts import words
from panel.core.confirming import ConfirmPage
from panel.core.lists import ListsPage
from panel.core.web import FormPage, Page
from provisioning.models import HostingAccount, Operation
from provisioning.selectors import hosting_accounts, operations, packages
from provisioning.web import progress, verb_pages

TABS = (
    "account",
    "account_sites",
    "account_databases",
    "account_mail",
    "account_zones",
    "account_usage",
    "account_history",
)
ICONS = ("layout-dashboard", "world-www", "database", "mail", "route", "chart-line", "history")


#: Tab → the feature of a package that it is about.
FEATURES = {"account_databases": "databases", "account_mail": "mail", "account_zones": "dns"}
#: Action that adds something → the feature that it needs; what is there can be changed and removed without it.
NEEDS = {
    "alias.create": "mail",
    "database.create": "databases",
    "database_user.create": "databases",
    "mailbox.create": "mail",
    "record.create": "dns",
}


class OfAccount(Page):
    """A page about one account or about something that it holds."""

    tab = "account"

    @property
    def hosting(self) -> HostingAccount:
        """The account that the page is about."""
        found: HostingAccount = getattr(self.object, "hosting", self.object)
        return found

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """The list of accounts, the account, and its tab."""
        crumbs = [(_("Accounts"), reverse("provisioning:account_list")), (self.hosting.domain, self.tab_url("account"))]
        if self.tab != "account":
            label = dict(zip(TABS, labels(), strict=True))[self.tab]
            crumbs.append((label, self.tab_url()))
        return crumbs

    def tab_url(self, tab: str = "") -> str:
        """Return the address of a tab of the account, by default the page's own."""
        return reverse(f"provisioning:{tab or self.tab}", args=[self.hosting.pk])

    def after(self, operation: Operation | None) -> str:
        """Return the address of the page's tab, which then follows the operation live."""
        return f"{self.tab_url()}?operation={operation.pk}" if operation else self.tab_url()


class AccountPage(OfAccount, ListsPage):
    """A tab of an account: its object is the account."""

    def rows(self) -> QuerySet[Any] | None:
        """Accounts within the scope."""
        return hosting_accounts.listed()

    def get_title(self) -> str:
        """The account's domain."""
        return self.hosting.domain

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """Only the list: the tabs show the rest."""
        return super().breadcrumbs()[:1]

    @cached_property
    def features(self) -> frozenset[str]:
        """What the account's package has, as far as the plans above it have it."""
        return packages.features_of(self.hosting)

    def may(self, action: str, obj: object | None = None) -> bool:
        """What is suspended or terminated can be looked at, not changed; what the package lacks can't be added."""
        changes = not action.endswith(".view") and not action.startswith("account.")
        if changes and self.hosting.status != HostingAccount.Status.ACTIVE:
            return False
        if action in NEEDS and NEEDS[action] not in self.features:
            return False
        return super().may(action, obj)

    def file_name(self, name: str) -> str:
        """The account's domain and the list."""
        return f"{self.hosting.domain}-{name}"

    def followed(self) -> Operation | None:
        """Return the operation that a change has just led here with."""
        wanted = self.request.GET.get("operation", "")
        return operations.listed(self.actor.path).filter(pk=wanted, hosting=self.hosting).first() if wanted else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the account, its tabs, and the operation to follow."""
        operation = self.followed()
        tabs = [
            {"key": tab, "label": label, "icon": icon, "url": self.tab_url(tab)}
            for tab, label, icon in zip(TABS, labels(), ICONS, strict=True)
            if tab == self.tab or FEATURES.get(tab) in self.features | {None}
        ]
        missing = FEATURES.get(self.tab, "site_aliases" if self.tab == "account_sites" else None)
        context = super().get_context_data(
            account=self.hosting, tab=self.tab, tabs=tabs, usage=hosting_accounts.counters(self.hosting), **kwargs
        )
        context["progress"] = progress.of(operation, self.actor) if operation else None
        context["missing"] = words.feature(missing) if missing and missing not in self.features else ""
        context["looks_only"] = not context["missing"] and bool(self.flags) and not any(context["may"].values())
        return context


class AccountFormPage(OfAccount, FormPage):
    """A form that changes what an account holds."""


class VerbFormPage(OfAccount, verb_pages.VerbFormPage):
    """A form whose values are the arguments of a verb on what an account holds."""


class VerbActionPage(OfAccount, verb_pages.VerbActionPage):
    """A button that carries out a verb on what an account holds."""

    danger = True


class ConfirmByNamePage(ConfirmPage, VerbFormPage):
    """A verb on what an account holds that asks for a name."""


def labels() -> tuple[str, ...]:
    """Return the tabs' labels in the reader's language."""
    return (_("Overview"), _("Sites"), _("Databases"), _("Mail"), _("DNS"), _("Usage"), _("History"))
