"""Each guard of the engine is held by a test: without the guard, in a copy of the project, that test fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import guarding
from tests.faults.guards import GUARDS
from tests.guarding import ROOT, Guard

LIST = (ROOT / "docs" / "faults.md").read_text()


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_where_it_is_taken_out_and_listed_for_people(guard: Guard):
    guarding.check_listed(guard, LIST)


def test_no_guard_is_listed_that_nobody_takes_out():
    assert guarding.listed(LIST) == sorted(guard.name for guard in GUARDS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every named test passes."""
    return guarding.copied(tmp_path_factory.mktemp("copy"), GUARDS)


@pytest.mark.faults
@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_a_guard_its_test_fails(copy: Path, guard: Guard):
    guarding.check_fails_without(copy, guard)
