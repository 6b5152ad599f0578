"""Webhooks by API: added with a secret that is shown once, changed, tested, sent again, removed; of one's own only."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import HookDelivery
from panel.core.scoping import everything
from tests.cast import Cast
from tests.provisioning.api.conftest import queries

pytestmark = pytest.mark.django_db
URL = "/api/v1/webhooks"
LIST, MESSAGES = 10, 12
"""The most queries that a page of the list, and of the messages, may take."""


def add(program: Client, **body: object) -> dict[str, str]:
    answer = program.post(URL, {"url": "https://shop.example/hook", **body}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    made: dict[str, str] = answer.json()
    assert answer.headers["Location"] == f"{URL}/{made['id']}"
    return made


def test_the_life_of_a_webhook(cast: Cast) -> None:
    program = cast.reseller_a.program()
    made = add(program, kinds=["invoice.paid"])
    assert made["secret"].startswith("whsec_")
    url = f"{URL}/{made['id']}"
    shown = program.get(url).json()
    assert (shown["kinds"], shown["is_active"], "secret" in shown) == (["invoice.paid"], True, False)
    changed = program.patch(url, {"is_active": False, "kinds": []}, content_type="application/json")
    assert (changed.json()["is_active"], changed.json()["kinds"]) == (False, [])
    fresh = program.post(f"{url}/secret", {}, content_type="application/json")
    assert (fresh.status_code, fresh.headers["Cache-Control"]) == (200, "no-store")
    assert fresh.json()["secret"] not in ("", made["secret"])
    sent = program.post(f"{url}/test", {}, content_type="application/json")
    assert (sent.status_code, sent.json()["kind"], sent.json()["status"]) == (201, "hook.test", "waiting")
    (message,) = program.get(f"{url}/messages").json()["items"]
    assert message["body"]["type"] == "hook.test"
    again = f"/api/v1/webhook-messages/{message['id']}/resend"
    assert program.post(again, {}, content_type="application/json").json()["code"] == "waiting"
    with everything("test"):
        HookDelivery.objects.update(status="failed", answer="HTTP 500")
    assert program.post(again, {}, content_type="application/json").json()["status"] == "waiting"
    assert program.delete(url).status_code == 204
    assert program.get(url).status_code == 404


def test_refusals_name_the_field(cast: Cast) -> None:
    program = cast.reseller_a.program()
    wrong = ({"url": "http://shop.example/"}, "url"), ({"kinds": ["x"]}, "kinds"), ({"secret": "x"}, "secret")
    for body, field in wrong:
        sent = {"url": "https://shop.example/", **body}
        answer = program.post(URL, sent, content_type="application/json")
        assert answer.status_code == 400
        assert field in answer.json()["errors"]


def test_nobody_sees_anothers(cast: Cast) -> None:
    made = add(cast.reseller_a.program())
    for person in (cast.provider, cast.reseller_b, cast.sub_reseller):
        assert person.program().get(URL).json()["items"] == []
        assert person.program().get(f"{URL}/{made['id']}").status_code == 404
    assert cast.client_a.program().get(URL).status_code == 403


def test_lists_keep_within_their_budgets(cast: Cast) -> None:
    program = cast.reseller_a.program()
    made = add(program)
    program.post(f"{URL}/{made['id']}/test", {}, content_type="application/json")
    lists = ((URL, LIST), (f"{URL}/{made['id']}/messages", MESSAGES))
    few = [queries(lambda url=url: program.get(url)) for url, _most in lists]  # type: ignore[misc]
    for _number in range(3):
        add(program)
        program.post(f"{URL}/{made['id']}/test", {}, content_type="application/json")
    assert [queries(lambda url=url: program.get(url)) for url, _most in lists] == few  # type: ignore[misc]
    assert [used for used, (_url, most) in zip(few, lists, strict=True) if used > most] == []
