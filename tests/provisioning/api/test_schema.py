"""The OpenAPI document: the one in the repository is the one that the code makes, and no answer holds a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.http import JsonResponse
from rest_framework.serializers import Serializer

from panel.core.api.serializers import StrictSerializer
from provisioning.api import accounts, databases, mail, operations, packages, previews, servers, sites, zones
from tests.provisioning.api import contract

SECRET = re.compile(r"hash|digest|secret|seed|totp|private|token|password|ciphertext|credential|host_key\b|\bkey_id\b")
#: A token is shown once, when it is made.
SHOWN_ONCE = {"TokenCreated.token", "WebhookWithSecret.secret"}
#: Yes or no, however it is called.
FLAGS = {
    "Gateway.has_hook_secret",
    "Gateway.has_secret_key",
    "Passkey.passwordless",
    "ResellerPlan.private_nameservers",
    "Sender.private_allowed",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    return path.read_text()


@pytest.fixture(scope="module")
def document(written: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(written)
    return loaded


def test_the_document_in_the_repository_is_up_to_date(request: pytest.FixtureRequest, written: str):
    kept = (request.config.rootpath / "docs" / "openapi.yaml").read_text()
    assert kept == written, "Run: .venv/bin/python manage.py spectacular --file docs/openapi.yaml"


def answers(document: dict[str, Any]) -> set[str]:
    """Return the names of all schemas that some answer holds."""
    found: set[str] = set()

    def follow(node: Any) -> None:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                follow(document["components"]["schemas"][name])
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    for path in document["paths"].values():
        for operation in path.values():
            follow(operation["responses"])
    return found


def fields(document: dict[str, Any]) -> Iterator[str]:
    """Return `Schema.field` of everything that is answered."""
    for name in answers(document):
        for field in document["components"]["schemas"][name].get("properties", {}):
            yield f"{name}.{field}"


def test_no_answer_has_a_secret_field(document: dict[str, Any]):
    shown = set(fields(document))
    assert {"Mailbox.address", "DatabaseUser.name", "Server.fingerprint"} <= shown
    assert {field for field in shown if SECRET.search(field.partition(".")[2].lower())} <= SHOWN_ONCE | FLAGS


def test_the_search_for_secrets_bites():
    for field in ("password_hash", "totp_seed", "private_key", "password", "host_key", "token", "digest"):
        assert SECRET.search(field)


def test_every_body_refuses_what_it_does_not_know():
    bodies = re.compile(r"(Create|Change|Add|Query|Suspend|Terminate|Remove|Confirm|Bootstrap)$")
    seen = 0
    for module in (accounts, databases, mail, operations, packages, previews, servers, sites, zones):
        for name, found in vars(module).items():
            if isinstance(found, type) and issubclass(found, Serializer) and bodies.search(name):
                seen += 1
                assert issubclass(found, StrictSerializer), name
    assert seen > 25


def test_passwords_are_written_only(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    taking = {name for name, schema in schemas.items() if "password" in schema.get("properties", {})}
    assert {"MailboxCreateRequest", "DatabaseUserCreateRequest"} <= taking
    for name in taking:
        assert schemas[name]["properties"]["password"]["writeOnly"] is True, name


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"items": []}),
        (200, {"items": [], "next": None, "total": 0}),
        (200, {"items": [{"id": "acc_1"}], "next": None}),
        (201, {"items": [], "next": None}),
        (404, {"detail": "Not found."}),
    ],
)
def test_the_check_of_answers_bites(status: int, body: dict[str, Any]):
    kind = "application/problem+json" if status >= 400 else "application/json"
    contract.check("GET", "/api/v1/accounts", JsonResponse({"items": [], "next": None}))
    with pytest.raises(AssertionError):
        contract.check("GET", "/api/v1/accounts", JsonResponse(body, status=status, content_type=kind))
