"""The billing run: it may come twice, late or in parts, and one that can't be billed holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from billing.models import Charge, Customer, Invoice, PriceFeed, PricePoint, Seller, Subscription
from billing.services import charges, invoice_lines, invoices, meter_events, meters, runs, subscriptions
from billing.services.meter_events import Reported
from panel.core.scoping import everything
from tests.billing import factories, market
from tests.billing.factories import SYSTEM
from tests.billing.market import Deal, bill, left_behind, open_market
from tests.cast import Cast

SOME = settings(
    max_examples=max(3, settings().max_examples // 50),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
"""An example takes a second: few in a normal run, and none to make a failed one smaller."""
DEALS = st.lists(
    st.builds(
        Deal,
        starts=st.integers(0, 60),
        cents=st.integers(100, 9999),
        months=st.sampled_from(market.CYCLES),
        quantity=st.integers(1, 3),
        trial=st.sampled_from([0, 0, 14, 30]),
        cancelled=st.none() | st.integers(1, 64),
    ),
    min_size=1,
    max_size=3,
)
LAST = 64
RUNS = st.lists(st.integers(0, LAST), max_size=6)
TERMS = st.fixed_dictionaries(
    {"days_ahead": st.sampled_from([0, 5, 14, 45]), "time_zone": st.sampled_from(["UTC", "Pacific/Auckland"])}
)


@pytest.fixture(autouse=True)
def _all_rows() -> Iterator[None]:
    with everything("test"):
        yield


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo what an example writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def outcome(
    cast: Cast, deals: list[Deal], terms: dict[str, object], days: list[int]
) -> dict[str, list[tuple[object, ...]]]:
    """Return what runs on these days leave behind."""
    with taken_back():
        seller = open_market(cast.reseller_a.organization, deals, **terms)
        for number in days:
            assert bill(seller, number).is_clean
        market.check(seller)
        return left_behind(seller)


@SOME
@given(DEALS, TERMS, RUNS)
def test_a_run_that_comes_late_leaves_what_daily_runs_leave(
    cast: Cast, deals: list[Deal], terms: dict[str, object], days: list[int]
):
    daily = outcome(cast, deals, terms, list(range(LAST + 1)))
    assert outcome(cast, deals, terms, [*sorted(days), LAST]) == daily


@SOME
@given(DEALS, TERMS, RUNS)
def test_a_second_run_does_nothing_and_an_earlier_day_neither(
    cast: Cast, deals: list[Deal], terms: dict[str, object], days: list[int]
):
    with taken_back():
        seller = open_market(cast.reseller_a.organization, deals, **terms)
        bill(seller, LAST)
        before = left_behind(seller)
        for number in [LAST, *days]:
            again = bill(seller, number)
            assert (again.charges, again.invoices, again.ended) == (0, 0, 0)
        assert left_behind(seller) == before


@SOME
@given(DEALS, st.randoms(use_true_random=False))
def test_the_order_in_which_sellers_are_billed_changes_nothing(cast: Cast, deals: list[Deal], random):
    with taken_back():
        sellers = [open_market(person.organization, deals) for person in (cast.reseller_a, cast.reseller_b)]
        steps = [(seller, number) for seller in sellers for number in (20, 50, LAST)]
        random.shuffle(steps)
        for seller, number in steps:
            runs.bill(market.day(number), seller.organization)
        for seller in sellers:
            runs.bill(market.day(LAST), seller.organization)
        first, second = (left_behind(seller) for seller in sellers)
        assert first == second


def test_a_dry_run_tells_what_would_happen_and_leaves_nothing(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000), Deal(3, 500, cancelled=31)], days_ahead=0)
    before = left_behind(seller)
    out = StringIO()
    call_command(
        "bill", "--dry-run", "--seller", seller.organization_id, "--at", "2026-02-10T00:00:00+00:00", stdout=out
    )
    assert "2026-01-01 INV-2026-00001 Buyer 0: 10.00 USD" in out.getvalue()
    assert "3 papers would be issued, 1 subscriptions would be ended" in out.getvalue()
    assert left_behind(seller) == before
    call_command("bill", "--seller", seller.organization_id, "--at", "2026-02-10T00:00:00+00:00", stdout=out)
    assert Invoice.objects.count() == 3
    for words, refusal in (
        (["--at", "tomorrow"], "--at"),
        (["--at", "2026-01-01"], "offset"),
        (["--seller", "x"], "no organ"),
    ):
        with pytest.raises(CommandError, match=refusal):
            call_command("bill", *words, stdout=out)


def test_one_that_can_not_be_charged_is_parked_and_told_and_the_others_are_billed(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000)] * 3, days_ahead=0)
    poisoned = Subscription.objects.order_by("id")[1]
    Subscription.objects.filter(pk=poisoned.pk).update(months=0)
    report = bill(seller, 0)
    assert [row for row, _reason in report.parked] == [poisoned.pk]
    assert (report.charges, report.invoices) == (2, 2)
    poisoned.refresh_from_db()
    assert "ZeroDivisionError" in poisoned.parked_reason
    assert bill(seller, 1).is_clean
    Subscription.objects.filter(pk=poisoned.pk).update(months=1)
    subscriptions.unpark(actor=cast.reseller_a.actor, subscription=poisoned)
    assert bill(seller, 2).invoices == 1
    assert Invoice.objects.order_by("-number")[0].issued_on == date(2026, 1, 1)


def test_a_customer_who_can_not_be_invoiced_holds_up_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000)] * 3)
    broken = Customer.objects.order_by("id")[1]
    kept = invoice_lines.reckon

    def reckon(invoice, lines, of, customer, on):
        if customer.pk == broken.pk:
            raise LookupError("no rate")
        return kept(invoice, lines, of, customer, on)

    monkeypatch.setattr(invoice_lines, "reckon", reckon)
    report = bill(seller, 0)
    assert report.failed == [(broken.pk, "LookupError: no rate")]
    assert report.invoices == 2
    monkeypatch.setattr(invoice_lines, "reckon", kept)
    assert bill(seller, 0).invoices == 1
    market.check(seller)


def test_each_seller_has_days_of_its_own(cast: Cast):
    deals = [Deal(10, 1000)]
    early = open_market(cast.reseller_a.organization, deals, days_ahead=0, time_zone="Pacific/Auckland")
    late = open_market(cast.reseller_b.organization, deals, days_ahead=0, time_zone="America/Los_Angeles")
    runs.bill(datetime(2026, 1, 10, 12, tzinfo=UTC))
    assert [len(left_behind(seller)["papers"]) for seller in (early, late)] == [1, 0]
    runs.bill(datetime(2026, 1, 11, 7, 59, tzinfo=UTC))
    assert not left_behind(late)["papers"]
    runs.bill(datetime(2026, 1, 11, 8, tzinfo=UTC))
    assert left_behind(late)["papers"][0][2] == date(2026, 1, 11)


@pytest.mark.parametrize("at", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_a_day_with_another_hour_is_one_day(cast: Cast, at: datetime):
    number = (at.date() - market.FIRST).days
    seller = open_market(cast.reseller_a.organization, [Deal(number, 1000)], days_ahead=0, time_zone="Europe/Berlin")
    for hour in range(-2, 3):
        runs.bill(at.replace(hour=at.hour + hour if hour >= -1 else 0))
    assert [row[2] for row in left_behind(seller)["papers"]] == [at.date()]


def test_a_buyer_who_moved_away_is_charged_no_more_and_gets_back_what_had_not_begun(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000)])
    bill(seller, 20)
    assert Invoice.objects.count() == 2
    buyer = Customer.objects.get().buyer
    buyer.parent, buyer.path = cast.reseller_b.organization, f"{cast.reseller_b.organization.path}{buyer.pk}/"
    buyer.save()
    report = bill(seller, 21)
    assert report.ended == 1
    made = Subscription.objects.get()
    assert (made.status, made.ended_on) == ("ended", date(2026, 1, 22))
    assert sum(Charge.objects.values_list("amount", flat=True)) == Decimal(10)
    assert Invoice.objects.get(kind="credit_note").gross == -10


def test_a_trial_is_not_charged_before_it_is_over_however_early_invoices_are(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000, trial=30)], days_ahead=45)
    bill(seller, 29)
    assert (Charge.objects.count(), Subscription.objects.get().status) == (0, "trial")
    bill(seller, 35)
    assert Subscription.objects.get().status == "active"
    assert [row[2] for row in left_behind(seller)["papers"]] == [date(2026, 1, 31)]


def test_credits_that_no_invoice_takes_wait_for_the_next(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(30, 1000)], days_ahead=0)
    customer = Customer.objects.get()
    Charge.objects.create(
        customer=customer, kind="item", starts_on=market.FIRST, ends_on=market.FIRST, due_on=market.FIRST,
        text="Goodwill", quantity=-1, unit_price=4, amount=-4, currency="USD",
    )  # fmt: skip
    assert bill(seller, 5).invoices == 0
    assert bill(seller, 30).invoices == 1
    assert Invoice.objects.get().gross == 6


EACH: dict[str, Any] = {"measure": "count", "tiers": [{"up_to": None, "amount": "1"}]}


def test_a_state_never_goes_back(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(20, 1000, cancelled=20)], days_ahead=45)
    for number in (30, 10):
        bill(seller, number)
        assert Subscription.objects.get().status == "active"


def test_numbers_follow_days_whatever_was_issued_during_a_pause(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000), Deal(10, 500), Deal(10, 700)], days_ahead=0)
    first = Customer.objects.order_by("id")[0]
    charges.item(actor=SYSTEM, customer=first, text="Moving", amount=Decimal(3), on=market.FIRST + timedelta(days=5))
    with time_machine.travel(market.day(5), tick=False):
        assert invoices.collect(actor=SYSTEM, customer=first, until=market.FIRST + timedelta(days=5), now=market.day(5))
    bill(seller, 40)
    papers = list(Invoice.objects.order_by("number").values_list("number", "issued_on"))
    assert [number for number, _day in papers] == [1, 2, 3, 4, 5]
    days = ["2026-01-06", "2026-01-06", "2026-01-11", "2026-01-11", "2026-02-01"]
    assert [str(day) for _number, day in papers] == days


def metered(seller: Seller, ends_on: date | None = None, rule: dict[str, Any] = EACH) -> Subscription:
    """Let a seller have a customer from FIRST on who pays 1 for each packet, or by a rule, and ends on a day."""
    meter = meters.create(actor=SYSTEM, organization=seller.organization, name="Packets", unit="packets")
    price = factories.price(seller.organization, "Traffic", "0", kind="metered", meter=meter, rule=rule)
    customer = factories.customer(seller.organization, market.clients(seller.organization, 1)[0])
    made = factories.subscription(customer, price, market.FIRST, cancel_on=ends_on)
    made.components.update(ends_on=ends_on)
    return made


def use(subscription: Subscription, name: str, number: int, quantity: int) -> None:
    """Report use of the day so many days after FIRST, now."""
    product = subscription.components.get().price.product
    assert product.meter is not None
    event = Reported("probe", name, product.meter, None, subscription, market.day(number), Decimal(quantity))
    meter_events.record(actor=SYSTEM, organization=product.organization, events=[event])


Told = list[tuple[int, int, int]]
"""The day of use, the day on which it is told, and how much it is."""
USED_LAST = 130


def used(cast: Cast, days: list[int], told: Told, ends_on: date | None = None) -> list[tuple[object, ...]]:
    """Return what runs on these days charge for use that was told meanwhile."""
    with taken_back():
        seller = open_market(cast.reseller_a.organization, [], days_ahead=0)
        subscription = metered(seller, ends_on)
        busy = sorted({*days, *(row[1] for row in told)})
        for number in busy:
            with time_machine.travel(market.day(number), tick=False):
                for position, (used_on, told_on, quantity) in enumerate(told):
                    if told_on == number:
                        use(subscription, str(position), used_on, quantity)
                if number in days:
                    assert bill(seller, number).is_clean
        assert bill(seller, max(days)).charges == 0
        rows = Charge.objects.filter(kind="usage").order_by("due_on", "starts_on", "part")
        return list(rows.values_list("starts_on", "part", "due_on", "amount", "line__invoice__issued_on"))


def test_late_use_of_what_has_ended_is_charged_alike_whenever_runs_come(cast: Cast):
    told, ended = [(5, 5, 5), (5, 30, 30)], date(2026, 1, 21)
    daily = [
        (market.FIRST, 0, ended, 5, ended),
        (market.FIRST, 1, date(2026, 2, 1), 30, date(2026, 2, 1)),
    ]
    for days in (list(range(100)), [25, 40], [20, 99], [99]):
        assert used(cast, days, told, ended) == daily


def test_late_use_of_two_months_of_a_pause_comes_as_daily_runs_charge_it(cast: Cast):
    told = [(5, 5, 5), (5, 40, 30), (6, 70, 7), (35, 70, 11)]
    daily = used(cast, list(range(100)), told)
    assert [(str(row[0]), row[1], str(row[2]), row[3]) for row in daily] == [
        ("2026-01-01", 0, "2026-02-01", 5),
        ("2026-01-01", 1, "2026-03-01", 30),
        ("2026-01-01", 2, "2026-04-01", 7),
        ("2026-02-01", 0, "2026-04-01", 11),
    ]
    assert used(cast, [32, 99], told) == daily
    assert used(cast, [99], told) == daily


USES = st.lists(
    st.tuples(st.integers(0, 89), st.integers(0, 60), st.integers(1, 900)).map(
        lambda row: (row[0], row[0] + row[1], row[2])
    ),
    max_size=6,
)


@SOME
@given(USES, st.lists(st.integers(0, USED_LAST - 1), max_size=4), st.none() | st.integers(1, 90))
def test_use_is_charged_alike_whenever_runs_come(cast: Cast, told: Told, days: list[int], end: int | None):
    ends_on = None if end is None else market.FIRST + timedelta(days=end)
    told = [row for row in told if end is None or row[0] < end]
    borders = [(market.FIRST + timedelta(days=number)).day == 1 for number in range(USED_LAST)]
    timely = [number for number, is_border in enumerate(borders) if is_border or number == end]
    assert used(cast, [*sorted(days), USED_LAST], told, ends_on) == used(cast, [*timely, USED_LAST], told, ends_on)


def test_more_segments_than_can_be_charged_park_with_a_reason(cast: Cast):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000)], days_ahead=0)
    rule = {"measure": "duration", "per": "3600", "feed": "Spot", "segment": "1"}
    subscription = metered(seller, rule=rule)
    feed = PriceFeed.objects.create(organization=seller.organization, name="Spot", currency="USD")
    PricePoint.objects.create(feed=feed, instant=market.day(-1), price=Decimal("0.1"))
    product = subscription.components.get().product
    assert product.meter is not None
    span = (market.day(0), market.day(13))
    event = Reported("probe", "1", product.meter, None, subscription, start=span[0], end=span[1])
    with time_machine.travel(span[1], tick=False):
        meter_events.record(actor=SYSTEM, organization=seller.organization, events=[event])
    report = bill(seller, 31)
    assert [row for row, _reason in report.parked] == [subscription.pk]
    assert report.invoices == 2
    subscription.refresh_from_db()
    assert "more than 1000000 segments; rate a shorter period" in subscription.parked_reason


def test_use_is_charged_by_what_holds_once_the_subscription_is_locked(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    seller = open_market(cast.reseller_a.organization, [], days_ahead=0)
    subscription = metered(seller)
    with time_machine.travel(market.day(20), tick=False):
        use(subscription, "before", 5, 7)
        use(subscription, "after", 15, 9)
    locked = subscriptions.locked

    def waits(row: Subscription) -> Subscription:
        found = locked(row)
        row.components.update(ends_on=date(2026, 1, 11))
        return found

    monkeypatch.setattr(subscriptions, "locked", waits)
    bill(seller, 31)
    assert [(row.ends_on, row.amount) for row in Charge.objects.all()] == [(date(2026, 1, 11), 7)]


def test_what_the_database_could_not_do_now_is_tried_by_the_next_run(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    seller = open_market(cast.reseller_a.organization, [Deal(0, 1000)] * 2, days_ahead=0)
    unlucky = Subscription.objects.order_by("id")[0]
    advance = subscriptions.advance

    def deadlocks(subscription: Subscription, *rest: Any) -> list[Charge]:
        if subscription.pk == unlucky.pk:
            raise OperationalError("deadlock detected")
        return advance(subscription, *rest)

    monkeypatch.setattr(subscriptions, "advance", deadlocks)
    report = bill(seller, 0)
    assert (report.failed, report.parked) == ([(unlucky.pk, "OperationalError: deadlock detected")], [])
    assert report.invoices == 1
    monkeypatch.setattr(subscriptions, "advance", advance)
    assert bill(seller, 1).invoices == 1
