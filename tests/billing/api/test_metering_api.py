"""The API of meters, events, price feeds and the calculator, as programs use it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Customer, Meter, Price, Subscription
from billing.services import meters
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.factories import SYSTEM
from tests.cast import Cast

pytestmark = pytest.mark.django_db
RULE = {"measure": "count", "tiers": [{"up_to": None, "amount": "2"}]}
BUDGETS = {"/meters": 8, "/meters/{meter}": 8, "/meter-events": 8, "/price-feeds": 8, "/price-feeds/{feed}/points": 9}


class Stage:
    """Reseller A's program, and what it reports about."""

    def __init__(self, cast: Cast) -> None:
        self.seller = cast.reseller_a.organization
        self.program: Client = cast.reseller_a.program()
        with everything("test"):
            self.meter: Meter = meters.create(actor=SYSTEM, organization=self.seller, name="Packets", unit="packets")
            self.price: Price = factories.price(
                self.seller, "Traffic", "0", rule=RULE, kind="metered", meter=self.meter
            )
            self.customer: Customer = factories.customer(self.seller, cast.client_a.organization)
            self.subscription: Subscription = factories.subscription(self.customer, self.price, date(2026, 1, 1))

    def post(self, path: str, body: Any, program: Client | None = None) -> Any:
        """Send JSON."""
        return (program or self.program).post(f"/api/v1{path}", body, content_type="application/json")

    def event(self, number: int = 1, **values: Any) -> dict[str, Any]:
        """Return a use as a program tells it."""
        usual = {"source": "probe", "id": str(number), "meter": self.meter.pk, "customer": self.customer.pk}
        return {**usual, "at": "2026-01-05T10:00:00Z", "quantity": "3", **values}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel("2026-02-03T12:00:00+00:00"):
        yield


@pytest.fixture
def stage(cast: Cast) -> Stage:
    return Stage(cast)


def test_a_batch_is_taken_once(stage: Stage):
    batch = {"events": [stage.event(1), stage.event(2, subscription=stage.subscription.pk), stage.event(1)]}
    assert stage.post("/meter-events", batch).json() == {"accepted": 3, "new": 2}
    again = stage.post("/meter-events", batch)
    assert (again.status_code, again.json()) == (200, {"accepted": 3, "new": 0})
    listed = stage.program.get("/api/v1/meter-events").json()["items"]
    assert [row["event"] for row in listed] == ["2", "1"]
    assert listed[0]["quantity"] == "3"
    assert listed[0]["subscription"] == stage.subscription.pk
    none = stage.program.get("/api/v1/meter-events", {"customer": "cus_nobody"}).json()
    assert none["items"] == []


def test_another_content_is_a_conflict_that_names_the_event(stage: Stage):
    stage.post("/meter-events", {"events": [stage.event()]})
    refused = stage.post("/meter-events", {"events": [stage.event(2), stage.event(1, quantity="4")]})
    assert refused.status_code == 409
    assert list(refused.json()["errors"]) == ["events.1.id"]
    assert len(stage.program.get("/api/v1/meter-events").json()["items"]) == 1


@pytest.mark.parametrize("name", ["meter", "customer", "subscription"])
def test_what_the_caller_does_not_have_is_not_found_with_its_field(stage: Stage, cast: Cast, name: str):
    other = Stage.__new__(Stage)
    other.seller = cast.reseller_b.organization
    with everything("test"):
        foreign: dict[str, Any] = {
            "meter": meters.create(actor=SYSTEM, organization=other.seller, name="Packets", unit="packets"),
            "customer": factories.customer(other.seller, cast.client_b.organization),
        }
        price = factories.price(other.seller, "Traffic", "0", rule=RULE, kind="metered", meter=foreign["meter"])
        foreign["subscription"] = factories.subscription(foreign["customer"], price)
    refused = stage.post("/meter-events", {"events": [stage.event(**{name: foreign[name].pk})]})
    assert refused.status_code == 404
    assert list(refused.json()["errors"]) == [f"events.0.{name}"]


