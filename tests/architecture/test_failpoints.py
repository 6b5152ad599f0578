"""Every failpoint that is listed is passed somewhere, and every one that is passed is listed: worker and node."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from panel.core import failpoints as worker
from provisioning.node import failpoints as node

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "provisioning" / "node"
WORKER = [ROOT / "panel", ROOT / "accounts", ROOT / "provisioning", ROOT / "billing"]


def passed(files: list[Path]) -> list[str]:
    """Return the names that `failpoint` is called with, those of a table of failpoints too, once a call."""
    names = []
    for file in files:
        for item in ast.walk(ast.parse(file.read_text())):
            if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id == "failpoint":
                names += [word.value for word in item.args if isinstance(word, ast.Constant)]
            if isinstance(item, ast.Assign) and isinstance(item.value, ast.Dict) and _is_table(item.targets):
                names += [word.value for word in item.value.values if isinstance(word, ast.Constant)]
    return [name for name in names if isinstance(name, str)]


def _is_table(targets: list[ast.expr]) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "_FAILPOINTS" for target in targets)


def of_worker() -> list[Path]:
    """Return the files that run in the panel's processes."""
    files = [file for folder in WORKER for file in folder.rglob("*.py")]
    return [file for file in files if NODE not in file.parents]


@pytest.mark.parametrize(
    ("listed", "files"),
    [(worker.FAILPOINTS, of_worker()), (node.FAILPOINTS + node.UPGRADE_FAILPOINTS, list(NODE.rglob("*.py")))],
    ids=["worker", "node"],
)
def test_failpoints_are_listed_and_passed(listed: tuple[str, ...], files: list[Path]):
    assert len(listed) == len(set(listed))
    assert set(listed) - set(passed(files)) == set(), "listed, and never passed"
    assert set(passed(files)) - set(listed) == set(), "passed, and not listed"


def test_worker_and_node_are_told_apart():
    assert worker.VARIABLE != node.VARIABLE
