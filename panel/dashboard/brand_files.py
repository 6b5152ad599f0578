"""What a brand's pages load before anybody signs in: its pictures and its icon. They say nothing of other brands."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.models import Brand
from accounts.selectors import brands
from panel.core import colors

YEAR = 31_536_000
INERT = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A picture opened by itself runs nothing and loads nothing; drawings may carry styles of their own."""


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def brand_file(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a logo or favicon; its address is a hash of what it shows, so it may be kept for good."""
    image = brands.image(name)
    if image is None:
        raise Http404
    return _picture(bytes(image.content), image.content_type)


@require_safe
@cache_control(public=True, max_age=86400)
def brand_icon(request: HttpRequest) -> HttpResponse:
    """Draw the icon of a brand that has no favicon: its initial on its colour."""
    brand: Brand | None = getattr(request, "brand", None)
    color = colors.known(brand.primary_color if brand else "")
    context = {"initial": brand.name[:1].upper() if brand else "", "color": color, "ink": colors.text_on(color)}
    return _picture(render_to_string("brand/icon.svg", context).encode(), "image/svg+xml")


@require_safe
def brand_favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers that ask for /favicon.ico to the brand's icon."""
    return HttpResponseRedirect(brands.favicon_url(getattr(request, "brand", None)))


@require_safe
@cache_control(public=True, max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    """Ask search engines to stay away from the panel (RFC 9309)."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")


def _picture(content: bytes, content_type: str) -> HttpResponse:
    headers = {
        "Content-Security-Policy": INERT,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Disposition": "inline",
    }
    return HttpResponse(content, content_type=content_type, headers=headers)
