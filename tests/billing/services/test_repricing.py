"""A new price for those who have its product: with the next period after the notice, told ahead, and once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import OutgoingMail
from billing.models import Charge, Customer, Price, Subscription
from billing.services import addons, charges, repricing, subscriptions
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.debt import letters
from tests.cast import Cast

DAY = date(2026, 3, 11)
OLD, NEW = Decimal(31), Decimal(40)


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel("2026-03-11T12:00:00+00:00", tick=False), everything("test"):
        yield


@pytest.fixture
def customer(cast: Cast) -> Customer:
    """Client A as a customer of reseller A, which invoices on the day."""
    factories.seller(cast.reseller_a.organization, days_ahead=0)
    return factories.customer(cast.reseller_a.organization, cast.client_a.organization)


def prices(cast: Cast, **values: Any) -> tuple[Price, Price]:
    """Return the old price of a product, 31 a month, and the new one, 40."""
    old = factories.price(cast.reseller_a.organization, "Small", "31", **values)
    return old, Price.objects.create(product=old.product, currency="USD", amount=40, valid_from=DAY)


def sell(cast: Cast, customer: Customer, price: Price, **values: Any) -> Subscription:
    """Return a subscription that began on the first of March."""
    return subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=price, starts_on=date(2026, 3, 1), **values
    )


def to_come(subscription: Subscription) -> list[tuple[date, Decimal]]:
    """Return what the periods until June will cost."""
    found = charges.due(subscriptions.locked(subscription), date(2026, 6, 1))
    return [(charge.starts_on, charge.amount) for charge in found]


def test_it_holds_from_the_next_period_after_the_notice_and_buyers_are_told_once(cast: Cast, customer: Customer):
    old, new = prices(cast)
    made = sell(cast, customer, old, label="x.example")
    shown = list(repricing.touched(actor=cast.reseller_a.actor, price=new))
    assert [(row.before, row.after, row.starts_on) for row in shown] == [(OLD, NEW, date(2026, 5, 1))]
    assert repricing.apply(actor=cast.reseller_a.actor, price=new) == 1
    assert to_come(made) == [(date(2026, 4, 1), OLD), (date(2026, 5, 1), NEW), (date(2026, 6, 1), NEW)]
    assert Charge.objects.count() == 1
    (text,) = letters("price_change")
    for words in ("Small, x.example", "1 May 2026", "31.00", "40.00", f"/subscriptions/{made.pk}/"):
        assert words in text, text
    assert cast.provider.organization.name not in text
    assert AuditEntry.objects.get(action="price.apply").tenant_path == cast.reseller_a.organization.path
    assert repricing.apply(actor=cast.reseller_a.actor, price=new) == 0
    assert OutgoingMail.objects.filter(kind="price_change").count() == 1


def test_what_is_charged_is_never_charged_anew(cast: Cast, customer: Customer):
    old, new = prices(cast)
    cast.reseller_a.organization.seller.days_ahead = 45
    cast.reseller_a.organization.seller.save()
    made = sell(cast, customer, old)
    assert made.billed_until == date(2026, 5, 1)
    repricing.apply(actor=cast.reseller_a.actor, price=new, notice_days=0)
    assert to_come(made) == [(date(2026, 5, 1), NEW), (date(2026, 6, 1), NEW)]


def test_only_those_who_have_it_otherwise_and_go_on_are_touched(cast: Cast, customer: Customer):
    old, new = prices(cast)
    yearly = Price.objects.create(product=old.product, currency="USD", months=12, amount=300, valid_from=DAY)
    other = factories.price(cast.reseller_a.organization, "Other", "5")
    kept = sell(cast, customer, old)
    addons.add(actor=cast.reseller_a.actor, subscription=kept, price=old)
    cancelled = sell(cast, customer, old)
    subscriptions.cancel(actor=cast.reseller_a.actor, subscription=cancelled)
    for price in (yearly, other, new):
        sell(cast, customer, price)
    touched = list(repricing.touched(actor=cast.reseller_a.actor, price=new, notice_days=0))
    assert [(row.component.subscription_id, row.component.is_main) for row in touched] == [
        (kept.pk, True),
        (kept.pk, False),
    ]
    assert repricing.apply(actor=cast.reseller_a.actor, price=new, notice_days=0) == 2
    assert to_come(cancelled) == []
    assert {amount for _day, amount in to_come(kept)} == {40}


def test_a_price_that_can_not_be_given_is_refused(cast: Cast, customer: Customer):
    old, new = prices(cast)
    sell(cast, customer, old)
    for days in (-1, 367):
        with pytest.raises(Invalid) as refused:
            repricing.apply(actor=cast.reseller_a.actor, price=new, notice_days=days)
        assert refused.value.field == "notice_days"
    for person, refusal in ((cast.client_a, NotFound), (cast.reseller_b, NotFound), (cast.readonly_a, Forbidden)):
        with pytest.raises((refusal, Forbidden)):
            repricing.apply(actor=person.actor, price=new)
    new.ended_on = DAY
    new.save()
    with pytest.raises(Conflict, match="in force"):
        repricing.apply(actor=cast.reseller_a.actor, price=new)
    assert not OutgoingMail.objects.filter(kind="price_change").exists()
