"""Every answer that a test gets is held against the OpenAPI document: what integrators generate code from is true."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be one more package to trust
import yaml

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.yaml"


@cache
def document() -> dict[str, Any]:
    """Return the document of the repository, in the words of JSON Schema."""
    loaded: dict[str, Any] = _as_json_schema(yaml.safe_load(DOCUMENT.read_text()))
    return loaded


@cache
def patterns() -> list[tuple[re.Pattern[str], str]]:
    """Return each path as a pattern, those without parameters first."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


def check(method: str, path: str, response: Any) -> None:
    """Raise when `response` is not what the document promises for `method` and `path`."""
    found = next((known for pattern, known in patterns() if pattern.fullmatch(path.partition("?")[0])), None)
    assert found is not None, f"{path} is not in the document"
    described = document()["paths"][found][method.lower()]["responses"]
    status = str(response.status_code)
    assert status in described or response.status_code >= 400, f"{method} {found} answers {status}"
    content = described.get(status, described["default"]).get("content", {})
    kind = response["Content-Type"].partition(";")[0] if response.content else None
    assert kind is None or kind in content, f"{method} {found} answers {status} as {kind}"
    if kind is not None:
        schema = {**content[kind]["schema"], "components": document()["components"]}
        wrong = jsonschema.Draft202012Validator(schema).iter_errors(json.loads(response.content))
        assert [f"{error.json_path}: {error.message}" for error in wrong] == []


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`, JSON Schema a type of null; what is not described is not answered."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _as_json_schema(value) for key, value in node.items() if key != "nullable"}
    if "properties" in found and "additionalProperties" not in found and "code" not in found["properties"]:
        found["additionalProperties"] = False
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found
