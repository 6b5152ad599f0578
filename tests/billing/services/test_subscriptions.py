"""Subscriptions from the first day to the last: what each verb charges, gives back, refuses and lets follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from accounts.models import Organization
from accounts.services import plans
from billing.models import Charge, Component, Customer, Price, Subscription
from billing.selectors import subscriptions as selectors
from billing.services import addons, charges, meters, repricing, subscriptions
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, LimitReached, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from provisioning.models import HostingAccount
from provisioning.services import packages
from tests.billing import factories
from tests.billing.factories import SYSTEM
from tests.cast import Cast
from tests.provisioning import ground as grounds
from tests.provisioning.ground import Ground

DAY = date(2026, 3, 11)


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel("2026-03-11T12:00:00+00:00", tick=False), everything("test"):
        yield


@pytest.fixture
def customer(cast: Cast) -> Customer:
    """Client A as a customer of reseller A, which invoices 14 days ahead."""
    factories.seller(cast.reseller_a.organization)
    return factories.customer(cast.reseller_a.organization, cast.client_a.organization)


def small(cast: Cast, **values: Any) -> Price:
    """Return a price of 31 a month of reseller A."""
    return factories.price(cast.reseller_a.organization, "Small", "31", **values)


def kept(subscription: Subscription) -> list[tuple[Any, ...]]:
    """Return what was charged, in the order in which it was."""
    rows = Charge.objects.filter(component__subscription=subscription).order_by("id")
    return [(row.kind, row.amount, row.starts_on, row.ends_on) for row in rows]


def test_what_begins_today_is_charged_at_once(cast: Cast, customer: Customer):
    made = subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=small(cast, setup=5), label="x.example"
    )
    assert kept(made) == [("setup", 5, DAY, DAY), ("period", 31, DAY, date(2026, 4, 11))]
    assert (made.status, made.anchor, made.billed_until) == ("active", DAY, date(2026, 4, 11))
    entry = AuditEntry.objects.get(action="subscription.start")
    assert entry.tenant_path == cast.client_a.organization.path
    assert [row.text for row in Charge.objects.all()] == ["Setup: Small, x.example", "Small, x.example"]


def test_a_trial_costs_nothing_until_it_is_over(cast: Cast, customer: Customer):
    price = small(cast)
    price.product.trial_days = 30
    price.product.save()
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=price)
    assert (made.status, made.trial_until, kept(made)) == ("trial", date(2026, 4, 10), [])
    other = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=price, trial=False)
    assert (other.status, len(kept(other))) == ("active", 1)


def test_a_fixed_billing_day_makes_a_short_first_period(cast: Cast, customer: Customer):
    cast.reseller_a.organization.seller.billing_day = 1
    cast.reseller_a.organization.seller.save()
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    assert kept(made) == [("period", 21, DAY, date(2026, 4, 1))]


def test_a_preview_is_what_is_charged(cast: Cast, customer: Customer):
    made = subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=small(cast), starts_on=date(2026, 3, 1)
    )
    large = factories.price(cast.reseller_a.organization, "Large", "62")
    shown = subscriptions.preview(actor=cast.reseller_a.actor, subscription=made, price=large, quantity=1, on=DAY)
    charged = subscriptions.change(actor=cast.reseller_a.actor, subscription=made, price=large)
    assert (
        [(c.kind, c.amount) for c in shown]
        == [(c.kind, c.amount) for c in charged]
        == [("credit", -21), ("change", 42)]
    )
    assert kept(made)[1:] == [
        ("credit", -21, DAY, date(2026, 4, 1)),
        ("change", 42, DAY, date(2026, 4, 1)),
    ]


def test_a_change_comes_to_the_same_where_no_run_came_for_months(cast: Cast, customer: Customer):
    late = factories.subscription(customer, small(cast), date(2026, 1, 1))
    large = factories.price(cast.reseller_a.organization, "Large", "62")
    shown = subscriptions.preview(actor=cast.reseller_a.actor, subscription=late, price=large, quantity=1, on=DAY)
    subscriptions.change(actor=cast.reseller_a.actor, subscription=late, price=large)
    assert [(c.kind, c.amount) for c in shown] == [("credit", -21), ("change", 42)]
    assert [row[0] for row in kept(late)] == ["period", "period", "period", "credit", "change"]


def test_cancelled_at_the_end_resumed_and_cancelled_again_is_charged_right(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    with time_machine.travel("2026-04-01T12:00:00+00:00", tick=False):
        for turn in range(2):
            subscriptions.cancel(actor=cast.client_a.actor, subscription=made)
            made.refresh_from_db()
            assert made.cancel_on == date(2026, 4, 11)
            assert sum(row[1] for row in kept(made)) == 31
            if not turn:
                subscriptions.resume(actor=cast.client_a.actor, subscription=made)
                assert sum(row[1] for row in kept(made)) == 62
    assert [row[0] for row in kept(made)] == ["period", "period", "credit", "change", "credit"]


def test_cancelled_now_ends_today_and_gives_the_rest_back(cast: Cast, customer: Customer):
    made = subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=small(cast), starts_on=date(2026, 3, 1)
    )
    with pytest.raises(Forbidden):
        subscriptions.cancel(actor=cast.client_a.actor, subscription=made, at_end=False)
    subscriptions.cancel(actor=cast.reseller_a.actor, subscription=made, at_end=False)
    made.refresh_from_db()
    assert (made.status, made.ended_on) == ("ended", DAY)
    assert kept(made)[1] == ("credit", -21, DAY, date(2026, 4, 1))
    assert Component.objects.get().ends_on == DAY
    for verb in (subscriptions.cancel, subscriptions.resume):
        with pytest.raises(Conflict):
            verb(actor=cast.reseller_a.actor, subscription=made)


def test_an_add_on_goes_with_the_periods_of_its_subscription(cast: Cast, customer: Customer):
    made = subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=small(cast), starts_on=date(2026, 3, 1)
    )
    extra = factories.price(cast.reseller_a.organization, "Backup", "3.10", setup=1)
    row = addons.add(actor=cast.reseller_a.actor, subscription=made, price=extra)
    assert kept(made)[1:] == [("change", Decimal("2.10"), DAY, date(2026, 4, 1)), ("setup", 1, DAY, DAY)]
    with time_machine.travel("2026-03-20T12:00:00+00:00", tick=False):
        addons.remove(actor=cast.reseller_a.actor, component=row)
        assert kept(made)[-2:] == [
            ("credit", Decimal("-1.20"), date(2026, 3, 20), date(2026, 4, 1)),
            ("credit", Decimal("-3.10"), date(2026, 4, 1), date(2026, 5, 1)),
        ]
        with pytest.raises(Conflict):
            addons.remove(actor=cast.reseller_a.actor, component=row)
        with pytest.raises(Invalid, match="cancel it"):
            addons.remove(actor=cast.reseller_a.actor, component=Component.objects.get(is_main=True))


def test_a_new_price_holds_from_the_next_renewal_on(cast: Cast, customer: Customer):
    old = small(cast)
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=old, starts_on=date(2026, 3, 1))
    new = Price.objects.create(product=old.product, currency="USD", amount=40, valid_from=date(2026, 3, 5))
    assert repricing.apply(actor=cast.reseller_a.actor, price=new, notice_days=0) == 1
    assert repricing.apply(actor=cast.reseller_a.actor, price=new, notice_days=0) == 0
    made.refresh_from_db()
    assert [(c.amount, c.starts_on) for c in charges.due(subscriptions.locked(made), date(2026, 5, 1))] == [
        (40, date(2026, 4, 1)),
        (40, date(2026, 5, 1)),
    ]


def test_a_buyer_chooses_only_what_is_on_the_order_page(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    large = factories.price(cast.reseller_a.organization, "Large", "62")
    with pytest.raises(Forbidden, match="not on sale"):
        subscriptions.change(actor=cast.client_a.actor, subscription=made, price=large)
    large.product.is_public = True
    large.product.save()
    with tenant(cast.client_a.organization.path):
        subscriptions.change(actor=cast.client_a.actor, subscription=made, price=large)
    with pytest.raises(Forbidden, match="today"):
        subscriptions.change(
            actor=cast.client_a.actor, subscription=made, price=large, quantity=2, on=date(2026, 3, 20)
        )


def test_a_buyer_sees_what_a_change_costs_of_what_it_is_offered_alone(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    large = factories.price(cast.reseller_a.organization, "Large", "62")
    with pytest.raises(Forbidden, match="not on sale"):
        subscriptions.preview(actor=cast.client_a.actor, subscription=made, price=large, quantity=1, on=DAY)
    large.product.is_public = True
    large.product.save()
    later = date(2026, 3, 20)
    with pytest.raises(Forbidden, match="begins today"):
        subscriptions.preview(actor=cast.client_a.actor, subscription=made, price=large, quantity=1, on=later)
    assert subscriptions.preview(actor=cast.client_a.actor, subscription=made, price=large, quantity=1, on=DAY)


def public(cast: Cast, name: str, amount: str, **values: Any) -> Price:
    """Return a price of reseller A that is on its order page."""
    made = factories.price(cast.reseller_a.organization, name, amount, **values)
    made.product.is_public = True
    made.product.save()
    return made


def by_use(cast: Cast) -> Price:
    """Return a price by use that is on reseller A's order page."""
    meter = meters.create(actor=SYSTEM, organization=cast.reseller_a.organization, name="Packets", unit="packets")
    rule = {"measure": "count", "tiers": [{"up_to": None, "amount": "1"}]}
    return public(cast, "Traffic", "0", kind="metered", meter=meter, rule=rule)


