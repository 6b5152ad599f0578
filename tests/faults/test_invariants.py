"""Each invariant holds of a sound history and fails of an unsound one: a checker that can't fail checks nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import history
from tests.faults.history import History
from tests.faults.invariants import (
    Account,
    Comparison,
    Order,
    Sighting,
    disturbed,
    gone_back,
    not_converged,
    one_sided,
    unanswered,
)

SOUND = [Order("account.create a.example", "applied", ""), Order("account.create b.example", "rejected", "In the way.")]
LIVE = [Account("a.example", "active", 200, True), Account("c.example", "terminated", 404, False)]


def test_orders_that_are_settled_and_visible():
    assert unanswered(SOUND, LIVE) == []


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order("x", "pending", ""), "x: still pending"),
        (Order("x", "waiting", "Later."), "x: still waiting"),
        (Order("x", "rejected", ""), "x: rejected without a reason"),
    ],
)
def test_an_order_without_an_end(order: Order, words: str):
    assert [item for item in unanswered([*SOUND, order], LIVE) if words in item]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account("x", "active", 404, True), "HTTP 404, not 200"),
        (Account("x", "active", None, True), "HTTP None"),
        (Account("x", "suspended", 200, True), "HTTP 200, not 503"),
        (Account("x", "terminated", 200, False), "HTTP 200, not 404"),
        (Account("x", "active", 200, False), "zone is not served"),
        (Account("x", "terminated", 404, True), "zone is served"),
    ],
)
def test_an_account_that_shows_something_else(account: Account, words: str):
    assert [item for item in unanswered(SOUND, [*LIVE, account]) if words in item]


def test_a_second_reconcile_that_finds_nothing():
    assert not_converged(Comparison("applied", 0, {}, {"/a": "1"}, {"/a": "1"})) == []


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (Comparison("failed", 0, {}, {}, {}), "is failed"),
        (Comparison("applied", 2, {}, {}, {}), "made 2 changes"),
        (Comparison("applied", 0, {"nginx": 1}, {}, {}), "reloaded nginx"),
        (Comparison("applied", 0, {}, {"/a": "1"}, {"/a": "2"}), "/a: 1 became 2"),
        (Comparison("applied", 0, {}, {}, {"/b": "2"}), "/b: None became 2"),
    ],
)
def test_a_second_reconcile_that_changes_something(second: Comparison, words: str):
    assert [item for item in not_converged(second) if words in item]


def test_both_sides_hold_the_same():
    assert one_sided({"user:a"}, {"database:old"}, {"user:a", "database:old"}) == []
    assert one_sided({"user:a"}, {"database:old"}, {"user:a"}) == []


def test_something_is_on_one_side_alone():
    assert one_sided({"user:a"}, set(), set()) == ["not on the server: user:a"]
    assert one_sided(set(), set(), {"zone:b"}) == ["only there: zone:b"]


def test_a_bystander_who_was_answered():
    assert disturbed([], [], 1) == []


@pytest.mark.parametrize("seen", [(["nginx: exit 1"], [], 1), ([], ["12.1 http refused"], 1), ([], [], 0)])
def test_a_bystander_who_was_not(seen: tuple[list[str], list[str], int]):
    assert disturbed(*seen)


def test_numbers_that_grow():
    assert gone_back([Sighting({"a": 1}, {"z": 5}), Sighting({"a": 1, "b": 1}, {"z": 6})]) == []


def test_numbers_that_go_back():
    assert gone_back([Sighting({"a": 2}, {}), Sighting({"a": 1}, {})]) == ["generation of a: 2, then 1"]
    assert gone_back([Sighting({}, {"z": 9}), Sighting({}, {"z": 3})]) == ["serial of z: 9, then 3"]


def test_the_history_of_a_failure_is_kept_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "FOLDER", tmp_path)
    with pytest.raises(AssertionError) as caught:
        _fail_with_a_history()
    path = tmp_path / "a-test-7.jsonl"
    assert "the second reconcile made 2 changes" in str(caught.value)
    assert any("seed 7" in note and str(path) in note for note in caught.value.__notes__)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["event"] for event in events] == ["order", "violated"]
    assert events[0]["domain"] == "a.example"


def _fail_with_a_history() -> None:
    with History("a test", 7) as kept:
        kept.add("order", verb="account.create", domain="a.example")
        kept.check("converged", ["the second reconcile made 2 changes"])


def test_a_history_without_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "FOLDER", tmp_path)
    with History("fine", 1) as kept:
        kept.check("converged", [])
    assert list(tmp_path.iterdir()) == []
