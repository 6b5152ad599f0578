"""Pages of a brand: its looks with a preview, and the host name that has to prove itself."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Brand, Organization
from accounts.selectors import brands as selectors
from accounts.selectors import organizations
from accounts.services import brand_hosts, brand_images, old_hosts
from accounts.web.brand_forms import BrandForm, PreviewForm
from panel.core import colors
from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.web import Action, ActionPage, FormPage, OwnOrBelow

DIRECT = tuple(name for name in BrandForm.base_fields if name not in (*brand_images.SLOTS, "remove", "same_color"))


class OfBrand(OwnOrBelow):
    """A page about the brand of one's own organization, or of a reseller below."""

    action = "brand.change"

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def address(self, route: str) -> str:
        """Return the address of another page of this brand: `brand`, `brand_host` …"""
        return (
            reverse(f"accounts:{route}")
            if self.is_own
            else reverse(f"accounts:reseller_{route}", args=[self.object.pk])
        )

    def breadcrumbs(self) -> list[tuple[str, str]]:
        way = [] if self.is_own else [(self.object.name, reverse("accounts:reseller", args=[self.object.pk]))]
        return way if isinstance(self, BrandPage) else [*way, (_("Brand"), self.address("brand"))]


class BrandPage(OfBrand, FormPage):
    """What customers see: name, pictures, colours, hosts, support and legal links."""

    title = gettext_lazy("Brand")
    form_class = BrandForm
    template_name = "accounts/brand.html"

    def actions(self) -> list[Action]:
        own = reverse("provisioning:nameservers")
        servers = own if self.is_own else reverse("provisioning:reseller_nameservers", args=[self.object.pk])
        return [
            Action(_("Host name"), self.address("brand_host"), "world-www"),
            Action(_("Name servers"), servers, "network"),
            *(self._of_brand() if selectors.own(self.object) else []),
        ]

    def _of_brand(self) -> list[Action]:
        """The ways to what a brand that there is has beyond this page."""
        pk = self.object.pk
        return [
            Action(_("Mail"), reverse("accounts:mail", args=[pk]), "mail"),
            Action(_("Pages on servers"), reverse("provisioning:brand_pages", args=[pk]), "world"),
        ]

    def initial(self) -> dict[str, Any]:
        brand = selectors.own(self.object)
        if brand is None:
            return {
                "name": self.object.name,
                "primary_color": colors.DEFAULT,
                "accent_color": colors.DEFAULT,
                "same_color": True,
                "locale": "en",
            }
        claim = selectors.claim(self.object)
        return {
            **{field: getattr(brand, field) for field in DIRECT},
            "nameservers": "\n".join(brand.nameservers),
            "accent_color": brand.accent_color or brand.primary_color,
            "same_color": not brand.accent_color,
            "panel_host": claim.host if claim else brand.panel_host,
        }

    def form_options(self) -> dict[str, Any]:
        brand = selectors.own(self.object)
        return {"removable": [slot for slot in brand_images.SLOTS if brand and getattr(brand, slot)]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the brand as it is, and the preview."""
        brand = selectors.own(self.object)
        return super().get_context_data(
            brand=brand,
            claim=selectors.claim(self.object),
            preview=preview(brand, self.initial()),
            preview_url=self.address("brand_preview"),
            host_url=self.address("brand_host"),
            slots=[(slot, selectors.file_url(getattr(brand, slot, ""))) for slot in brand_images.SLOTS],
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> str:
        values = {field: data[field] for field in DIRECT}
        if data["same_color"]:
            values["accent_color"] = ""
        form = self.form
        _brand, followed = brand_images.dress(
            actor=self.actor, organization=self.object, pictures=form.pictures(), without=data["remove"], **values
        )
        words = _("Saved. What servers show of the brand follows; Operations says how far it is.")
        messages.success(self.request, words if followed else _("Saved."))
        return self.address("brand_host" if selectors.claim(self.object) else "brand")

    def make_form(self) -> BrandForm:
        """Return the form, kept for the pictures that were chosen in it."""
        form = super().make_form()
        if not isinstance(form, BrandForm):
            raise TypeError("A brand is changed by its form.")
        self.form = form
        return form


class PreviewPage(OfBrand):
    """The part beside the form: the brand as typed so far. It changes nothing."""

    template_name = "accounts/brand_preview.html"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it; what can't be read is left at what it is."""
        form = PreviewForm(request.POST)
        form.is_valid()
        return self.render_to_response({"preview": preview(selectors.own(self.object), form.cleaned_data)})


class HostPage(OfBrand):
    """The host name of the panel: in use, or what it waits for, and how to prove it. POST looks again."""

    title = gettext_lazy("Host name of the panel")
    template_name = "accounts/brand_host.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the host in use, the neutral one, those before, and the claim."""
        brand = selectors.own(self.object)
        rows = selectors.old_hosts(self.object)
        old = [(row, reverse("accounts:brand_old_host_end", args=[self.object.pk, row.pk])) for row in rows]
        return super().get_context_data(
            brand=brand,
            claim=selectors.claim(self.object),
            addresses=settings.PANEL_ADDRESSES,
            panel_url=selectors.base_url(brand) if brand and brand.panel_host else "",
            neutral_url=selectors.url_at(brand.neutral_host) if brand and brand.neutral_host else "",
            neutral_domain=settings.NEUTRAL_PANEL_DOMAIN,
            tells_of_neutral=self.actor.kind == "provider",
            is_provider=self.object.kind == Organization.Kind.PROVIDER,
            old_hosts=old,
            brand_url=self.address("brand"),
            withdraw_url=self.address("brand_host_withdraw"),
            vouch_url="" if self.is_own or not self.may("brand.vouch") else self.address("brand_host_vouch"),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Look into the DNS and at the host now, which takes some seconds at most."""
        claim = selectors.claim(self.object)
        if claim is not None:
            try:
                brand = brand_hosts.check(actor=self.actor, organization=self.object)
            except (NotFound, Forbidden):
                raise
            except DomainError as error:
                messages.error(request, error.message)
            else:
                if brand.panel_host == claim.host:
                    messages.success(request, _("The host name is proved and in use."))
        return HttpResponseRedirect(self.address("brand_host"))


class EndOldPage(OfBrand, ActionPage):
    """Lets a former host name go before its time."""

    title = gettext_lazy("End the old host name")
    question = gettext_lazy("End this host name now?")
    submit_label = gettext_lazy("End it")
    danger = True

    def consequences(self) -> list[str]:
        old = get_object_or_404(selectors.old_hosts(self.object), pk=self.kwargs["old"])
        words = _("Links and bookmarks to %(host)s stop working, and anybody may claim the name who can prove it.")
        return [words % {"host": old.host}]

    def cancel_url(self) -> str:
        return self.address("brand_host")

    def act(self) -> str:
        old_hosts.end(actor=self.actor, organization=self.object, pk=self.kwargs["old"])
        return self.address("brand_host")


class WithdrawPage(OfBrand, ActionPage):
    """Gives up a host name that has yet to prove itself."""

    title = gettext_lazy("Give up the host name")
    question = gettext_lazy("Give up this host name? The brand keeps the one that it has.")
    submit_label = gettext_lazy("Give it up")

    def cancel_url(self) -> str:
        return self.address("brand_host")

    def act(self) -> str:
        if selectors.claim(self.object) is not None:
            brand_hosts.withdraw(actor=self.actor, organization=self.object)
        return self.address("brand_host")


class VouchPage(OfBrand, ActionPage):
    """Lets the provider take a reseller's host name into use without a proof."""

    action = "brand.vouch"
    title = gettext_lazy("Vouch for the host name")
    question = gettext_lazy("Use this host name without a proof?")
    submit_label = gettext_lazy("Use it")

    def consequences(self) -> list[str]:
        claim = selectors.claim(self.object)
        return [_("%(host)s shows this brand from then on.") % {"host": claim.host}] if claim else []

    def cancel_url(self) -> str:
        return self.address("brand_host")

    def act(self) -> str:
        if selectors.claim(self.object) is not None:
            brand_hosts.vouch(actor=self.actor, organization=self.object)
        return self.address("brand_host")


def preview(brand: Brand | None, values: dict[str, Any]) -> dict[str, Any]:
    """Return what the preview shows: names, colours as they will be, and which of them had to be corrected."""
    primary = values.get("primary_color") or colors.DEFAULT
    accent = "" if values.get("same_color") else values.get("accent_color", "")
    shades = colors.shades(primary, accent)
    name = values.get("name") or (brand.name if brand else "")
    return {
        "name": name,
        "initial": name[:1].upper(),
        "footer": values.get("footer", ""),
        "logo_url": selectors.file_url(brand.logo) if brand else "",
        "logo_dark_url": selectors.file_url(brand.logo_dark) if brand else "",
        "screens": [(theme, json.dumps(found)) for theme, found in colors.variables(primary, accent).items()],
        "shades": shades,
        "corrected": [shade for shade in shades if shade.corrected],
    }
