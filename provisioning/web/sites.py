"""Pages of an account's sites and the names that they answer to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from panel.core.web import Empty
from provisioning.models import HostingAccount
from provisioning.selectors import hosting_accounts, php_versions
from provisioning.web.account_pages import AccountPage, ConfirmByNamePage, VerbFormPage
from provisioning.web.forms import SiteAliasForm, SitePhpForm
from provisioning.web.tables import SiteNameTable

MOST_NAMES = 5


class SitesPage(AccountPage):
    """The sites of an account, each with its names."""

    action = "site.view"
    flags = ("site.change",)
    template_name = "provisioning/account_sites.html"
    tab = "account_sites"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = hosting_accounts.sites(self.hosting)
        tables = [
            (
                site,
                self.table(
                    SiteNameTable,
                    hosting_accounts.site_names(site),
                    Empty("world-www", _("No names")),
                    prefix=f"{number}-",
                ),
            )
            for number, site in enumerate(found)
        ]
        return super().get_context_data(tables=tables, **kwargs)


class AliasAddPage(VerbFormPage):
    """Lets a site answer to one more name."""

    action = "site.change"
    verb = "site.add_alias"
    title = gettext_lazy("Add alias")
    form_class = SiteAliasForm
    submit_label = gettext_lazy("Add alias")
    tab = "account_sites"

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.sites()

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"site": self.object.pk, **data}


class PhpPage(VerbFormPage):
    """Lets a site run another PHP version; says of the others why it can't have them."""

    action = "site.change"
    verb = "site.change_php"
    title = gettext_lazy("Change PHP version")
    form_class = SitePhpForm
    template_name = "provisioning/site_php.html"
    submit_label = gettext_lazy("Change the version")
    tab = "account_sites"
    intro = gettext_lazy("Older sites may need an older version. Try yours after the change; you can change back.")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.sites()

    @cached_property
    def choices(self) -> list[php_versions.Choice]:
        """The versions, with the reason where the site can't have one."""
        return php_versions.choices(self.object)

    def initial(self) -> dict[str, Any]:
        return {"php_version": self.object.php_version}

    def form_options(self) -> dict[str, Any]:
        return {"versions": [row.version for row in self.choices if row.is_open or row.is_current]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            site=self.object, closed=[row for row in self.choices if not row.is_open], **kwargs
        )

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"site": self.object.pk, **data}


class AliasRemovePage(ConfirmByNamePage):
    """Takes an alias from a site."""

    action = "site.change"
    verb = "site.remove_alias"
    title = gettext_lazy("Remove alias")
    submit_label = gettext_lazy("Remove the alias")
    tab = "account_sites"

    @property
    def hosting(self) -> HostingAccount:
        found: HostingAccount = self.object.site.hosting
        return found

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.site_names()

    def get_question(self) -> str:
        return _("Stop answering to %(name)s?") % {"name": self.object.hostname}

    @cached_property
    def records(self) -> list[str]:
        """The records that go with it."""
        return [str(row) for row in hosting_accounts.records_with(self.object)]

    def must_type(self) -> str:
        return self.object.hostname if self.records else ""

    def consequences(self) -> list[str]:
        if self.object.domain.name != self.object.hostname:
            return []
        lost = ngettext(
            "%(count)s record that was added goes and does not come back: %(names)s",
            "%(count)s records that were added go and do not come back: %(names)s",
            len(self.records),
        ) % {"count": len(self.records), "names": ", ".join(self.records[:MOST_NAMES])}
        return [_("The domain is let go with its zone."), *([lost] if self.records else [])]

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"alias": self.object.pk, **data}
