"""What holds for every rule, use and price: nothing is counted twice, nothing is lost, and more never costs less."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from billing.pricing import calendar, rating, rules, usage
from billing.pricing.money import PLACES, rounded, unit
from billing.pricing.proration import share
from billing.pricing.totals import Line, totals
from billing.pricing.usage import Event, Feed, Usage

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=120)
END = START + SPAN
SINCE = date(2025, 11, 20)
ZONES = st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Asia/Kathmandu"])

amounts = st.decimals(0, 1000, places=6).map(Fraction)
quantities = st.fractions(0, 10**6, max_denominator=10**6)
dimensions = st.fixed_dictionaries({"region": st.sampled_from("abc")})
instants = st.integers(0, int(SPAN.total_seconds()) - 1).map(lambda second: START + timedelta(seconds=second))


@st.composite
def graduated(draw: st.DrawFn, measure: str = "sum") -> rules.Rule:
    """A rule of graduated tiers without an end, pooled and windowed anyhow."""
    borders = sorted(draw(st.sets(st.integers(1, 10**6), max_size=3)))
    ends: list[Fraction | None] = [*map(Fraction, borders), None]
    window = draw(st.sampled_from(rules.WINDOWS))
    months = draw(st.none() | st.integers(1, 4))
    free = draw(st.none() | st.builds(rules.Allowance, quantities, st.just(months)))
    return rules.Rule(
        measure=measure,
        tiers=tuple(rules.Tier(end, draw(amounts)) for end in ends),
        per=Fraction(draw(st.sampled_from([1, 60, 3600, 10**6]))),
        event_minimum=Fraction(draw(st.sampled_from([0, 60]))),
        event_step=Fraction(draw(st.sampled_from(["0", "0.5", "60"]))),
        event_rounding=draw(st.sampled_from(rules.ROUNDINGS)),
        allowance=free,
        window=window,
        month_days=draw(st.none() | st.integers(1, 40)) if window == "month" else None,
        pool_by=draw(st.sampled_from([(), ("region",)])),
    )


points = st.builds(lambda at, quantity, dims: Event(at, quantity, dims), instants, quantities, dimensions)


@st.composite
def runs(draw: st.DrawFn) -> Event:
    """Something that went on for a time, perhaps beyond the period."""
    at = draw(instants) - timedelta(days=draw(st.integers(0, 30)))
    length = timedelta(microseconds=draw(st.integers(0, 40 * 86400 * 10**6)))
    seconds = Fraction(length.days * 86400 + length.seconds) + Fraction(length.microseconds, 10**6)
    return Event(at, seconds, draw(dimensions), draw(st.integers(1, 3)), at + length)


def document(events: list[Event], start: datetime = START, end: datetime = END, zone: str = "UTC") -> Usage:
    """Return a usage of these events."""
    return Usage(start, end, SINCE, tuple(events), {}, zone)


def told(event: Event, number: int) -> dict[str, Any]:
    """Return an event as a document writes it."""
    at = event.at.isoformat()
    return {
        "source": "s",
        "id": str(number),
        "at": at,
        "quantity": rating.text(Fraction(round(event.quantity))),
        "dims": event.dimensions,
    }


@given(st.lists(points, max_size=8), graduated(), st.randoms(use_true_random=False))
def test_an_event_counts_once_however_often_and_in_which_order_it_is_told(
    events: list[Event], rule: rules.Rule, random: random.Random
):
    rows = [told(event, number) for number, event in enumerate(events)]
    shuffled = [*rows, *random.sample(rows, len(rows) // 2)]
    random.shuffle(shuffled)
    body = {"customer_since": SINCE.isoformat(), "period": [START.isoformat(), END.isoformat()]}
    once, often = (usage.parse({**body, "events": some}) for some in (rows, shuffled))
    assert rating.rate(rule, often) == rating.rate(rule, once)


CHEAPER = rules.Rule("sum", (rules.Tier(Fraction(10), Fraction(2)), rules.Tier(None, Fraction(1))))
LAST_AT_FIRST_PRICE = [Event(START, Fraction(10), {"region": "a"})]


@given(st.lists(points, max_size=6), points, graduated(), ZONES)
@example(LAST_AT_FIRST_PRICE, Event(START, Fraction(1), {"region": "a"}), CHEAPER, "UTC")
def test_more_use_never_costs_less(events: list[Event], more: Event, rule: rules.Rule, zone: str):
    less = rating.rate(rule, document(events, zone=zone))
    assert rating.rate(rule, document([*events, more], zone=zone)).exact >= less.exact


@given(st.lists(points | runs(), max_size=6), graduated("duration"), st.lists(instants, max_size=4), ZONES)
def test_parts_of_a_period_sum_to_the_period_however_it_is_cut(
    events: list[Event], rule: rules.Rule, cuts: list[datetime], zone: str
):
    whole = rating.rate(rule, document(events, zone=zone))
    borders = [START, *sorted(set(cuts) - {START}), END]
    parts = [rating.rate_part(rule, document(events, end=last, zone=zone), first) for first, last in pairwise(borders)]
    assert sum(part.exact for part in parts) == whole.exact
    assert sum(part.quantity for part in parts) == whole.quantity
    assert all(part.exact >= 0 for part in parts)


MINUTES = rules.Rule("duration", (rules.Tier(None, Fraction(1)),), event_minimum=Fraction(60))
CUT_WITHIN = [START + timedelta(seconds=50)]


@given(runs(), graduated("duration"), st.lists(instants, min_size=1, max_size=4, unique=True))
@example(Event(START, Fraction(100), {"region": "a"}, 1, START + timedelta(seconds=100)), MINUTES, CUT_WITHIN)
def test_what_goes_on_across_periods_counts_in_all_of_them_as_in_one(
    event: Event, rule: rules.Rule, cuts: list[datetime]
):
    begin, end = event.at - timedelta(days=1), END + timedelta(days=60)
    borders = [begin, *sorted(cut for cut in cuts if cut > begin), end]
    whole = rating.rate(rule, document([event], begin, end))
    parts = [rating.rate(rule, document([event], first, last)) for first, last in pairwise(borders)]
    assert sum(part.quantity for part in parts) == whole.quantity


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)])
def test_a_day_of_the_seller_has_the_hours_that_it_has(day: date, hours: int):
    rule = rules.Rule("duration", (rules.Tier(None, Fraction(1)),), per=Fraction(3600), window="day")
    start, end = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 12))
    span = Event(start, Fraction((end - start).days * 86400), {}, 1, end)
    found = rating.rate(rule, Usage(start, end, SINCE, (span,), {}, "Europe/Vienna"))
    shown = {step["window"]: step["quantity"] for step in found.explanation if step["step"] == "pool"}
    assert shown[day.isoformat()] == str(hours * 3600)
    assert found.exact == (end - start).days * 24


@given(st.lists(st.tuples(st.integers(0, 10**6), amounts), min_size=1, max_size=6), runs())
def test_a_price_in_time_is_that_of_the_start_of_each_segment_and_never_above_its_cap(
    prices: list[tuple[int, Fraction]], event: Event
):
    assume(event.quantity < 10**5)
    seconds = sorted({0: amounts, **dict(prices)})
    known = dict(prices)
    first = event.at - timedelta(days=1)
    feed = Feed(tuple(first + timedelta(seconds=s) for s in seconds), tuple(known.get(s, Fraction(9)) for s in seconds))
    cap = Fraction(500)
    rule = rules.Rule("duration", per=Fraction(3600), feed="spot", cap_feed="cap")
    feeds = {"spot": feed, "cap": Feed((first,), (cap,))}
    end = event.at + timedelta(days=60)
    found = rating.rate(rule, Usage(first, end, SINCE, (event,), feeds))
    expected, position = Fraction(0), Fraction(0)
    while position < event.quantity:
        price = feed.at(event.at + timedelta(seconds=int(position)))
        assert price is not None
        length = min(Fraction(3600), event.quantity - position)
        expected += length * min(price, cap) / 3600 * event.repeat
        position += length
    assert found.exact == expected


def test_an_allowance_ends_within_what_goes_on_and_begins_when_it_is_given():
    since = date(2026, 1, 10)
    event = Event(datetime(2026, 2, 9, tzinfo=UTC), Fraction(4 * 86400), {}, 1, datetime(2026, 2, 13, tzinfo=UTC))
    rule = rules.Rule(
        "duration", (rules.Tier(None, Fraction(1)),), per=Fraction(86400), allowance=rules.Allowance(Fraction(10**9), 1)
    )
    assert rating.rate(rule, Usage(START, END, since, (event,))).exact == 3
    dated = {"quantity": "1000000000", "from": "2026-02-10", "until": "2026-02-12"}
    body = {"measure": "duration", "per": "86400", "tiers": [{"up_to": None, "amount": "1"}], "allowance": dated}
    assert rating.rate(rules.parse(body), Usage(START, END, since, (event,))).exact == 2
    point = Event(datetime(2026, 2, 12, tzinfo=UTC), Fraction(5))
    assert rating.rate(rules.parse({**body, "per": "1"}), Usage(START, END, since, (point,))).exact == 5


def test_one_of_all_or_each_part_by_its_tier():
    tiers = (rules.Tier(Fraction(10), Fraction(2)), rules.Tier(None, Fraction(1)))
    used = document([Event(START, Fraction(11))])
    assert rating.rate(rules.Rule("sum", tiers), used).exact == 21
    assert rating.rate(rules.Rule("sum", tiers, mode="volume"), used).exact == 11


@given(st.fractions(max_denominator=10**12))
def test_a_number_is_written_as_it_is(value: Fraction):
    assert Fraction(rating.text(value)) == value


@given(
    st.decimals(0, 10**6, places=2),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.integers(1, 800),
    st.lists(st.integers(0, 800), max_size=8),
)
def test_any_cut_of_a_price_sums_to_it(price: Decimal, currency: str, days: int, cuts: list[int]):
    price = rounded(price, currency)
    period = (START.date(), START.date() + timedelta(days=days))
    borders = sorted({0, days, *(cut for cut in cuts if cut < days)})
    parts = [
        share(price, currency, period, (period[0] + timedelta(first), period[0] + timedelta(last)))
        for first, last in pairwise(borders)
    ]
    assert sum(parts) == price
    assert all(part >= 0 for part in parts)


@given(st.decimals(0, 10**6, places=2), st.integers(1, 800), st.integers(0, 800))
def test_up_and_down_at_one_instant_costs_nothing_and_credit_never_exceeds_the_price(
    price: Decimal, days: int, at: int
):
    period = (START.date(), START.date() + timedelta(days=days))
    rest = (period[0] + timedelta(days=min(at, days)), period[1])
    charge = share(price, "USD", period, rest)
    assert charge - share(price, "USD", period, rest) == 0
    assert 0 <= charge <= price


def test_days_outside_of_a_period_have_no_share():
    period = (date(2026, 3, 1), date(2026, 4, 1))
    for days in ((date(2026, 2, 28), period[1]), (period[0], date(2026, 4, 2)), (period[1], period[0])):
        with pytest.raises(ValueError, match="not within"):
            share(Decimal(1), "USD", period, days)


@pytest.mark.parametrize(
    ("anchor", "months", "starts"),
    [
        ("2026-01-31", 1, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2024-01-31", 1, ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-02-29", 12, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2026-11-30", 3, ["2026-11-30", "2027-02-28", "2027-05-30"]),
    ],
)
def test_a_short_month_moves_nothing(anchor: str, months: int, starts: list[str]):
    first = date.fromisoformat(anchor)
    assert [calendar.start_of(first, months, number).isoformat() for number in range(len(starts))] == starts


days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(days, st.sampled_from([1, 3, 6, 12, 24, 36]), days)
def test_periods_have_neither_gap_nor_overlap(anchor: date, months: int, day: date):
    start, end = calendar.period_at(anchor, months, day)
    assert start <= day < end
    number = calendar.number_at(anchor, months, day)
    assert calendar.start_of(anchor, months, number + 1) == end
    assert calendar.period_at(anchor, months, end)[0] == end


lines = st.lists(
    st.tuples(st.integers(-(10**7), 10**7), st.sampled_from([("S", "20"), ("S", "19.6"), ("AA", "7"), ("O", "0")])),
    max_size=12,
)


@given(lines, st.sampled_from(["USD", "JPY", "KWD"]), st.booleans())
def test_totals_are_exact_sums_and_tax_is_taken_once_per_rate(
    rows: list[tuple[int, tuple[str, str]]], currency: str, inclusive: bool
):
    step = unit(currency)
    made = [Line(step * number, code, Decimal(percent)) for number, (code, percent) in rows]
    found = totals(made, currency, inclusive=inclusive)
    assert len({(tax.code, tax.percent) for tax in found.taxes}) == len(found.taxes)
    assert sum(found.nets) == found.net == sum(tax.base for tax in found.taxes)
    assert found.tax == sum(tax.tax for tax in found.taxes)
    assert found.gross == found.net + found.tax
    for tax in found.taxes:
        members = [row for row in made if (row.code, row.percent) == (tax.code, tax.percent)]
        amount = sum((row.amount for row in members), Decimal(0))
        if inclusive:
            assert tax.base + tax.tax == amount
            assert tax.base == rounded(Fraction(amount) / (1 + Fraction(tax.percent) / 100), currency)
        else:
            assert (tax.base, tax.tax) == (amount, rounded(Fraction(amount) * Fraction(tax.percent) / 100, currency))
    for row, net in zip(made, found.nets, strict=True):
        assert net == net.quantize(step)
        exact = Fraction(row.amount) / (1 + Fraction(row.percent) / 100) if inclusive else Fraction(row.amount)
        assert abs(Fraction(net) - exact) < Fraction(step)


@given(st.fractions(max_denominator=10**9), st.sampled_from(sorted(PLACES)))
def test_rounding_is_to_the_nearest_and_half_goes_away_from_nothing(amount: Fraction, currency: str):
    found, step = Fraction(rounded(amount, currency)), Fraction(unit(currency))
    assert abs(found - amount) <= step / 2
    assert Fraction(rounded(-amount, currency)) == -found
    half = step / 2
    assert abs(Fraction(rounded(half, currency))) == abs(Fraction(rounded(-half, currency))) == step
