"""A brand's two colours made readable: what to write on them, and their shades on light and on dark. Pure."""

import math
import re
from dataclasses import dataclass

DEFAULT = "#1f5fae"
# The grounds that links stand on and that leave least contrast: tinted notices and states.
LIGHT_SURFACE = "#ececec"
DARK_SURFACE = "#3a3a3a"
# The grounds that buttons and marks stand on.
LIGHT_PAGE = "#ffffff"
DARK_PAGE = "#262626"
READABLE = 4.5  # WCAG 2.2, 1.4.3: text
VISIBLE = 3.0  # WCAG 2.2, 1.4.11: the shape of a control
_HEX = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[int, int, int]


def parse(color: str) -> Rgb:
    """Return red, green and blue of `#rrggbb`; raise ValueError for anything else."""
    if not _HEX.fullmatch(color.lower()):
        raise ValueError("A colour is written as # and six hexadecimal digits.")
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: Rgb) -> float:
    """Return the relative luminance from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in _shares(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio from 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(color: str, surface: str, ratio: float = READABLE) -> str:
    """Return the colour, mixed with black or white by as little as gives it the contrast `ratio` to the surface."""
    ground = parse(surface)
    target = (0, 0, 0) if luminance(ground) > 0.4 else (255, 255, 255)
    start = parse(color)
    for step in range(21):
        mixed = _mix(start, target, step / 20)
        if contrast(mixed, ground) >= ratio:
            return _hex(mixed)
    return _hex(target)


def text_on(color: str) -> str:
    """Return white or near-black, whichever reads better on the colour; white wins where it is readable."""
    white, ink = (255, 255, 255), (17, 17, 17)
    ground = parse(color)
    wins = contrast(white, ground) >= READABLE or contrast(white, ground) >= contrast(ink, ground)
    return _hex(white if wins else ink)


@dataclass(frozen=True)
class Shade:
    """What a colour becomes in one place: `place` is button or link, `ground` light or dark.

    `before` and `after` are contrast ratios to the ground, `needed` is the least that WCAG 2.2 AA asks for there.
    """

    place: str
    ground: str
    wanted: str
    used: str
    before: float
    after: float
    needed: float

    @property
    def corrected(self) -> bool:
        """Whether another colour than the wanted one is used."""
        return self.used != self.wanted


def shades(primary: str, accent: str = "") -> list[Shade]:
    """Return the colours of buttons (`primary`) and links (`accent`, else `primary`) on light and dark grounds.

    What is no colour counts as the default one.
    """
    primary = known(primary)
    link = known(accent or primary)
    return [
        _shade("button", "light", primary, LIGHT_PAGE, VISIBLE),
        _shade("button", "dark", primary, DARK_PAGE, VISIBLE),
        _shade("link", "light", link, LIGHT_SURFACE, READABLE),
        _shade("link", "dark", link, DARK_SURFACE, READABLE),
    ]


def known(color: str) -> str:
    """Return the colour in lower case, or the default one for an unknown notation."""
    try:
        parse(color)
    except ValueError:
        return DEFAULT
    return color.lower()


def variables(primary: str, accent: str = "") -> dict[str, dict[str, str]]:
    """Return the pages' CSS variables that carry a brand's colours, for `light` and for `dark` grounds."""
    found = {(shade.place, shade.ground): shade.used for shade in shades(primary, accent)}
    links = {"--hw-brand-on-light": found["link", "light"], "--hw-brand-on-dark": found["link", "dark"]}
    return {
        ground: {
            "--tblr-primary": found["button", ground],
            "--tblr-primary-rgb": ", ".join(str(part) for part in parse(found["button", ground])),
            "--tblr-primary-fg": text_on(found["button", ground]),
            **links,
        }
        for ground in ("light", "dark")
    }


def stylesheet(primary: str, accent: str = "") -> str:
    """Return the style sheet that gives the pages a brand's colours; an unknown notation gives the default one."""
    found = variables(primary, accent)
    system = _rule(":root:not([data-bs-theme])", found["dark"], indent="  ")
    return (
        _rule(":root", found["light"])
        + _rule("[data-bs-theme=dark]", found["dark"])
        + f"@media (prefers-color-scheme: dark) {{\n{system}}}\n"
    )


def _shade(place: str, ground: str, wanted: str, surface: str, needed: float) -> Shade:
    used = readable_on(wanted, surface, needed)
    before, after = (math.floor(contrast(parse(color), parse(surface)) * 100) / 100 for color in (wanted, used))
    return Shade(place, ground, wanted, used, before, after, needed)


def _rule(selector: str, values: dict[str, str], indent: str = "") -> str:
    body = "".join(f"{indent}  {name}: {value};\n" for name, value in values.items())
    return f"{indent}{selector} {{\n{body}{indent}}}\n"


def _shares(color: Rgb) -> list[float]:
    return [value / 255 for value in color]


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
