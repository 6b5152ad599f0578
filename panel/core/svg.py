"""Drawings from strangers, written anew by an allow-list: shapes, text, gradients, nothing that runs or reaches out."""

import re
from xml.etree import ElementTree

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
MOST_ELEMENTS = 5000
MOST_USES = 64
DEEPEST = 40

ELEMENTS = frozenset(
    """
    svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan linearGradient
    radialGradient stop clipPath mask pattern style
    """.split()
)
# What runs, reaches out or shows something else than a drawing: refused, so that its author knows.
REFUSED = frozenset(
    """
    script foreignObject iframe object embed audio video canvas image feImage a animate animateColor animateMotion
    animateTransform set handler listener
    """.split()
)
ATTRIBUTES = frozenset(
    """
    id class style viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points transform pathLength
    preserveAspectRatio version fill fill-opacity fill-rule clip-path clip-rule mask opacity color display visibility
    stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset
    stroke-opacity offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod patternUnits
    patternContentUnits patternTransform maskUnits maskContentUnits clipPathUnits dx dy rotate textLength lengthAdjust
    text-anchor dominant-baseline alignment-baseline baseline-shift font-family font-size font-style font-weight
    font-variant font-stretch letter-spacing word-spacing writing-mode text-decoration paint-order mix-blend-mode
    vector-effect shape-rendering text-rendering color-interpolation href
    """.split()
)
_OWN_REFERENCE = re.compile(r"#[A-Za-z_][A-Za-z0-9_.:-]*")
_URL = re.compile(r"url\(\s*(['\"]?)(.*?)\1\s*\)", re.IGNORECASE | re.DOTALL)
_STYLE_MARKS = re.compile(r"[@\\<]|expression|javascript:|-moz-binding|behavior\s*:", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:px|pt|mm|cm|in)?\s*")

ElementTree.register_namespace("", SVG)


class DrawingRefused(ValueError):
    """The drawing holds what no logo needs: `rule` is the rule's stable name, `what` the part that breaks it."""

    def __init__(self, rule: str, what: str = "") -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule
        self.what = what


def sanitised(content: bytes) -> tuple[bytes, int, int]:
    """Return the drawing with nothing but allowed elements and attributes, and its width and height.

    Unknown elements and attributes (editors' own) are left out. Raises DrawingRefused for document types and entities,
    scripts and handlers, embedded documents, animations, references to anything outside, and too much of anything.
    """
    try:
        root = fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise DrawingRefused("svg_entities") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DrawingRefused("svg_unreadable") from error
    if root.tag != f"{{{SVG}}}svg":
        raise DrawingRefused("svg_unreadable")
    if sum(1 for _element in root.iter()) > MOST_ELEMENTS:
        raise DrawingRefused("svg_large")
    kept = _copy(root, 0)
    if kept is None:
        raise DrawingRefused("svg_unreadable")
    _bound_uses(kept)
    width, height = _size(kept)
    return ElementTree.tostring(kept, encoding="utf-8", xml_declaration=True), width, height


def _copy(element: ElementTree.Element, depth: int) -> ElementTree.Element | None:
    space, _brace, name = str(element.tag).rpartition("}")
    if depth > DEEPEST:
        raise DrawingRefused("svg_large")
    if name in REFUSED:
        raise DrawingRefused("svg_active", name)
    if space != f"{{{SVG}" or name not in ELEMENTS:
        return None
    made = ElementTree.Element(f"{{{SVG}}}{name}")
    for attribute, value in element.attrib.items():
        _keep(made, str(attribute), value)
    made.text, made.tail = element.text, element.tail
    if name == "style":
        _check_style(made.text or "")
        return made
    for child in element:
        copy = _copy(child, depth + 1)
        if copy is not None:
            made.append(copy)
    return made


def _keep(made: ElementTree.Element, attribute: str, value: str) -> None:
    space, _brace, name = attribute.rpartition("}")
    if name.lower().startswith("on"):
        raise DrawingRefused("svg_active", name)
    if name == "href" and space in ("", f"{{{XLINK}"):
        if not _OWN_REFERENCE.fullmatch(value.strip()):
            raise DrawingRefused("svg_external", value[:60])
        made.set("href", value.strip())
    elif not space and name in ATTRIBUTES:
        _check_style(value)
        made.set(name, value)


def _check_style(text: str) -> None:
    if "/*" in text or _STYLE_MARKS.search(text):
        raise DrawingRefused("svg_style", text[:60])
    if text.lower().count("url(") != sum(1 for _match in _URL.finditer(text)):
        raise DrawingRefused("svg_style", text[:60])
    for match in _URL.finditer(text):
        if not _OWN_REFERENCE.fullmatch(match.group(2).strip()):
            raise DrawingRefused("svg_external", match.group(2)[:60])


def _bound_uses(root: ElementTree.Element) -> None:
    """Refuse references that lead to further ones: a few of them draw a billion shapes."""
    uses = list(root.iter(f"{{{SVG}}}use"))
    if len(uses) > MOST_USES:
        raise DrawingRefused("svg_large")
    targets = {element.get("href", "")[1:] for element in uses}
    for element in root.iter():
        if element.get("id") in targets and next(element.iter(f"{{{SVG}}}use"), None) is not None:
            raise DrawingRefused("svg_large")


def _size(root: ElementTree.Element) -> tuple[int, int]:
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    sizes = box[2:] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    matches = [_LENGTH.fullmatch(size) for size in sizes]
    if not all(matches):
        raise DrawingRefused("svg_size")
    width, height = (round(float(match.group(1))) for match in matches if match)
    if not (0 < width <= 100_000 and 0 < height <= 100_000):
        raise DrawingRefused("svg_size")
    if len(box) != 4:
        root.set("viewBox", f"0 0 {width} {height}")
    return width, height
