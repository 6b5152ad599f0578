"""Orders with add-ons and regions: priced, charged, invoiced and ended as one; what can't be had is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from billing import regions
from billing.models import Charge, Component, Invoice, Order, OrderAddon, Price, Product, Seller, TaxRate
from billing.selectors import orders as selectors
from billing.services import customers, fulfilments, order_estimates, orders, runs
from billing.services.changes import Extra
from panel.core.errors import DomainError, Invalid
from panel.core.models import AuditEntry
from panel.core.scoping import everything
from tests.billing import factories
from tests.cast import PASSWORD, Cast
from tests.provisioning import factories as ground

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_rows() -> Iterator[None]:
    with everything("test"):
        yield


@pytest.fixture
def seller(cast: Cast) -> Seller:
    ground.server(cast.provider.organization)
    return factories.seller(cast.reseller_a.organization, is_open=True, bank_details="Bank of A, 1234")


@pytest.fixture
def starter(seller: Seller) -> Price:
    """Hosting at 10 USD a month, setup 5."""
    package = ground.package(seller.organization)
    return factories.price(
        seller.organization, "Starter", kind="package", package=package, setup=Decimal(5), is_public=True
    )


@pytest.fixture
def disk(seller: Seller) -> Price:
    """Disk space at 3 USD a month, setup 2."""
    return factories.price(seller.organization, "Disk", "3", setup=Decimal(2), is_public=True)


def place(at: Price, *addons: Extra, actor: Any = None, **values: Any) -> Any:
    given = {"key": "form:1", "email": "new@buyers.example", "person": "Nia New", "pays_by": "transfer"}
    wish = orders.Wish(**{**given, "domain": "nia.example", "addons": addons, **values})
    return orders.place(actor=actor, price=at, wish=wish, password="" if actor else PASSWORD)


def taxed(seller: Seller, *rates: tuple[str, str, str, str]) -> None:
    Seller.objects.update(is_taxed=True)
    for country, region, category, percent in rates:
        TaxRate.objects.create(
            seller=seller.organization, country=country, region=region, category=category, percent=Decimal(percent),
            valid_from=factories.START,
        )  # fmt: skip
    seller.refresh_from_db()


def test_add_ons_are_kept_charged_and_invoiced_with_the_product(starter: Price, disk: Price) -> None:
    """One invoice has the product, so many of the add-on, and each setup fee once."""
    order = place(starter, Extra(disk, 4))
    assert [(row.price, row.quantity) for row in order.addons.all()] == [(disk, 4)]
    found = Component.objects.filter(subscription=order.subscription)
    assert sorted(found.values_list("product__name", "quantity", "is_main")) == [
        ("Disk", 4, False), ("Starter", 1, True)
    ]  # fmt: skip
    assert sorted(Charge.objects.values_list("kind", "amount")) == [
        ("period", Decimal(10)), ("period", Decimal(12)), ("setup", Decimal(2)), ("setup", Decimal(5))
    ]  # fmt: skip
    assert order.invoice.gross == Decimal(29)
    assert Invoice.objects.count() == 1
    assert AuditEntry.objects.get(action="order.place").changes["addons"] == [None, "4 Disk"]


@pytest.mark.parametrize("billing_day", [None, 1, 28])
@pytest.mark.parametrize("mode", ["exclusive", "inclusive"])
@pytest.mark.parametrize("currency", ["USD", "JPY"])
@time_machine.travel("2026-03-11T12:00:00Z", tick=False)
def test_the_summary_is_the_invoice(seller: Seller, billing_day: int | None, mode: str, currency: str) -> None:
    """Lines, each tax rate and the sums: by the functions that charge and issue, also for parts of a period."""
    taxed(seller, ("US", "", "standard", "19"), ("US", "", "reduced", "7"))
    Seller.objects.update(billing_day=billing_day, tax_mode=mode)
    seller.refresh_from_db()
    own = seller.organization
    main = factories.price(own, "Main", "1000", currency=currency, kind="package", package=ground.package(own))
    addon = factories.price(own, "Books", "333", currency=currency, setup=Decimal(7), tax_category="reduced")
    Product.objects.update(is_public=True)
    extras = (Extra(addon, 3),)
    said = order_estimates.of(seller=seller, price=main, addons=extras, country="US")
    order = place(main, *extras, country="US")
    issued = order.invoice
    lines = list(issued.lines.order_by("position"))
    assert sorted((row.text.split(",")[0], row.amount, row.quantity) for row in said.today_lines) == sorted(
        (line.text.split(",")[0], line.amount, line.quantity) for line in lines
    )
    assert (said.today.net, said.today.tax, said.today.gross) == (issued.net, issued.tax, issued.gross)
    taxes = sorted((tax.percent, tax.tax) for tax in issued.taxes.all())
    assert [(tax.percent, tax.tax) for tax in said.today.taxes] == taxes
    with time_machine.travel(timezone.now().replace(year=2026, month=5, day=15), tick=False):
        runs.bill(timezone.now())
    following = Invoice.objects.filter(lines__starts_on=said.later_on).distinct().get()
    assert following.gross == said.later.gross


def test_a_trial_costs_nothing_today_and_tells_setup_fees_apart(starter: Price, disk: Price, seller: Seller) -> None:
    """The first invoice has the setup fees, those after it have not."""
    Product.objects.filter(pk=starter.product_id).update(trial_days=14)
    starter.product.refresh_from_db()
    said = order_estimates.of(seller=seller, price=starter, addons=[Extra(disk, 2)])
    assert (said.today.gross, said.first.gross, said.later.gross) == (Decimal(0), Decimal(23), Decimal(16))
    order = place(starter, Extra(disk, 2))
    assert order.invoice is None
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        runs.bill(timezone.now())
    assert Invoice.objects.get().gross == said.first.gross


def test_the_same_form_again_and_a_retry_double_nothing(starter: Price, disk: Price, cast: Cast) -> None:
    """Add-ons are bought once: with the form's key, and however often setting up is tried."""
    first = place(starter, Extra(disk, 2), pays_by="invoice", actor=cast.reseller_a.actor)
    again = place(starter, Extra(disk, 9), pays_by="invoice", actor=cast.reseller_a.actor)
    assert first.pk == again.pk
    Order.objects.update(status="failed")
    orders.retry(actor=cast.reseller_a.actor, order=Order.objects.select_related("seller").get())
    fulfilments.fulfil(first.pk)
    assert [(row.quantity, row.price_id) for row in OrderAddon.objects.all()] == [(2, disk.pk)]
    assert Component.objects.count() == 2
    assert Invoice.objects.get().gross == Decimal(23)


