"""Before a trial ends its buyer is told, once, what follows and how to cancel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from accounts.models import Brand, OutgoingMail
from billing.models import Seller, Subscription
from billing.services import runs
from panel.core.scoping import everything
from tests.billing import market
from tests.billing.debt import letters
from tests.billing.market import Deal, bill, open_market
from tests.cast import Cast


@pytest.fixture(autouse=True)
def _all_rows() -> Iterator[None]:
    with everything("test"):
        yield


def opened(cast: Cast, deal: Deal, **terms: Any) -> Seller:
    """A seller of one trial, whose buyer has a billing address."""
    seller = open_market(cast.reseller_a.organization, [deal], days_ahead=0, **terms)
    customer = Subscription.objects.get().customer
    customer.email = "bills@buyer.example"
    customer.save()
    return seller


def told() -> list[OutgoingMail]:
    """The reminders that there are."""
    return list(OutgoingMail.objects.filter(kind="trial_reminder"))


def test_it_is_told_three_days_ahead_once_with_day_amount_and_way_out(cast: Cast):
    seller = opened(cast, Deal(0, 1250, trial=14))
    bill(seller, 10)
    assert told() == []
    for number in (11, 11, 12, 13, 14, 15):
        assert bill(seller, number).is_clean
    (mail,) = told()
    made = Subscription.objects.get()
    assert mail.recipient == "bills@buyer.example"
    (text,) = letters("trial_reminder")
    for words in ("15 Jan 2026", "12.50", f"/subscriptions/{made.pk}/cancel/"):
        assert words in text, text
    brand = Brand.objects.get(organization=cast.reseller_a.organization)
    assert mail.brand == brand
    assert cast.provider.organization.name not in text


@pytest.mark.parametrize(("days", "count"), [([13], 1), ([14], 0), ([40], 0), ([9, 40], 0), ([9, 13, 40], 1)])
def test_after_a_pause_it_is_told_while_there_is_time_and_never_afterwards(cast: Cast, days: list[int], count: int):
    seller = opened(cast, Deal(0, 1250, trial=14))
    for number in days:
        bill(seller, number)
    assert len(told()) == count


def test_who_has_cancelled_or_wants_none_is_told_nothing(cast: Cast):
    seller = opened(cast, Deal(0, 1250, trial=14))
    Subscription.objects.update(cancel_on=market.FIRST + timedelta(days=14))
    bill(seller, 12)
    assert told() == []
    Subscription.objects.update(cancel_on=None)
    seller.trial_notice_days = 0
    seller.save()
    bill(seller, 13)
    assert told() == []


def test_a_dry_run_tells_nobody(cast: Cast):
    seller = opened(cast, Deal(0, 1250, trial=14))
    runs.bill(market.day(12), seller.organization, dry_run=True)
    assert told() == []
    assert Subscription.objects.get().trial_until == date(2026, 1, 15)
