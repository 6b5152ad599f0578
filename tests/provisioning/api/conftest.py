"""The stage of the API's tests: the cast, a ready server, and a package and an account each for A and B."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import LimitCounter
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Intent, Operation, Package, Preview, Server
from tests.cast import Cast, Person
from tests.provisioning import factories
from tests.provisioning.api import contract

API = "/api/v1"


class Program:
    """A program with a token: speaks JSON, and knows where the API is."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request to a path below the API, or to a full one; returns the response."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("/api/") else f"{API}{path}"
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        response = getattr(self.client, method.lower())(url, headers=named, **content)
        contract.check(method, url, response)
        return response

    def get(self, path: str, status: int = 200) -> Any:
        """Return the body of a GET that is answered with `status`."""
        return self._body(self.send("GET", path), status)

    def post(self, path: str, body: Any = None, status: int = 202, **headers: str) -> Any:
        """Return the body of a POST that is answered with `status`."""
        return self._body(self.send("POST", path, {} if body is None else body, **headers), status)

    def patch(self, path: str, body: Any, status: int = 202, **headers: str) -> Any:
        """Return the body of a PATCH that is answered with `status`."""
        return self._body(self.send("PATCH", path, body, **headers), status)

    def delete(self, path: str, status: int = 202, **headers: str) -> Any:
        """Return the body of a DELETE that is answered with `status`."""
        return self._body(self.send("DELETE", path, **headers), status)

    @staticmethod
    def _body(response: Any, status: int) -> Any:
        assert response.status_code == status, (response.status_code, response.content)
        if status >= 400:
            assert response["Content-Type"] == "application/problem+json"
        return response.json() if response.content else None


@dataclass(frozen=True)
class Stage:
    """The cast with something to work on."""

    cast: Cast
    server: Server
    package_a: Package
    package_b: Package
    account_a: HostingAccount
    account_b: HostingAccount

    def program(self, who: str, *scopes: str) -> Program:
        """Return a program of somebody of the cast, by token; who may make none, by session."""
        person: Person = getattr(self.cast, who)
        return Program(person.browser() if person.actor.role == "readonly" else person.program(*scopes))

    def anonymous(self) -> Program:
        """Return a program without a token."""
        return Program(Client(headers={"host": self.cast.provider.host}))


@pytest.fixture
def stage(cast: Cast) -> Stage:
    """The stage, fresh for the test."""
    server = factories.server(cast.provider.organization)
    package_a = factories.package(cast.reseller_a.organization)
    package_b = factories.package(cast.reseller_b.organization)
    return Stage(
        cast,
        server,
        package_a,
        package_b,
        factories.account(cast.client_a.organization, package_a, "a-example.org", username="aexample"),
        factories.account(cast.client_b.organization, package_b, "b-example.org", username="bexample"),
    )


def trace() -> dict[str, Any]:
    """Return what a refusal must leave as it was: intents, operations, previews, audit entries and limit counters."""
    with everything("test"):
        return {
            "intents": Intent.objects.count(),
            "operations": Operation.objects.count(),
            "previews": Preview.objects.count(),
            "audit": AuditEntry.objects.exclude(action__in=["token.create", "access.refused"]).count(),
            "used": list(LimitCounter.objects.order_by("pk").values_list("subject", "resource", "used")),
        }


def queries(act: Callable[[], Any]) -> int:
    """Return how many queries `act` takes."""
    with CaptureQueriesContext(connection) as caught:
        act()
    return len(caught)


def texts(problem: Mapping[str, Any]) -> str:
    """Return all that a problem document says."""
    return " ".join([problem["detail"], *(text for found in problem["errors"].values() for text in found)])
