"""Rules and usage documents that are none: refused by the name of the key, never understood half."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import rating, rules, usage

RULE: dict[str, Any] = {"measure": "sum", "tiers": [{"up_to": None, "amount": "1"}]}
RUN: dict[str, Any] = {"measure": "duration", "feed": "spot"}
EVENT: dict[str, Any] = {"source": "s", "id": "1", "at": "2026-03-05T12:00:00Z", "quantity": "1"}
DOCUMENT: dict[str, Any] = {
    "customer_since": "2026-01-15",
    "period": ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"],
    "events": [EVENT],
}
TIER = {"up_to": "10", "amount": "1"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"price": "1"}, "price"),
        ({"measure": "mean"}, "measure"),
        ({"measure": None}, "measure"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": ["USD"]}, "currency"),
        ({"per": "0"}, "per"),
        ({"per": 1}, "per"),
        ({"per": "-1"}, "per"),
        ({"per": "1_000"}, "per"),
        ({"per": " 1"}, "per"),
        ({"per": "1e3"}, "per"),
        ({"per": "NaN"}, "per"),
        ({"per": "٣"}, "per"),
        ({"per": "1" * 31}, "per"),
        ({"event_minimum": "x"}, "event_minimum"),
        ({"event_step": None}, "event_step"),
        ({"event_rounding": "down"}, "event_rounding"),
        ({"tiers": None}, "tiers"),
        ({"tiers": []}, "tiers"),
        ({"tiers": {}}, "tiers"),
        ({"tiers": [TIER] * 101}, "tiers"),
        ({"tiers": ["1"]}, "tiers.0"),
        ({"tiers": [{"amount": "1"}]}, "tiers.0"),
        ({"tiers": [TIER, TIER]}, "tiers.1.up_to"),
        ({"tiers": [{"up_to": "0", "amount": "1"}]}, "tiers.0.up_to"),
        ({"tiers": [RULE["tiers"][0], TIER]}, "tiers.1"),
        ({"tiers": [{"up_to": None, "amount": 1}]}, "tiers.0.amount"),
        ({"mode": "stairs"}, "mode"),
        ({"window": "week"}, "window"),
        ({"month_days": 30}, "month_days"),
        ({"window": "month", "month_days": 0}, "month_days"),
        ({"window": "month", "month_days": "30"}, "month_days"),
        ({"window": "month", "month_days": True}, "month_days"),
        ({"allowance": []}, "allowance"),
        ({"allowance": {}}, "allowance"),
        ({"allowance": {"quantity": "1", "days": 1}}, "allowance"),
        ({"allowance": {"quantity": 1}}, "allowance.quantity"),
        ({"allowance": {"quantity": "1", "months": 0}}, "allowance.months"),
        ({"allowance": {"quantity": "1", "months": True}}, "allowance.months"),
        ({"allowance": {"quantity": "1", "from": "soon"}}, "allowance.from"),
        ({"allowance": {"quantity": "1", "from": "2026-02-01", "until": "2026-02-01"}}, "allowance.until"),
        ({"pool_by": "region"}, "pool_by"),
        ({"pool_by": ["region", "region"]}, "pool_by"),
        ({"pool_by": [str(n) for n in range(21)]}, "pool_by"),
        ({"filter": []}, "filter"),
        ({"filter": {"region": 1}}, "filter"),
        ({"zero_if": ""}, "zero_if"),
        ({"feed": "spot"}, "feed"),
        ({"cap_feed": "on_demand"}, "cap_feed"),
    ],
    ids=str,
)
def test_a_rule_is_refused_by_its_key(change: dict[str, Any], key: str):
    rules.parse(RULE)
    with pytest.raises(rules.RuleInvalid) as refused:
        rules.parse({**RULE, **change})
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"tiers": RULE["tiers"]}, "feed"),
        ({"allowance": {"quantity": "1"}}, "feed"),
        ({"feed": 0}, "feed"),
        ({"feed": ""}, "feed"),
        ({"feed": "x" * 61}, "feed"),
        ({"cap_feed": []}, "cap_feed"),
        ({"segment": "0.5"}, "segment"),
        ({"segment": "99999999999"}, "segment"),
    ],
    ids=str,
)
def test_a_rule_of_a_feed_is_refused_by_its_key(change: dict[str, Any], key: str):
    rules.parse(RUN)
    with pytest.raises(rules.RuleInvalid) as refused:
        rules.parse({**RUN, **change})
    assert refused.value.key == key


@pytest.mark.parametrize("document", [None, 1, "x", [], [RULE]], ids=str)
def test_what_is_no_object_is_no_document(document: object):
    for read in (rules.parse, usage.parse):
        with pytest.raises(rules.RuleInvalid):
            read(document)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"user": "x"}, "user"),
        ({"customer_since": None}, "customer_since"),
        ({"customer_since": "9999-12-31"}, "customer_since"),
        ({"period": ["2026-03-01T00:00:00Z"]}, "period"),
        ({"period": ["2026-03-01T00:00:00Z"] * 2}, "period"),
        ({"period": ["2026-03-01T00:00:00", "2026-04-01T00:00:00Z"]}, "period.0"),
        ({"period": ["2026-03-01T00:00:00Z", "9999-04-01T00:00:00Z"]}, "period.1"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": 1}, "time_zone"),
        ({"feeds": []}, "feeds"),
        ({"feeds": {"spot": [["2026-03-01T00:00:00Z"]]}}, "feeds.spot"),
        ({"feeds": {"spot": [["2026-03-01T00:00:00Z", 1]]}}, "feeds.spot"),
        ({"events": {}}, "events"),
        ({"events": ["x"]}, "events.0"),
        ({"events": [{**EVENT, "price": "1"}]}, "events.0"),
        ({"events": [{**EVENT, "source": ""}]}, "events.0"),
        ({"events": [{**EVENT, "seconds": "1"}]}, "events.0"),
        ({"events": [{**EVENT, "start": EVENT["at"], "end": EVENT["at"]}]}, "events.0"),
        ({"events": [{**EVENT, "quantity": 1}]}, "events.0.quantity"),
        ({"events": [{**EVENT, "at": "noon"}]}, "events.0.at"),
        ({"events": [{**EVENT, "repeat": 0}]}, "events.0.repeat"),
        ({"events": [{**EVENT, "repeat": True}]}, "events.0.repeat"),
        ({"events": [{**EVENT, "dims": {"a": 1}}]}, "events.0.dims"),
        ({"events": [EVENT, {**EVENT, "quantity": "2"}]}, "events.1"),
        (
            {"events": [{"source": "s", "id": "1", "start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}]},
            "events.0",
        ),
    ],
    ids=str,
)
def test_a_usage_document_is_refused_by_its_key(change: dict[str, Any], key: str):
    usage.parse(DOCUMENT)
    with pytest.raises(rules.RuleInvalid) as refused:
        usage.parse({**DOCUMENT, **change})
    assert refused.value.key == key


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(rules.KEYS)), json_values)
def test_whatever_a_key_holds_is_understood_or_refused(key: str, value: Any):
    refused: list[str] = []
    try:
        rules.parse({**RULE, key: value})
    except rules.RuleInvalid as error:
        refused.append(error.key)
    assert "" not in refused


def test_use_without_a_price_is_told_and_never_free():
    used = usage.parse({**DOCUMENT, "events": [{**EVENT, "quantity": "11"}]})
    with pytest.raises(rating.Unpriced, match="no price above 10"):
        rating.rate(rules.parse({**RULE, "tiers": [TIER]}), used)
    for told in ({}, {"spot": [["2026-03-05T12:00:01Z", "1"]]}):
        with pytest.raises(rating.Unpriced, match="no price of spot"):
            rating.rate(rules.parse(RUN), usage.parse({**DOCUMENT, "feeds": told}))
    feeds = {"spot": [["2026-03-01T00:00:00Z", "1"]]}
    with pytest.raises(rating.Unpriced, match="no price of cap"):
        rating.rate(rules.parse({**RUN, "cap_feed": "cap"}), usage.parse({**DOCUMENT, "feeds": feeds}))


def test_more_segments_than_can_be_told_are_refused():
    long = {**EVENT, "quantity": "1" + "0" * 12}
    feeds = {"spot": [["2026-03-01T00:00:00Z", "1"]]}
    with pytest.raises(rules.RuleInvalid, match="segments"):
        rating.rate(rules.parse(RUN), usage.parse({**DOCUMENT, "feeds": feeds, "events": [long]}))
