"""Every import contract of pyproject.toml bites: a planted violation of each is found."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("panel", "accounts", "provisioning", "billing")
# contract id: planted module, and what it imports
PLANTS = [
    ("apps", "panel.core.planted", "accounts.models"),
    ("apps", "accounts.planted", "provisioning.models"),
    ("apps", "provisioning.planted", "billing"),
    ("apps", "billing.planted", "panel.urls"),
    ("app-layers", "accounts.models.planted", "accounts.services"),
    ("app-layers", "accounts.selectors.planted", "accounts.services"),
    ("app-layers", "provisioning.services.planted", "provisioning.web"),
    ("app-layers", "provisioning.web.planted", "provisioning.api"),
    ("pipeline", "provisioning.spec.planted", "provisioning.planning"),
    ("pipeline", "provisioning.render.planted", "provisioning.drivers"),
    ("pipeline", "provisioning.drivers.planted", "provisioning.transport"),
    ("pipeline", "provisioning.services.planted", "provisioning.reconcile"),
    ("pure", "provisioning.render.planted", "django"),
    ("pure", "provisioning.transport.planted", "celery"),
    ("pure", "provisioning.importers.planted", "rest_framework"),
    ("pure", "billing.pricing", "django"),
    ("node", "provisioning.node.planted", "panel.core.names"),
    ("node", "provisioning.node.planted", "jinja2"),
    ("drivers", "provisioning.drivers.planted", "provisioning.drivers.neighbour"),
    ("servers-are-reached-by-reconcile", "provisioning.services.planted", "provisioning.transport"),
    ("servers-are-reached-by-reconcile", "provisioning.web.planted", "provisioning.drivers"),
    ("reconcile-runs-in-the-worker", "provisioning.web.planted", "provisioning.reconcile"),
    ("reconcile-runs-in-the-worker", "provisioning.services.planted", "provisioning.preview"),
    ("vault", "provisioning.web.planted", "panel.core.vault"),
    ("faces", "billing.planted", "provisioning.web"),
    ("faces", "provisioning.services.planted", "accounts.api"),
]


@pytest.fixture(scope="module")
def sources(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code that violations can be planted in."""
    copy = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        only_python = shutil.ignore_patterns("__pycache__")
        shutil.copytree(request.config.rootpath / package, copy / package, ignore=only_python)
    shutil.copy(request.config.rootpath / "pyproject.toml", copy)
    return copy


def write_module(sources: Path, module: str, text: str) -> list[Path]:
    """Write a module and the packages above it where they are not there; returns what was made, innermost last."""
    path = sources.joinpath(*module.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return []
    made = []
    for parent in reversed(path.relative_to(sources).parents[:-1]):
        if not (sources / parent).is_dir():
            (sources / parent).mkdir()
            made.append(sources / parent)
        if not (sources / parent / "__init__.py").exists():
            (sources / parent / "__init__.py").touch()
            made.append(sources / parent / "__init__.py")
    path.with_suffix(".py").write_text(text)
    return [*made, path.with_suffix(".py")]


def lint(sources: Path, contract: str) -> subprocess.CompletedProcess[str]:
    argv = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract]
    environment = {**os.environ, "PYTHONPATH": "", "COLUMNS": "200"}
    return subprocess.run(argv, cwd=sources, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("contract", "planted", "imported"), PLANTS)
def test_a_planted_violation_is_found(sources: Path, contract: str, planted: str, imported: str):
    made: list[Path] = []
    if imported.partition(".")[0] in PACKAGES:
        made += write_module(sources, imported, "")
    made += write_module(sources, planted, f"import {imported}\n")
    try:
        result = lint(sources, contract)
    finally:
        for path in reversed(made):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
    assert planted in result.stdout


def test_every_contract_has_a_planted_violation(request: pytest.FixtureRequest):
    settings = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text())
    contracts = {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]}
    assert {contract for contract, _, _ in PLANTS} == contracts
