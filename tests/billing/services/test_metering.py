"""What use is charged with: after each period, once, and what comes late with the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization
from billing.models import Charge, Component, Customer, Meter, PriceFeed, PricePoint, Subscription
from billing.pricing import rules
from billing.pricing.calendar import add_months
from billing.services import meter_events, metering, meters
from billing.services.meter_events import Reported
from panel.core.errors import Invalid
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Server, UsageDay
from tests.billing import factories
from tests.billing.factories import SYSTEM
from tests.cast import Cast
from tests.provisioning import factories as hosts

pytestmark = pytest.mark.django_db

PACKETS: dict[str, Any] = {
    "measure": "count",
    "per": "1000",
    "allowance": {"quantity": "500", "months": None},
    "tiers": [{"up_to": "10000", "amount": "2"}, {"up_to": None, "amount": "1"}],
}
SOLD = date(2026, 1, 1)


class Sale:
    """Reseller A sells client A what a meter counts, from the first of January on."""

    def __init__(self, cast: Cast, rule: dict[str, Any] = PACKETS, source: str = "api", **values: Any) -> None:
        self.seller: Organization = cast.reseller_a.organization
        self.customer: Customer = factories.customer(self.seller, cast.client_a.organization)
        factories.seller(self.seller, **values)
        with everything("test"):
            self.meter: Meter = meters.create(
                actor=SYSTEM, organization=self.seller, name="Packets", unit="packets", source=source
            )
            price = factories.price(
                self.seller, "Traffic", "0", rule=rule, kind="metered", meter=self.meter, tax_category="reduced"
            )
            self.subscription: Subscription = factories.subscription(self.customer, price, SOLD)
            self.component: Component = self.subscription.components.get()
        self.told = 0

    def use(self, quantity: int | str, at: datetime, told: datetime | None = None, **values: Any) -> None:
        """Report a use, when it happens unless it is `told` later."""
        self.told += 1
        event = Reported("probe", str(self.told), self.meter, self.customer, None, at, Decimal(quantity), **values)
        self.report(event, told or at)

    def report(self, event: Reported, told: datetime) -> None:
        """Report an event at an instant."""
        with everything("test"), time_machine.travel(told, tick=False):
            meter_events.record(actor=SYSTEM, organization=self.seller, events=[event])

    def charge(self, until: date, component: Component | None = None) -> list[Charge]:
        """Charge what is due, and return it."""
        with everything("test"):
            component = Component.objects.get(pk=(component or self.component).pk)
            return metering.keep(component, until)


def at(month: int, day: int, hour: int = 12) -> datetime:
    """Return an instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture
def april() -> Any:
    """The tenth of April 2026, at noon."""
    with time_machine.travel(at(4, 10), tick=False) as traveller:
        yield traveller


@pytest.fixture
def sale(cast: Cast, april: Any) -> Sale:
    return Sale(cast)


def test_use_is_charged_when_its_period_is_over_and_once(sale: Sale):
    sale.use(1500, at(1, 5))
    sale.use(3000, at(2, 28, 23))
    assert sale.charge(date(2026, 1, 31)) == []
    made = sale.charge(date(2026, 4, 9))
    assert [(row.starts_on, row.ends_on, row.due_on, row.part, row.amount) for row in made] == [
        (date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 1), 0, Decimal("2.00")),
        (date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 1), 0, Decimal("5.00")),
    ]
    assert {row.kind for row in made} == {"usage"}
    assert {row.tax_category for row in made} == {"reduced"}
    assert made[0].text == "Traffic: 1500 packets"
    assert made[0].explanation[0] == {"step": "use", "from": "2026-01-01", "until": "2026-02-01"}
    assert made[0].explanation[-1] == {"step": "sum", "amount": "2"}
    assert sale.charge(date(2026, 4, 9)) == []


def test_catching_up_charges_what_timely_runs_would_have(sale: Sale):
    for month, quantity in ((1, 900), (2, 20_000), (3, 12)):
        sale.use(quantity, at(month, 20))
    with everything("test"):
        late = [(row.starts_on, row.amount) for row in metering.charges(sale.component, date(2026, 4, 9))]
    timely = [
        (row.starts_on, row.amount)
        for until in (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1))
        for row in sale.charge(until)
    ]
    assert timely == late == [(date(2026, 1, 1), Decimal("0.80")), (date(2026, 2, 1), Decimal("29.50"))]


