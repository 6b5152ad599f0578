"""The product runs on what requirements/base.txt locks: nothing of it imports a developer's tool."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.test_code_rules import APPS, python_files

OWN = {*APPS, "tests"}
# The demo boots test servers, which are standard library only; provisioning.node is sent to servers as hostwright_node.
EXTRA = {"hostwright_node"}


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def foreign_imports(text: str) -> set[str]:
    """The top-level packages outside ours and the standard library that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OWN - EXTRA


def test_the_product_imports_only_what_is_locked_for_it(request: pytest.FixtureRequest):
    lock = (request.config.rootpath / "requirements" / "base.txt").read_text()
    locked = {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    distributions = packages_distributions()
    strangers = [
        f"{path.relative_to(request.config.rootpath)}: {name}"
        for path in python_files(request.config.rootpath, *APPS)
        for name in sorted(foreign_imports(path.read_text()))
        if not any(normal(distribution) in locked for distribution in distributions.get(name, []))
    ]
    assert not strangers


def test_a_developers_tool_would_be_seen():
    assert foreign_imports("import os\nimport mypy.api\nfrom panel.core import ids\nfrom . import x") == {"mypy"}
