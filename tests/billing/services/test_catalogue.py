"""Products and prices: what stands for what, which price is in force on which day, who keeps what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine

from accounts.services import plans
from billing.models import Price, Product
from billing.selectors import prices as selectors
from billing.selectors import products as product_selectors
from billing.services import meters, prices, products
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.billing import factories
from tests.cast import Cast
from tests.provisioning import factories as hosting

TODAY = date(2026, 3, 1)
RULE = {"measure": "sum", "currency": "USD", "per": "1", "tiers": [{"up_to": None, "price": "0.10"}]}


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False), everything("test"):
        yield


def made(cast: Cast, kind: str = "addon", name: str = "Support", **values: Any) -> Product:
    """Put something of reseller A on sale."""
    return products.create(
        actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, kind=kind, name=name, **values
    )


def priced(cast: Cast, product: Product, amount: str = "10", **values: Any) -> Price:
    """Give a product a price, in US dollars a month."""
    given = {"currency": "USD", "amount": Decimal(amount), **values}
    return prices.create(actor=cast.reseller_a.actor, product=product, **given)


def test_each_kind_says_what_it_stands_for(cast: Cast) -> None:
    own = cast.reseller_a.organization
    package = hosting.package(own)
    plan = plans.create(actor=cast.reseller_a.actor, organization=own, name="Studio")
    meter = meters.create(actor=cast.reseller_a.actor, organization=own, name="Packets", unit="packets")
    assert made(cast, "package", "Web", package=package).package == package
    assert made(cast, "plan", "Reseller", plan=plan).plan == plan
    assert made(cast, "metered", "Traffic", meter=meter).meter == meter
    assert made(cast, "item", "Move").kind == "item"
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("package", {}, "package"),
        ("plan", {"package": package}, "package"),
        ("addon", {"package": package}, "package"),
        ("metered", {"meter": None}, "meter"),
        ("package", {"package": hosting.package(cast.reseller_b.organization, name="B")}, "package"),
        ("gift", {}, "kind"),
        ("item", {"trial_days": 3}, "trial_days"),
        ("addon", {"trial_days": 366}, "trial_days"),
        ("addon", {"name": "a\nb"}, "name"),
        ("addon", {"name": "x" * 81}, "name"),
        ("addon", {"description": "x" * 1001}, "description"),
        ("addon", {"tax_category": "none"}, "tax_category"),
        ("addon", {"owner": "me"}, "owner"),
    ]
    for kind, values, field in refused:
        with pytest.raises(Invalid) as caught:
            made(cast, kind, **{"name": "Bad", **values})
        assert caught.value.field == field


def test_names_are_unique_among_what_is_on_sale(cast: Cast) -> None:
    first = made(cast)
    with pytest.raises(Conflict) as caught:
        made(cast, name="SUPPORT")
    assert caught.value.field == "name"
    products.archive(actor=cast.reseller_a.actor, product=first)
    assert made(cast).pk != first.pk
    with pytest.raises(Conflict):
        products.change(actor=cast.reseller_a.actor, product=first, name="Other")
    with pytest.raises(Conflict):
        priced(cast, Product._base_manager.get(pk=first.pk))


def test_the_newest_price_that_has_begun_is_in_force(cast: Cast) -> None:
    product = made(cast)
    old = priced(cast, product, valid_from=date(2026, 1, 1))
    new = priced(cast, product, "12", valid_from=date(2026, 4, 1))
    yearly = priced(cast, product, "100", months=12)
    euros = priced(cast, product, "9", currency="EUR")
    for on, expected in ((date(2025, 12, 31), None), (TODAY, old), (date(2026, 3, 31), old), (date(2026, 4, 1), new)):
        assert selectors.current(product, "USD", 1, on) == expected
    with tenant(cast.client_a.actor.path):
        assert selectors.current(product, "USD", 12, TODAY) == yearly
        assert selectors.current(product, "JPY", 1, TODAY) is None
    with tenant(cast.reseller_a.actor.path):
        assert set(selectors.on_sale(product.organization, TODAY)) == {old, yearly, euros}
        assert set(selectors.on_sale(product.organization, date(2026, 4, 1))) == {new, yearly, euros}
        states = {line.price: line.state for line in selectors.lines(product, TODAY)}
        assert states == {old: "active", new: "pending", yearly: "active", euros: "active"}
        later = {line.price: line.state for line in selectors.lines(product, date(2026, 5, 1))}
        assert (later[old], later[new]) == ("superseded", "active")


def test_a_price_that_ended_is_followed_by_none(cast: Cast) -> None:
    product = made(cast)
    priced(cast, product, "8", valid_from=date(2026, 1, 1))
    last = priced(cast, product, "9")
    prices.end(actor=cast.reseller_a.actor, price=last, on=date(2026, 3, 10))
    assert selectors.current(product, "USD", 1, date(2026, 3, 9)) == last
    assert selectors.current(product, "USD", 1, date(2026, 3, 10)) is None
    with tenant(cast.reseller_a.actor.path):
        assert [line.state for line in selectors.lines(product, date(2026, 3, 10))] == ["closed", "superseded"]


def test_only_the_first_price_begins_in_the_past(cast: Cast) -> None:
    product = made(cast)
    priced(cast, product, valid_from=date(2025, 1, 1))
    with pytest.raises(Invalid) as caught:
        priced(cast, product, "9", valid_from=TODAY - timedelta(days=1))
    assert (caught.value.code, caught.value.field) == ("past", "valid_from")
    priced(cast, product, "9")
    with pytest.raises(Conflict) as taken:
        priced(cast, product, "8")
    assert taken.value.field == "valid_from"


def test_what_has_begun_is_not_taken_back(cast: Cast) -> None:
    product = made(cast)
    begun, coming = priced(cast, product), priced(cast, product, "12", valid_from=date(2026, 4, 1))
    with pytest.raises(Conflict):
        prices.remove(actor=cast.reseller_a.actor, price=begun)
    with pytest.raises(Invalid):
        prices.end(actor=cast.reseller_a.actor, price=coming, on=TODAY)
    with pytest.raises(Invalid):
        prices.end(actor=cast.reseller_a.actor, price=begun, on=date(2026, 2, 28))
    prices.remove(actor=cast.reseller_a.actor, price=coming)
    assert list(Price._base_manager.all()) == [begun]


def test_a_price_that_somebody_agreed_on_stays(cast: Cast) -> None:
    product = made(cast)
    coming = priced(cast, product, valid_from=date(2026, 4, 1))
    buyer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    factories.subscription(buyer, coming, starts_on=date(2026, 4, 1))
    with pytest.raises(Conflict) as caught:
        prices.remove(actor=cast.reseller_a.actor, price=coming)
    assert caught.value.code == "in_use"
    assert product_selectors.subscriptions_of(product) == 1
    assert product_selectors.subscriptions_of(product, currency="EUR", months=1) == 0
    with tenant(cast.reseller_a.actor.path):
        listed: list[Any] = list(product_selectors.listed(cast.reseller_a.actor))
        assert [row.subscription_count for row in listed] == [1]


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("addon", {"months": 0}, "months"),
        ("addon", {"months": 5}, "months"),
        ("addon", {"amount": Decimal("9.999")}, "amount"),
        ("addon", {"amount": Decimal("1.5"), "currency": "JPY"}, "amount"),
        ("addon", {"amount": Decimal("-1")}, "amount"),
        ("addon", {"amount": Decimal(1_000_000_001)}, "amount"),
        ("addon", {"setup": Decimal("0.001")}, "setup"),
        ("addon", {"currency": "XBT"}, "currency"),
        ("addon", {"rule": RULE}, "rule"),
        ("item", {"months": 1}, "months"),
        ("item", {"months": 0, "setup": Decimal(1)}, "setup"),
        ("metered", {"amount": Decimal(0)}, "rule"),
        ("metered", {"amount": Decimal(0), "rule": {"measure": "guess"}}, "rule"),
        ("metered", {"amount": Decimal(0), "rule": RULE, "currency": "EUR"}, "rule"),
        ("metered", {"amount": Decimal(1), "rule": RULE}, "amount"),
        ("metered", {"amount": Decimal(0), "rule": RULE, "months": 12}, "months"),
    ],
    ids=str,
)
def test_what_is_no_price_is_refused_by_field(cast: Cast, kind: str, values: dict[str, Any], field: str) -> None:
    meter = None
    if kind == "metered":
        meter = meters.create(
            actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, name="GB", unit="GB"
        )
    product = made(cast, kind, meter=meter)
    with pytest.raises(Invalid) as caught:
        priced(cast, product, **values)
    assert caught.value.field == field
    assert not AuditEntry.objects.filter(action="price.create").exists()


def test_amounts_are_kept_exactly(cast: Cast) -> None:
    product = made(cast)
    dinars = priced(cast, product, "1.234", currency="KWD", setup=Decimal("0.005"))
    kept = Price._base_manager.get(pk=dinars.pk)
    assert (kept.amount, kept.setup) == (Decimal("1.234"), Decimal("0.005"))


def test_a_catalogue_is_its_sellers_alone(cast: Cast) -> None:
    product = made(cast)
    price = priced(cast, product)
    for stranger in (cast.provider, cast.readonly_a, cast.client_a, cast.reseller_b):
        for act in (
            partial(products.change, product=product, name="Mine"),
            partial(products.archive, product=product),
            partial(prices.create, product=product, currency="EUR"),
            partial(prices.end, price=price),
        ):
            with pytest.raises((Forbidden, NotFound)):
                act(actor=stranger.actor)
    with tenant(cast.provider.actor.path):
        assert not product_selectors.listed(cast.provider.actor).exists()
        assert not selectors.listed(cast.provider.actor).exists()