def test_late_use_is_another_part_of_the_next_invoice(sale: Sale):
    sale.use(1500, at(3, 5))
    assert [row.amount for row in sale.charge(date(2026, 4, 1))] == [Decimal("2.00")]
    sale.use(1000, at(3, 31, 23), told=at(4, 11))
    sale.use(600, at(4, 2))
    assert sale.charge(date(2026, 4, 30)) == []
    made = sale.charge(date(2026, 5, 1))
    assert [(row.starts_on, row.part, row.due_on, row.amount) for row in made] == [
        (date(2026, 3, 1), 1, date(2026, 5, 1), Decimal("2.00")),
        (date(2026, 4, 1), 0, date(2026, 5, 1), Decimal("0.20")),
    ]
    assert made[0].text == "Reported late: Traffic: 2500 packets"
    assert made[0].explanation[-1] == {"step": "charged_before", "amount": "2"}
    assert sale.charge(date(2026, 6, 1)) == []


def test_late_use_of_a_window_that_others_share_is_charged_in_all_of_it(sale: Sale):
    with everything("test"):
        Component.objects.update(ends_on=date(2026, 3, 16))
        first = sale.component
        second = Component.objects.create(
            subscription=sale.subscription, product=first.product, price=first.price, amount=0,
            starts_on=date(2026, 3, 16),
        )  # fmt: skip
    sale.use(500, at(3, 20))
    sale.use(500, at(3, 3), told=at(4, 2))
    made = [row for until in (date(2026, 4, 1), date(2026, 5, 1)) for row in sale.charge(until, second)]
    assert [(row.starts_on, row.part, row.due_on, row.amount) for row in made] == [
        (date(2026, 3, 16), 0, date(2026, 5, 1), Decimal("1.00"))
    ]


def test_what_a_run_asks_and_reads_does_not_grow_with_age(sale: Sale):
    counted, read = [], []
    for number in range(1, 25):
        border = add_months(SOLD, number)
        sale.use(600, datetime(border.year, border.month, 1, tzinfo=UTC) - timedelta(days=3))
        sale.use(1, datetime(border.year, border.month, 1, tzinfo=UTC) - timedelta(days=40)) if number > 2 else None
        with CaptureQueriesContext(connection) as queries:
            sale.charge(border)
        counted.append(len(queries))
        read.append(sum("billing_meterevent" in query["sql"] for query in queries))
    assert set(counted[11:]) == {counted[11]}, counted
    assert set(read[11:]) == {read[11]}, read


def test_the_end_of_a_component_ends_its_last_period_and_later_use_is_refused(sale: Sale):
    with everything("test"):
        Component.objects.update(ends_on=date(2026, 3, 16))
    sale.use(1500, at(3, 15))
    with pytest.raises(Invalid) as refused:
        sale.use(1500, at(3, 16))
    assert refused.value.field == "events.0.subscription"
    made = sale.charge(date(2026, 3, 16))
    assert [(row.starts_on, row.ends_on, row.amount) for row in made] == [
        (date(2026, 3, 1), date(2026, 3, 16), Decimal("2.00"))
    ]


def test_what_follows_a_component_within_a_period_goes_on_with_its_allowance_and_tiers(sale: Sale):
    with everything("test"):
        first = sale.component
        Component.objects.update(ends_on=date(2026, 3, 16))
        second = Component.objects.create(
            subscription=sale.subscription, product=first.product, price=first.price, amount=0,
            starts_on=date(2026, 3, 16),
        )  # fmt: skip
    sale.use(400, at(3, 3))
    sale.use(400, at(3, 20))
    assert sale.charge(date(2026, 4, 1), first) == []
    made = sale.charge(date(2026, 4, 1), second)
    assert [(row.starts_on, row.amount) for row in made] == [(date(2026, 3, 16), Decimal("0.60"))]


