"""Every route of the panel and everybody: who gets in, who is told "forbidden", for whom the object does not exist."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.cast import HOST_A, Person
from tests.panel.matrix import PUBLIC, ROLES, ROWS, SECOND_FACTOR, Row
from tests.panel.world import World, world  # noqa: F401 (a fixture)

CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/xml")
SIGN_IN = "/sign-in/"


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Walk every route, by its full name."""

    def walk(resolver: URLResolver, spaces: tuple[str, ...]) -> Iterator[tuple[str, URLPattern]]:
        for part in resolver.url_patterns:
            if isinstance(part, URLResolver):
                yield from walk(part, (*spaces, part.namespace) if part.namespace else spaces)
            else:
                yield ":".join((*spaces, part.name or str(part.pattern))), part

    return walk(get_resolver(), ())


def methods_of(pattern: URLPattern) -> set[str]:
    """Return the methods that a view says it answers, beyond HEAD and OPTIONS."""
    view: Any = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
    if view is None:
        return {"GET"}
    declared = getattr(view, "actions", None)
    if isinstance(declared, dict):
        return set(declared)
    return {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS", "PUT"}


def test_every_route_has_a_row() -> None:
    known = {row.route for row in ROWS} | PUBLIC
    assert {name for name, _pattern in routes()} - known == set()


def test_every_row_has_a_route() -> None:
    assert {row.route for row in ROWS} | PUBLIC <= {name for name, _pattern in routes()}


def test_every_api_method_has_a_row() -> None:
    covered = {(row.route, method) for row in ROWS for method in row.methods.split()}
    declared = {
        (name, method)
        for name, pattern in routes()
        if name not in PUBLIC and "_api:" in name
        for method in methods_of(pattern)
    }
    assert declared - covered == set()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may(world: World, db: None, row: Row) -> None:  # noqa: F811
    cache.clear()
    arguments, hidden_from = _arguments(world, row)
    url = reverse(row.route, kwargs=arguments)
    wrong = {}
    for method in row.methods.split():
        for role in ROLES:
            with transaction.atomic():
                answer = _browser(world, role).generic(method, url, **_body(row))
                transaction.set_rollback(True)
            outcome = _outcome(answer)
            if outcome not in _expected(row, role, hidden=role in hidden_from):
                wrong[f"{method} {role}"] = f"{outcome} ({answer.status_code})"
    assert wrong == {}


@pytest.mark.parametrize("name", sorted({row.route for row in ROWS}))
def test_strangers_get_nowhere_by_any_method_and_content_type(world: World, db: None, name: str) -> None:  # noqa: F811
    cache.clear()
    row = next(row for row in ROWS if row.route == name)
    url = reverse(name, kwargs=_arguments(world, row)[0])
    client = Client(headers={"host": HOST_A}, enforce_csrf_checks=True)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        for content_type in CONTENT_TYPES if method in ("POST", "PUT", "PATCH") else CONTENT_TYPES[:1]:
            answer = client.generic(method, url, b"{}", content_type=content_type)
            to_sign_in = answer.status_code == 302 and answer.headers["location"].startswith(SIGN_IN)
            assert to_sign_in or answer.status_code in (401, 403, 405), (method, content_type, answer.status_code)


def _arguments(world: World, row: Row) -> tuple[dict[str, str], frozenset[str]]:  # noqa: F811
    """Return the route's arguments, and the roles that cannot see the object.

    `below=` names an object whose page exists for those above it only.
    """
    arguments, seen_by = {}, frozenset(ROLES)
    for part in row.of.split():
        name, _equals, key = part.rpartition("=")
        arguments["pk" if name in ("", "below") else name], visible = world.objects[key]
        seen_by &= row.may if name == "below" else visible
    return arguments, frozenset(ROLES) - seen_by


def _expected(row: Row, role: str, *, hidden: bool) -> set[str]:
    api = "_api:" in row.route
    if role == "anonymous":
        return {"unauthenticated"}
    if role in row.may:
        return {"in", "not found"} if row.route in SECOND_FACTOR else {"in"}
    if hidden:
        return {"not found", "forbidden"} if api else {"not found"}
    return {"forbidden"}


def _outcome(answer: HttpResponseBase) -> str:
    if answer.status_code == 401:
        return "unauthenticated"
    if answer.status_code == 302:
        location = answer.headers["location"]
        return "unauthenticated" if location.startswith(f"{SIGN_IN}?") else "in"
    return {403: "forbidden", 404: "not found", 405: "no such method"}.get(
        answer.status_code, "in" if answer.status_code < 500 else "fault"
    )


def _browser(world: World, role: str) -> Client:  # noqa: F811
    if role == "anonymous":
        return Client(headers={"host": HOST_A})
    person: Person = getattr(world.cast, role)
    return person.browser()


def _body(row: Row) -> dict[str, Any]:
    if "_api:" in row.route:
        return {"data": b"{}", "content_type": "application/json"}
    return {"data": b"", "content_type": "application/x-www-form-urlencoded"}
