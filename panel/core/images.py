"""Pictures from strangers: told by their bytes, decoded under limits and written anew; only the picture is left."""

import io
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from panel.core import svg
from panel.core.errors import Invalid

MOST_BYTES = 2 * 1024 * 1024
MOST_BYTES_SVG = 256 * 1024
LONGEST_SIDE = 6000  # of what is sent, in pixels
MOST_PIXELS = 16_000_000
FORMATS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}


@dataclass(frozen=True)
class Picture:
    """A picture as it may be served."""

    content: bytes
    content_type: str
    extension: str
    width: int
    height: int


def clean(content: bytes, *, field: str, box: tuple[int, int]) -> Picture:
    """Return a PNG or SVG that shows what `content` shows, within `box` (width, height in pixels; drawings scale).

    PNG, JPEG, WebP and SVG are taken; names and types that the sender gave count for nothing. Raises Invalid naming
    `field` for anything else, for too much, and for files that are something else besides.
    """
    if not content:
        raise Invalid("image_empty", _("This file is empty. Choose a picture: PNG, JPEG, WebP or SVG."), field)
    if len(content) > MOST_BYTES:
        raise Invalid("image_bytes", _("A picture has at most 2 MB. Save it smaller."), field)
    form = next((name for start, name in FORMATS.items() if content.startswith(start)), "")
    if form:
        return _raster(content, form, field, box)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _drawing(content, field)
    raise Invalid(
        "image_type", _("This is no picture that is taken here. Choose a PNG, JPEG, WebP or SVG file."), field
    )


def _raster(content: bytes, form: str, field: str, box: tuple[int, int]) -> Picture:
    if not _ends_as_it_should(content, form):
        raise Invalid(
            "image_polyglot",
            _("This file holds more than a picture. Save it again with a picture program and choose the new file."),
            field,
        )
    unreadable = Invalid(
        "image_unreadable", _("This picture is damaged. Save it again and choose the new file."), field
    )
    large = Invalid(
        "image_pixels", _("A picture has at most 6000 pixels each way and 16 million in all. Save it smaller."), field
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=[form]) as image:
                if max(image.size) > LONGEST_SIDE or image.size[0] * image.size[1] > MOST_PIXELS:
                    raise large
                image.load()
                upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise large from error
    except (OSError, SyntaxError, ValueError, EOFError, Warning) as error:
        raise unreadable from error
    upright.thumbnail(box, Image.Resampling.LANCZOS)
    plain = Image.new("RGBA", upright.size)
    plain.paste(upright)
    if plain.getchannel("A").getextrema() == (255, 255):
        plain = plain.convert("RGB")
    out = io.BytesIO()
    plain.save(out, "PNG", optimize=True)
    return Picture(out.getvalue(), "image/png", "png", *plain.size)


def _ends_as_it_should(content: bytes, form: str) -> bool:
    """Tell whether the file ends where its picture does: what follows is for another reader."""
    if form == "PNG":
        return content.endswith(b"\x00\x00\x00\x00IEND\xaeB`\x82") and content.count(b"IEND\xaeB`\x82") == 1
    if form == "JPEG":
        return content.rstrip(b"\x00").endswith(b"\xff\xd9")
    return content[8:12] == b"WEBP" and len(content) - int.from_bytes(content[4:8], "little") in (8, 9)


def _drawing(content: bytes, field: str) -> Picture:
    if len(content) > MOST_BYTES_SVG:
        raise Invalid("image_bytes", _("A drawing (SVG) has at most 256 kB. Simplify it, or choose a PNG."), field)
    try:
        cleaned, width, height = svg.sanitised(content)
    except svg.DrawingRefused as error:
        raise Invalid(error.rule, _why(error), field) from error
    return Picture(cleaned, "image/svg+xml", "svg", width, height)


def _why(error: svg.DrawingRefused) -> str:
    if error.rule == "svg_active":
        return _("This drawing (SVG) holds “%(what)s”, which a logo may not. Export it as plain SVG, or as PNG.") % {
            "what": error.what
        }
    if error.rule == "svg_external":
        return _("This drawing (SVG) refers to something outside of it. Embed its shapes, or export it as PNG.")
    return {
        "svg_entities": _("This drawing (SVG) has a document type or entities. Export it as plain SVG."),
        "svg_style": _("The styles of this drawing (SVG) can't be checked. Export it with presentation attributes."),
        "svg_large": _("This drawing (SVG) has too many or too deeply nested parts. Simplify it, or choose a PNG."),
        "svg_size": _("This drawing (SVG) does not say how large it is. Give it a viewBox."),
    }.get(error.rule, _("This drawing (SVG) can't be read. Export it again as plain SVG."))
