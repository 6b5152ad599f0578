"""Guards taken out in a copy of the project: what a test of a guard is worth is seen when the guard is gone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("panel", "accounts", "provisioning", "billing", "templates", "tests", "script", "manage.py", "pyproject.toml")
RUN_SECONDS = 300


@dataclass(frozen=True)
class Guard:
    """A guard by name: in `file`, `text` (there once) becomes `without`; `test` fails then."""

    name: str
    file: str
    text: str
    without: str
    test: str


def check_listed(guard: Guard, page: str) -> None:
    """Fail unless the guard's text is where it is taken out, its test exists, and a document has both in one row."""
    assert (ROOT / guard.file).read_text().count(guard.text) == 1, f"{guard.file} has changed: {guard.text}"
    file, _, name = guard.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text()
    assert re.search(rf"^\| {guard.name} \|.*`{re.escape(guard.test)}` \|$", page, re.MULTILINE), guard.name


def listed(page: str) -> list[str]:
    """Return the guards that a document lists, by name."""
    return sorted(re.findall(r"^\| ([^|]+) \|[^|]+\| `tests/", page, re.MULTILINE))


def copied(place: Path, guards: Iterable[Guard]) -> Path:
    """Copy the project to `place`, and see that every named test passes there."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / part)
    sound = run(place, *sorted({guard.test for guard in guards}))
    assert sound.returncode == 0, sound.stdout[-4000:]
    return place


def run(place: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy; nothing that was compiled before counts."""
    for compiled in place.rglob("__pycache__"):
        shutil.rmtree(compiled)
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "HOSTWRIGHT_NO_SHRINKING": "1"}
    return subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)


def check_fails_without(place: Path, guard: Guard) -> None:
    """Take a guard out of a copy, see its test fail, and put it back."""
    file = place / guard.file
    before = file.read_text()
    file.write_text(before.replace(guard.text, guard.without))
    try:
        done = run(place, guard.test)
    finally:
        file.write_text(before)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, f"{guard.test} held without it:\n{done.stdout[-3000:]}"
    assert "error" not in done.stdout.splitlines()[-1].lower(), done.stdout[-3000:]
