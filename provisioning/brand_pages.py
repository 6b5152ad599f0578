"""The pages of a brand that servers show: the first page of a new site, and those of suspended and missing ones.

Whole HTML files with everything in them. A name that nobody has here gets the neutral page of the server instead.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Brand, BrandPages
from accounts.voice import mustache
from provisioning.spec import BrandPagesSpec

WORDS = ("domain", "brand")
LARGEST_LOGO = 65_536


@dataclass(frozen=True)
class Look:
    """A brand with the words of its pages, and its logo when it is small enough to lie within them."""

    brand: Brand
    pages: BrandPages
    logo: str = ""


def inline(content_type: str, content: bytes) -> str:
    """Return a picture as a data address (RFC 2397), or nothing for one that is too large for a page."""
    if len(content) > LARGEST_LOGO:
        return ""
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def first(domain: str, look: Look | None) -> str:
    """Return the first page of the site `domain`; without a look a neutral one."""
    with translation.override(look.brand.locale if look else None):
        title = (look.pages.first_title if look else "") or "{{domain}}"
        text = (look.pages.first_text if look else "") or _("A new web site is being made here. Please come back soon.")
        words = {"domain": domain, "brand": look.brand.name if look else ""}
        return _html("sites/default_page.html", look, mustache.fill(title, words), mustache.fill(text, words))


def notices(look: Look) -> BrandPagesSpec:
    """Return a brand's pages of suspended and missing sites."""
    pages = look.pages
    with translation.override(look.brand.locale):
        return BrandPagesSpec(
            look.brand.id,
            suspended=_html(
                "sites/notice.html",
                look,
                pages.suspended_title or _("This web site is unavailable at the moment"),
                pages.suspended_text or _("Please try again later."),
            ),
            missing=_html(
                "sites/notice.html",
                look,
                pages.missing_title or _("There is no such page here"),
                pages.missing_text or _("Please check the address."),
            ),
        )


def _html(template: str, look: Look | None, title: str, text: str) -> str:
    brand = look.brand if look else None
    context = {
        "brand": brand,
        "color": brand.primary_color if brand else "transparent",
        "logo": look.logo if look else "",
        "locale": brand.locale if brand else translation.get_language() or "en",
        "title": title,
        "text": text,
    }
    return render_to_string(template, context)
