"""`Idempotency-Key`: the same answer to a repetition, nothing done twice, also when repetitions come at once."""

import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from panel.core import tasks
from panel.core.api import idempotency
from panel.core.models import IdempotencyKey
from panel.core.scoping import everything
from tests import cast as cast_module
from tests.cast import Cast


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


def create(client: Client, key: str, name: str = "Once") -> tuple[int, bytes, str]:
    answer = client.post(
        "/api/v1/organizations",
        json.dumps({"name": name}),
        content_type="application/json",
        headers={"idempotency-key": key},
    )
    return answer.status_code, answer.content, answer.headers.get("idempotency-replayed", "")


def made(name: str = "Once") -> int:
    with everything("test"):
        return Organization.objects.filter(name=name).count()


def test_a_repetition_gets_the_same_answer_and_makes_nothing(cast: Cast) -> None:
    program = cast.reseller_a.program()
    first, second = create(program, "k"), create(program, "k")
    assert first[0] == 201
    assert first[:2] == second[:2]
    assert (first[2], second[2]) == ("", "true")
    assert made() == 1


def test_another_key_or_none_makes_another(cast: Cast) -> None:
    program = cast.reseller_a.program()
    create(program, "k1")
    create(program, "k2")
    program.post("/api/v1/organizations", json.dumps({"name": "Once"}), content_type="application/json")
    assert made() == 3


def test_the_same_key_with_another_body_is_refused(cast: Cast) -> None:
    program = cast.reseller_a.program()
    create(program, "k")
    status, body, _replayed = create(program, "k", "Other")
    assert status == 422
    assert json.loads(body)["code"] == "idempotency_key_reused"
    assert made("Other") == 0


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(cast: Cast) -> None:
    create(cast.reseller_a.program(), "k")
    assert create(cast.reseller_b.program(), "k")[0] == 201
    assert made() == 2


def test_a_refusal_is_repeated_as_well(cast: Cast) -> None:
    program = cast.reseller_a.program()
    first, second = create(program, "k", "a\u202eb"), create(program, "k", "a\u202eb")
    assert first[0] == 400
    assert first[:2] == second[:2]
    assert second[2] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ä"])
def test_bad_keys_are_refused(cast: Cast, key: str) -> None:
    status, body, _replayed = create(cast.reseller_a.program(), key)
    assert status == 400
    assert json.loads(body)["field"] == "Idempotency-Key"
    assert made() == 0


def test_a_fault_frees_the_key(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    program = cast.reseller_a.program()
    program.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("accounts.services.organizations.create_client", _fail)
        assert create(program, "k")[0] == 500
    assert create(program, "k")[0] == 201
    assert made() == 1


def _fail(**_: object) -> None:
    raise RuntimeError("a fault of ours")


def test_a_key_at_work_is_a_conflict_until_it_is_abandoned(cast: Cast) -> None:
    program = cast.reseller_a.program()
    create(program, "k")
    IdempotencyKey.objects.update(status=None, content_type="", body=b"")
    status, body, _replayed = create(program, "k")
    assert (status, json.loads(body)["code"]) == (409, "idempotency_in_progress")
    with time_machine.travel(timezone.now() + idempotency.ABANDONED + timedelta(seconds=1)):
        assert create(program, "k")[0] == 201


def test_keys_are_forgotten_after_a_day(cast: Cast) -> None:
    create(cast.reseller_a.program(), "k")
    tasks.purge()
    assert IdempotencyKey.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        tasks.purge()
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one() -> None:
    program = cast_module.make().reseller_a.program()
    authorization = str(program.defaults["HTTP_AUTHORIZATION"])
    host = str(program.defaults["HTTP_HOST"])
    statuses: Counter[int] = Counter()
    answers = set()
    start = threading.Barrier(20)

    def post() -> None:
        client = Client(headers={"host": host, "authorization": authorization})
        start.wait()
        try:
            status, body, _replayed = create(client, "k")
        finally:
            connection.close()
        statuses[status] += 1
        if status == 201:
            answers.add(body)

    threads = [threading.Thread(target=post) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(statuses) <= {201, 409}
    assert sum(statuses.values()) == 20
    assert len(answers) == 1
    assert made() == 1