def test_a_buyer_adds_only_at_the_price_that_is_in_force(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    old = public(cast, "Backup", "1")
    new = Price.objects.create(product=old.product, currency="USD", amount=5, valid_from=DAY)
    ended = public(cast, "Mail", "1", ended_on=DAY)
    hidden = factories.price(cast.reseller_a.organization, "Care", "1")
    with tenant(cast.client_a.organization.path):
        for price in (old, ended, hidden):
            with pytest.raises(Forbidden, match="not on sale"):
                addons.add(actor=cast.client_a.actor, subscription=made, price=price)
        row = addons.add(actor=cast.client_a.actor, subscription=made, price=new)
        assert row.amount == 5
        with pytest.raises(Forbidden, match="today"):
            addons.add(actor=cast.client_a.actor, subscription=made, price=new, on=date(2026, 3, 20))


def test_a_buyer_takes_away_what_it_could_add_alone(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    hidden = factories.price(cast.reseller_a.organization, "Care", "3")
    use = by_use(cast)
    for price in (hidden, use):
        row = addons.add(actor=cast.reseller_a.actor, subscription=made, price=price)
        with pytest.raises(Forbidden, match="Ask them"):
            addons.remove(actor=cast.client_a.actor, component=row)
        addons.remove(actor=cast.reseller_a.actor, component=row)
    row = addons.add(actor=cast.reseller_a.actor, subscription=made, price=public(cast, "Backup", "1"))
    addons.remove(actor=cast.client_a.actor, component=row)


def test_an_add_on_of_the_first_day_costs_its_setup_fee_once(cast: Cast, customer: Customer):
    extra = factories.price(cast.reseller_a.organization, "Backup", "3.10", setup=1)
    price = small(cast)
    for starts_on, charged in ((DAY, True), (date(2026, 3, 13), True), (date(2026, 5, 1), False)):
        made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=price, starts_on=starts_on)
        assert (made.billed_until > starts_on) is charged
        addons.add(actor=cast.reseller_a.actor, subscription=made, price=extra, on=starts_on)
        charges.keep(charges.due(subscriptions.locked(made), date(2026, 7, 1)))
        assert [row[1] for row in kept(made) if row[0] == "setup"] == [1]


def test_what_is_paid_by_use_goes_with_every_cycle(cast: Cast, customer: Customer):
    yearly = factories.price(cast.reseller_a.organization, "Year", "120", 12)
    monthly = small(cast)
    use = by_use(cast)
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=yearly)
    assert use in selectors.addable(made, DAY)
    row = addons.add(actor=cast.reseller_a.actor, subscription=made, price=use)
    subscriptions.change(actor=cast.reseller_a.actor, subscription=made, price=monthly)
    row.refresh_from_db()
    assert (row.ends_on, Subscription.objects.get().months) == (None, 1)
    subscriptions.change(actor=cast.reseller_a.actor, subscription=made, price=yearly)
    newer = Price.objects.create(product=use.product, currency="USD", valid_from=DAY, rule=use.rule)
    assert repricing.apply(actor=cast.reseller_a.actor, price=newer, notice_days=0) == 1


