"""What the bench has measured, against what it is to reach: kept as JSON, printed as a table."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Line:
    """One row of the table; `holds` is None where nothing is to be reached."""

    figure: str
    ours: str
    floor: str = ""
    target: str = ""
    holds: bool | None = None


@dataclass
class Series:
    """Durations of the same thing in seconds, ours and the floor's, taken in turns."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Ours to the floor, by medians."""
        return statistics.median(self.ours) / statistics.median(self.floor)

    def line(self, figure: str, most: float | None) -> Line:
        """The row of this series; `most` is the ratio to stay under."""
        if most is None or not self.floor:
            return Line(figure, spread(self.ours), spread(self.floor) if self.floor else "")
        target = f"≤ {most:g} times floor: {self.ratio:.2f} times"
        return Line(figure, spread(self.ours), spread(self.floor), target, self.ratio <= most)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def spread(values: Sequence[float]) -> str:
    """Median, and where there are several also the 95th percentile, in ms below 10 s."""
    words = _seconds(statistics.median(values))
    return f"{words} (p95 {_seconds(percentile(values, 0.95))})" if len(values) > 2 else words


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 10 else f"{value:.1f} s"


@dataclass
class Figures:
    """All rows and the values they were made of."""

    lines: list[Line] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, line: Line, value: Any) -> None:
        """Keep a row and its values, and tell of it."""
        self.lines.append(line)
        self.values[key] = value
        print(f"  {line.figure}: {line.ours}{f'; floor {line.floor}' if line.floor else ''}", flush=True)

    def limit(self, key: str, figure: str, value: float, unit: str, most: float | None) -> None:
        """Keep one number that is to stay at or below `most`."""
        shown = f"{value:.0f} {unit}" if value >= 10 or value == int(value) else f"{value:.2f} {unit}"
        target = "" if most is None else f"≤ {most:g} {unit}"
        self.add(key, Line(figure, shown.strip(), "", target.strip(), None if most is None else value <= most), value)

    def table(self) -> str:
        """All rows as text."""
        head = ("figure", "panel", "floor", "target", "")
        verdict = {None: "", True: "met", False: "MISSED"}
        rows = [head, *((row.figure, row.ours, row.floor, row.target, verdict[row.holds]) for row in self.lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([text[0], "-" * (sum(widths) + 2 * len(widths)), *text[1:]])

    def write(self, path: Path, seconds: float) -> None:
        """Write everything as JSON, with machine and date."""
        machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
        load = os.getloadavg()[0]
        told = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {**machine, "load1_at_end": load},
            "seconds": round(seconds),
            "values": self.values,
            "missed": [row.figure for row in self.lines if row.holds is False],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1) + "\n")