def test_a_moved_anchor_charges_no_day_twice_and_leaves_none_out(sale: Sale):
    for month in (1, 2, 3):
        sale.use(1500, at(month, 20))
    made = sale.charge(date(2026, 2, 1))
    sale.use(1000, at(1, 25), told=at(3, 2))
    with everything("test"):
        Subscription.objects.update(anchor=date(2026, 3, 15))
    made += sale.charge(date(2026, 4, 9))
    assert [(row.starts_on, row.ends_on, row.part, row.amount) for row in made] == [
        (date(2026, 1, 1), date(2026, 2, 1), 0, 2),
        (date(2026, 1, 1), date(2026, 2, 1), 1, 2),
        (date(2026, 2, 15), date(2026, 3, 15), 0, 2),
    ]
    made += sale.charge(date(2026, 4, 15))
    assert (made[-1].starts_on, made[-1].ends_on) == (date(2026, 3, 15), date(2026, 4, 15))


def test_a_trial_is_free(sale: Sale):
    with everything("test"):
        Subscription.objects.update(trial_until=date(2026, 3, 10))
    sale.use(5000, at(3, 9))
    sale.use(700, at(3, 10))
    made = sale.charge(date(2026, 4, 1))
    assert [(row.starts_on, row.amount) for row in made] == [(date(2026, 3, 10), Decimal("0.40"))]


def test_use_without_a_price_is_an_error_and_never_nothing(cast: Cast, april: Any):
    sale = Sale(cast, {**PACKETS, "tiers": [{"up_to": "100", "amount": "2"}]})
    sale.use(700, at(3, 9))
    with pytest.raises(Invalid, match="no price above 100") as refused:
        sale.charge(date(2026, 4, 1))
    assert refused.value.code == "unpriced"


def test_days_are_the_sellers(cast: Cast, april: Any):
    sale = Sale(cast, time_zone="America/New_York")
    sale.use(1500, datetime(2026, 4, 1, 3, 59, tzinfo=UTC))
    sale.use(1500, datetime(2026, 4, 1, 4, 0, tzinfo=UTC))
    assert [row.starts_on for row in sale.charge(date(2026, 4, 9))] == [date(2026, 3, 1)]


def test_calendar_months_within_periods_share_their_allowance(cast: Cast, april: Any):
    sale = Sale(cast, {**PACKETS, "window": "month"})
    with everything("test"):
        Subscription.objects.update(anchor=date(2026, 1, 15))
    sale.use(400, at(3, 3))
    sale.use(400, at(3, 20))
    made = sale.charge(date(2026, 4, 15))
    assert [(row.starts_on, row.amount) for row in made] == [(date(2026, 3, 15), Decimal("0.60"))]


def test_what_runs_across_periods_is_charged_in_each_and_sums_to_itself(cast: Cast, april: Any):
    rule = {
        "measure": "duration", "event_minimum": "60", "per": "3600", "tiers": [{"up_to": None, "amount": "0.36"}],
    }  # fmt: skip
    sale = Sale(cast, rule)
    event = Reported(
        "probe", "i-1", sale.meter, sale.customer, start=at(1, 31, 22), end=datetime(2026, 2, 1, 3, tzinfo=UTC)
    )
    sale.report(event, told=at(2, 1))
    assert [row.amount for row in sale.charge(date(2026, 4, 9))] == [Decimal("0.72"), Decimal("1.08")]


def test_a_price_in_time_is_read_from_the_sellers_feed(cast: Cast, april: Any):
    rule = {"measure": "duration", "per": "3600", "feed": "Spot", "segment": "3600", "cap_feed": "On demand"}
    sale = Sale(cast, rule)
    with everything("test"):
        spot, capped = (PriceFeed.objects.create(organization=sale.seller, name=n, currency="USD") for n in
                        ("spot", "On demand"))  # fmt: skip
        rows = [(spot, at(3, 1), "0.10"), (spot, at(3, 2, 13), "0.90"), (capped, at(1, 1), "0.50")]
        PricePoint.objects.bulk_create(PricePoint(feed=f, instant=i, price=Decimal(p)) for f, i, p in rows)
    event = Reported("probe", "i-1", sale.meter, sale.customer, start=at(3, 2), end=at(3, 2, 15))
    sale.report(event, told=at(3, 3))
    assert [row.amount for row in sale.charge(date(2026, 4, 1))] == [Decimal("1.10")]


