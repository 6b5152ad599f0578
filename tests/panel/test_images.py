"""Logos from strangers (attack I2): what is refused, and that what is taken is only a picture."""

import io
import struct
import zlib

import pytest
from PIL import Image

from panel.core import images, svg
from panel.core.errors import Invalid

BOX = (800, 200)
RED = (200, 20, 30)


def picture(form: str = "PNG", size: tuple[int, int] = (40, 20), **more: object) -> bytes:
    """Return a red picture as a file."""
    out = io.BytesIO()
    Image.new("RGB", size, RED).save(out, form, **more)
    return out.getvalue()


def drawing(inside: str = '<rect width="4" height="4"/>', attributes: str = 'viewBox="0 0 20 10"') -> bytes:
    """Return an SVG file."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def huge(width: int, height: int) -> bytes:
    """Return a PNG that says how large it is and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_written_anew_as_png(form: str) -> None:
    made = images.clean(picture(form), field="logo", box=BOX)
    assert (made.content_type, made.extension, made.width, made.height) == ("image/png", "png", 40, 20)
    with Image.open(io.BytesIO(made.content)) as shown:
        pixel = shown.convert("RGB").tobytes()[:3]
        assert all(abs(one - other) < 12 for one, other in zip(pixel, RED, strict=True))


def test_what_a_picture_says_beside_itself_is_lost() -> None:
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    made = images.clean(picture("JPEG", exif=exif, comment=b"<?php evil"), field="logo", box=BOX)
    assert b"script" not in made.content
    assert b"php" not in made.content


def test_large_pictures_shrink_into_their_box() -> None:
    made = images.clean(picture(size=(3000, 1000)), field="logo", box=BOX)
    assert (made.width, made.height) == (600, 200)


def test_transparency_stays() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    made = images.clean(out.getvalue(), field="logo", box=BOX)
    with Image.open(io.BytesIO(made.content)) as shown:
        assert shown.mode == "RGBA"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "image_empty"),
        (b"GIF89a" + bytes(20), "image_type"),
        (b"%PDF-1.7", "image_type"),
        (picture()[:-20], "image_polyglot"),
        (picture() + b"<script>alert(1)</script>", "image_polyglot"),
        (picture() + picture(), "image_polyglot"),
        (picture("JPEG") + b"PK\x03\x04", "image_polyglot"),
        (picture("WEBP") + b"<html>", "image_polyglot"),
        (picture()[:40] + bytes(200) + picture()[-12:], "image_unreadable"),
        (huge(30_000, 30_000), "image_pixels"),
        (huge(5_000, 5_000), "image_pixels"),
        (b"\x89PNG\r\n\x1a\n" + bytes(images.MOST_BYTES), "image_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_i2_what_is_no_plain_picture_is_refused(content: bytes, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        images.clean(content, field="logo", box=BOX)
    assert (refused.value.code, refused.value.field) == (rule, "logo")
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (drawing("<script>alert(1)</script>"), "svg_active"),
        (drawing('<g><x:script xmlns:x="http://www.w3.org/2000/svg">1</x:script></g>'), "svg_active"),
        (drawing('<script xmlns="http://www.w3.org/1999/xhtml">1</script>'), "svg_active"),
        (drawing("<foreignObject><body/></foreignObject>"), "svg_active"),
        (drawing('<image href="data:image/png;base64,AAAA"/>'), "svg_active"),
        (drawing('<a href="javascript:alert(1)"><rect/></a>'), "svg_active"),
        (drawing('<rect><set attributeName="onload" to="x"/></rect>'), "svg_active"),
        (drawing('<rect onload="alert(1)"/>'), "svg_active"),
        (drawing('<rect ONCLICK="alert(1)"/>'), "svg_active"),
        (drawing('<use href="https://evil.example/x.svg#a"/>'), "svg_external"),
        (drawing('<use xmlns:l="http://www.w3.org/1999/xlink" l:href="//evil.example/x#a"/>'), "svg_external"),
        (drawing('<rect fill="url(https://evil.example/x)"/>'), "svg_external"),
        (drawing("<rect style=\"fill: URL( 'http://evil.example/' )\"/>"), "svg_external"),
        (drawing("<style>@import 'https://evil.example/x.css';</style>"), "svg_style"),
        (drawing("<style>rect { fill: u\\72l(https://evil.example/) }</style>"), "svg_style"),
        (drawing("<style>rect { fill: url(https://evil.example/</style>"), "svg_style"),
        (b'<!DOCTYPE svg [<!ENTITY x "y">]>' + drawing("<text>&x;</text>"), "svg_entities"),
        (b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + drawing(), "svg_entities"),
        (drawing("<rect"), "svg_unreadable"),
        (b"<html><body>hello</body></html>", "svg_unreadable"),
        (drawing() + b"<script/>", "svg_unreadable"),
        (drawing(attributes=""), "svg_size"),
        (drawing(attributes='viewBox="0 0 -5 5"'), "svg_size"),
        (drawing("<g>" * 60 + "</g>" * 60), "svg_large"),
        (drawing("<rect/>" * 6000), "svg_large"),
        (drawing('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'), "svg_large"),
        (drawing('<use href="#a"/>' * 65), "svg_large"),
        (drawing("<!--" + "x" * images.MOST_BYTES_SVG + "-->"), "image_bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:70].decode(errors="replace"),
)
def test_i2_drawings_that_run_or_reach_out_are_refused(content: bytes, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        images.clean(content, field="favicon", box=BOX)
    assert (refused.value.code, refused.value.field) == (rule, "favicon")


def test_a_drawing_keeps_its_shapes_and_loses_what_its_editor_added() -> None:
    made = images.clean(
        drawing(
            '<metadata>secret</metadata><!-- secret --><defs><linearGradient id="g"><stop offset="0"/></linearGradient>'
            '</defs><style>.a { fill: url(#g) }</style><rect class="a" data-x="secret" width="4" height="4"/>'
            '<text>Ä &lt;b&gt;</text><use href="#g"/>',
            'viewBox="0 0 20 10" xmlns:i="https://editor.example/" i:version="secret"',
        ),
        field="logo",
        box=BOX,
    )
    assert (made.content_type, made.extension, made.width, made.height) == ("image/svg+xml", "svg", 20, 10)
    text = made.content.decode()
    assert "secret" not in text
    assert "editor.example" not in text
    for kept in ("linearGradient", ".a { fill: url(#g) }", 'href="#g"', "Ä &lt;b&gt;"):
        assert kept in text
    assert svg.sanitised(made.content)[0] == made.content


def test_a_drawing_in_another_encoding_is_read_as_it_says() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?>' + drawing("<text>ä</text>").decode()
    content = b'<?xml version="1.0" encoding="iso-8859-1"?>' + drawing().replace(b"<rect", b"<text>\xe4</text><rect")
    assert "ä" in images.clean(content, field="logo", box=BOX).content.decode()
    with pytest.raises(Invalid):
        images.clean(text.encode("utf-16"), field="logo", box=BOX)
