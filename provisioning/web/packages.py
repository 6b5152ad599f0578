"""Pages of packages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.selectors import organizations, plans
from panel.core.impact import Impact, ImpactFormPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage
from provisioning.models import Package
from provisioning.selectors import packages as selectors
from provisioning.selectors import servers
from provisioning.services import packages
from provisioning.web.filters import PackageFilter
from provisioning.web.limits import impact as in_words
from provisioning.web.package_forms import PackageForm
from provisioning.web.tables import PackageTable


class PackageListPage(ListPage):
    """Packages on sale."""

    action = "package.view"
    title = gettext_lazy("Packages")
    table_class = PackageTable
    filter_class = PackageFilter
    export_name = "packages"

    def list_rows(self) -> QuerySet[Package]:
        return selectors.listed()

    def actions(self) -> list[Action]:
        if not self.may("package.create"):
            return []
        return [Action(_("New package"), reverse("provisioning:package_create"), "plus", "primary")]

    def empty(self) -> Empty:
        may = self.may("package.create")
        return Empty(
            "package",
            _("No packages yet"),
            _("A package says what is sold with an account: disk space, mailboxes, databases."),
            reverse("provisioning:package_create") if may else "",
            _("New package"),
        )


class PackageCreatePage(FormPage):
    """Puts a package on sale."""

    action = "package.create"
    title = gettext_lazy("New package")
    form_class = PackageForm
    submit_label = gettext_lazy("Create package")
    intro = gettext_lazy("A field left empty is unlimited, 0 is none. 1 GB is 1,000,000,000 bytes.")
    template_name = "provisioning/package_form.html"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Packages"), reverse("provisioning:package_list"))]

    def form_options(self) -> dict[str, Any]:
        seller = self.object.organization if self.object else organizations.of_actor(self.actor)
        known = set(servers.php_versions()) | set(self.object.php_versions if self.object else ())
        return {"features": plans.features(seller), "php_versions": sorted(known, key=servers.php_order)}

    def act(self, data: dict[str, Any]) -> str:
        own = organizations.of_actor(self.actor)
        packages.create(actor=self.actor, organization=own, **data)
        return reverse("provisioning:package_list")


class PackageChangePage(ImpactFormPage, PackageCreatePage):
    """Changes a package; its accounts follow."""

    action = "package.change"
    submit_label = gettext_lazy("Save")
    intro = gettext_lazy("New limits hold for its accounts at once; what they already have stays.")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def get_title(self) -> str:
        return str(self.object)

    def actions(self) -> list[Action]:
        if not self.may("package.remove"):
            return []
        url = reverse("provisioning:package_remove", args=[self.object.pk])
        return [Action(_("Remove"), url, "trash", "danger")]

    def initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in PackageForm.base_fields}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        found = packages.impact(actor=self.actor, package=self.object, **data)
        return in_words(found) if found.accounts else None

    def act(self, data: dict[str, Any]) -> str:
        packages.change(actor=self.actor, package=self.object, **data)
        return reverse("provisioning:package_list")


class PackageRemovePage(ActionPage):
    """Takes a package off the shelf."""

    action = "package.remove"
    title = gettext_lazy("Remove package")
    submit_label = gettext_lazy("Remove the package")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Packages"), reverse("provisioning:package_list"))]

    def get_question(self) -> str:
        return _("Take %(name)s off the shelf?") % {"name": self.object}

    def consequences(self) -> list[str]:
        return [_("Accounts that have it keep it; new accounts can't be ordered with it.")]

    def act(self) -> str:
        packages.remove(actor=self.actor, package=self.object)
        return reverse("provisioning:package_list")