def test_what_is_gone_before_it_began_costs_nothing(cast: Cast, customer: Customer):
    made = subscriptions.start(
        actor=cast.reseller_a.actor, customer=customer, price=small(cast, setup=0), starts_on=date(2026, 3, 20)
    )
    assert sum(row[1] for row in kept(made)) == 31
    subscriptions.end_because_gone(subscriptions.locked(made), DAY)
    assert sum(row[1] for row in kept(made)) == 0
    made.refresh_from_db()
    assert (made.status, made.ended_on) == ("ended", date(2026, 3, 20))


def test_what_never_began_costs_no_setup_fee_either(cast: Cast, customer: Customer):
    price = small(cast, setup=7)
    for ends_it in ("gone", "cancelled"):
        made = subscriptions.start(
            actor=cast.reseller_a.actor, customer=customer, price=price, starts_on=date(2026, 3, 20)
        )
        assert [row[1] for row in kept(made)] == [7, 31]
        if ends_it == "gone":
            subscriptions.end_because_gone(subscriptions.locked(made), DAY)
        else:
            subscriptions.cancel(actor=cast.reseller_a.actor, subscription=made, at_end=False)
        assert sorted(row[1] for row in kept(made)) == [-31, -7, 7, 31]
    begun = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=price)
    subscriptions.cancel(actor=cast.reseller_a.actor, subscription=begun, at_end=False)
    assert sum(row[1] for row in kept(begun)) == 7


