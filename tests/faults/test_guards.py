"""Each guard of the engine is held by a test: without the guard, in a copy of the project, that test fails."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.guards import GUARDS, Guard

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("panel", "accounts", "provisioning", "billing", "templates", "tests", "script", "manage.py", "pyproject.toml")
LIST = (ROOT / "docs" / "faults.md").read_text()
RUN_SECONDS = 300


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_where_it_is_taken_out_and_listed_for_people(guard: Guard):
    assert (ROOT / guard.file).read_text().count(guard.text) == 1, f"{guard.file} has changed: {guard.text}"
    file, _, name = guard.test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text()
    assert re.search(rf"^\| {guard.name} \|.*`{re.escape(guard.test)}` \|$", LIST, re.MULTILINE), guard.name


def test_no_guard_is_listed_that_nobody_takes_out():
    listed = re.findall(r"^\| ([^|]+) \|[^|]+\| `tests/", LIST, re.MULTILINE)
    assert sorted(listed) == sorted(guard.name for guard in GUARDS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every named test passes."""
    place = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / part)
    sound = run(place, *sorted({guard.test for guard in GUARDS}))
    assert sound.returncode == 0, sound.stdout[-4000:]
    return place


def run(place: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy; nothing that was compiled before counts."""
    for compiled in place.rglob("__pycache__"):
        shutil.rmtree(compiled)
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(argv, cwd=place, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)


@pytest.mark.faults
@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_a_guard_its_test_fails(copy: Path, guard: Guard):
    file = copy / guard.file
    before = file.read_text()
    file.write_text(before.replace(guard.text, guard.without))
    try:
        done = run(copy, guard.test)
    finally:
        file.write_text(before)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, f"{guard.test} held without it:\n{done.stdout[-3000:]}"
    assert "error" not in done.stdout.splitlines()[-1].lower(), done.stdout[-3000:]
