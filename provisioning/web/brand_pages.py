"""Pages of what a brand shows on servers: its pages there, and the files that new accounts begin with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.models import Brand, Organization
from accounts.models.brand_pages import LARGEST_FILE
from accounts.selectors import brands, organizations
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, FormPage, Page
from provisioning import brand_pages
from provisioning.selectors import brand_pages as selectors
from provisioning.services import brand_pages as service

PREVIEW_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
"""A page's own style and its logo; no script."""
SAMPLE_DOMAIN = "example.org"


def _text(label: Any, hint: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=2000, required=False, help_text=hint, widget=forms.Textarea(attrs={"rows": 3})
    )


def _title(label: Any, hint: Any = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=100, required=False, help_text=hint)


class PagesForm(forms.Form):
    """Words of the pages."""

    first_title = _title(gettext_lazy("New site: heading"), gettext_lazy("{{domain}} stands for the site's name."))
    first_text = _text(gettext_lazy("New site: text"))
    suspended_title = _title(gettext_lazy("Suspended site: heading"))
    suspended_text = _text(gettext_lazy("Suspended site: text"))
    missing_title = _title(gettext_lazy("Missing page: heading"))
    missing_text = _text(gettext_lazy("Missing page: text"))


class FileForm(forms.Form):
    """A file of new accounts."""

    name = forms.CharField(label=gettext_lazy("File name"), max_length=100)
    text = forms.CharField(
        label=gettext_lazy("Content"),
        max_length=LARGEST_FILE,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono"}),
    )


class OfPages(Page):
    """A page about what a brand that there is shows on servers; `pk` is the organization's."""

    action = "brand.change"
    brand: Brand

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def find(self) -> Organization:
        found: Organization = super().find()
        brand = brands.own(found)
        if brand is None:
            raise Http404
        self.brand = brand
        return found

    def to(self, route: str, *args: str) -> str:
        """Return the address of another page of this brand."""
        return reverse(f"provisioning:{route}", args=[self.object.pk, *args])

    def breadcrumbs(self) -> list[tuple[str, str]]:
        way = [(_("Brand"), reverse("accounts:brand"))]
        if self.object.pk != self.actor.organization_id:
            way = [
                (self.object.name, reverse("accounts:reseller", args=[self.object.pk])),
                (_("Brand"), reverse("accounts:reseller_brand", args=[self.object.pk])),
            ]
        return way if isinstance(self, PagesPage) else [*way, (_("Pages on servers"), self.to("brand_pages"))]

    def files(self) -> dict[str, str]:
        """Return the files that new accounts begin with now."""
        newest = selectors.newest_skeleton(self.brand)
        return dict(newest.files) if newest is not None else {}


class PagesPage(OfPages, ListsPage, FormPage):
    """The words of the pages beside what they look like, and the files."""

    title = gettext_lazy("Pages on servers")
    form_class = PagesForm
    template_name = "provisioning/brand_pages.html"

    def initial(self) -> dict[str, Any]:
        (look,) = selectors.looks([self.brand])
        return {field: getattr(look.pages, field) for field in service.FIELDS}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the frames and the files."""
        frames = (
            ("first", _("A new site")),
            ("suspended", _("A suspended site")),
            ("missing", _("A page that there is not")),
        )
        files = sorted(self.files())
        return super().get_context_data(
            frames=[(title, self.to("brand_page_preview", page)) for page, title in frames],
            files=[(name, self.to("brand_file", name)) for name in files],
            files_export=self.sheet("files", (_("Name"),), ((name,) for name in files)),
            add_url=self.to("brand_file_add"),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> str:
        _pages, operation = service.change(actor=self.actor, brand=self.brand, **data)
        messages.success(self.request, _("Saved."))
        return reverse("provisioning:operation", args=[operation.pk]) if operation else self.request.path


@method_decorator(xframe_options_sameorigin, name="dispatch")
class PagePreviewPage(OfPages):
    """One of the pages as visitors see it, for a frame."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it."""
        (look,) = selectors.looks([self.brand])
        notices = brand_pages.notices(look)
        shown = {
            "first": brand_pages.first(SAMPLE_DOMAIN, look),
            "suspended": notices.suspended,
            "missing": notices.missing,
        }
        if self.kwargs["page"] not in shown:
            raise Http404
        return HttpResponse(shown[self.kwargs["page"]], headers={"Content-Security-Policy": PREVIEW_POLICY})


class FilePage(OfPages, FormPage):
    """Changes a file that new accounts begin with, or adds one."""

    title = gettext_lazy("New file")
    form_class = FileForm
    intro = gettext_lazy("New accounts get it in their web directory. Accounts that are there keep what they have.")

    def find(self) -> Organization:
        found = super().find()
        if self.name and self.name not in self.files():
            raise Http404
        return found

    @property
    def name(self) -> str:
        """The file, empty for one that is to be added."""
        return str(self.kwargs.get("name", ""))

    def get_title(self) -> str:
        return self.name or super().get_title()

    def actions(self) -> list[Action]:
        return [Action(_("Remove"), self.to("brand_file_remove", self.name), "trash", "danger")] if self.name else []

    def initial(self) -> dict[str, Any]:
        return {"name": self.name, "text": self.files().get(self.name, "")}

    def act(self, data: dict[str, Any]) -> str:
        files = {name: text for name, text in self.files().items() if name != self.name}
        files[data["name"]] = data["text"].replace("\r\n", "\n")
        service.set_skeleton(actor=self.actor, brand=self.brand, files=files)
        messages.success(self.request, _("Saved."))
        return self.to("brand_pages")


class FileRemovePage(OfPages, ActionPage):
    """Takes a file away from what new accounts begin with."""

    title = gettext_lazy("Remove file")
    question = gettext_lazy("Let new accounts begin without this file?")
    submit_label = gettext_lazy("Remove")
    danger = True

    def act(self) -> str:
        files = self.files()
        if self.kwargs["name"] not in files:
            raise Http404
        del files[self.kwargs["name"]]
        service.set_skeleton(actor=self.actor, brand=self.brand, files=files)
        return self.to("brand_pages")
