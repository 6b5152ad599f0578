"""What periods cost and changes come to: every day charged once, parts summing to the price, credits within charges."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Charge, Component, Customer, Price, Product, Subscription
from billing.pricing import calendar
from billing.selectors import sellers
from billing.services import changes, charges
from panel.core.errors import Conflict, DomainError, Invalid

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
CYCLES = st.sampled_from([1, 3, 6, 12, 24, 36])
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
"""Two leap years, and each day of a month."""
CENTS = st.integers(1, 100_000)
ENOUGH = st.integers(10_000, 100_000)
"""So many smallest units that a day of three years costs at least one of them."""
LATER = st.integers(0, 900)


def money(cents: int, currency: str) -> Decimal:
    """Return an amount in the smallest units of a currency."""
    return Decimal(cents).scaleb({"JPY": 0, "KWD": -3}.get(currency, -2))


def price(amount: Decimal, currency: str, months: int = 1, setup: int = 0, **product: Any) -> Price:
    """Return a price that nothing keeps, of a product of the seller `org`."""
    of = Product(**{"kind": "addon", "name": "Support", "organization_id": "org", **product})
    return Price(product=of, currency=currency, months=months, amount=amount, setup=setup, valid_from=date(2024, 1, 1))


def bought(at: Price, starts_on: date, *, quantity: int = 1, billing_day: int | None = None, trial: int = 0):
    """Return a subscription that nothing keeps, with its main component."""
    customer = Customer(seller_id="org", buyer_id="buyer", currency=at.currency)
    paid_from = starts_on + timedelta(days=trial)
    made = Subscription(
        customer=customer,
        status="active",
        months=at.months,
        anchor=changes.first_anchor(billing_day, paid_from),
        starts_on=starts_on,
        trial_until=paid_from if trial else None,
        billed_until=paid_from,
    )
    have(made, changes.begin(made, at, quantity, starts_on))
    return made


def have(subscription: Subscription, *components: Component) -> None:
    """Let a subscription that nothing keeps have these components."""
    subscription._prefetched_objects_cache = {"components": _Rows(components)}  # type: ignore[attr-defined]


class _Rows(list[Component]):
    def all(self) -> list[Component]:
        """Return the rows, as a manager would."""
        return list(self)


@pytest.fixture(autouse=True)
def _rows_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `subscription.components` be the rows that a test has given it."""

    def given_rows(self: Subscription) -> Any:
        return self._prefetched_objects_cache["components"]  # type: ignore[attr-defined]

    monkeypatch.setattr(Subscription, "components", property(given_rows))


def bill(subscription: Subscription, until: date) -> list[Charge]:
    """Charge as a run does."""
    made = charges.due(subscription, until)
    subscription.billed_until = charges.reach(subscription, until)
    return made


@given(
    ENOUGH, CURRENCIES, CYCLES, DAYS, st.none() | st.integers(1, 28), st.integers(0, 30), st.lists(LATER, max_size=6)
)
def test_periods_follow_one_another_without_gap_or_overlap_however_often_they_are_asked_for(
    cents: int, currency: str, months: int, day: date, billing_day: int | None, trial: int, runs: list[int]
):
    subscription = bought(price(money(cents, currency), currency, months), day, billing_day=billing_day, trial=trial)
    at_once = bought(price(money(cents, currency), currency, months), day, billing_day=billing_day, trial=trial)
    last = day + timedelta(days=max(runs, default=0))
    made = [charge for later in sorted(runs) for charge in bill(subscription, day + timedelta(days=later))]
    spans = [(charge.starts_on, charge.ends_on) for charge in made if charge.kind == "period"]
    assert spans == [(charge.starts_on, charge.ends_on) for charge in (bill(at_once, last) if runs else [])]
    assert [end for _start, end in spans[:-1]] == [start for start, _end in spans[1:]]
    if spans:
        assert spans[0][0] == day + timedelta(days=trial)
        assert spans[-1][1] == subscription.billed_until > last
        assert all(charge.due_on == charge.starts_on for charge in made)
    assert [charge.amount for charge in made[1:]] == [money(cents, currency)] * (len(made) - 1 if made else 0)


@given(ENOUGH, CURRENCIES, DAYS, st.integers(1, 28), CYCLES)
def test_a_first_period_up_to_the_billing_day_costs_its_share(
    cents: int, currency: str, day: date, billing_day: int, months: int
):
    subscription = bought(price(money(cents, currency), currency, months), day, billing_day=billing_day)
    assert subscription.anchor.day == billing_day
    assert day <= subscription.anchor < day + timedelta(days=31)
    first = bill(subscription, day)
    if first:
        assert 0 < first[0].amount <= money(cents, currency)
        assert (first[0].starts_on, first[0].ends_on) == (
            (day, subscription.anchor) if subscription.anchor > day else (day, subscription.billed_until)
        )


def test_the_31st_stays_the_31st_and_a_leap_day_comes_back():
    subscription = bought(price(Decimal(10), "USD"), date(2026, 1, 31))
    spans = [charge.starts_on for charge in bill(subscription, date(2026, 5, 1))]
    assert spans == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    leap = bought(price(Decimal(10), "USD", 12), date(2024, 2, 29))
    assert [charge.starts_on for charge in bill(leap, date(2028, 3, 1))] == [
        date(2024, 2, 29), date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29),
    ]  # fmt: skip


