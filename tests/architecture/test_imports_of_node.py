"""The node program imports the standard library and itself only, in the oldest Python that it promises to run on."""

import ast
import sys
from pathlib import Path

import pytest

OLDEST = (3, 9)


def imported(tree: ast.Module) -> set[str]:
    """The top-level names that a module imports from outside its own package."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def test_the_node_program_needs_the_standard_library_only(request: pytest.FixtureRequest):
    files = sorted(Path(request.config.rootpath / "provisioning" / "node").rglob("*.py"))
    assert files
    for file in files:
        tree = ast.parse(file.read_text(), filename=str(file), feature_version=OLDEST)
        assert imported(tree) <= sys.stdlib_module_names, file


def test_a_foreign_import_would_be_seen():
    assert imported(ast.parse("import os\nfrom . import x\nfrom jinja2.nodes import Name")) == {"os", "jinja2"}
