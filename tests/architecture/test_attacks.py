"""The table of attacks and faults in docs/attacks.md is whole, and every test that it names exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs/attacks.md").read_text()
ROW = re.compile(r"^\| (?P<row>[A-KX][0-9]{1,2}) \| (?P<what>[^|]+) \| (?P<cell>[^|]*) \|$", re.MULTILINE)
REFERENCE = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
ROWS = """
A1 A3 A4 A5 A6 A7 A9 B1 B2 B3 B4 B5 B6 B8 C1 C2 C3 C4 C6 D1 D2 D3 D4 D5 E1 E2 E3 E5 E6 E7 E8 E9 E10 F1 F2 F3 F4 F5 F6 F7
G1 G2 G3 G4 G5 G6 G7 G8 G9 G10 G11 H1 H2 H3 H4 H5 H6 H8 H9 H11 I1 I2 I4 I5 I6 J1 J2 J3 J5 K1 K2 K3 K4 K5 K6 K7
X1 X2 X3 X4 X5 X6 X7 X9 X10 X11 X12 X13 X15 X16 X17 X18 X19 X21 X22 X23
""".split()
# Of what the first issue owes, no row may wait.
OWED = "A5 A9 B2 B3 B4 B5 B6 C1 C2 C3 D1 D2 D5 E1 E2 F1 F2 F3 G1 G2 G4 G7 K3 K4 K6 X6 X7".split()


@functools.cache
def functions_of(path: Path) -> frozenset[str]:
    """Return the names of the test functions of a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def cells() -> dict[str, str]:
    """Return the last cell of each row."""
    return {match["row"]: match["cell"] for match in ROW.finditer(TABLE)}


def test_every_row_is_there_once_and_in_order():
    assert [match["row"] for match in ROW.finditer(TABLE)] == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_every_named_test_exists(row: str):
    cell = cells()[row]
    named = REFERENCE.findall(cell)
    missing = [f"{path}::{name}" for path, name in named if name not in functions_of(ROOT / path)]
    assert missing == []
    assert cell.count("::") == len(named), "a reference that is none"
    assert named or "aits for" in cell, "neither a test nor what it waits for"


@pytest.mark.parametrize("row", OWED)
def test_what_is_owed_has_tests(row: str):
    assert REFERENCE.search(cells()[row])
