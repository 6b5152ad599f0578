"""A brand's one colour made readable: what to write on it, and its shades for text on light and on dark. Pure."""

import re

DEFAULT = "#1f5fae"
# The grounds that links stand on and that leave least contrast: tinted notices and states.
LIGHT_SURFACE = "#ececec"
DARK_SURFACE = "#3a3a3a"
READABLE = 4.5
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


def readable_on(color: str, surface: str) -> str:
    """Return the colour, mixed with black or white by as little as makes it readable as text on the surface."""
    ground = parse(surface)
    target = (0, 0, 0) if luminance(ground) > 0.4 else (255, 255, 255)
    start = parse(color)
    for step in range(21):
        mixed = _mix(start, target, step / 20)
        if contrast(mixed, ground) >= READABLE:
            return _hex(mixed)
    return _hex(target)


def text_on(color: str) -> str:
    """Return white or near-black, whichever reads better on the colour; white wins where it is readable."""
    white, ink = (255, 255, 255), (17, 17, 17)
    ground = parse(color)
    wins = contrast(white, ground) >= READABLE or contrast(white, ground) >= contrast(ink, ground)
    return _hex(white if wins else ink)


def stylesheet(color: str) -> str:
    """Return the style sheet that gives the pages the brand's colour; an unknown notation gives the default one."""
    try:
        parse(color)
    except ValueError:
        color = DEFAULT
    color = color.lower()
    variables = {
        "--tblr-primary": color,
        "--tblr-primary-fg": text_on(color),
        "--hw-brand-on-light": readable_on(color, LIGHT_SURFACE),
        "--hw-brand-on-dark": readable_on(color, DARK_SURFACE),
    }
    body = "".join(f"  {name}: {value};\n" for name, value in variables.items())
    return f":root {{\n{body}}}\n"


def _shares(color: Rgb) -> list[float]:
    return [value / 255 for value in color]


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hex(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