@pytest.mark.parametrize("far", [date(1, 1, 1), date(2025, 3, 9), date(2027, 3, 13), date.max])
def test_no_day_is_more_than_a_year_away(cast: Cast, customer: Customer, far: date):
    price, extra = small(cast), factories.price(cast.reseller_a.organization, "Backup", "3")
    seller = cast.reseller_a.actor
    made = subscriptions.start(actor=seller, customer=customer, price=price)
    row = addons.add(actor=seller, subscription=made, price=extra)
    large = factories.price(cast.reseller_a.organization, "Large", "62")
    for act, field in (
        (lambda: subscriptions.start(actor=seller, customer=customer, price=price, starts_on=far), "starts_on"),
        (lambda: subscriptions.change(actor=seller, subscription=made, price=large, on=far), "on"),
        (lambda: subscriptions.preview(actor=seller, subscription=made, price=large, quantity=1, on=far), "on"),
        (lambda: addons.add(actor=seller, subscription=made, price=extra, on=far), "on"),
        (lambda: addons.remove(actor=seller, component=row, on=far), "on"),
        (lambda: charges.item(actor=seller, customer=customer, text="Moving", amount=Decimal(1), on=far), "on"),
    ):
        with pytest.raises(Invalid, match="at most a year away") as refused:
            act()
        assert refused.value.field == field


def test_others_find_no_subscription_of_two_parties(cast: Cast, customer: Customer):
    made = subscriptions.start(actor=cast.reseller_a.actor, customer=customer, price=small(cast))
    for person in (cast.provider, cast.reseller_b, cast.client_b, cast.sub_reseller):
        with pytest.raises(NotFound):
            subscriptions.cancel(actor=person.actor, subscription=made)
    with pytest.raises(Forbidden):
        subscriptions.cancel(actor=cast.readonly_a.actor, subscription=made)
    with pytest.raises(Forbidden):
        subscriptions.start(actor=cast.client_a.actor, customer=customer, price=Price.objects.get())