def test_a_batch_of_a_thousand_costs_few_queries(stage: Stage):
    stage.program.get("/api/v1/meters")
    batch = {"events": [stage.event(number) for number in range(1000)]}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = stage.post("/meter-events", batch)
    assert answer.json() == {"accepted": 1000, "new": 1000}
    assert len(queries) <= 45
    assert stage.post("/meter-events", {"events": [*batch["events"], stage.event(1)]}).status_code == 400


def test_clients_see_their_use_and_report_none(stage: Stage, cast: Cast):
    stage.post("/meter-events", {"events": [stage.event()]})
    program = cast.client_a.program()
    assert len(program.get("/api/v1/meter-events").json()["items"]) == 1
    assert stage.post("/meter-events", {"events": [stage.event(2)]}, program).status_code == 403
    assert cast.client_b.program().get("/api/v1/meter-events").json()["items"] == []


def test_lists_come_as_files(stage: Stage):
    stage.post("/meter-events", {"events": [stage.event()]})
    answer = stage.program.get("/api/v1/meter-events", headers={"accept": "text/csv"})
    lines = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))  # type: ignore[attr-defined]
    assert [(line["source"], line["event"], line["quantity"]) for line in lines] == [("probe", "1", "3")]


def test_meters_are_made_and_changed(stage: Stage):
    made = stage.post("/meters", {"name": "Disk", "unit": "GB", "source": "disk"})
    assert made.status_code == 201
    assert made.json()["event_count"] == 0
    address = made.headers["Location"]
    changed = stage.program.patch(address, {"unit": "GB a month"}, content_type="application/json")
    assert changed.json()["unit"] == "GB a month"
    assert stage.program.patch(address, {"source": "api"}, content_type="application/json").status_code == 400
    assert stage.post("/meters", {"name": "DISK", "unit": "GB"}).status_code == 409


def test_prices_of_a_feed_are_added_once_and_never_changed(stage: Stage):
    points = stage.post("/price-feeds", {"name": "spot", "currency": "USD"}).headers["Location"].removeprefix("/api/v1")
    one = {"at": "2026-01-01T00:00:00Z", "price": "0.311"}
    assert stage.post(points, {"points": [one]}).json() == {"new": 1}
    assert stage.post(points, {"points": [one, {**one, "at": "2026-01-02T00:00:00Z"}]}).json() == {"new": 1}
    assert stage.post(points, {"points": [{**one, "price": "0.3"}]}).status_code == 409
    assert stage.program.get(f"/api/v1{points}").json()["items"][-1]["price"] == "0.311"


def test_what_a_use_would_cost(stage: Stage):
    usage = {
        "customer_since": "2026-01-01",
        "period": ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"],
        "events": [{"source": "s", "id": "1", "at": "2026-03-02T00:00:00Z", "quantity": "5"}],
    }
    answer = stage.post("/rate", {"rule": {**RULE, "per": "3"}, "usage": usage}).json()
    assert (answer["exact"], answer["line"], answer["currency"], answer["quantity"]) == ("10/3", "3.33", "USD", "5")
    assert answer["explain"][-1]["step"] == "sum"
    assert stage.post("/rate", {"price": stage.price.pk, "usage": usage}).json()["line"] == "10.00"
    for body, field in (
        ({"usage": usage}, "rule"),
        ({"rule": RULE, "price": stage.price.pk, "usage": usage}, "rule"),
        ({"rule": {"measure": "mean"}, "usage": usage}, "rule"),
        ({"rule": RULE, "usage": {}}, "usage"),
    ):
        refused = stage.post("/rate", body)
        assert refused.status_code == 400
        assert field in refused.json()["errors"]


def test_reads_keep_within_their_budgets_however_much_there_is(stage: Stage):
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        with everything("test"):
            feed = meters.create_feed(actor=SYSTEM, organization=stage.seller, name="spot", currency="USD")
        stage.post("/meter-events", {"events": [stage.event(number) for number in range(20)]})
        for path, budget in BUDGETS.items():
            with CaptureQueriesContext(connection) as queries:
                answer = stage.program.get(f"/api/v1{path.format(meter=stage.meter.pk, feed=feed.pk)}")
            assert answer.status_code == 200, path
            assert len(queries) <= budget, (path, [query["sql"][:120] for query in queries])
