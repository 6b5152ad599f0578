"""Every import contract of pyproject.toml bites: violations of each, planted in a copy of the code, are found."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

PACKAGES = ("panel", "accounts", "provisioning", "billing")
# contract id, planted module, what it imports
PLANTS = [
    ("apps", "panel.core.planted_over", "accounts.models"),
    ("apps", "accounts.planted_over", "provisioning.models"),
    ("apps", "provisioning.planted_over", "billing"),
    ("apps", "billing.planted_over", "panel.urls"),
    ("app-layers", "accounts.models.planted_up", "accounts.services"),
    ("app-layers", "accounts.selectors.planted_up", "accounts.services"),
    ("app-layers", "provisioning.services.planted_up", "provisioning.web"),
    ("app-layers", "provisioning.web.planted_across", "provisioning.api"),
    ("pipeline", "provisioning.spec.planted_up", "provisioning.planning"),
    ("pipeline", "provisioning.render.planted_up", "provisioning.drivers"),
    ("pipeline", "provisioning.drivers.planted_across", "provisioning.transport"),
    ("pipeline", "provisioning.services.planted_on", "provisioning.reconcile"),
    ("pure", "provisioning.render.planted_django", "django"),
    ("pure", "provisioning.transport.planted_celery", "celery"),
    ("pure", "provisioning.importers.planted_drf", "rest_framework"),
    ("pure", "billing.pricing.planted_django", "django"),
    ("node", "provisioning.node.planted_panel", "panel.core.names"),
    ("node", "provisioning.node.planted_jinja", "jinja2"),
    ("drivers", "provisioning.drivers.planted_friend", "provisioning.drivers.planted_neighbour"),
    ("servers-are-reached-by-reconcile", "provisioning.services.planted_ssh", "provisioning.transport"),
    ("servers-are-reached-by-reconcile", "provisioning.web.planted_ssh", "provisioning.transport.ssh"),
    ("drivers-behind-compile", "provisioning.web.planted_driver", "provisioning.drivers"),
    ("reconcile-runs-in-the-worker", "provisioning.web.planted_wait", "provisioning.reconcile"),
    ("reconcile-runs-in-the-worker", "provisioning.services.planted_wait", "provisioning.preview"),
    ("reconcile-runs-in-the-worker", "provisioning.api.planted_look", "provisioning.drift"),
    ("vault", "provisioning.web.planted_secret", "panel.core.vault"),
    ("faces", "billing.planted_face", "provisioning.web"),
    ("faces", "provisioning.services.planted_face", "accounts.api"),
]


def write_module(sources: Path, module: str, text: str) -> None:
    """Write a module, and the packages above it, where they are not there."""
    path = sources.joinpath(*module.split("."))
    for parent in reversed(path.relative_to(sources).parents[:-1]):
        (sources / parent).mkdir(exist_ok=True)
        (sources / parent / "__init__.py").touch()
    if not path.is_dir() and not path.with_suffix(".py").exists():
        path.with_suffix(".py").write_text(text)


@pytest.fixture(scope="module")
def contracts(request: pytest.FixtureRequest) -> dict[str, str]:
    """The contracts of pyproject.toml: names by id."""
    settings = tomllib.loads((request.config.rootpath / "pyproject.toml").read_text())
    return {contract["id"]: contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def findings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, contracts: Mapping[str, str]
) -> dict[str, str]:
    """What lint-imports says of the code with every violation planted, by contract id."""
    copy = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        only_python = shutil.ignore_patterns("__pycache__")
        shutil.copytree(request.config.rootpath / package, copy / package, ignore=only_python)
    shutil.copy(request.config.rootpath / "pyproject.toml", copy)
    for _, planted, imported in PLANTS:
        write_module(copy, planted, f"import {imported}\n")
        if imported.partition(".")[0] in PACKAGES:
            write_module(copy, imported, "")
    argv = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": "", "COLUMNS": "400"}
    done = subprocess.run(argv, cwd=copy, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = done.stdout.partition("Broken contracts")[2]
    ids = {name: ident for ident, name in contracts.items()}
    headings = "|".join(re.escape(name) for name in ids)
    parts = re.split(f"^({headings})\n-+\n", broken, flags=re.MULTILINE)
    return {ids[name]: text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize(("contract", "planted", "imported"), PLANTS)
def test_a_planted_violation_is_found(findings: Mapping[str, str], contract: str, planted: str, imported: str):
    assert re.search(rf"\b{re.escape(planted)}\b", findings[contract]), findings[contract]


def test_every_contract_has_a_planted_violation(contracts: Mapping[str, str]):
    assert {contract for contract, _, _ in PLANTS} == set(contracts)
