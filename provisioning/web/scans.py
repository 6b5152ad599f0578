"""Pages of scans: start one, watch its steps, see whose names a brand shows and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panel.core.lists import ListsPage
from panel.core.web import Action, Empty, FormPage, ListPage
from provisioning.leaks.readings import Finding
from provisioning.models import BrandScan
from provisioning.selectors import scans as selectors
from provisioning.services import scan_words, scans
from provisioning.web.tables import ScanTable


class ScanForm(forms.Form):
    """Which brand is looked at."""

    organization: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        label=gettext_lazy("Brand of"),
        queryset=None,
        empty_label=gettext_lazy("Choose a brand"),
        help_text=gettext_lazy("Brands with a panel host of their own."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = selectors.scannable()  # type: ignore[attr-defined]


class ScanListPage(ListPage):
    """All scans of one's own brand and those below."""

    action = "brand.view"
    title = gettext_lazy("White-label scans")
    table_class = ScanTable
    export_name = "scans"

    def list_rows(self) -> QuerySet[BrandScan]:
        return selectors.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Brand"), reverse("accounts:brand"))]

    def actions(self) -> list[Action]:
        if not self.may("brand.scan"):
            return []
        return [Action(_("New scan"), reverse("provisioning:scan_start"), "search", "primary")]

    def empty(self) -> Empty:
        return Empty(
            "eye",
            _("No brand has been looked at yet"),
            _("A scan reads everything that a stranger can read of a brand, and finds whose names are in it."),
            reverse("provisioning:scan_start") if self.may("brand.scan") else "",
            _("New scan"),
        )


class ScanStartPage(FormPage):
    """Asks for a scan."""

    action = "brand.scan"
    title = gettext_lazy("New scan")
    form_class = ScanForm
    submit_label = gettext_lazy("Look at the brand")
    intro = gettext_lazy(
        "The panel looks at the brand as a stranger would: pages, cookies, error pages, the API, mail, zones, "
        "greetings of servers, sites. Nothing is changed. It takes less than a minute."
    )

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Brand"), reverse("accounts:brand")), (_("White-label scans"), reverse("provisioning:scan_list"))]

    def initial(self) -> dict[str, Any]:
        return {"organization": self.request.GET.get("organization", self.actor.organization_id)}

    def act(self, data: dict[str, Any]) -> str:
        scan = scans.start(actor=self.actor, organization=data["organization"])
        return reverse("provisioning:scan", args=[scan.pk])


@dataclass(frozen=True)
class Line:
    """A step in words; its mark is that of components/operation.html."""

    name: str | Promise
    status: str
    ms: float | None
    readings: int
    findings: int
    detail: str


@dataclass(frozen=True)
class Leak:
    """A finding in words."""

    finding: Finding
    place: str | Promise
    remedy: str | Promise


class ScanPage(ListsPage):
    """One scan, while it goes on and afterwards."""

    action = "brand.view"
    template_name = "provisioning/scan.html"

    def rows(self) -> QuerySet[BrandScan]:
        return selectors.listed()

    def get_title(self) -> str:
        return _("What strangers see of %(host)s") % {"host": self.object.host}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Brand"), reverse("accounts:brand")), (_("White-label scans"), reverse("provisioning:scan_list"))]

    def actions(self) -> list[Action]:
        if self.object.is_open or not self.may("brand.scan"):
            return []
        again = f"{reverse('provisioning:scan_start')}?organization={self.object.organization_id}"
        return [Action(_("Look again"), again, "refresh")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        scan: BrandScan = self.object
        staff = self.actor.kind == "provider"
        leaks = [
            Leak(finding, scan_words.place(finding.place), scan_words.remedy(finding.place))
            for finding in selectors.findings(scan, self.actor)
        ]
        return super().get_context_data(
            scan=scan,
            steps=[_line(step, staff) for step in scan.steps],
            leaks=leaks,
            leaks_export=self.sheet(
                "names",
                (_("Name"), _("Where"), _("In"), _("Text"), _("What to do")),
                ((row.finding.name, row.place, row.finding.subject, row.finding.excerpt, row.remedy) for row in leaks),
            ),
            more=max(0, scan.leaks - len(scan.findings)),
            skipped=scan.skipped if staff else [],
            **kwargs,
        )


class ScanPart(ScanPage):
    """The part of the page that fetches itself while the scan goes on."""

    template_name = "provisioning/scan_part.html"


def _line(step: dict[str, Any], staff: bool) -> Line:
    status = "failed" if step["findings"] else step["status"]
    detail = step["detail"] if staff else _("Could not be looked at.") if step["detail"] else ""
    return Line(scan_words.step(step["name"]), status, step["ms"], step["readings"], step["findings"], detail)