def measured(sale: Sale, cast: Cast) -> HostingAccount:
    """An account that the sale's subscription pays for."""
    server = hosts.server(cast.provider.organization)
    with everything("test"):
        hosting = hosts.account(cast.client_a.organization, hosts.package(sale.seller), "measured.example")
        Subscription.objects.update(hosting=hosting)
        assert server.pk
    return hosting


def read(hosting: HostingAccount, day: date, disk: int | None = None, sent: int = 0) -> None:
    """Keep what was measured on a day."""
    with everything("test"):
        UsageDay.objects.create(
            hosting=hosting, server=Server.objects.get(), date=day, disk_bytes=disk, web_bytes=sent,
            database_bytes=0 if disk is not None else None, measured_at=timezone.now(),
        )  # fmt: skip


OVER = {"measure": "sum", "allowance": {"quantity": "10", "months": None}, "tiers": [{"up_to": None, "amount": "0.25"}]}


def test_bandwidth_is_the_sum_of_the_periods_days(cast: Cast, april: Any):
    sale = Sale(cast, OVER, "bandwidth")
    hosting = measured(sale, cast)
    for day, sent in ((date(2026, 2, 28), 90), (date(2026, 3, 1), 8), (date(2026, 3, 31), 6)):
        read(hosting, day, sent=sent * 10**9)
    made = sale.charge(date(2026, 4, 1))
    assert [(row.starts_on, row.amount) for row in made] == [
        (date(2026, 2, 1), Decimal("20.00")),
        (date(2026, 3, 1), Decimal("1.00")),
    ]
    with everything("test"):
        UsageDay.objects.filter(date=date(2026, 3, 31)).update(web_bytes=10 * 10**9)
    late = sale.charge(date(2026, 5, 1))
    assert [(row.starts_on, row.part, row.amount) for row in late] == [(date(2026, 3, 1), 1, Decimal("1.00"))]
    with everything("test"):
        UsageDay.objects.all().delete()
    assert sale.charge(date(2026, 6, 1)) == []


def test_disk_space_is_the_average_of_the_periods_days(cast: Cast, april: Any):
    sale = Sale(cast, OVER, "disk")
    hosting = measured(sale, cast)
    for number in range(1, 32):
        if number not in (14, 15, 16):  # three days without a reading have the size of the last one before
            read(hosting, date(2026, 3, number), disk=(20 if number < 17 else 40) * 10**9)
    made = sale.charge(date(2026, 4, 1))
    average = (Decimal(16) * 20 + Decimal(15) * 40) / 31
    assert [row.amount for row in made] == [((average - 10) / 4).quantize(Decimal("0.01"))]


def test_a_resellers_use_is_that_of_all_accounts_below_it(cast: Cast, april: Any):
    hosts.server(cast.provider.organization)
    with everything("test"):
        provider, reseller = cast.provider.organization, cast.reseller_a.organization
        meter = meters.create(actor=SYSTEM, organization=provider, name="Sent", unit="GB", source="bandwidth")
        price = factories.price(provider, "Bandwidth", "0", rule=OVER, kind="metered", meter=meter)
        of = factories.customer(provider, reseller)
        component = factories.subscription(of, price, SOLD).components.get()
        package = hosts.package(reseller)
        for client, domain, sent in ((cast.client_a, "a.example", 7), (cast.client_sub, "sub.example", 5)):
            read(hosts.account(client.organization, package, domain), date(2026, 3, 9), sent=sent * 10**9)
        other = hosts.package(cast.reseller_b.organization)
        read(hosts.account(cast.client_b.organization, other, "b.example"), date(2026, 3, 9), sent=10**12)
        assert [row.amount for row in metering.charges(component, date(2026, 4, 1))] == [Decimal("0.50")]


def test_a_rule_is_in_the_currency_of_its_price():
    with pytest.raises(Invalid, match="leave the rule's out"):
        metering.parsed({**PACKETS, "currency": "USD"}, "EUR")
    assert metering.parsed(PACKETS, "EUR").currency == "EUR"
    with pytest.raises(Invalid, match="measure"):
        metering.parsed({**PACKETS, "measure": "guess"}, "EUR")
    assert isinstance(metering.parsed(PACKETS, "JPY"), rules.Rule)