def test_a_refused_order_owes_nothing_for_its_add_ons(starter: Price, disk: Price, cast: Cast) -> None:
    """Every line is credited, those of add-ons too, and they end with the subscription."""
    place(starter, Extra(disk, 2))
    order = Order.objects.select_related("seller", "subscription").get()
    orders.refuse(actor=cast.reseller_a.actor, order=order, reason="Not for us.")
    assert sum(Invoice.objects.values_list("gross", flat=True)) == 0
    assert not Component.objects.filter(ends_on=None).exists()


def test_hostile_choices_are_refused_by_field_and_leave_nothing(starter: Price, disk: Price, cast: Cast) -> None:
    """None, less than none, too many, twice, and prices that are not for this order."""
    own = starter.product.organization
    factories.seller(cast.reseller_b.organization)
    ended = factories.price(own, "Ended", is_public=True, ended_on=factories.START)
    gone = factories.price(own, "Gone", is_public=True)
    Product.objects.filter(pk=gone.product_id).update(archived_at=timezone.now())
    euro = factories.price(own, "Euro", is_public=True, currency="EUR")
    yearly = factories.price(own, "Yearly", is_public=True, months=12)
    foreign = factories.price(cast.reseller_b.organization, "Foreign", is_public=True)
    hidden = factories.price(own, "Hidden")
    item = factories.price(own, "Item", months=0, kind="item", is_public=True)
    for choice in (
        [Extra(disk, 0)], [Extra(disk, -1)], [Extra(disk, 10**9)], [Extra(disk, 1), Extra(disk, 2)], [Extra(ended)],
        [Extra(gone)], [Extra(euro)], [Extra(yearly)], [Extra(foreign)], [Extra(hidden)], [Extra(item)],
        [Extra(starter)],
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            place(starter, *choice)
        assert caught.value.field == "addons", choice
    assert not Order.objects.exists()
    assert not Component.objects.exists()


def test_a_sellers_own_shop_sells_what_is_not_on_its_page(starter: Price, cast: Cast) -> None:
    """By API a seller may add what strangers don't see."""
    hidden = factories.price(starter.product.organization, "Hidden")
    order = place(starter, Extra(hidden, 2), actor=cast.reseller_a.actor)
    assert order.invoice.gross == Decimal(35)


def test_an_order_page_offers_what_goes_with_its_product(starter: Price, disk: Price) -> None:
    """Add-ons of another cycle or currency alone are not there."""
    own = starter.product.organization
    factories.price(own, "Yearly", is_public=True, months=12)
    factories.price(own, "Euro", is_public=True, currency="EUR")
    offer = selectors.offers(own, factories.START)[0]
    assert [each.product.name for each in selectors.addons(own, factories.START, offer)] == ["Disk"]


def test_where_tax_differs_by_region_it_is_asked_for(starter: Price, seller: Seller) -> None:
    """A buyer there says where, by code or name; that region's rate is charged; elsewhere nobody is asked."""
    taxed(seller, ("US", "TX", "standard", "8.25"), ("US", "MA", "standard", "6.25"), ("DE", "", "standard", "19"))
    for text in ("", "Nowhere", "ZZ"):
        with pytest.raises(DomainError) as caught:
            place(starter, country="US", region=text)
        assert caught.value.field == "region", text
    assert not Order.objects.exists()
    for number, (country, region, kept, gross) in enumerate(
        [
            ("US", "texas", "TX", "16.24"),
            ("US", " ma ", "MA", "15.94"),
            ("US", "OR", "OR", "15"),
            ("DE", "", "", "17.85"),
        ]
    ):
        order = place(
            starter, key=f"form:{number}", domain=f"n{number}.example", email=f"n{number}@buyers.example",
            country=country, region=region,
        )  # fmt: skip
        assert (order.region, order.customer.region, order.invoice.gross) == (kept, kept, Decimal(gross))


def test_a_known_buyer_without_a_region_gives_it_first(starter: Price, seller: Seller, cast: Cast) -> None:
    """Who is signed in is not taxed as if it were nowhere: it is led to its billing details, and then orders."""
    taxed(seller, ("US", "TX", "standard", "8.25"))
    known = factories.customer(seller.organization, cast.client_a.organization, country="US")
    with pytest.raises(Invalid) as caught:
        place(starter, actor=cast.client_a.actor)
    assert caught.value.field == "region"
    assert "in your billing details first" in caught.value.message
    assert not Order.objects.exists()
    customers.change(actor=cast.client_a.actor, customer=known, region="Texas")
    assert place(starter, actor=cast.client_a.actor).invoice.gross == Decimal("16.24")


def test_regions_are_read_by_code_and_name() -> None:
    """All of them, whatever the case."""
    assert (len(regions.NAMES["US"]), len(regions.NAMES["CA"])) == (51, 13)
    assert regions.code("US", "district  of columbia") == "DC"
    assert regions.code("CA", "qc") == "QC"
    assert regions.code("CA", "Texas") == ""
