"""What programs read of dunning, and do about it; and how many queries that takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.billing import debt as debts
from tests.billing.debt import Debt, at
from tests.provisioning.ground import Ground

SIGN_IN = 5  # brand of the host, token, membership, organizations above and their sign-in policies

#: Route → queries of its own, beside those that find out who asks.
BUDGETS = {
    "/overdue": 5,
    "/invoices/{invoice}/dunning": 6,
    "/dunning-pauses": 1,
    "/dunning-pauses/{pause}": 1,
    "/holds": 1,
}


@pytest.fixture
def debt(ground: Ground) -> Debt:
    return debts.of_client(ground)


def get(program: Client, path: str) -> Any:
    answer = program.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(program: Client, path: str, body: dict[str, Any]) -> Any:
    return program.post(f"/api/v1{path}", json.dumps(body), content_type="application/json")


def wait(debt: Debt, **body: Any) -> Any:
    wanted = {"customer": debt.customer.pk, "until": "2026-04-20", "reason": "A cheque is in the post.", **body}
    return post(debt.ground.cast.reseller_a.program(), "/dunning-pauses", wanted)


def test_overdue_invoices_with_what_was_done_and_what_comes(debt: Debt) -> None:
    invoice = debt.invoice("12.5")
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    with time_machine.travel(at(8), tick=False):
        found = get(debt.ground.cast.reseller_a.program(), "/overdue")["items"]
        assert [(row["number"], row["days"], row["open"], row["next"]) for row in found] == [
            (invoice.label, 8, "12.50", None)
        ]
        assert found[0]["last"]["step"] == "suspend"
        assert [(hold["stage"], hold["state"]) for hold in found[0]["holds"]] == [("sites", "done")]
        assert get(debt.ground.cast.reseller_b.program(), "/overdue")["items"] == []
        assert get(debt.ground.cast.provider.program(), "/overdue")["items"] == []


def test_both_parties_read_what_comes(debt: Debt) -> None:
    invoice = debt.invoice()
    with time_machine.travel(at(-4), tick=False):
        for person in (debt.ground.cast.reseller_a, debt.ground.cast.client_a):
            found = get(person.program(), f"/invoices/{invoice.pk}/dunning")
            assert found["taken"] == []
            assert found["ahead"][0] == {"step": "reminder:-3", "on": "2026-03-07"}
            assert found["ahead"][-1] == {"step": "suspend", "on": "2026-03-17"}


def test_a_program_waits_and_goes_on(debt: Debt) -> None:
    invoice = debt.invoice()
    program = debt.ground.cast.reseller_a.program()
    with time_machine.travel(at(3), tick=False):
        made = wait(debt, invoice=invoice.pk)
        assert made.status_code == 201, made.content
        assert get(program, f"/invoices/{invoice.pk}/dunning")["paused_until"] == "2026-04-20"
        assert get(program, made.headers["location"].removeprefix("/api/v1"))["reason"] == "A cheque is in the post."
        assert wait(debt, until="2026-03-13").json()["field"] == "until"
        buyer = debt.ground.cast.client_a.program()
        refused = post(buyer, "/dunning-pauses", {"customer": debt.customer.pk, "until": "2026-04-20", "reason": "Me"})
        assert refused.status_code == 403
        assert program.delete(made.headers["location"]).status_code == 204
        assert get(program, "/dunning-pauses")["items"] == []


def test_a_program_lifts_a_hold(debt: Debt) -> None:
    debt.invoice()
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    program, buyer = debt.ground.cast.reseller_a.program(), debt.ground.cast.client_a.program()
    (hold,) = get(program, "/holds")["items"]
    assert post(buyer, f"/holds/{hold['id']}/lift", {}).status_code == 403
    assert post(program, f"/holds/{hold['id']}/lift", {}).json()["state"] == "lifting"
    assert post(program, f"/holds/{hold['id']}/lift", {}).status_code == 409


def test_a_cursor_that_is_none_is_refused(debt: Debt) -> None:
    answer = debt.ground.cast.reseller_a.program().get("/api/v1/overdue", {"cursor": "word"})
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize("route", BUDGETS)
def test_a_read_takes_as_many_queries_for_much_as_for_little(debt: Debt, route: str) -> None:
    program = debt.ground.cast.reseller_a.program()
    known = {"invoice": debt.invoice().pk}
    debt.run(*[at(day) for day in range(8)])

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            get(program, route.format(**known))
        return len(seen)

    with time_machine.travel(at(8), tick=False):
        known["pause"] = wait(debt, invoice=known["invoice"]).json()["id"]
        queries()
        few = queries()
        for _more in range(3):
            wait(debt, invoice=debt.invoice().pk)
        debt.run(*[at(day) for day in range(9, 12)])
        assert queries() == few
        assert few - SIGN_IN <= BUDGETS[route]
