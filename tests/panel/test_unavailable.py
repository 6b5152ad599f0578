"""While the database does not answer, people and programs are told so, and when to come back."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client


@pytest.fixture(params=[OperationalError, InterfaceError])
def away(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client of a panel whose database is gone."""

    def fail(_connection: object) -> None:
        raise request.param("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", fail)
    return Client(raise_request_exception=False)


def test_x3_a_program_gets_503_and_a_time(away: Client):
    answer = away.get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "5")
    assert "connection" not in answer.content.decode()


def test_x3_a_person_gets_a_page_that_asks_the_database_nothing(away: Client):
    answer = away.get("/accounts/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Back in a moment" in answer.content.decode()


def test_other_faults_stay_500(monkeypatch: pytest.MonkeyPatch):
    def fail(_connection: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", fail)
    answer = Client(raise_request_exception=False).get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
