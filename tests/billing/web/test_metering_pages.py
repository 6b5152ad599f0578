"""Pages of meters, reported use, price feeds, and the calculator."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Meter, PriceFeed, PricePoint
from billing.services import meter_events, meters
from billing.services.meter_events import Reported
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.factories import SYSTEM
from tests.cast import Cast

pytestmark = pytest.mark.django_db
RULE = {"measure": "sum", "tiers": [{"up_to": "10", "amount": "1"}, {"up_to": None, "amount": "0.5"}]}


@pytest.fixture
def meter(cast: Cast) -> Meter:
    """A meter by which client A has used 7 GB."""
    seller = cast.reseller_a.organization
    with everything("test"):
        made = meters.create(actor=SYSTEM, organization=seller, name="Data out", unit="GB")
        price = factories.price(seller, "Traffic", "0", rule=RULE, kind="metered", meter=made)
        customer = factories.customer(seller, cast.client_a.organization)
        factories.subscription(customer, price, date(2026, 1, 1))
        used = Reported("probe", "1", made, customer, at=timezone.now(), quantity=Decimal(7))
        meter_events.record(actor=SYSTEM, organization=seller, events=[used])
    return made


def test_a_meter_is_made_and_named_anew(cast: Cast):
    browser = cast.reseller_a.browser()
    answer = browser.post("/meters/new/", {"name": "Packets", "unit": "packets", "source": "api"})
    assert (answer.status_code, answer["location"]) == (302, "/meters/")
    with everything("test"):
        made = Meter.objects.get()
    again = browser.post("/meters/new/", {"name": "packets", "unit": "packets", "source": "api"})
    assert again.status_code == 409
    assert "You already have a meter of this name." in again.content.decode()
    browser.post(f"/meters/{made.pk}/change/", {"name": "Match packets", "unit": "packets"})
    assert "Match packets" in browser.get("/meters/").content.decode()


def test_use_is_seen_by_who_sells_and_who_buys_and_by_nobody_above(cast: Cast, meter: Meter):
    for person, seen in (
        (cast.reseller_a, True),
        (cast.client_a, True),
        (cast.provider, False),
        (cast.client_b, False),
    ):
        body = person.browser().get("/use/").content.decode()
        assert ("7 GB" in body) is seen, person.user
    file = cast.reseller_a.browser().get("/use/?export=csv")
    assert b"7" in b"".join(file.streaming_content).splitlines()[1]  # type: ignore[attr-defined]


def ask(cast: Cast, **values: Any) -> Any:
    """Ask the calculator."""
    return cast.reseller_a.browser().post("/calculator/", {"measure": "sum", "per": "1", "window": "period", **values})


def test_the_calculator_says_amount_and_each_step(cast: Cast, meter: Meter):
    body = ask(cast, tiers="10 1\n0.5", quantity="12", free="1").content.decode()
    assert "10.50\N{NO-BREAK SPACE}USD" in body
    assert "1 free, 11 left to pay" in body
    assert "10 at 1" in body
    assert 'data-axis="number"' in body
    with everything("test"):
        price = meter.products.get().prices.get()
    assert "11.00\N{NO-BREAK SPACE}USD" in ask(cast, price=price.pk, quantity="12").content.decode()
    page = cast.reseller_a.browser().get(f"/calculator/?price={price.pk}")
    assert f'value="{price.pk}" selected' in page.content.decode()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"tiers": "10 1"}, "Say how much is used."),
        ({"tiers": "10 x", "quantity": "1"}, "Line 1: give a number as text"),
        ({"quantity": "1"}, "give a list of 1 to 100 tiers"),
        ({"tiers": "10 1", "quantity": "11"}, "there is no price above 10"),
        ({"rule": '{"measure": "mean"}', "quantity": "1"}, "measure: choose one of"),
        ({"rule": '{"feed": "x", "measure": "duration"}', "quantity": "1"}, "there is no price of x"),
        ({"tiers": "1", "usage": "{}"}, "period: give its start"),
    ],
    ids=str,
)
def test_the_calculator_says_what_it_does_not_understand(cast: Cast, values: dict[str, str], text: str):
    answer = ask(cast, **values)
    assert answer.status_code == 400
    assert text in answer.content.decode()


def test_a_usage_document_is_rated_with_the_sellers_feeds(cast: Cast):
    seller = cast.reseller_a.organization
    with everything("test"):
        feed = PriceFeed.objects.create(organization=seller, name="spot", currency="USD")
        PricePoint.objects.create(feed=feed, instant=datetime(2026, 1, 1, tzinfo=UTC), price=Decimal("0.4"))
    usage = (
        '{"customer_since": "2026-01-01", "period": ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"], '
        '"events": [{"source": "s", "id": "1", "at": "2026-03-02T00:00:00Z", "seconds": "7200"}]}'
    )
    body = ask(cast, rule='{"measure": "duration", "per": "3600", "feed": "spot"}', usage=usage).content.decode()
    assert "0.80\N{NO-BREAK SPACE}USD" in body


def test_a_feed_shows_what_it_saves_over_three_months(cast: Cast):
    seller = cast.reseller_a.organization
    with everything("test"):
        spot, usual = (PriceFeed.objects.create(organization=seller, name=n, currency="USD") for n in ("spot", "usual"))
        long_ago = timezone.now() - timedelta(days=200)
        for feed, price in ((spot, "0.25"), (usual, "1")):
            PricePoint.objects.create(feed=feed, instant=long_ago, price=Decimal(price))
    browser = cast.reseller_a.browser()
    body = browser.get(f"/price-feeds/{spot.pk}/").content.decode()
    assert "75.0\N{NO-BREAK SPACE}% would have been saved against usual" in body
    assert body.count("<time datetime=") >= 2 * 92
    answer = browser.post(f"/price-feeds/{spot.pk}/add/", {"instant": "2026-03-01T10:00", "price": "0.311"})
    assert answer.status_code == 302
    assert "0.311" in browser.get(f"/price-feeds/{spot.pk}/").content.decode()
    assert cast.provider.browser().get(f"/price-feeds/{spot.pk}/").status_code == 404


def test_a_price_by_use_is_set_by_fields_or_as_a_whole_rule(cast: Cast, meter: Meter):
    browser = cast.reseller_a.browser()
    with everything("test"):
        product = meter.products.get()
    day = timezone.now().date() + timedelta(days=1)
    address = f"/products/{product.pk}/prices/new/"
    fields = {"currency": "EUR", "valid_from": day, "measure": "sum", "per": "1", "free": "5", "window": "month"}
    refused = browser.post(address, {**fields, "tiers": "10 1\n10 2"})
    assert refused.status_code == 400
    assert "Line 2: each tier ends above the one before." in refused.content.decode()
    assert browser.post(address, {**fields, "tiers": "10 1\n0.5"}).status_code == 302
    whole = {"measure": "count", "tiers": [{"up_to": None, "amount": "3"}]}
    assert browser.post(address, {"currency": "GBP", "valid_from": day, "rule": json.dumps(whole)}).status_code == 302
    with everything("test"):
        rules = dict(product.prices.values_list("currency", "rule"))
    assert rules["EUR"] == {
        "measure": "sum",
        "per": "1",
        "tiers": [{"up_to": "10", "amount": "1"}, {"up_to": None, "amount": "0.5"}],
        "allowance": {"quantity": "5", "months": None},
        "window": "month",
    }
    assert rules["GBP"] == whole
