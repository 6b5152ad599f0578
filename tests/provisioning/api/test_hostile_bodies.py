"""A5, D1, F1 to F3 for every write of the API: hostile text, unknown fields, foreign ids, broken bodies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from panel.core.scoping import everything
from provisioning.models import Database, MailDomain
from tests.provisioning.api import contract
from tests.provisioning.api.conftest import API, Program, Stage, texts, trace
from tests.provisioning.api.objects import fill, ids

HOSTILE = "{{7*7}}{% %}$()%0a;}#\"'\\`id`|<img onerror=x>"
OPTION = "--checkpoint=1"
UNKNOWN = ("owner", "reseller_id", "role", "is_staff", "quota", "uid", "home", "shell", "id", "status", "__proto__")
PASSWORD = "a-Long-enough-9"
PROVIDERS = ("/servers", "/addresses", "/drift", "/reseller-plans")
OTHERS = {"organizations", "members", "invitations", "tokens", "me", "audit"} | {
    *(
        "bank-entries",
        "billing-details",
        "cards",
        "customers",
        "dunning-pauses",
        "gateway",
        "holds",
        "invoices",
        "items",
        "meter-events",
        "meters",
    ),
    *("orders", "payments", "price-feeds", "prices", "products", "rate", "seller", "subscriptions", "tax-rates"),
    *("webhook-messages", "webhooks"),
}
"""What tests/accounts, tests/panel and tests/billing ask in the same way."""

#: Every method and path that takes a body → one that is taken.
WRITES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/servers"): {"name": "w", "platform_name": "w.platform.example", "host": "203.0.113.9"},
    ("PATCH", "/servers/{server}"): {"name": "other", "closed": True},
    ("POST", "/servers/{server}/confirm-host-key"): {"fingerprint": "SHA256:x"},
    ("POST", "/servers/{server}/bootstrap"): {"password": "root-password"},
    ("POST", "/servers/{server}/overrule"): {"confirm": "web1"},
    ("POST", "/servers/{server}/rebuild-plan"): {"old": "{server}", "addresses": {"203.0.113.1": "203.0.113.2"}},
    ("POST", "/servers/{server}/rebuild"): {"old": "{server}", "confirm": "web1"},
    ("POST", "/servers/{server}/drift/restore"): {"items": ["{drift}"]},
    ("POST", "/drift/{drift}/pin"): {"note": "asked for"},
    ("POST", "/servers/{server}/addresses"): {"ip": "203.0.113.9", "kind": "shared", "public_ip": "203.0.113.8"},
    ("POST", "/servers/{server}/addresses/{address}/give"): {"organization": "{seller}"},
    ("POST", "/packages"): {"name": "Gold", "mailboxes": 1},
    ("PATCH", "/packages/{package}"): {"name": "Gold", "mailboxes": 1},
    ("POST", "/packages/{package}/impact"): {"name": "Gold", "mailboxes": 1},
    ("POST", "/reseller-plans"): {"name": "Gold", "accounts": 1},
    ("PATCH", "/reseller-plans/{plan}"): {"name": "Gold", "accounts": 1},
    ("POST", "/reseller-plans/{plan}/impact"): {"name": "Gold", "accounts": 1},
    ("POST", "/brand-scans"): {"organization": "{seller}"},
    ("POST", "/accounts"): {
        "client": "{client}",
        "package": "{package}",
        "domain": "fresh-example.org",
        "username": "fresh",
        "database": {"name": "fresh", "password": PASSWORD, "host": "localhost"},
    },
    ("POST", "/accounts/{account}/package"): {"package": "{package}"},
    ("POST", "/accounts/{account}/package/impact"): {"package": "{package}"},
    ("POST", "/accounts/{account}/move"): {"client": "{client}", "package": "{package}"},
    ("PUT", "/accounts/{account}/limits/{resource}"): {"limit": 5, "reason": "asked for"},
    ("POST", "/accounts/{account}/rename"): {"domain": "fresh-example.org", "username": "fresh"},
    ("POST", "/accounts/{account}/suspend"): {"reason": "unpaid"},
    ("POST", "/accounts/{account}/terminate"): {"confirm": "a-example.org"},
    ("POST", "/accounts/{account}/databases"): {"name": "fresh"},
    ("POST", "/accounts/{account}/database-users"): {
        "name": "fresh",
        "password": PASSWORD,
        "databases": ["{database}"],
        "host": "localhost",
    },
    ("PATCH", "/database-users/{database_user}"): {"password": PASSWORD, "databases": ["{database}"]},
    ("PATCH", "/sites/{site}"): {"php_version": "8.3"},
    ("POST", "/sites/{site}/aliases"): {"hostname": "fresh-example.org"},
    ("POST", "/zones/{zone}/records"): {"type": "TXT", "name": "fresh", "content": "text", "ttl": 60},
    ("PATCH", "/zones/{zone}/records/{record}"): {"type": "A", "name": "fresh", "content": "203.0.113.9", "ttl": 60},
    ("POST", "/mailboxes"): {"mail_domain": "{mail_domain}", "local": "fresh", "password": PASSWORD, "quota_bytes": 1},
    ("PATCH", "/mailboxes/{mailbox}"): {"password": PASSWORD, "quota_bytes": 1, "enabled": True},
    ("POST", "/aliases"): {"mail_domain": "{mail_domain}", "local": "fresh", "destinations": ["x@elsewhere.example"]},
    ("PATCH", "/aliases/{alias}"): {"destinations": ["x@elsewhere.example"]},
    ("POST", "/previews"): {"verb": "database.create", "arguments": {"account": "{account}", "name": "fresh"}},
    ("POST", "/previews/{preview}/confirm"): {"password": PASSWORD},
}
#: Text that may hold anything printable: it reaches no configuration unquoted.
FREE = {("POST", "/accounts/{account}/suspend", "reason"), ("PATCH", "/packages/{package}", "name")} | {
    ("POST", "/packages", "name"),
    ("POST", "/packages/{package}/impact", "name"),
    ("POST", "/reseller-plans", "name"),
    ("PATCH", "/reseller-plans/{plan}", "name"),
    ("POST", "/reseller-plans/{plan}/impact", "name"),
    ("PUT", "/accounts/{account}/limits/{resource}", "reason"),
    ("POST", "/servers", "name"),
    ("POST", "/drift/{drift}/pin", "note"),
    ("PATCH", "/servers/{server}", "name"),
    ("POST", "/servers/{server}/bootstrap", "password"),
    ("POST", "/accounts/{account}/database-users", "password"),
    ("PATCH", "/database-users/{database_user}", "password"),
    ("POST", "/mailboxes", "password"),
    ("PATCH", "/mailboxes/{mailbox}", "password"),
    ("POST", "/zones/{zone}/records", "content"),
}


@pytest.fixture
def known(stage: Stage) -> dict[str, str]:
    """The ids that the paths and bodies name."""
    provider = stage.program("provider")
    provider.post("/previews", {"verb": "account.unsuspend", "arguments": {"account": stage.account_a.pk}})
    plan = provider.post("/reseller-plans", {"name": "Starter"}, status=201)["id"]
    fill(stage, 0, 1)
    client = stage.cast.client_a.organization.pk
    return {**ids(stage), "client": client, "plan": plan, "resource": "mailboxes"}


def filled(node: Any, known: dict[str, str]) -> Any:
    """Return the body with ids in place of their names."""
    if isinstance(node, dict):
        return {key: filled(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, known) for value in node]
    return node.format(**known) if isinstance(node, str) and node.startswith("{") else node


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def sent(program: Program, method: str, path: str, body: Any, known: dict[str, str]) -> Any:
    return program.send(method, path.format(**known), body, If_Match="*")


def test_every_write_with_a_body_is_here():
    written = {
        (method.upper(), path.removeprefix(API))
        for path, methods in contract.document()["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation and operation["tags"][0] not in OTHERS
    }
    nameless = {(method, _nameless(path)) for method, path in WRITES}
    assert nameless == {(method, _nameless(path)) for method, path in written}


def test_hostile_text_is_refused_by_field_or_kept_as_data(stage: Stage, known: dict[str, str], subtests):
    program = stage.program("provider")
    for (method, path), body in WRITES.items():
        for field, value in body.items():
            if not isinstance(value, str | list):
                continue
            for text in (HOSTILE, OPTION, f"{HOSTILE}\n"):
                hostile = [text] if isinstance(value, list) else text
                given = {**filled(body, known), field: hostile}
                with subtests.test(f"{method} {path} {field} {text!r}"), undone():
                    before = trace()
                    response = sent(program, method, path, given, known)
                    assert "49{%" not in response.content.decode()
                    if response.status_code < 400:
                        assert (method, path, field) in FREE
                        is_kept = not path.endswith(("/bootstrap", "/impact"))  # One signs in once, one only asks.
                        assert not ("\n" in text and is_kept)
                    else:
                        assert response.status_code in (400, 404, 409)
                        said = response.json()
                        assert (said["field"] or field).partition(".")[0] == field or said["code"] in _OF_STATE
                        assert texts(said)
                        assert trace() == before


#: Refusals that come from the object's state before the text is looked at.
_OF_STATE = {"not_waiting", "expired", "host_key_changed"}


def test_unknown_fields_are_refused_by_name(stage: Stage, known: dict[str, str], subtests):
    program = stage.program("provider")
    for (method, path), body in WRITES.items():
        before = trace()
        for field in UNKNOWN:
            with subtests.test(f"{method} {path} {field}"), undone():
                response = sent(program, method, path, {**filled(body, known), field: "root"}, known)
                assert response.status_code == 400
                assert response.json()["field"] == field
        assert trace() == before


def test_bodies_that_are_no_objects_are_refused(stage: Stage, known: dict[str, str], subtests):
    program = stage.program("provider")
    for method, path in WRITES:
        before = trace()
        for body in ("[]", "[{}]", '"x"', "7", "null", "{", "", '{"a":NaN}', "\xff", "{" * 2000):
            with subtests.test(f"{method} {path} {body[:10]!r}"), undone():
                url = f"{API}{path.format(**known)}"
                headers = {"If-Match": "*"}
                response = program.client.generic(
                    method, url, body.encode("latin-1"), content_type="application/json", headers=headers
                )
                accepts_nothing = body == "" and response.status_code < 300
                assert response.status_code in (400, 409) or accepts_nothing, response.content
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", "text/plain"):
            with subtests.test(f"{method} {path} {kind}"), undone():
                url = f"{API}{path.format(**known)}"
                response = program.client.generic(method, url, b"name=x", content_type=kind, headers={"If-Match": "*"})
                assert response.status_code == 415
        assert trace() == before


def test_foreign_ids_in_bodies_are_not_found(stage: Stage, known: dict[str, str], subtests):
    theirs = stage.program("client_b")
    theirs.post(f"/accounts/{stage.account_b.pk}/databases", {"name": "b"})
    with everything("test"):
        foreign = {
            "client": stage.cast.client_b.organization.pk,
            "package": stage.package_b.pk,
            "database": Database.objects.get(hosting=stage.account_b).pk,
            "mail_domain": MailDomain.objects.get(hosting=stage.account_b).pk,
            "account": stage.account_b.pk,
        }
    program, tried = stage.program("reseller_a"), 0
    for (method, path), body in WRITES.items():
        if path.startswith(PROVIDERS):
            continue
        for name, pk in foreign.items():
            if f"{{{name}}}" not in str(body):
                continue
            before, tried = trace(), tried + 1
            with subtests.test(f"{method} {path} {name}"):
                here = {**known, name: pk}
                response = program.send(method, path.format(**known), filled(body, here), If_Match="*")
                nothing = {**known, name: pk[:4] + "0" * 26}
                absent = program.send(method, path.format(**known), filled(body, nothing), If_Match="*")
                assert response.status_code == absent.status_code == 404
                assert response.json() == absent.json()
                assert response.json()["field"]
                assert trace() == before
    assert tried >= 6


def _nameless(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