def test_a_plan_is_given_to_its_reseller_and_changes_with_the_subscription(cast: Cast):
    provider, reseller = cast.provider.organization, cast.reseller_a.organization
    factories.seller(provider)
    buyer = factories.customer(provider, reseller)
    made = [plans.create(actor=cast.provider.actor, organization=provider, name=name) for name in ("Ten", "Fifty")]
    ten, fifty = (factories.price(provider, plan.name, "30", kind="plan", plan=plan) for plan in made)
    subscription = subscriptions.start(actor=cast.provider.actor, customer=buyer, price=ten)
    assert Organization.objects.get(pk=reseller.pk).plan_id == made[0].pk
    subscriptions.change(actor=cast.provider.actor, subscription=subscription, price=fifty)
    assert Organization.objects.get(pk=reseller.pk).plan_id == made[1].pk
    with pytest.raises(Invalid, match="of its own"):
        subscriptions.change(actor=cast.provider.actor, subscription=subscription, price=ten, quantity=2)


@pytest.fixture
def ground(cast: Cast) -> Ground:
    """The cast with a server and accounts."""
    return grounds.make(cast)


def test_a_package_changes_with_its_account_or_not_at_all(cast: Cast, ground: Ground, monkeypatch: pytest.MonkeyPatch):
    reseller, hosting = cast.reseller_a.organization, ground.account_a
    factories.seller(reseller)
    buyer = factories.customer(reseller, hosting.organization)
    larger = packages.create(actor=cast.reseller_a.actor, organization=reseller, name="Larger")
    old = factories.price(reseller, "Old", "10", kind="package", package=hosting.package)
    new = factories.price(reseller, "New", "20", kind="package", package=larger)
    subscription = subscriptions.start(actor=cast.reseller_a.actor, customer=buyer, price=old, hosting=hosting)
    assert subscription.label == hosting.domain
    before = kept(subscription)

    def refuse(**values: object) -> None:
        raise LimitReached(rule="disk_bytes", level="reseller", used=1, limit=1)

    move = packages.move
    monkeypatch.setattr(packages, "move", refuse)
    with pytest.raises(LimitReached):
        subscriptions.change(actor=cast.reseller_a.actor, subscription=subscription, price=new)
    assert kept(subscription) == before
    monkeypatch.setattr(packages, "move", move)
    subscriptions.change(actor=cast.reseller_a.actor, subscription=subscription, price=new)
    assert HostingAccount.objects.get(pk=hosting.pk).package_id == larger.pk
    hosting = HostingAccount.objects.get(pk=hosting.pk)
    bare = subscriptions.start(actor=cast.reseller_a.actor, customer=buyer, price=new)
    with pytest.raises(Conflict, match="has a subscription already") as refused:
        subscriptions.start(actor=cast.reseller_a.actor, customer=buyer, price=new, hosting=hosting)
    assert refused.value.field == "hosting"
    with pytest.raises(Conflict, match="End that one first"):
        subscriptions.attach(actor=cast.reseller_a.actor, subscription=bare, hosting=hosting)
    with pytest.raises(IntegrityError, match="subscription"), transaction.atomic():
        Subscription.objects.filter(pk=bare.pk).update(hosting=hosting)
    subscriptions.cancel(actor=cast.reseller_a.actor, subscription=subscription, at_end=False)
    assert subscriptions.attach(actor=cast.reseller_a.actor, subscription=bare, hosting=hosting).hosting == hosting


def test_an_item_goes_on_the_next_invoice(cast: Cast, customer: Customer):
    made = charges.item(
        actor=cast.reseller_a.actor, customer=customer, text="Moving", amount=Decimal("12.50"), quantity=2
    )
    assert (made.amount, made.due_on, made.quantity) == (25, DAY, 2)
    for values, field in (
        ({"text": "x", "amount": Decimal("0.001")}, "amount"),
        ({"text": " ", "amount": Decimal(1)}, "text"),
        ({"text": "x"}, "amount"),
        ({"text": "x", "amount": Decimal(1), "quantity": 0}, "quantity"),
        ({"price": small(cast)}, "price"),
    ):
        with pytest.raises(DomainError) as refused:
            charges.item(actor=cast.reseller_a.actor, customer=customer, **values)
        assert refused.value.field == field
