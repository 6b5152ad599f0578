"""What every endpoint owes its caller: problem documents, strict input, pages, CSRF, tokens and their scopes."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from accounts.services import organizations, tokens
from panel.core.api import problems
from panel.core.api.throttling import CallerThrottle
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, Cast

MEMBERS = {"type", "title", "status", "detail", "code", "field", "errors"}


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
    data = b"" if body is None else json.dumps(body).encode()
    answer = client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=headers)
    assert isinstance(answer, HttpResponse)
    return answer


def problem(answer: HttpResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer.headers["content-type"] == problems.CONTENT_TYPE
    document: dict[str, Any] = json.loads(answer.content)
    assert set(document) >= MEMBERS
    assert document["status"] == status
    return document


def test_a_client_is_made_shown_renamed_and_suspended(cast: Cast) -> None:
    program = cast.reseller_a.program()
    made = send(program, "POST", "/organizations", {"name": "Bäckerei Ünal"})
    assert made.status_code == 201
    document = json.loads(made.content)
    assert made.headers["location"] == f"/api/v1/organizations/{document['id']}"
    assert document["kind"] == "client"
    assert document["parent"] == cast.reseller_a.organization.id
    path = f"/organizations/{document['id']}"
    assert json.loads(send(program, "PATCH", path, {"name": "Ünal"}).content)["name"] == "Ünal"
    suspended = json.loads(send(program, "POST", f"{path}/suspend", {"reason": "unpaid"}).content)
    assert (suspended["organization"]["status"], suspended["operation"]) == ("suspended", None)
    released = json.loads(send(program, "POST", f"{path}/unsuspend").content)
    assert (released["organization"]["status"], released["operation"]) == ("active", None)
    assert json.loads(send(program, "GET", path).content)["name"] == "Ünal"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", "x"),
        ("reseller_id", "x"),
        ("role", "owner"),
        ("is_staff", True),
        ("quota", 5),
        ("path", "/"),
        ("id", "org_1"),
        ("status", "active"),
        ("mail_vouched", True),
        ("__proto__", {}),
    ],
)
def test_unknown_fields_are_refused_by_name(cast: Cast, field: str, value: object) -> None:
    program = cast.reseller_a.program()
    with everything("test"):
        before = Organization.objects.count()
    refused = problem(send(program, "POST", "/organizations", {"name": "X", field: value}), 400)
    assert refused["code"] == "unknown_field"
    assert refused["field"] == field
    with everything("test"):
        assert Organization.objects.count() == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "blank"),
        ({"name": "a\nb"}, "name", "label_characters"),
        ({"name": "a\x00b"}, "name", "null_characters_not_allowed"),
        ({"name": "x" * 101}, "name", "max_length"),
        ({"name": ["x"]}, "name", "invalid"),
        ({"name": "X", "kind": "provider"}, "kind", "invalid_choice"),
        ({"name": "X", "kind": "client", "resellers_allowed": True}, "resellers_allowed", "unknown_field"),
    ],
)
def test_bad_values_are_refused_by_field_and_rule(cast: Cast, body: object, field: str, code: str) -> None:
    refused = problem(send(cast.reseller_a.program(), "POST", "/organizations", body), 400)
    assert (refused["field"], refused["code"]) == (field, code)
    assert refused["errors"][field]


@pytest.mark.parametrize("text", [b"{", b"[]", b'"x"', b"\xff", b"null"])
def test_a_body_that_is_no_object_is_refused(cast: Cast, text: bytes) -> None:
    program = cast.reseller_a.program()
    answer = program.generic("POST", "/api/v1/organizations", text, content_type="application/json")
    assert answer.status_code == 400


def test_other_formats_than_json_are_refused(cast: Cast) -> None:
    answer = cast.reseller_a.program().post("/api/v1/organizations", {"name": "X"})
    assert answer.status_code == 415
    assert json.loads(answer.content)["code"] == "unsupported_media_type"


def test_a_foreign_object_answers_like_one_that_does_not_exist(cast: Cast) -> None:
    program = cast.reseller_b.program()
    foreign = send(program, "GET", f"/organizations/{cast.client_a.organization.id}")
    nowhere = send(program, "GET", "/organizations/org_00000000000000000000000000")
    assert problem(foreign, 404) == problem(nowhere, 404)
    with everything("test"):
        noted = AuditEntry.objects.filter(action="access.refused", actor_user_id=cast.reseller_b.user.id)
        assert noted.filter(object_label__contains=cast.client_a.organization.id).count() == 1


def test_a_foreign_parent_in_the_body_does_not_exist(cast: Cast) -> None:
    body = {"name": "X", "parent": cast.reseller_b.organization.id}
    problem(send(cast.reseller_a.program(), "POST", "/organizations", body), 404)


def test_nobody_sees_who_is_above(cast: Cast) -> None:
    shown = json.loads(send(cast.client_a.program(), "GET", "/me").content)
    assert shown["organization"]["parent"] is None
    assert cast.reseller_a.organization.id not in json.dumps(shown)


def test_the_audit_log_does_not_name_people_above(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path):
        organizations.change(
            actor=cast.reseller_a.actor, organization=cast.client_a.organization, name="Renamed from above"
        )
    items = json.loads(send(cast.client_a.program(), "GET", "/audit").content)["items"]
    entry = next(item for item in items if item["action"] == "organization.change")
    assert entry["actor"] == ""
    page = cast.client_a.browser().get("/activity/").content.decode()
    assert "Renamed from above" in page
    assert cast.reseller_a.user.name not in page
    assert entry["changes"]["name"] == ["Client of A", "Renamed from above"]


def test_pages_follow_one_another(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path):
        for number in range(7):
            organizations.create_client(
                actor=cast.reseller_a.actor, parent=cast.reseller_a.organization, name=f"Client {number}"
            )
    program = cast.reseller_a.program()
    found: list[str] = []
    url = "/api/v1/organizations?kind=client&limit=3"
    while url:
        page = json.loads(program.get(url).content)
        assert len(page["items"]) <= 3
        found += [item["id"] for item in page["items"]]
        url = page["next"]
    assert len(found) == len(set(found)) == 9
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=٣", "cursor=%27%3B--", "kind=x"]
)
def test_bad_pages_are_refused(cast: Cast, query: str) -> None:
    refused = problem(send(cast.reseller_a.program(), "GET", f"/organizations?{query}"), 400)
    assert refused["field"] == query.partition("=")[0]


def test_an_unknown_address_is_a_problem_too(cast: Cast) -> None:
    problem(send(cast.reseller_a.program(), "GET", "/nothing-here"), 404)
    problem(send(Client(headers={"host": "unknown.example"}), "GET", "/me"), 400)


def test_strangers_get_a_challenge(cast: Cast) -> None:
    answer = send(Client(headers={"host": HOST_A}), "GET", "/me")
    assert problem(answer, 401)["code"] == "not_authenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer x",
        "Bearer hw_x_y",
        "Bearer hw_" + "0" * 26 + "_" + "0" * 48,
        "Bearer \xff",
        "bearer a b",
        "Bearer ' OR 1=1",
    ],
)
def test_a_token_that_opens_nothing_is_401(cast: Cast, value: str) -> None:
    answer = send(Client(headers={"host": HOST_A}), "GET", "/me", authorization=value)
    assert problem(answer, 401)["code"] == "token_invalid"


def test_sessions_need_the_csrf_token_and_tokens_do_not(cast: Cast) -> None:
    browser = cast.reseller_a.browser(enforce_csrf=True)
    problem(send(browser, "POST", "/organizations", {"name": "X"}), 403)
    browser.get("/sign-in/")
    assert send(browser, "GET", "/me").status_code == 200
    program = cast.reseller_a.program()
    program.handler.enforce_csrf_checks = True
    assert send(program, "POST", "/organizations", {"name": "X"}).status_code == 201


def test_a_token_works_for_its_own_organization_whatever_the_host(cast: Cast) -> None:
    program = cast.client_a.program()
    shown = json.loads(program.get("/api/v1/me", headers={"host": HOST_B}).content)
    assert shown["organization"]["id"] == cast.client_a.organization.id


@pytest.mark.parametrize(
    ("scopes", "may_list", "may_create"),
    [
        (["*"], True, True),
        (["organization.*"], True, True),
        (["*.view"], True, False),
        (["organization.view", "organization.create_client"], True, True),
        (["account.*"], False, False),
    ],
)
def test_scopes_narrow_a_token(cast: Cast, scopes: list[str], may_list: bool, may_create: bool) -> None:
    program = cast.reseller_a.program(*scopes)
    assert send(program, "GET", "/organizations").status_code == (200 if may_list else 403)
    assert send(program, "POST", "/organizations", {"name": "X"}).status_code == (201 if may_create else 403)


def test_a_token_makes_no_token_that_can_do_more(cast: Cast) -> None:
    program = cast.reseller_a.program("token.*", "account.view")
    assert send(program, "POST", "/tokens", {"name": "less", "scopes": ["account.view"]}).status_code == 201
    problem(send(program, "POST", "/tokens", {"name": "more", "scopes": ["account.create"]}), 403)
    problem(send(program, "POST", "/tokens", {"name": "all"}), 403)


def test_a_token_s_text_is_shown_once_and_kept_nowhere(cast: Cast) -> None:
    program = cast.reseller_a.program()
    answer = send(program, "POST", "/tokens", {"name": "shop"}, **{"idempotency-key": "k1"})
    document = json.loads(answer.content)
    assert answer.headers["cache-control"] == "no-store"
    assert (
        send(Client(headers={"host": HOST_A}), "GET", "/me", authorization=f"Bearer {document['text']}").status_code
        == 200
    )
    shown = send(program, "GET", f"/tokens/{document['id']}").content.decode()
    secret = document["text"].rpartition("_")[2]
    assert secret not in shown
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 (our own table names)
            assert secret not in repr(cursor.fetchall())
    again = send(program, "POST", "/tokens", {"name": "shop"}, **{"idempotency-key": "k1"})
    assert problem(again, 409)["code"] == "idempotency_not_replayable"


def test_revoked_and_expired_tokens_open_nothing(cast: Cast) -> None:
    with tenant(cast.client_a.actor.path):
        token, text = tokens.create(
            actor=cast.client_a.actor, name="x", expires_at=timezone.now() + timedelta(minutes=5)
        )
    client = Client(headers={"host": HOST_A, "authorization": f"Bearer {text}"})
    assert client.get("/api/v1/me").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert client.get("/api/v1/me").status_code == 401
    with tenant(cast.client_a.actor.path):
        tokens.revoke(actor=cast.client_a.actor, token=token, confirm="x")
    assert client.get("/api/v1/me").status_code == 401


def test_too_many_requests_are_told_when_to_come_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallerThrottle, "THROTTLE_RATES", {"caller": "2/min", "anonymous": "2/min"})
    program = cast.reseller_a.program()
    assert [send(program, "GET", "/me").status_code for _attempt in range(3)] == [200, 200, 429]
    refused = send(program, "GET", "/me")
    assert problem(refused, 429)["code"] == "throttled"
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert send(cast.reseller_b.program(), "GET", "/me").status_code == 200


def test_the_openapi_document_describes_every_endpoint(cast: Cast) -> None:
    answer = Client(headers={"host": HOST_A}).get("/api/schema/?format=json")
    document = json.loads(answer.content)
    assert "/api/v1/organizations/{id}/suspend" in document["paths"]
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_the_docs_page_has_no_inline_code_and_no_foreign_origin(cast: Cast) -> None:
    answer = Client(headers={"host": HOST_A}).get("/api/docs/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<style" not in text
    assert "<script>" not in text
    assert "//cdn" not in text
    assert "unsafe-inline" not in answer.headers["content-security-policy"]


def test_the_document_refuses_in_json_like_every_endpoint(cast: Cast) -> None:
    answer = cast.client_a.program().delete("/api/schema/")
    assert isinstance(answer, HttpResponse)
    assert problem(answer, 405)["code"] == "method_not_allowed"
