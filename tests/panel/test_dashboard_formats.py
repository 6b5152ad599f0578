"""Sizes, spans, gauges, diffs and brand colours as the pages write them."""

import pytest

from panel.core import colors
from panel.dashboard import formats


@pytest.mark.parametrize(
    ("count", "base", "text"),
    [
        (0, 1000, "0 B"),
        (999, 1000, "999 B"),
        (1000, 1000, "1 kB"),
        (1_500_000_000, 1000, "1.5 GB"),
        (1_500_000_000, 1024, "1.4 GiB"),
        (1024**3, 1024, "1 GiB"),
        (10**10, 1000, "10 GB"),
        (5 * 10**18, 1000, "5000 PB"),
    ],
)
def test_sizes_say_which_unit_they_mean(count: int, base: int, text: str) -> None:
    assert formats.size(count, base=base).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(("span", "text"), [(14, "14 ms"), (1400, "1.4 s"), (125_000, "2 min 5 s")])
def test_durations(span: float, text: str) -> None:
    assert formats.duration(span) == text


@pytest.mark.parametrize(
    ("used", "limit", "level"),
    [(0, None, "normal"), (0, 0, "normal"), (7, 10, "normal"), (8, 10, "high"), (10, 10, "full")],
)
def test_gauge_levels(used: int, limit: int | None, level: str) -> None:
    assert formats.Gauge(used, limit).level == level


def test_diff_lines_tell_what_they_do() -> None:
    lines = list(formats.diff_lines("--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same"))
    assert [line.kind for line in lines] == ["place", "remove", "add", "same"]


def test_a_removed_line_that_looks_like_a_header_stays() -> None:
    lines = list(formats.diff_lines("@@ -1 +1 @@\n--- x\n+++ y"))
    assert [line.kind for line in lines] == ["place", "remove", "add"]


@pytest.mark.parametrize("color", ["#ffff00", "#0f766e", "#000000", "#ffffff", "#e11d48", "#777777", "#AABBCC"])
def test_a_brand_colour_stays_readable(color: str) -> None:
    light, dark = (colors.readable_on(color, ground) for ground in (colors.LIGHT_SURFACE, colors.DARK_SURFACE))
    assert colors.contrast(colors.parse(light), colors.parse(colors.LIGHT_SURFACE)) >= colors.READABLE
    assert colors.contrast(colors.parse(dark), colors.parse(colors.DARK_SURFACE)) >= colors.READABLE
    assert colors.contrast(colors.parse(colors.text_on(color)), colors.parse(color)) >= 4.4


@pytest.mark.parametrize("color", ["red", "#fff", "#0f766e\n", "#0f766e;} body{display:none", "", "url(//evil.test)"])
def test_only_a_colour_reaches_the_style_sheet(color: str) -> None:
    assert colors.stylesheet(color) == colors.stylesheet(colors.DEFAULT)
