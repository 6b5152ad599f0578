"""Pages of an account's limits: line by line with the reason for every refusal, exceptions, another package; and the
servers of a reseller plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import words
from accounts.selectors import plans
from panel.core.form_fields import LimitField, SizeField
from panel.core.impact import Impact, ImpactFormPage
from panel.core.web import Action, FormPage
from provisioning.models import HostingAccount, Package, Server, Site
from provisioning.selectors import hosting_accounts, limits, packages, servers
from provisioning.services import overrides, plan_servers
from provisioning.web.account_pages import AccountFormPage, AccountPage, VerbFormPage

UNCOUNTED = frozenset({"addon_domains"})
"""Limits that packages have for what accounts can't hold yet."""


class PackageChoiceForm(forms.Form):
    """Another package."""

    package: forms.ModelChoiceField[Package] = forms.ModelChoiceField(
        None, label=gettext_lazy("Package"), empty_label=gettext_lazy("Choose a package")
    )

    def __init__(self, *args: Any, packages: QuerySet[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].queryset = packages  # type: ignore[attr-defined]


class OverrideForm(forms.Form):
    """A limit that is not the package's, and why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=100,
        help_text=gettext_lazy("Stands beside the limit, where the client sees it, and in the activity log."),
    )
    back = forms.BooleanField(label=gettext_lazy("Let the package's own limit hold again"), required=False)
    field_order = ("limit", "reason", "back")

    def __init__(self, *args: Any, resource: str, there: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label, sized = words.resource(resource), resource.endswith("_bytes")
        text = _("Empty is unlimited, 0 is none.")
        self.fields["limit"] = (
            SizeField(label=_("%(resource)s in GB") % {"resource": label}, help_text=text)
            if sized
            else LimitField(label=label, help_text=text)
        )
        self.order_fields(self.field_order)
        if not there:
            del self.fields["back"]
        elif self.data.get("back"):
            self.fields["reason"].required = False


class PlanServersForm(forms.Form):
    """The servers of a plan."""

    servers: forms.ModelMultipleChoiceField[Server] = forms.ModelMultipleChoiceField(
        None,
        label=gettext_lazy("Servers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("With none chosen, accounts may be on any."),
    )

    def __init__(self, *args: Any, servers: QuerySet[Server], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["servers"].queryset = servers  # type: ignore[attr-defined]


class AccountLimitsPage(AccountPage):
    """Every limit of an account with its use, and why one more would be refused."""

    action = "account.view"
    template_name = "provisioning/account_limits.html"
    tab = "account"

    def actions(self) -> list[Action]:
        if self.hosting.status == HostingAccount.Status.TERMINATED or not self.may("account.change"):
            return []
        url = reverse("provisioning:account_package", args=[self.hosting.pk])
        return [Action(_("Change package"), url, "package", "primary")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has = packages.features_of(self.hosting)
        features = [(words.feature(name), name in has) for name in words.FEATURES]
        return super().get_context_data(
            lines=[line for line in limits.of_account(self.hosting) if line.resource not in UNCOUNTED],
            overridable=self.may("account.override"),
            features=features,
            php_versions=", ".join(self.hosting.package.php_versions),
            **kwargs,
        )


class OverridePage(AccountFormPage):
    """Gives an account a limit of its own, or takes that back."""

    action = "account.override"
    form_class = OverrideForm
    submit_label = gettext_lazy("Save")

    def rows(self) -> QuerySet[Any] | None:
        if self.kwargs["resource"] not in Package.LIMITS:
            raise Http404
        return hosting_accounts.listed()

    def get_title(self) -> str:
        return _("Exception: %(resource)s") % {"resource": words.resource(self.kwargs["resource"])}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("Limits"), self.tab_url("account_limits"))]

    def initial(self) -> dict[str, Any]:
        there = packages.overrides_of(self.hosting).filter(resource=self.kwargs["resource"]).first()
        own = getattr(self.hosting.package, self.kwargs["resource"])
        return {"limit": there.limit, "reason": there.reason} if there else {"limit": own}

    def form_options(self) -> dict[str, Any]:
        resource = self.kwargs["resource"]
        return {
            "resource": resource,
            "there": packages.overrides_of(self.hosting).filter(resource=resource).exists(),
        }

    def act(self, data: dict[str, Any]) -> str:
        order = {"actor": self.actor, "hosting": self.hosting, "resource": self.kwargs["resource"]}
        if data.get("back"):
            overrides.remove(**order)
        else:
            overrides.set(**order, limit=data["limit"], reason=data["reason"])
        return self.tab_url("account_limits")


class AccountPackagePage(ImpactFormPage, VerbFormPage):
    """Gives an account another package; what would be over is shown first."""

    action = "account.change"
    verb = "account.change_package"
    title = gettext_lazy("Change package")
    form_class = PackageChoiceForm
    template_name = "generic/impact_form.html"
    submit_label = gettext_lazy("Change the package")

    def rows(self) -> QuerySet[Any] | None:
        return hosting_accounts.listed()

    def form_options(self) -> dict[str, Any]:
        return {"packages": packages.for_account(self.hosting)}

    def impact(self, data: dict[str, Any]) -> Impact | None:
        package: Package = data["package"]
        return impact(packages.impact([self.hosting], package.limits, package.php_versions))

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"hosting": self.hosting.pk, "package": data["package"].pk}


class PlanServersPage(FormPage):
    """Says on which servers the accounts below a reseller plan may be."""

    action = "server.view"
    title = gettext_lazy("Servers of the plan")
    form_class = PlanServersForm

    def rows(self) -> QuerySet[Any] | None:
        return plans.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [
            (_("Reseller plans"), reverse("accounts:plan_list")),
            (self.object.name, reverse("accounts:plan_change", args=[self.object.pk])),
        ]

    def initial(self) -> dict[str, Any]:
        return {"servers": [row.pk for row in servers.of_plan(self.object)]}

    def form_options(self) -> dict[str, Any]:
        return {"servers": servers.live()}

    def act(self, data: dict[str, Any]) -> str:
        plan_servers.set(actor=self.actor, plan=self.object, servers=list(data["servers"]))
        return reverse("accounts:plan_change", args=[self.object.pk])


def impact(found: packages.Impact) -> Impact:
    """Return in words what a change of packages would do."""
    title = ngettext("It touches %(count)s account.", "It touches %(count)s accounts.", found.touched) % {
        "count": found.touched
    }
    lines = [
        _("%(name)s: %(resource)s, %(used)s used of %(limit)s")
        % {
            "name": row.hosting.domain,
            "resource": words.within(row.resource),
            "used": words.amount(row.resource, row.used),
            "limit": words.amount(row.resource, row.limit),
        }
        for row in found.overs
    ]
    lines += other_php(found.other_php)
    if found.overs:
        title = f"{title} {_('What would be over stays, and gets no more:')}"
    return Impact(title, lines)


def other_php(sites: Iterable[Site]) -> list[str]:
    """Return in words that sites keep a PHP version which their package then does not allow."""
    text = _("%(name)s keeps PHP %(version)s, which the package does not allow")
    return [text % {"name": site.domain.name, "version": site.php_version} for site in sites]
