"""Every file of cases/<service>/ is a test: a specification, and the resources that the service's driver makes of it.

`account` is what the account should be, absent for the server's own slice. `expect` lists every key, with the
attributes that matter; of a text `lines` gives lines that must be there, `lacks` what must be nowhere, and `text` the
whole. `refused` is the start of the reason why there are no resources.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from provisioning.planning.resources import Resource, by_key
from tests.provisioning.drivers import build

CASES = sorted((Path(__file__).parent / "cases").glob("*/*.json"))


def resources_of(case: dict[str, Any], service: str) -> list[Resource]:
    """Run the driver of `service` on the case's specification."""
    driver = import_module(f"provisioning.drivers.{service}")
    server = build.server(case.get("server", {}))
    if "account" not in case:
        return list(driver.base(server))
    return list(driver.account(server, build.account(case["account"])))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    service = path.parent.name
    if "refused" in case:
        with pytest.raises(ValueError, match=case["refused"]):
            resources_of(case, service)
        return
    found = by_key(resources_of(case, service))
    expected = {item["key"]: item for item in case["expect"]}
    assert list(found) == [item["key"] for item in case["expect"]]
    for key, item in expected.items():
        check(found[key], item)


def check(resource: Resource, expected: dict[str, Any]) -> None:
    """Compare the attributes that the case names."""
    wanted = dict(expected)
    wanted.pop("key")
    lines, lacks, hint = wanted.pop("lines", []), wanted.pop("lacks", []), wanted.pop("hint", None)
    text = wanted.pop("text", None)
    if text is not None:
        assert resource.body["text"].splitlines() == text
    present = [line.strip() for line in resource.body.get("text", "").splitlines()]
    assert [line for line in lines if line not in present] == []
    assert [piece for piece in lacks if piece in resource.body.get("text", "")] == []
    assert {name: resource.body.get(name) for name in wanted} == wanted
    if hint is not None:
        assert dict(resource.hint) == hint


def test_there_are_cases_for_every_driver() -> None:
    drivers = {path.stem for path in Path("provisioning/drivers").glob("*.py")} - {"__init__"}
    assert {path.parent.name for path in CASES} == drivers
