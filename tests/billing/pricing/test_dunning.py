"""Which steps an unpaid invoice is due for: by the day, after a clock has jumped, and whatever the terms are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import dunning
from billing.pricing.dunning import Bill, Planned, Step, Taken, Terms

DUE = date(2026, 3, 10)
ISSUED = date(2026, 2, 24)
BILL = Bill(ISSUED, DUE)
CLIENT = Terms((-3, 1, 5), dunning.of_client(suspend=7, terminate=None))
RESELLER = Terms((-3, 1, 5), dunning.of_reseller(suspend=7, panel=14, sites=30))


def at(day: int, hour: int = 6) -> datetime:
    """Return an hour of the day so many days after the due date."""
    return datetime.combine(DUE + timedelta(days=day), time(hour), UTC)


def walk(terms: Terms, times: list[datetime], bill: Bill = BILL) -> list[tuple[int, str]]:
    """Run at each of `times`; return the steps that had an effect, with their day."""
    taken: dict[str, Taken] = {}
    done = []
    for now in times:
        for step in dunning.due(terms, bill, taken, today=now.date(), now=now):
            assert step.name not in taken
            taken[step.name] = Taken(now, now.date(), step.passed_over)
            if not step.passed_over:
                done.append(((now.date() - DUE).days, step.name))
    return done


def daily(first: int, last: int) -> list[datetime]:
    return [at(day) for day in range(first, last + 1)]


def test_day_by_day_of_a_client() -> None:
    assert walk(CLIENT, daily(-10, 60)) == [
        (-3, "reminder:-3"),
        (1, "reminder:1"),
        (1, "overdue"),
        (5, "reminder:5"),
        (7, "suspend"),
    ]


def test_day_by_day_of_a_reseller() -> None:
    assert walk(RESELLER, daily(-10, 60))[-4:] == [(7, "suspend"), (14, "panel"), (27, "sites_notice"), (30, "sites")]


def test_a_client_is_never_ended_unless_that_is_set_and_announced() -> None:
    terms = Terms((1,), dunning.of_client(suspend=7, terminate=40))
    assert walk(terms, daily(-10, 90))[-3:] == [(7, "suspend"), (37, "terminate_notice"), (40, "terminate")]
    assert walk(Terms((1,), dunning.of_client(suspend=None, terminate=40)), daily(0, 90)) == [
        (1, "reminder:1"),
        (1, "overdue"),
    ]


def test_a_clock_that_jumps_a_week_sends_the_newest_reminder_and_waits_a_day() -> None:
    assert walk(CLIENT, [at(-4), at(8), at(8, 7), at(9, 5), at(9, 6), at(9, 7)]) == [
        (8, "reminder:5"),
        (8, "overdue"),
        (9, "suspend"),
    ]


def test_what_was_passed_over_never_comes() -> None:
    steps = dunning.due(CLIENT, BILL, {}, today=DUE + timedelta(days=8), now=at(8))
    assert [step for step in steps if step.passed_over] == [Step("reminder:-3", True), Step("reminder:1", True)]


def test_without_reminders_money_is_asked_for_before_anything_is_taken_away() -> None:
    terms = Terms((), dunning.of_client(suspend=7, terminate=None))
    assert walk(terms, daily(-10, 20)) == [(1, "overdue"), (7, "demand"), (8, "suspend")]
    only_before = Terms((-3,), dunning.of_client(suspend=0, terminate=None))
    assert walk(only_before, daily(-10, 20)) == [(-3, "reminder:-3"), (1, "overdue"), (1, "demand"), (2, "suspend")]


def test_a_reminder_says_more_than_the_invoice_did() -> None:
    late = Bill(DUE, DUE)
    assert walk(CLIENT, daily(0, 2), late) == [(1, "reminder:1"), (1, "overdue")]
    by_itself = Bill(ISSUED, DUE, pays_by_itself=True)
    assert walk(CLIENT, daily(-10, 2), by_itself) == [(1, "reminder:1"), (1, "overdue")]


days = st.none() | st.integers(0, 60)
terms = st.builds(
    Terms,
    st.lists(st.integers(-30, 60), max_size=10, unique=True).map(tuple),
    st.builds(dunning.of_client, suspend=days, terminate=days)
    | st.builds(dunning.of_reseller, suspend=days, panel=days, sites=days),
)
runs = st.lists(st.integers(-40 * 24, 120 * 24), max_size=40).map(
    lambda hours: [at(0, 0) + timedelta(hours=hour) for hour in sorted(hours)]
)


@given(terms, runs)
def test_whatever_the_terms_and_the_clock(terms: Terms, times: list[datetime]) -> None:
    taken: dict[str, Taken] = {}
    for now in times:
        late = (now.date() - DUE).days
        steps = dunning.due(terms, BILL, taken, today=now.date(), now=now)
        assert not {step.name for step in steps} & taken.keys()
        sent = [step.name for step in steps if not step.passed_over]
        mails = [name for name in sent if _is_mail(name)]
        assert len(mails) + len([name for name, _day in terms.holds if name in sent]) <= 1
        for name, day in terms.holds:
            if name in sent:
                assert day is not None
                assert late > 0
                assert late >= day
                asked = [step for key, step in taken.items() if _is_mail(key) and not step.passed_over]
                assert any(step.on > DUE and now - step.at >= timedelta(days=1) for step in asked)
                assert all(now - taken[other].at >= timedelta(days=1) for other, _day in terms.holds if other in taken)
        for step in steps:
            taken[step.name] = Taken(now, now.date(), step.passed_over)
        assert dunning.due(terms, BILL, taken, today=now.date(), now=now) == []


@given(terms, runs, st.booleans())
def test_what_is_said_to_come_comes(terms: Terms, times: list[datetime], by_itself: bool) -> None:
    bill = Bill(ISSUED, DUE, by_itself)
    taken: dict[str, Taken] = {}
    now = at(-20)
    for now in times[:5]:
        for step in dunning.due(terms, bill, taken, today=now.date(), now=now):
            taken[step.name] = Taken(now, now.date(), step.passed_over)
    said = dunning.ahead(
        terms, bill, taken, today=now.date(), now=now, midnight=lambda day: datetime.combine(day, time(), UTC)
    )
    known, came = dict(taken), []
    last = max([now, *(at((step.on - DUE).days) for step in said)]) + timedelta(days=70)
    while now < last:
        for step in dunning.due(terms, bill, known, today=now.date(), now=now):
            known[step.name] = Taken(now, now.date(), step.passed_over)
            if not step.passed_over:
                came.append(Planned(step.name, now.date()))
        now += timedelta(hours=1)
    assert said == came


def test_what_waits_for_an_hour_comes_that_day_also_where_clocks_go_forward() -> None:
    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)

    late = datetime(2026, 3, 28, 20, tzinfo=UTC)
    taken = {name: Taken(late, late.date()) for name in ("reminder:5", "overdue")}
    sunday = date(2026, 3, 29)
    said = dunning.ahead(CLIENT, BILL, taken, today=sunday, now=midnight(sunday), midnight=midnight)
    assert said == [Planned("suspend", sunday)]


def _is_mail(name: str) -> bool:
    return name.startswith("reminder:") or name in dunning.MAILS


@pytest.mark.parametrize("step", ["suspend", "panel", "sites"])
def test_nothing_is_taken_away_on_the_day_that_it_is_due(step: str) -> None:
    terms = Terms((), ((step, 0),))
    assert walk(terms, [at(0), at(0, 23)]) == []
