"""Numbers as people read them: sizes, durations, shares and diffs. Pure; not for parsing what people typed."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext

from panel.core.sizes import size

__all__ = ["DiffLine", "Gauge", "diff_lines", "duration", "size"]

NEAR_LIMIT = 0.8


def duration(milliseconds: float) -> str:
    """Return a time span given in milliseconds as text: 14 ms, 1.4 s, 2 min 5 s."""
    if milliseconds < 1000:
        return gettext("%(count)s ms") % {"count": number_format(round(milliseconds), decimal_pos=0)}
    seconds = milliseconds / 1000
    if seconds < 60:
        return gettext("%(count)s s") % {"count": number_format(round(seconds, 1), decimal_pos=1)}
    minutes, rest = divmod(round(seconds), 60)
    return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


@dataclass(frozen=True)
class Gauge:
    """Use against a limit; limit None is unlimited, 0 is none."""

    used: int
    limit: int | None

    @property
    def share(self) -> float:
        """Return how much of the limit is used, from 0 to 1 and beyond; 0 without a limit."""
        if self.limit is None:
            return 0.0
        return self.used / self.limit if self.limit else float(self.used > 0)

    @property
    def level(self) -> str:
        """Return full, high or normal, for the gauge's colour."""
        if self.limit is None:
            return "normal"
        if self.used >= self.limit:
            return "full" if self.limit else "normal"
        return "high" if self.used >= self.limit * NEAR_LIMIT else "normal"


@dataclass(frozen=True)
class DiffLine:
    """One line of a unified diff with what it does: add, remove, place (a hunk's head) or same."""

    kind: str
    text: str


def diff_lines(diff: str) -> Iterator[DiffLine]:
    """Yield the lines of a unified diff, without its two file header lines."""
    lines = diff.splitlines()
    if len(lines) >= 2 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        lines = lines[2:]
    kinds = {"+": "add", "-": "remove", "@": "place"}
    for line in lines:
        yield DiffLine(kinds.get(line[:1], "same"), line)
