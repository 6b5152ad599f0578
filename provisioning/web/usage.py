"""Pages of what is used: an account's tab, an organization's days, and the buttons that measure now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.selectors import organizations
from panel.core.sizes import size
from panel.core.web import Action, ActionPage, Empty, ListPage, OwnOrBelow
from provisioning import outlooks
from provisioning.models import HostingAccount
from provisioning.selectors import hosting_accounts
from provisioning.selectors import usage as selectors
from provisioning.services import usage as service
from provisioning.web.account_pages import AccountPage, OfAccount
from provisioning.web.servers import OfServer
from provisioning.web.tables import UsageDayTable

DAYS_SHOWN = 10
"""Days on a page of a list: each is a card of eight lines on a phone."""


class UsagePage(AccountPage):
    """What an account uses: gauges, the last days, sites, mails and databases."""

    action = "account.view"
    template_name = "provisioning/account_usage.html"
    tab = "account_usage"

    def actions(self) -> list[Action]:
        """A button that measures now."""
        if self.hosting.status == HostingAccount.Status.TERMINATED or not self.may("usage.measure"):
            return []
        return [Action(_("Measure now"), reverse("provisioning:account_measure", args=[self.hosting.pk]), "refresh")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add use, days and lists."""
        use = selectors.now_of([self.hosting])[self.hosting.pk]
        history = selectors.history_of(self.hosting, service.KEEP_DAYS)
        days = history[: outlooks.DAYS][::-1]
        databases, sites = selectors.databases_of(self.hosting), selectors.sites_of(self.hosting)
        return super().get_context_data(
            use=use,
            resources=outlooks.resources(use, days, selectors.limits_of(self.hosting)),
            parts=[
                (_("Files"), size(use.disk_bytes - use.mail_bytes)),
                (_("Mail"), size(use.mail_bytes)),
                (_("Databases"), size(use.database_bytes)),
            ],
            traffic=[(site, size(sent), requests) for site, sent, requests in sites],
            traffic_export=self.sheet("traffic", (_("Site"), _("Sent"), _("Requests")), sites),
            databases=[(name, size(count)) for name, count in sorted(databases.items(), key=lambda item: -item[1])],
            enforced=selectors.is_enforced(self.hosting),
            days=self.table(UsageDayTable, history, nothing_measured(), per_page=DAYS_SHOWN),
            **kwargs,
        )


class OrganizationUsagePage(OwnOrBelow, ListPage):
    """What an organization and all below it use: gauges, and day by day."""

    action = "organization.view"
    title = gettext_lazy("Usage")
    template_name = "provisioning/organization_usage.html"
    table_class = UsageDayTable
    export_name = "usage"
    per_page = DAYS_SHOWN

    def rows(self) -> QuerySet[Any] | None:
        """Organizations in reach."""
        return organizations.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        """Its page, for one below the reader."""
        kind = "client" if self.object.kind == Organization.Kind.CLIENT else "reseller"
        return [] if self.is_own else [(self.object.name, reverse(f"accounts:{kind}", args=[self.object.pk]))]

    @cached_property
    def history(self) -> list[selectors.Day]:
        """All days that are kept, newest first."""
        return selectors.history_of(self.object, service.KEEP_DAYS)

    def list_rows(self) -> Any:
        """Its days."""
        return self.history

    def empty(self) -> Empty:
        """Say why there is nothing."""
        return nothing_measured()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add use and gauges."""
        use = selectors.totals(self.object)
        days = self.history[: outlooks.DAYS][::-1]
        limits = selectors.limits_of_organization(self.object)
        return super().get_context_data(use=use, resources=outlooks.resources(use, days, limits), **kwargs)


class AccountMeasurePage(OfAccount, ActionPage):
    """Measures an account now."""

    action = "usage.measure"
    tab = "account_usage"
    title = gettext_lazy("Measure now")
    question = gettext_lazy("Measure now what this account uses?")
    submit_label = gettext_lazy("Measure now")

    def rows(self) -> QuerySet[Any] | None:
        """All accounts in reach."""
        return hosting_accounts.listed()

    def act(self) -> str:
        """Ask for it."""
        service.request_account(actor=self.actor, hosting=self.hosting)
        messages.info(self.request, _("The account is being measured. Look again in a moment."))
        return self.tab_url()


class ServerMeasurePage(OfServer, ActionPage):
    """Measures a server now."""

    action = "server.measure"
    question = gettext_lazy("Measure now how this server stands and what its accounts use?")
    submit_label = gettext_lazy("Measure now")

    def act(self) -> str:
        """Ask for it."""
        service.request(actor=self.actor, server=self.object)
        messages.info(self.request, _("The server is being measured. Look again in a moment."))
        return self.page_url()


def nothing_measured() -> Empty:
    """Return what a list of days says before the first reading."""
    return Empty("chart-line", _("Nothing was measured yet"), _("Servers are measured every hour."))