def test_a_setup_fee_is_charged_once_with_the_first_paid_day():
    subscription = bought(price(Decimal(10), "USD", setup=5), date(2026, 1, 1), trial=14)
    assert not bill(subscription, date(2026, 1, 14))
    made = bill(subscription, date(2026, 4, 1))
    assert [(charge.kind, charge.amount, charge.due_on) for charge in made] == [
        ("setup", 5, date(2026, 1, 15)),
        ("period", 10, date(2026, 1, 15)),
        ("period", 10, date(2026, 2, 15)),
        ("period", 10, date(2026, 3, 15)),
    ]


def test_lines_say_quantity_and_unit_price_of_whole_periods():
    whole = bill(bought(price(Decimal("2.50"), "USD"), date(2026, 1, 1), quantity=3), date(2026, 1, 1))[0]
    assert (whole.quantity, whole.unit_price, whole.amount) == (3, Decimal("2.50"), Decimal("7.50"))
    part = bill(bought(price(Decimal("2.50"), "USD"), date(2026, 1, 17), quantity=3, billing_day=1), date(2026, 1, 17))[
        0
    ]
    assert (part.quantity, part.unit_price, part.amount) == (1, part.amount, Decimal("3.63"))
    assert part.explanation[0] | {"amount": ""} == {
        "step": "share", "price": "2.50", "quantity": "3", "days": 15, "of": 31,
        "period": ["2026-01-01", "2026-02-01"], "amount": "",
    }  # fmt: skip


@given(CENTS, CENTS, CURRENCIES, DAYS, CYCLES, st.integers(0, 1000), st.integers(1, 4))
def test_up_and_down_at_one_instant_is_nothing_and_credit_never_exceeds_what_was_charged(
    low: int, high: int, currency: str, day: date, months: int, later: int, ahead: int
):
    old, new = (price(money(cents, currency), currency, months) for cents in (low, high))
    subscription = bought(old, day)
    charged = bill(subscription, calendar.add_months(day, months * ahead - 1))
    on = day + timedelta(days=later % (subscription.billed_until - day).days)
    up = changes.work_out(subscription, new, 1, on) if low != high else None
    if up is None:
        return
    credits = [charge for charge in up.charges if charge.kind == "credit"]
    for credit in credits:
        of = [row for row in charged if row.starts_on <= credit.starts_on and credit.ends_on <= row.ends_on]
        assert len(of) == 1
        assert 0 < -credit.amount <= of[0].amount
    for row in up.ends:
        row.ends_on = on
    have(subscription, *up.ends, *up.begins)
    down = changes.work_out(subscription, old, 1, on)
    assert sum(charge.amount for charge in [*up.charges, *down.charges]) == 0
    full = [money(high, currency)] * len(charged)
    assert sum(charge.amount for charge in [*charged, *up.charges]) <= max(sum(full), sum(c.amount for c in charged))


@given(ENOUGH, ENOUGH, CURRENCIES, DAYS, st.integers(1, 800))
def test_a_change_of_what_is_not_charged_yet_splits_the_period_to_come(
    low: int, high: int, currency: str, day: date, later: int
):
    subscription = bought(price(money(low, currency), currency), day)
    on = day + timedelta(days=later)
    if low == high:
        return
    change = changes.work_out(subscription, price(money(high, currency), currency), 1, on)
    assert change.charges == ()
    change.ends[0].ends_on = on
    have(subscription, *change.ends, *change.begins)
    made = bill(subscription, on)
    covered = sorted((charge.starts_on, charge.ends_on) for charge in made)
    assert [end for _start, end in covered[:-1]] == [start for start, _end in covered[1:]]
    if covered:
        assert covered[0][0] >= day
        assert sum((end - start).days for start, end in covered) == (covered[-1][1] - covered[0][0]).days


def test_another_cycle_counts_periods_anew_and_gives_back_the_rest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sellers, "of", lambda organization: type("Terms", (), {"billing_day": None}))
    subscription = bought(price(Decimal(31), "USD"), date(2026, 1, 1))
    subscription.customer.seller_id = "org"
    bill(subscription, date(2026, 1, 1))
    monkeypatch.setattr(Customer, "seller", None)
    change = changes.work_out(subscription, price(Decimal(365), "USD", 12), 1, date(2026, 1, 11))
    assert [(c.kind, c.amount, c.starts_on, c.ends_on) for c in change.charges] == [
        ("credit", -21, date(2026, 1, 11), date(2026, 2, 1)),
        ("change", 365, date(2026, 1, 11), date(2027, 1, 11)),
    ]
    assert (change.months, change.anchor, change.billed_until) == (12, date(2026, 1, 11), date(2027, 1, 11))


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"product": {"organization_id": "other"}}, Invalid, "price"),
        ({"currency": "EUR"}, Invalid, "price"),
        ({"months": 0}, Invalid, "price"),
        ({"quantity": 0}, Invalid, "quantity"),
        ({"quantity": 2, "product": {"kind": "plan"}}, Invalid, "quantity"),
        ({"on": date(2025, 12, 31)}, Invalid, "on"),
        ({"amount": Decimal(10)}, Conflict, "price"),
    ],
)
def test_what_can_not_be_had_is_refused_with_its_field(values: dict[str, Any], refusal: type[DomainError], field: str):
    subscription = bought(price(Decimal(10), "USD"), date(2026, 1, 1))
    wanted = price(
        values.get("amount", Decimal(20)),
        values.get("currency", "USD"),
        values.get("months", 1),
        **values.get("product", {}),
    )
    if "amount" in values:
        wanted.pk = subscription.components.all()[0].price_id
    with pytest.raises(refusal) as refused:
        changes.work_out(subscription, wanted, values.get("quantity", 1), values.get("on", date(2026, 1, 1)))
    assert refused.value.field == field
